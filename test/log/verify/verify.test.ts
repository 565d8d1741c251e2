import { expect, it, onTestFinished } from 'vitest'
import { numberKey, readCounts, writeCounts } from '../../../src/log/documents.ts'
import { type Environment, openForWriting } from '../../../src/log/environment.ts'
import { fillIndex } from '../../../src/log/fill.ts'
import { indexPrefix, latestKey, logKey, prefixEnd } from '../../../src/log/keys.ts'
import { openLog } from '../../../src/log/reader.ts'
import type { Finding, Walked } from '../../../src/log/verify/finding.ts'
import { type VerifyOptions, verifyLog } from '../../../src/log/verify/verify.ts'
import { LogWriter } from '../../../src/log/writer.ts'
import { get as property } from '../../../src/model/dict.ts'
import type { Entity } from '../../../src/model/entity.ts'
import { bytes, folder, write } from '../sample.ts'

const keysOf = (_: string, __: string, entity: Entity) => [bytes(property(entity, 'p') as string)]

/** A closed log: dataset `d` with an index on `p`, long ids and values, deleted ids, two versions of many; and `e`. */
async function sampleLog(): Promise<string> {
  const path = folder()
  const writer = await LogWriter.open(path)
  await writer.assertDataset('d')
  await writer.assertDataset('e')
  await writer.assertIndex('d', 'p', '')
  const log = openLog(path)
  const one = (i: number, v: number) => ({
    _id: i === 7 ? 'long'.repeat(300) : `id${i}`,
    _deleted: i % 10 === 3 && v > 0,
    p: i === 5 ? 'value'.repeat(200) : `p${i % 4}`,
    v,
    text: `${'x'.repeat(i % 300)}`,
  })
  for (const v of [0, 1, 2]) {
    const entities = Array.from({ length: 400 }, (_, i) => one(i, i % 3 === 0 ? v : 0))
    const indexed = {
      indexSet: 1,
      keysOf: (json: Readonly<Record<string, unknown>>) => [[0, [bytes(json.p as string)]] as const],
    }
    await writer.commit({ writes: [write('d', entities, indexed), write('e', entities)], offsets: [['o', '5']] })
  }
  await writer.commit({ state: [[bytes('s'), bytes('t')]], meta: [['m', '{}']], populated: [['d', true]] })
  await fillIndex(writer, log, 'e', 'p', (entity) => keysOf('', '', entity))
  log.close()
  await writer.close()
  return path
}

async function verified(
  path: string,
  options: Partial<VerifyOptions> = {},
): Promise<{ findings: Finding[]; walked: Walked }> {
  const findings: Finding[] = []
  const { walked } = await verifyLog(path, { keysOf, found: (finding) => findings.push(finding), ...options })
  return { findings, walked }
}

async function harm(path: string, action: (environment: Environment) => void): Promise<void> {
  const environment = openForWriting(path)
  environment.write(() => action(environment))
  await environment.close()
}

it('finds nothing wrong with a sound log, and says how much it looked at', async () => {
  const { findings, walked } = await verified(await sampleLog(), {
    positionsOf: () => [{ offset: 'o', dataset: 'd', sequence: 5 }],
  })
  expect(findings).toEqual([])
  expect(walked).toEqual({ datasets: 2, versions: 1336, ids: 800, indexRows: 800, offsets: 1, states: 1 })
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

it.each<[what: string, law: string, harm: (environment: Environment) => void]>([
  ['a changed byte of a version', 'unreadable', ({ tables }) => flip(tables.log, logKey(1, 0), -3)],
  ['a changed byte of a block’s directory', 'unreadable', ({ tables }) => flip(tables.log, logKey(1, 0), 40)],
  ['a changed `latest` row', 'unreadable', ({ tables }) => flip(tables.latest, latestKey(1, bytes('id1')), 20)],
  ['a `latest` row that is gone', 'latest', ({ tables }) => tables.latest.remove(latestKey(1, bytes('id1')))],
  [
    'a `latest` row of an id that is not in the log',
    'latest',
    ({ tables }) => {
      const [row] = tables.latest.getRange({ start: latestKey(1, bytes('id1')), limit: 1 }).asArray
      tables.latest.put(latestKey(1, bytes('stranger')), row?.value as Buffer)
    },
  ],
  [
    'an older `latest` row',
    'latest',
    ({ tables }) => {
      const [row] = tables.latest.getRange({ start: latestKey(1, bytes('id1')), limit: 1 }).asArray
      tables.latest.put(latestKey(1, bytes('id6')), row?.value as Buffer)
    },
  ],
  ['a block that is gone', 'latest', ({ tables }) => tables.log.remove(logKey(1, 0))],
  [
    'an index row that is gone',
    'index',
    ({ tables }) => {
      const [key] = tables.index.getKeys({ start: indexPrefix(1, 0, false), limit: 1 }).asArray
      tables.index.remove(key as Buffer)
    },
  ],
  [
    'an index row too many',
    'index',
    ({ tables }) => {
      const [key] = tables.index.getKeys({ start: indexPrefix(1, 0, false), limit: 1 }).asArray
      tables.index.put(Buffer.concat([key as Buffer, bytes('x')]), Buffer.alloc(0))
    },
  ],
  [
    'a changed value of an index row',
    'unreadable',
    ({ tables }) => {
      const range = { start: indexPrefix(1, 0, false), end: prefixEnd(indexPrefix(1, 0, false)) }
      const row = tables.index.getRange(range).asArray.find(({ value }) => value.length > 0)
      flip(tables.index, row?.key as Buffer, 9)
    },
  ],
  [
    'rows of an index that does not exist',
    'stray',
    ({ tables }) =>
      tables.index.put(Buffer.concat([indexPrefix(1, 9, true), Buffer.from([1, 0, 65, 66])]), Buffer.alloc(0)),
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

/** Changes one byte of a value, counted from the end when negative. */
function flip(table: Environment['tables']['log'], key: Uint8Array, at: number): void {
  const [row] = table.getRange({ start: key, limit: 1 }).asArray
  const value = Buffer.from(row?.value as Buffer)
  const place = at < 0 ? value.length + at : at
  value[place] = (value[place] as number) ^ 0xff
  table.put(row?.key as Buffer, value)
}
