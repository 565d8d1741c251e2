import { expect, it, onTestFinished } from 'vitest'
import { numberKey, readCounts, writeCounts } from '../../../src/log/documents.ts'
import { type Environment, keysIn, rowsOf } from '../../../src/log/environment.ts'
import { indexPrefix, latestKey, logKey, prefixEnd, valuePart } from '../../../src/log/keys.ts'
import { noteLeft } from '../../../src/log/left.ts'
import { LogWriter } from '../../../src/log/writer.ts'
import { bytes, write } from '../sample.ts'
import { flip, harm, keysOf, sampleLog, verified } from './harm.ts'

it('finds nothing wrong with a sound log, and says how much it looked at', async () => {
  const { findings, walked } = await verified(await sampleLog(), {
    positionsOf: () => [{ offset: 'o', dataset: 'd', sequence: 5 }],
  })
  expect(findings).toEqual([])
  expect(walked).toEqual({ datasets: 2, versions: 1340, ids: 800, indexRows: 800, offsets: 1, states: 1 })
})

it('finds nothing wrong with a log that is swept and filled at the moment', async () => {
  const path = await sampleLog()
  const writer = await LogWriter.open(path)
  onTestFinished(() => writer.close())
  await writer.deleteDataset('e')
  await writer.assertIndex('d', 'v', '')
  const { number } = await writer.assertIndex('d', 'p', 'another')
  expect(number).toBe(2)
  expect((await verified(path)).findings).toEqual([])
})

it('finds nothing wrong with what a circuit breaker holds back, during its run and after it tripped', async () => {
  const path = await sampleLog()
  const writer = await LogWriter.open(path)
  onTestFinished(() => writer.close())
  const { indexSet } = await writer.assertDataset('d')
  const run = { pipe: 'p', number: await writer.beginRun('p') }
  await writer.beginStaging('d', run, 1)
  for (const _id of ['id1', 'new']) {
    await writer.commit({ run, offsets: [['o', '7']], writes: [write('d', [{ _id, v: 'other' }], { indexSet })] })
    expect((await verified(path)).findings).toEqual([])
  }
  expect((await writer.assertDataset('d')).isTripped).toBe(true)
  await writer.discardStaged('d')
  expect((await verified(path)).findings).toEqual([])
})

it.each<[what: string, law: string, harm: (environment: Environment) => void]>([
  ['a changed byte of a version', 'unreadable', ({ tables }) => flip(tables.log, logKey(1, 0), -3)],
  ['a changed byte of a block’s directory', 'unreadable', ({ tables }) => flip(tables.log, logKey(1, 0), 40)],
  ['a changed `latest` row', 'unreadable', ({ tables }) => flip(tables.latest, latestKey(1, bytes('id1')), 20)],
  ['a `latest` row that is gone', 'latest', ({ tables }) => tables.latest.remove(latestKey(1, bytes('id1')))],
  [
    'a `latest` row of an id that is not in the log',
    'latest',
    ({ tables }) => {
      const [row] = rowsOf(tables.latest, { start: latestKey(1, bytes('id1')), limit: 1 })
      tables.latest.put(latestKey(1, bytes('stranger')), row?.value as Buffer)
    },
  ],
  [
    'an older `latest` row',
    'latest',
    ({ tables }) => {
      const [row] = rowsOf(tables.latest, { start: latestKey(1, bytes('id1')), limit: 1 })
      tables.latest.put(latestKey(1, bytes('id6')), row?.value as Buffer)
    },
  ],
  ['a block that is gone', 'latest', ({ tables }) => tables.log.remove(logKey(1, 0))],
  [
    'an index row that is gone',
    'index',
    ({ tables }) => {
      const [key] = keysIn(tables.index, { start: indexPrefix(1, 0, false), limit: 1 })
      tables.index.remove(key as Buffer)
    },
  ],
  [
    'an index row too many',
    'index',
    ({ tables }) => {
      const [key] = keysIn(tables.index, { start: indexPrefix(1, 0, false), limit: 1 })
      tables.index.put(Buffer.concat([key as Buffer, bytes('x')]), Buffer.alloc(0))
    },
  ],
  [
    'a changed value of an index row',
    'unreadable',
    ({ tables }) => {
      const range = { start: indexPrefix(1, 0, false), end: prefixEnd(indexPrefix(1, 0, false)) }
      const row = rowsOf(tables.index, range).find(({ value }) => value.length > 0)
      flip(tables.index, row?.key as Buffer, 9)
    },
  ],
  [
    'a loss of a key that is noted by half',
    'index',
    ({ tables }) => tables.left.remove(keysIn(tables.left, { limit: 1 })[0] as Buffer),
  ],
  [
    'rows of an index that does not exist',
    'stray',
    ({ tables }) =>
      tables.index.put(Buffer.concat([indexPrefix(1, 9, true), Buffer.from([1, 0, 65, 66])]), Buffer.alloc(0)),
  ],
  [
    'a changed row of what left a subset',
    'unreadable',
    ({ tables }) => {
      noteLeft(tables.left, 1, 0, valuePart(bytes('x')), bytes('id1') as Buffer, 3)
      const [key] = keysIn(tables.left, { start: Buffer.from([0]), limit: 1 })
      flip(tables.left, key as Buffer, 5)
    },
  ],
  [
    'rows of what left a subset of a dataset that does not exist',
    'stray',
    ({ tables }) => noteLeft(tables.left, 99, 0, valuePart(bytes('x')), bytes('id1') as Buffer, 3),
  ],
  ['rows of a dataset that does not exist', 'stray', ({ tables }) => tables.log.put(logKey(99, 0), Buffer.from('x'))],
  [
    'a wrong count',
    'counts',
    ({ tables }) => {
      const counts = readCounts(tables.meta, 1)
      writeCounts(tables.meta, 1, { ...counts, existing: counts.existing + 1 })
    },
  ],
  [
    'a wrong sum',
    'counts',
    ({ tables }) => {
      const counts = readCounts(tables.meta, 1)
      counts.sums[2] = (counts.sums[2] as number) + 1
      writeCounts(tables.meta, 1, counts)
    },
  ],
  [
    'an end below the newest version',
    'sequence',
    ({ tables }) => {
      const counts = readCounts(tables.meta, 1)
      writeCounts(tables.meta, 1, { ...counts, end: counts.end - 1 })
    },
  ],
  [
    'counts of a dataset that does not exist',
    'stray',
    ({ tables }) => writeCounts(tables.meta, 99, readCounts(tables.meta, 1)),
  ],
  ['broken counts', 'unreadable', ({ tables }) => flip(tables.meta, numberKey('c', 1), 8)],
  ['a changed offset', 'unreadable', ({ tables }) => flip(tables.offset, bytes('o'), -1)],
  ['a changed state entry', 'unreadable', ({ tables }) => flip(tables.state, bytes('s'), -1)],
  ['a changed document', 'unreadable', ({ tables }) => flip(tables.meta, bytes('mm'), -1)],
  ['an unknown kind of row', 'unreadable', ({ tables }) => tables.meta.put(bytes('?'), bytes('?'))],
])('finds %s', async (_, law, action) => {
  const path = await sampleLog()
  await harm(path, action)
  const { findings } = await verified(path)
  expect(findings.map((finding) => finding.law)).toContain(law)
})

it('finds keys that are not those of the content', async () => {
  const path = await sampleLog()
  const { findings } = await verified(path, { keysOf: (...args) => [...keysOf(...args), bytes('more')] })
  expect(findings.length).toBeGreaterThan(100)
  expect(findings[0]).toMatchObject({ law: 'index', place: { dataset: 'd', index: 'p', id: expect.any(String) } })
  expect(findings.at(-1)?.message).toMatch(/and \d+ more/)
})

it('finds an offset beyond the end of its dataset', async () => {
  const { findings } = await verified(await sampleLog(), {
    positionsOf: () => [{ offset: 'o', dataset: 'd', sequence: 100_000 }],
  })
  expect(findings).toMatchObject([{ law: 'offset', place: { dataset: 'd' } }])
})

it('names the place', async () => {
  const path = await sampleLog()
  await harm(path, ({ tables }) => flip(tables.log, logKey(1, 0), -3))
  const { findings } = await verified(path)
  expect(findings).toMatchObject([{ law: 'unreadable', place: { dataset: 'd', sequence: expect.any(Number) } }])
})
