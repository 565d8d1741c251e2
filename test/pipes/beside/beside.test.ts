import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Besides } from '../../../src/pipes/beside/besides.ts'
import { sourceOffset } from '../../../src/pipes/full-run.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import type { RunReport } from '../../../src/pipes/run-report.ts'
import type { RunKind } from '../../../src/pipes/schedule.ts'
import { type OpenedLog, openedLog, reading, write } from '../../log/sample.ts'
import { killedAfter, pipeOf, portsOf } from '../running-pipe.ts'

type Json = Readonly<Record<string, unknown>>
const never = new AbortController().signal

/** Copies `in` to `d`, with a mark of its own; leaves out what says so. */
const pipe = (mark: number, more: Json = {}): Pipe =>
  pipeOf({
    _id: 'p',
    source: { type: 'dataset', dataset: 'in' },
    sink: { type: 'dataset', dataset: 'd', bitset_commit_interval: 3 },
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['add', 'mark', mark],
          ['filter', ['neq', '_S.out', true]],
        ],
      },
    },
    batch_size: 2,
    enable_background_rescan: true,
    ...more,
  })

interface World {
  readonly opened: OpenedLog
  besides: Besides
  /** Called after each batch of a run, in the order of what is asked. */
  run(pipe: Pipe, kind: RunKind, options?: Options): Promise<RunReport>
}

interface Options {
  readonly isBackground?: boolean
  /** Its journal dies after so many commits. */
  readonly commits?: number
  readonly between?: () => Promise<unknown>
  readonly signal?: AbortSignal
}

async function world(): Promise<World> {
  const opened = await openedLog()
  await opened.writer.assertDataset('in')
  const self: World = {
    opened,
    besides: new Besides(),
    run: (pipe, kind, { isBackground = false, commits = Number.POSITIVE_INFINITY, between, signal = never } = {}) => {
      const ports = portsOf(killedAfter(opened.writer, commits), opened.log, {
        besides: self.besides,
        ...(between === undefined ? {} : { relieve: async () => void (await between()) }),
      })
      return runPipe(pipe, ports, { kind, isBackground }, signal)
    },
  }
  return self
}

const put = ({ opened }: World, entities: readonly Json[]) => opened.writer.commit({ writes: [write('in', entities)] })
const many = (count: number): Json[] => Array.from({ length: count }, (_, n) => ({ _id: `e${n}`, n }))

const bodies = ({ opened }: World, dataset: string): Json[] =>
  reading(opened.log, (snapshot) =>
    [...(snapshot.dataset(dataset)?.entities({ deleted: false }) ?? [])].map(
      ({ body }) => JSON.parse(Buffer.from(body).toString()) as Json,
    ),
  )
const versions = ({ opened }: World) => reading(opened.log, (snapshot) => snapshot.dataset('d')?.counts().versions)
const offset = ({ opened }: World) => reading(opened.log, (snapshot) => snapshot.offset(sourceOffset('p')))
const saved = ({ opened }: World) =>
  reading(opened.log, (snapshot) => [...snapshot.states(Buffer.from('p\u0000beside'))].length)

const expected = (world: World, mark: number): Json[] =>
  bodies(world, 'in').flatMap((entity) => (entity.out === true ? [] : [{ ...entity, mark }]))

/** Killed right after a batch that both moved the offset and was due to be saved. */
const SAVED_FOR_TWO_REASONS = {
  steps: [{ changes: [{ at: 8, n: 0, out: false, _deleted: false }], runs: false, dies: null }],
  kills: [10, 6],
}

describe('a rescan in the background', () => {
  it('reads all again, deletes what is gone, and leaves nothing behind', async () => {
    const here = await world()
    await put(here, many(7))
    await here.run(pipe(1), 'incremental')
    await here.opened.writer.commit({ writes: [write('d', [{ _id: 'gone' }])] })
    expect(await here.run(pipe(2), 'rescan', { isBackground: true })).toMatchObject({
      outcome: 'completed',
      syncType: 'full',
      read: 7,
      deletionTracked: 1,
    })
    expect(bodies(here, 'd')).toEqual(expected(here, 2))
    expect([offset(here), saved(here)]).toEqual(['6', 0])
  })

  it('waits for a first run, which reads everything anyway', async () => {
    const here = await world()
    await put(here, many(3))
    expect(await here.run(pipe(1), 'rescan', { isBackground: true })).toMatchObject({ outcome: 'waiting' })
    await here.run(pipe(1), 'incremental')
    expect(await here.run(pipe(1), 'rescan', { isBackground: true })).toMatchObject({
      outcome: 'completed',
      changes: 0,
    })
  })

  it('stops where the first run beside it began, and never writes over what that brought', async () => {
    const here = await world()
    await put(here, many(10))
    await here.run(pipe(1), 'incremental')
    const beside: Promise<RunReport>[] = []
    const rescan = await here.run(pipe(2), 'rescan', {
      isBackground: true,
      between: async () => {
        if (beside.length > 0) return
        await put(here, [{ _id: 'e9', n: 'later' }, { _id: 'new' }])
        beside.push(here.run(pipe(3), 'incremental'))
      },
    })
    expect(await beside[0]).toMatchObject({ outcome: 'completed', syncType: 'incremental', read: 2 })
    expect(rescan).toMatchObject({ outcome: 'completed', deletionTracked: 0 })
    const marks = Object.fromEntries(bodies(here, 'd').map(({ _id, mark }) => [_id, mark]))
    expect(marks).toMatchObject({ e0: 2, e8: 2, e9: 3, new: 3 })
    expect([offset(here), saved(here)]).toEqual(['11', 0])
  })

  it('keeps runs waiting once it is further than their offset', async () => {
    const here = await world()
    await put(here, many(4))
    await here.run(pipe(1), 'incremental')
    await put(here, many(12).slice(4))
    let waited: RunReport | null = null
    await here.run(pipe(1), 'rescan', {
      isBackground: true,
      between: async () => {
        if (Number(offset(here)) > 5) waited ??= await here.run(pipe(1), 'incremental')
      },
    })
    expect(waited).toMatchObject({ outcome: 'waiting', message: expect.stringMatching(/rescan in the background/) })
    expect(offset(here)).toBe('11')
    expect(await here.run(pipe(1), 'incremental')).toMatchObject({ outcome: 'completed', read: 0 })
  })

  it('goes on where it was stopped, also after a restart, and knows what runs brought meanwhile', async () => {
    const here = await world()
    await put(here, many(10))
    await here.run(pipe(1), 'incremental')
    const stop = new AbortController()
    let batches = 0
    const between = async () => {
      if (++batches === 3) stop.abort()
    }
    const stopped = await here.run(pipe(2), 'rescan', { isBackground: true, between, signal: stop.signal })
    expect(stopped).toMatchObject({ outcome: 'interrupted', read: 6 })
    here.besides = new Besides()
    await put(here, [{ _id: 'e8', n: 'later' }])
    expect(await here.run(pipe(2), 'incremental')).toMatchObject({ read: 1, changes: 1 })
    const before = versions(here) as number
    expect(await here.run(pipe(2), 'rescan', { isBackground: true })).toMatchObject({ outcome: 'completed', read: 4 })
    expect(bodies(here, 'd')).toEqual(expected(here, 2))
    expect((versions(here) as number) - before).toBe(3)
  })

  it('begins anew when the configuration is another one', async () => {
    const here = await world()
    await put(here, many(6))
    await here.run(pipe(1), 'incremental')
    await here.run(pipe(2), 'rescan', { isBackground: true, commits: 5 })
    expect(await here.run(pipe(3), 'rescan', { isBackground: true })).toMatchObject({ outcome: 'completed', read: 6 })
    expect(bodies(here, 'd')).toEqual(expected(here, 3))
    expect(saved(here)).toBe(0)
  })

  it('deletes what it saw before it changed and was filtered', async () => {
    const here = await world()
    await put(here, many(8))
    await here.run(pipe(1), 'incremental')
    let batches = 0
    const between = async () => {
      if (++batches === 4) await put(here, [{ _id: 'e0', n: 0, out: true }])
    }
    expect(await here.run(pipe(1), 'rescan', { isBackground: true, between })).toMatchObject({ outcome: 'completed' })
    await here.run(pipe(1), 'incremental')
    expect(bodies(here, 'd')).toEqual(expected(here, 1))
  })

  it('ends with what a read of everything gives, whatever changes, runs and is killed meanwhile', async () => {
    const change = fc.record({ at: fc.nat(9), n: fc.nat(3), out: fc.boolean(), _deleted: fc.boolean() })
    const step = fc.record({
      changes: fc.array(change, { maxLength: 3 }),
      runs: fc.boolean(),
      dies: fc.option(fc.nat(6)),
    })
    const history = fc.record({
      steps: fc.array(step, { maxLength: 8 }),
      kills: fc.array(fc.nat(12), { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(history, async ({ steps, kills }) => {
        const here = await world()
        await put(here, many(8))
        await here.run(pipe(1), 'incremental')
        const left = [...steps]
        const beside: Promise<unknown>[] = []
        const between = async () => {
          const next = left.shift()
          if (next === undefined) return
          const changed = next.changes.map(({ at, ...rest }) => ({ _id: `e${at}`, ...rest }))
          if (changed.length > 0) await put(here, changed)
          if (next.runs && beside.length === 0) {
            const commits = next.dies ?? Number.POSITIVE_INFINITY
            const run = here.run(pipe(2), 'incremental', { commits }).finally(() => beside.splice(0))
            beside.push(run)
          }
        }
        for (const commits of [...kills, Number.POSITIVE_INFINITY]) {
          await here.run(pipe(2), 'rescan', { isBackground: true, commits, between })
          await Promise.all(beside)
          // The process is another one after a kill.
          if (commits !== Number.POSITIVE_INFINITY) here.besides = new Besides()
        }
        await here.run(pipe(2), 'incremental')
        expect(bodies(here, 'd')).toEqual(expected(here, 2))
        expect(saved(here)).toBe(0)
      }),
      { numRuns: 15, examples: [[SAVED_FOR_TWO_REASONS]] },
    )
  })
})
