import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type CompactionPorts, type CompactionRules, compactDataset, settleRemnants } from '../../src/log/compaction.ts'
import type { DatasetDocument, Journal, Removal } from '../../src/log/contract.ts'
import { startWriter } from '../../src/log/journal.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import { folder, type OpenedLog, openedLog, reading, write } from './sample.ts'

const NOBODY = { tracked: null, history: null, passed: null }
const RULES: CompactionRules = { keepVersions: 2, thresholdHours: null, forget: null, retract: null }
const never = new AbortController().signal

const ports = ({ writer, log }: Pick<OpenedLog, 'log'> & { writer: Journal }, more: Partial<CompactionPorts> = {}) => ({
  journal: writer,
  log,
  now: Date.now,
  readers: () => NOBODY,
  ...more,
})

const PRIMES = [7_919, 104_729, 1_299_709]
const round = (value: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    // Each round in another order.
    _id: `e${(i * (PRIMES[value % 3] as number)) % count}`,
    value,
    text: `${value} ${i} `.repeat(40),
  }))

const sequences = ({ log }: Pick<OpenedLog, 'log'>) =>
  reading(log, (snapshot) => [...(snapshot.dataset('d')?.changes(null) ?? [])].map(({ sequence }) => sequence))

/** A log whose documents say something else. */
const view = (log: LogReader, change: (document: DatasetDocument) => DatasetDocument): LogReader => ({
  ...log,
  snapshot: () => {
    const snapshot = log.snapshot()
    const dataset = snapshot.dataset.bind(snapshot)
    snapshot.dataset = (id) => {
      const found = dataset(id)
      return found && Object.assign(found, { document: change(found.document) })
    }
    return snapshot
  },
})

describe('compaction', () => {
  it('gives disk space back for what comes next, in whatever order entities are replaced', async () => {
    const opened = await openedLog()
    const { writer, path } = opened
    const size = () => statSync(join(path, 'data.mdb')).size
    let first = 0
    for (let value = 0; value < 40; value++) {
      for (const at of [0, 500, 1_000, 1_500]) {
        await writer.commit({ writes: [write('d', round(value, 2_000).slice(at, at + 500))] })
        await compactDataset(ports(opened), 'd', RULES, never)
      }
      if (value === 0) first = size()
      expect(size()).toBeLessThan(3 * first)
    }
    expect(reading(opened.log, (snapshot) => snapshot.dataset('d')?.counts().versions)).toBe(4_000)
  })

  it('lets commits go between its slices', async () => {
    const path = folder()
    const writer = await startWriter(path)
    const log = openLog(path)
    onTestFinished(async () => {
      log.close()
      await writer.close()
    })
    const { journal } = writer
    await journal.assertDataset('d')
    await journal.assertDataset('other')
    for (let value = 0; value < 6; value++) await journal.commit({ writes: [write('d', round(value, 3_000))] })
    let isDone = false
    const compacted = compactDataset(ports({ writer: journal, log }), 'd', RULES, never).finally(() => {
      isDone = true
    })
    const waits: number[] = []
    for (let value = 0; !isDone; value++) {
      const begin = performance.now()
      await journal.commit({ writes: [write('other', [{ _id: 'e', value }])] })
      waits.push(performance.now() - begin)
    }
    expect(await compacted).toBe(12_000)
    expect(waits.length).toBeGreaterThan(5)
    // 50 ms is what is aimed at, on a machine that does nothing else: see the README.
    expect(Math.max(...waits)).toBeLessThan(1_000)
  })

  it('reads no more than what is new, when it is done again', async () => {
    const opened = await openedLog()
    for (let value = 0; value < 4; value++) await opened.writer.commit({ writes: [write('d', round(value, 500))] })
    await compactDataset(ports(opened), 'd', RULES, never)
    const removals: Removal[] = []
    const journal = {
      remove: (removal: Removal) => {
        removals.push(removal)
        return opened.writer.remove(removal)
      },
    } as Journal
    await compactDataset(ports({ ...opened, writer: journal as never }), 'd', RULES, never)
    expect(removals).toEqual([])
    await opened.writer.commit({ writes: [write('d', [{ _id: 'e1', value: 'new' }])] })
    expect(await compactDataset(ports({ ...opened, writer: journal as never }), 'd', RULES, never)).toBe(1)
    expect(removals.flatMap(({ blocks }) => blocks)).toHaveLength(1)
  })

  it('holds back by entity: what one tracking offset needs keeps no other from going', async () => {
    const opened = await openedLog()
    const at = (_id: string, value: number) => opened.writer.commit({ writes: [write('d', [{ _id, value }])] })
    await at('a', 1) // 0
    await at('b', 1) // 1
    await at('b', 2) // 2: what the tracker has seen ends here
    await at('a', 2) // 3
    await at('a', 3) // 4
    await at('c', 1) // 5
    for (const keepVersions of [0, 1]) {
      const rules = { ...RULES, keepVersions, ...(keepVersions === 0 ? { thresholdHours: 0 } : {}) }
      const readers = () => ({ tracked: 2, history: null, passed: 2 })
      await compactDataset(ports(opened, { readers, now: () => Date.now() + 1_000 }), 'd', rules, never)
      // Of `a` the newest version that it has seen, and all after it; of `b` only the newest.
      expect(sequences(opened)).toEqual([0, 2, 3, 4, 5])
    }
    await compactDataset(ports(opened), 'd', { ...RULES, keepVersions: 1 }, never)
    expect(sequences(opened)).toEqual([2, 4, 5])
  })

  it('finds also what no newer version leads to, in a dataset that was put together from backups', async () => {
    const opened = await openedLog()
    for (let value = 0; value < 5; value++) await opened.writer.commit({ writes: [write('d', [{ _id: 'e', value }])] })
    // As an increment does that was made after a compaction, on a full backup that was made before it.
    const { generation } = await opened.writer.assertDataset('d')
    await opened.writer.remove({ dataset: 'd', generation, blocks: [[2, [2]]], ids: [] })
    expect(await compactDataset(ports(opened), 'd', RULES, never)).toBe(0)
    const restored = view(opened.log, (document) => ({
      ...document,
      restore: { uuid: 'r', offset: 4, generation: 'former' },
    }))
    expect(await compactDataset(ports({ ...opened, log: restored }), 'd', RULES, never)).toBe(2)
    expect(sequences(opened)).toEqual([3, 4])
  })

  it('stops where its circuit breaker tripped', async () => {
    const opened = await openedLog()
    for (let value = 0; value < 4; value++) await opened.writer.commit({ writes: [write('d', round(value, 10))] })
    const log = view(opened.log, (document) => ({ ...document, isTripped: true }))
    expect(await compactDataset(ports({ ...opened, log }), 'd', RULES, never)).toBe(0)
  })
})

describe('what is left of an erased entity', () => {
  it('goes with all it had, once all readers have passed it; what it had goes at once', async () => {
    const opened = await openedLog()
    for (const value of [1, 2, 3])
      await opened.writer.commit({ writes: [write('d', [{ _id: 'e', value }, { _id: 'f' }])] })
    await opened.writer.commit({ writes: [write('d', [{ _id: 'e', _deleted: true }], { erases: true })] })
    const behind = () => ({ ...NOBODY, passed: 3 })
    expect(await settleRemnants(ports(opened, { readers: behind }), 'd', never)).toBe(3)
    expect(sequences(opened)).toEqual([1, 4])
    expect(await settleRemnants(ports(opened), 'd', never)).toBe(1)
    expect(sequences(opened)).toEqual([1])
    reading(opened.log, (snapshot) => {
      expect(snapshot.dataset('d')?.counts()).toEqual({ end: 5, existing: 1, deleted: 0, versions: 1 })
      expect(snapshot.dataset('d')?.remnants()).toEqual([])
    })
  })

  it('stays as an ordinary version when the entity came again', async () => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', [{ _id: 'e', value: 1 }])] })
    await opened.writer.commit({ writes: [write('d', [{ _id: 'e', _deleted: true }], { erases: true })] })
    await opened.writer.commit({ writes: [write('d', [{ _id: 'e', value: 2 }])] })
    expect(await settleRemnants(ports(opened), 'd', never)).toBe(1)
    expect(sequences(opened)).toEqual([1, 2])
    expect(reading(opened.log, (snapshot) => snapshot.dataset('d')?.remnants())).toEqual([])
  })
})
