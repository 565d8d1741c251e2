import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogReader } from '../../src/log/reader.ts'
import { sourceOffset } from '../../src/pipes/full-run.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'
import { runPipe } from '../../src/pipes/pump.ts'
import { type OpenedLog, openedLog, reading, write } from '../log/sample.ts'
import { chronological, killedAfter, pipeOf, portsOf } from './running-pipe.ts'

type Json = Readonly<Record<string, unknown>>
const never = new AbortController().signal

const config = (more: Json = {}, sink: Json = {}): Json => ({
  _id: 'p',
  source: { type: 'embedded', entities: [] },
  sink: { type: 'dataset', dataset: more._id === undefined ? 'd' : more._id, ...sink },
  batch_size: 2,
  ...more,
})
const run = ({ writer, log }: OpenedLog, pipe: Pipe, rescan = false, commits = Number.POSITIVE_INFINITY) =>
  runPipe(pipe, portsOf(killedAfter(writer, commits), log), { kind: rescan ? 'rescan' : 'incremental' }, never)

const live = (log: LogReader, dataset = 'd'): string[] =>
  reading(log, (snapshot) => [...(snapshot.dataset(dataset)?.entities({ deleted: false }) ?? [])].map(({ id }) => id))
const saved = (log: LogReader, pipe = 'p'): number =>
  reading(log, (snapshot) => [...snapshot.states(Buffer.from(`${pipe}\u0000seen\u0000`))].length)
const many = (count: number, from = 0): Json[] => Array.from({ length: count }, (_, i) => ({ _id: `e${from + i}` }))

describe('a full run that is killed', () => {
  it('goes on where it was saved, with what it saw, and deletes exactly what is gone', async () => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', [...many(20), { _id: 'gone' }])] })
    const pipe = pipeOf(config({}, { bitset_commit_interval: 4 }))
    const read: number[] = []
    const source = chronological(pipe, many(20), (at) => read.push(at))
    expect(await run(opened, source, false, 9)).toMatchObject({ outcome: 'failed' })
    expect(live(opened.log)).toContain('gone')
    const before = read.length
    expect(await run(opened, source)).toMatchObject({ outcome: 'completed', syncType: 'full', deletionTracked: 1 })
    expect(read[before]).toBeGreaterThan(0)
    expect(live(opened.log)).toEqual(
      many(20)
        .map(({ _id }) => _id)
        .sort(),
    )
    expect(reading(opened.log, (snapshot) => snapshot.offset(sourceOffset('p')))).toBe('19')
    expect(saved(opened.log)).toBe(0)
  })

  it('keeps the offset it began at until it is complete, and stays owed', async () => {
    const opened = await openedLog()
    const pipe = pipeOf(config({}, { bitset_commit_interval: 2 }))
    await run(opened, chronological(pipe, many(6)))
    const rescan = chronological(pipe, many(8))
    expect(await run(opened, rescan, true, 4)).toMatchObject({ outcome: 'failed', syncType: 'full' })
    expect(reading(opened.log, (snapshot) => snapshot.offset(sourceOffset('p')))).toBe('5')
    // Not asked for a rescan again: it goes on with the one it owes.
    expect(await run(opened, rescan)).toMatchObject({ outcome: 'completed', syncType: 'full' })
    expect(await run(opened, rescan)).toMatchObject({ syncType: 'incremental', read: 0 })
  })

  it('deletes what is gone, whatever is killed when, and whatever the source brings meanwhile', async () => {
    const id = fc.integer({ min: 0, max: 15 }).map((n) => `e${n}`)
    const version = fc.record({ _id: id, n: fc.nat(2), _deleted: fc.boolean(), _filtered: fc.boolean() })
    const opened = await openedLog()
    let programs = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(version, { maxLength: 30 }),
        fc.array(version, { maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(9), fc.array(version, { maxLength: 4 })), { maxLength: 5 }),
        fc.integer({ min: 1, max: 6 }),
        async (there, source, kills, interval) => {
          const name = `p${++programs}`
          await opened.writer.assertDataset(name)
          await opened.writer.commit({
            writes: [
              write(
                name,
                there.map(({ _filtered, ...one }) => one),
              ),
            ],
          })
          const pipe = pipeOf(config({ _id: name, batch_size: 3 }, { bitset_commit_interval: interval }))
          const versions: Json[] = [...source]
          for (const [commits, more] of kills) {
            await run(opened, chronological(pipe, versions), false, commits)
            versions.push(...more)
          }
          expect(await run(opened, chronological(pipe, versions))).toMatchObject({ outcome: 'completed' })
          // What the source says last of an id is true, and nothing else is there.
          const last = new Map(versions.map((one) => [one._id as string, one]))
          const expected = [...last.values()].filter(({ _deleted, _filtered }) => !_deleted && !_filtered)
          expect(live(opened.log, name)).toEqual(expected.map(({ _id }) => _id).sort())
          expect(saved(opened.log, name)).toBe(0)
        },
      ),
      { numRuns: 100, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: false },
    )
  }, 60_000)
})

describe('the state of a full run', () => {
  const interrupted = async (sink: Json = {}) => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', [...many(10), { _id: 'gone' }])] })
    const pipe = pipeOf(config({}, { bitset_commit_interval: 2, ...sink }))
    await run(opened, chronological(pipe, many(10)), false, 6)
    expect(saved(opened.log)).toBeGreaterThan(0)
    return { opened, pipe }
  }

  it('is saved when the run is stopped or fails, so that nothing is read twice', async () => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', many(10))] })
    const pipe = pipeOf(config())
    const stop = new AbortController()
    const stopping = chronological(pipe, many(10), (at) => at === 6 && stop.abort())
    const report = await runPipe(stopping, portsOf(opened.writer, opened.log), { kind: 'incremental' }, stop.signal)
    expect(report).toMatchObject({ outcome: 'interrupted' })
    const failing = chronological(pipe, many(10), (at) => {
      if (at === 8) throw new Error('the source broke')
    })
    expect(await run(opened, failing)).toMatchObject({ outcome: 'failed', read: 2 })
    expect(await run(opened, chronological(pipe, many(10)))).toMatchObject({ outcome: 'completed', read: 2 })
    expect(live(opened.log)).toHaveLength(10)
  })

  it('is saved every quarter of an hour', async () => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', many(10))] })
    let now = 0
    const times: number[] = []
    const pipe = chronological(pipeOf(config()), many(10), () => {
      times.push(saved(opened.log))
      now += 6 * 60_000
    })
    await runPipe(pipe, portsOf(opened.writer, opened.log, { now: () => now }), { kind: 'incremental' }, never)
    expect(times).toEqual([0, 0, 0, 0, 2])
  })

  it('is not used with another configuration, another input or another generation of the dataset', async () => {
    const { opened, pipe } = await interrupted()
    const changed = pipeOf(config({ transform: [] }, { bitset_commit_interval: 2 }))
    expect(await run(opened, chronological(changed, many(10)), false, 4)).toMatchObject({ outcome: 'failed' })
    // The first one again: what it had seen is void, however it was before.
    expect(await run(opened, chronological(pipe, many(10)))).toMatchObject({ syncType: 'full', read: 10 })
    await run(opened, chronological(changed, many(10)))
    const again = await interrupted()
    await again.opened.writer.deleteDataset('d')
    expect(await run(again.opened, chronological(again.pipe, many(10)))).toMatchObject({ syncType: 'full', read: 10 })
    expect(live(again.opened.log)).toHaveLength(10)
    expect([saved(opened.log), saved(again.opened.log)]).toEqual([0, 0])
    expect(pipe.fingerprint).not.toBe(changed.fingerprint)
  })

  it('is not used after the offset was set, and is forgotten', async () => {
    const { opened, pipe } = await interrupted()
    await opened.writer.commit({ offsets: [[sourceOffset('p'), '7']] })
    const report = await run(opened, chronological(pipe, many(10)))
    expect(report).toMatchObject({ syncType: 'incremental', read: 2, deletionTracked: 0 })
    expect(live(opened.log)).toContain('gone')
    expect(saved(opened.log)).toBe(0)
  })

  it('is not kept of a source that cannot be continued: it starts over', async () => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', [...many(10), { _id: 'gone' }])] })
    const source = { type: 'embedded', entities: many(10) }
    const pipe = pipeOf(config({ source }, { bitset_commit_interval: 1 }))
    expect(await run(opened, pipe, false, 3)).toMatchObject({ outcome: 'failed' })
    expect(saved(opened.log)).toBe(0)
    expect(live(opened.log)).toContain('gone')
    expect(await run(opened, pipe)).toMatchObject({ outcome: 'completed', read: 10, deletionTracked: 1 })
  })

  it('counts what was read before: a continued run that finds nothing more is not empty', async () => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', many(4))] })
    const source = { type: 'embedded', entities: [], if_source_empty: 'fail' }
    const pipe = pipeOf(config({ source }))
    const stop = new AbortController()
    const stopping = chronological(pipe, many(4), (at) => at === 2 && setImmediate(() => stop.abort()))
    await runPipe(stopping, portsOf(opened.writer, opened.log), { kind: 'incremental' }, stop.signal)
    expect(await run(opened, chronological(pipe, many(4)))).toMatchObject({ outcome: 'completed' })
    await run(opened, chronological(pipe, []), true)
    expect(live(opened.log)).toHaveLength(4)
  })
})

it('does not take what changed in its source while it was read for gone', async () => {
  const opened = await openedLog()
  await opened.writer.assertDataset('in')
  await opened.writer.commit({ writes: [write('in', many(6)), write('d', [...many(6), { _id: 'gone' }])] })
  const pipe = pipeOf(config({ source: { type: 'dataset', dataset: 'in' }, batch_size: 1 }))
  let changes = 0
  const ports = portsOf(opened.writer, opened.log, {
    // While each of the first is written, one of the last moves beyond the end that the read began with.
    relieve: async () => {
      if (changes < 3) await opened.writer.commit({ writes: [write('in', [{ _id: `e${5 - changes}`, n: ++changes }])] })
    },
  })
  expect(await runPipe(pipe, ports, { kind: 'incremental' }, never)).toMatchObject({
    outcome: 'completed',
    syncType: 'full',
    deletionTracked: 1,
  })
  expect(live(opened.log)).toEqual(many(6).map(({ _id }) => _id))
  expect(reading(opened.log, (snapshot) => snapshot.offset(sourceOffset('p')))).toBe('8')
})

it('deletes what it wrote itself when that is filtered by the time it is read again', async () => {
  for (const isEmpty of [true, false]) {
    const opened = await openedLog()
    await opened.writer.assertDataset('in')
    await opened.writer.commit({ writes: [write('in', many(4)), ...(isEmpty ? [] : [write('d', [{ _id: 'gone' }])])] })
    const transform = {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['filter', ['neq', '_S.out', true]],
        ],
      },
    }
    const pipe = pipeOf(config({ source: { type: 'dataset', dataset: 'in' }, transform, batch_size: 1 }))
    let isChanged = false
    const relieve = async () => {
      if (!isChanged) await opened.writer.commit({ writes: [write('in', [{ _id: 'e0', out: true }])] })
      isChanged = true
    }
    await runPipe(pipe, portsOf(opened.writer, opened.log, { relieve }), { kind: 'incremental' }, never)
    expect(live(opened.log)).toEqual(['e1', 'e2', 'e3'])
  }
})

it('spares what others write while it reads: that is newer than its beginning', async () => {
  const opened = await openedLog()
  await opened.writer.commit({ writes: [write('d', [...many(4), { _id: 'gone' }, { _id: 'posted', n: 1 }])] })
  const posts: Promise<unknown>[] = []
  const source = chronological(pipeOf(config()), many(4), (at) => {
    if (at === 2) posts.push(opened.writer.commit({ writes: [write('d', [{ _id: 'posted', n: 2 }, { _id: 'new' }])] }))
  })
  expect(await run(opened, source)).toMatchObject({ deletionTracked: 1 })
  await Promise.all(posts)
  expect(live(opened.log)).toEqual(['e0', 'e1', 'e2', 'e3', 'new', 'posted'])
})

it('fails when its dataset is deleted under it, and deletes nothing in the one that took its place', async () => {
  const opened = await openedLog()
  await opened.writer.commit({ writes: [write('d', many(4))] })
  const { writer } = opened
  const source = chronological(pipeOf(config({ batch_size: 1 })), [{ _id: 'e0' }, { _id: 'e1' }])
  const replacing: Pipe = {
    ...source,
    source: {
      ...source.source,
      open: (surroundings) => ({
        async *read(since, signal) {
          yield* source.source.open(surroundings).read(since, signal)
          await writer.deleteDataset('d')
          await writer.assertDataset('d')
          await writer.commit({ writes: [write('d', many(3, 10))] })
        },
      }),
    },
  }
  expect(await run(opened, replacing)).toMatchObject({ outcome: 'failed', code: 'dataset-gone' })
  expect(live(opened.log)).toEqual(['e10', 'e11', 'e12'])
})
