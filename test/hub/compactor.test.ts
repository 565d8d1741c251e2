import { expect, it } from 'vitest'
import { Compactor } from '../../src/hub/compactor.ts'
import { Housekeeping } from '../../src/hub/housekeeping.ts'
import type { CompactionSettings } from '../../src/pipes/compaction-settings.ts'
import { silent } from '../../src/pipes/logger.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'
import { openedLog, reading, write } from '../log/sample.ts'

const HOUR_MS = 3_600_000
const READERS = { pipes: new Map(), isRunning: () => false, projected: {} }
const never = new AbortController().signal

const settings = (more: Partial<CompactionSettings> = {}): CompactionSettings => ({
  rules: { keepVersions: 2, thresholdHours: null, forget: null, retract: null },
  isBySink: false,
  intervalMs: 0,
  isAutomatic: true,
  growth: 1,
  executionHours: 720,
  ...more,
})

async function opened() {
  let nowMs = 1_000 * HOUR_MS
  const log = await openedLog({ now: () => nowMs * 1000 })
  await log.writer.commit({ populated: [['d', true]] })
  const compactor = new Compactor(log.writer, log.log, () => nowMs, never)
  let value = 0
  return {
    ...log,
    wait: (hours: number) => {
      nowMs += hours * HOUR_MS
    },
    append: async (count: number, dataset = 'd', id = (_: number) => 'e') => {
      const entities = Array.from({ length: count }, (_, i) => ({ _id: id(i), value: ++value }))
      await log.writer.commit({ writes: [write(dataset, entities)] })
    },
    daily: (more: Partial<CompactionSettings> = {}) => {
      const pipe = { id: 'p', sink: { kind: 'dataset', dataset: 'd' }, compaction: settings(more) } as unknown as Pipe
      return compactor.compactFor(pipe, 'daily', READERS, never)
    },
    relieve: (more: Partial<CompactionSettings> = {}) => {
      const compaction = settings({ isBySink: true, ...more })
      const pipe = { id: 'p', sink: { kind: 'dataset', dataset: 'd' }, compaction } as unknown as Pipe
      return compactor.relieve(pipe, READERS)
    },
    trim: (dataset: string, hours: number) => compactor.trim(dataset, hours, READERS, never),
    versions: (dataset: string) => reading(log.log, (snapshot) => snapshot.dataset(dataset)?.counts().versions),
  }
}

it('compacts once a day what no sink compacts, when it has grown by the factor that is asked for', async () => {
  const { append, daily } = await opened()
  await append(10)
  expect(await daily({ growth: 2 })).toBe(8)
  await append(9)
  expect(await daily({ growth: 2 })).toBe(0)
  expect(await daily({ growth: 1.9 })).toBe(9)
})

it('leaves alone what is not to be compacted automatically, what its sink compacts, and what is not populated', async () => {
  const { append, daily, writer } = await opened()
  await append(10)
  expect(await daily({ isAutomatic: false })).toBe(0)
  expect(await daily({ isBySink: true })).toBe(0)
  await writer.commit({ populated: [['d', false]] })
  expect(await daily()).toBe(0)
})

it('holds a writer up once the dataset has grown far beyond what was compacted', async () => {
  const { append, relieve, versions } = await opened()
  await append(15_000)
  await relieve()
  expect(versions('d')).toBe(15_000)
  await append(15_000)
  await relieve({ intervalMs: 60_000 })
  await relieve({ isBySink: false })
  expect(versions('d')).toBe(30_000)
  await Promise.all([relieve(), relieve()])
  expect(versions('d')).toBe(2)
})

it('trims the execution log of a pipe by time, whatever else is said', async () => {
  const { append, daily, wait, writer, versions } = await opened()
  const log = 'system:pump_execution:p'
  await writer.assertDataset(log)
  await append(3, log, (i) => `run-${i}`)
  wait(500)
  await append(2, log, (i) => `later-${i}`)
  await daily({ isAutomatic: false })
  expect(versions(log)).toBe(5)
  wait(221)
  await daily({ isAutomatic: false })
  expect(versions(log)).toBe(2)
})

it('takes away what is older in a dataset of the hub, all of it, and nothing of one that is not there', async () => {
  const { append, trim, wait, versions } = await opened()
  await append(3, 'd', (n) => `old ${n}`)
  wait(30)
  await append(2, 'd', (n) => `new ${n}`)
  expect(await trim('d', 24)).toBe(3)
  expect(versions('d')).toBe(2)
  expect(await trim('none', 24)).toBe(0)
})

it('looks once a day, also over a restart', async () => {
  let nowMs = 1_000 * HOUR_MS
  let saved: number | null = null
  const done: string[] = []
  const open = () =>
    new Housekeeping({
      now: () => nowMs,
      pipes: () => [{ id: 'a' }, { id: 'b' }] as Pipe[],
      compact: async (pipe, occasion) => {
        done.push(`${pipe} ${occasion}`)
        return 0
      },
      withRemnants: () => ['d'],
      settle: async (dataset) => void done.push(dataset),
      lastDaily: () => saved,
      trimmed: () => [{ dataset: 'own', hours: 24 }],
      trim: async (dataset, hours) => void done.push(`${dataset} ${hours}`),
      saveDaily: async (at) => {
        saved = at
      },
      logger: silent,
    })
  await open().look()
  expect(done.splice(0)).toEqual(['d', 'a daily', 'b daily', 'own 24'])
  nowMs += 23 * HOUR_MS
  await open().look()
  expect(done.splice(0)).toEqual(['d'])
  nowMs += HOUR_MS
  await open().look()
  expect(done.splice(0)).toEqual(['d', 'a daily', 'b daily', 'own 24'])
})

it('compacts also while a run is under way, and counts that for the run', async () => {
  const done: string[] = []
  const housekeeping = new Housekeeping({
    now: Date.now,
    pipes: () => [],
    compact: async (pipe) => done.push(pipe),
    withRemnants: () => [],
    settle: async () => {},
    lastDaily: () => null,
    trimmed: () => [],
    trim: async () => {},
    saveDaily: async () => {},
    logger: silent,
  })
  const pipe = { id: 'a', sink: { kind: 'dataset' }, compaction: settings({ isBySink: true }) } as unknown as Pipe
  for (let batch = 0; batch < 100; batch++) housekeeping.written(pipe)
  await expect.poll(() => done, { timeout: 20_000 }).toEqual(['a'])
  // One version, and two.
  expect(await housekeeping.afterRun(pipe)).toBe(3)
  expect(done).toEqual(['a', 'a'])
  housekeeping.close()
})
