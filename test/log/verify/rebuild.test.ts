import { expect, it } from 'vitest'
import { readCounts, writeCounts } from '../../../src/log/documents.ts'
import { keysIn, openForReading, openForWriting, rowsOf } from '../../../src/log/environment.ts'
import { indexPrefix, latestKey, logKey } from '../../../src/log/keys.ts'
import { rebuild } from '../../../src/log/verify/rebuild.ts'
import { LogWriter } from '../../../src/log/writer.ts'
import { bytes } from '../sample.ts'
import { flip, harm, keysOf, sampleLog, verified } from './harm.ts'

/** All rows, by table. */
async function rows(path: string): Promise<Record<string, [string, string][]>> {
  const { tables, close } = openForReading(path)
  const all = Object.entries(tables)
    .filter(([name]) => name !== 'meta')
    .map(([name, table]) => [
      name,
      rowsOf(table, {}).map(({ key, value }): [string, string] => [key.toString('hex'), value.toString('hex')]),
    ])
  await close()
  return Object.fromEntries(all)
}

it('makes latest, counts and indexes again exactly as they were, and does not touch the log', async () => {
  const path = await sampleLog()
  const before = await rows(path)
  await harm(path, ({ tables }) => {
    flip(tables.latest, latestKey(1, bytes('id1')), 20)
    tables.latest.remove(latestKey(1, bytes('id2')))
    tables.index.remove(keysIn(tables.index, { start: indexPrefix(1, 0, false), limit: 1 })[0] as Buffer)
    tables.index.put(Buffer.concat([indexPrefix(1, 0, true), Buffer.from([1, 0, 65, 66])]), Buffer.alloc(0))
    writeCounts(tables.meta, 1, { ...readCounts(tables.meta, 1), existing: 3, sums: new Uint32Array(4) })
  })
  await rebuild(path, new Set(['d']), { keysOf })
  expect(await rows(path)).toEqual(before)
  expect((await verified(path)).findings).toEqual([])
})

it('leaves an index whose expression cannot be compiled to be filled by the hub', async () => {
  const path = await sampleLog()
  await rebuild(path, new Set(['d']), { keysOf: () => null })
  expect((await verified(path)).findings).toEqual([])
  const writer = await LogWriter.open(path)
  const index = await writer.assertIndex('d', 'p', '')
  await writer.close()
  expect(index).toMatchObject({ state: 'filling', filled: 0 })
})

it('refuses a dataset whose log cannot be read, and leaves what the rest says', async () => {
  const path = await sampleLog()
  await harm(path, ({ tables }) => flip(tables.log, logKey(1, 0), -3))
  const { latest, index } = await rows(path)
  await expect(rebuild(path, new Set(['d']), { keysOf })).rejects.toMatchObject({ code: 'broken-row' })
  expect(await rows(path)).toMatchObject({ latest, index })
  await (await LogWriter.open(path)).close()
})

it('keeps hubs away until it is finished', async () => {
  const path = await sampleLog()
  let isStopped = false
  const stop = () => {
    if (isStopped) return
    isStopped = true
    throw new Error('the power went away')
  }
  const keys = (...args: Parameters<typeof keysOf>) => {
    stop()
    return keysOf(...args)
  }
  await expect(rebuild(path, new Set(['d']), { keysOf: keys })).rejects.toThrow('power')
  await expect(LogWriter.open(path)).rejects.toMatchObject({ code: 'rebuild-unfinished' })
  await rebuild(path, new Set(['d']), { keysOf })
  await (await LogWriter.open(path)).close()
})

it('refuses while a hub runs on the folder', async () => {
  const path = await sampleLog()
  const writer = await LogWriter.open(path)
  await expect(rebuild(path, new Set(['d']), { keysOf })).rejects.toMatchObject({ code: 'data-in-use' })
  await writer.close()
  const environment = openForWriting(path)
  await environment.close()
})
