import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DatasetDocument, DatasetView, Snapshot } from '../../../src/log/contract.ts'
import { fillIndex } from '../../../src/log/fill.ts'
import { entityOf } from '../../../src/log/stored.ts'
import { entries } from '../../../src/model/dict.ts'
import { writeJson } from '../../../src/model/json.ts'
import { Besides } from '../../../src/pipes/beside/besides.ts'
import { forgetBeside } from '../../../src/pipes/beside/remains.ts'
import { DatasetWriter, IndexCompiler } from '../../../src/pipes/dataset-writer.ts'
import { sourceOffset } from '../../../src/pipes/full-run.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import { outOfSync } from '../../../src/pipes/reprocessing/reprocess.ts'
import type { RunReport } from '../../../src/pipes/run-report.ts'
import type { RunKind } from '../../../src/pipes/schedule.ts'
import type { StateChanges } from '../../../src/pipes/state.ts'
import { entity, type OpenedLog, openedLog, reading } from '../../log/sample.ts'
import { killedAfter, pipeOf, portsOf } from '../running-pipe.ts'

type Json = Readonly<Record<string, unknown>>
const never = new AbortController().signal

interface Asks {
  readonly datasets: readonly string[]
  readonly property: string
  readonly strategy?: string
  readonly identity?: string
}

const BY_X: Asks = { datasets: ['a', 'b'], property: 'x' }
const BY_Y: Asks = { datasets: ['a', 'b'], property: 'y' }
const VARIANTS: readonly Asks[] = [
  BY_X,
  BY_Y,
  { datasets: ['b', 'a'], property: 'x' },
  { datasets: ['a', 'b', 'c'], property: 'x' },
  { datasets: ['b', 'c'], property: 'y', strategy: 'compact' },
]

const pipe = ({ datasets, property, strategy = 'default', identity = 'composite' }: Asks, id = 'p', more: Json = {}) =>
  pipeOf({
    _id: id,
    source: {
      type: 'merge',
      version: 2,
      datasets: datasets.map((dataset) => `${dataset} ${dataset}`),
      equality: datasets.map((dataset, at) => [
        'eq',
        `${dataset}.${property}`,
        `${datasets[(at + 1) % datasets.length]}.${property}`,
      ]),
      strategy,
      identity,
    },
    sink: { type: 'dataset', dataset: id === 'p' ? 'd' : id, bitset_commit_interval: 3 },
    batch_size: 2,
    enable_background_rescan: true,
    ...more,
  })

interface Options {
  readonly isBackground?: boolean
  readonly commits?: number
  /** Called after each batch of the run. */
  readonly between?: () => Promise<unknown>
  readonly signal?: AbortSignal
}

interface World {
  readonly opened: OpenedLog
  readonly indexes: IndexCompiler
  besides: Besides
  run(pipe: Pipe, kind?: RunKind, options?: Options): Promise<RunReport>
}

async function world(): Promise<World> {
  const opened = await openedLog()
  for (const dataset of ['a', 'b', 'c', 'h']) await opened.writer.assertDataset(dataset)
  const indexes = new IndexCompiler()
  const self: World = {
    opened,
    indexes,
    besides: new Besides(),
    run: (pipe, kind = 'incremental', options = {}) => {
      const { isBackground = false, commits = Number.POSITIVE_INFINITY, between, signal = never } = options
      const ports = portsOf(killedAfter(opened.writer, commits), opened.log, {
        besides: self.besides,
        indexes,
        assertIndex: ({ dataset, expression, feeds = false }) =>
          fillIndex(opened.writer, opened.log, dataset, expression, (one) => indexes.keysOf(expression, one), {
            feeds,
          }),
        ...(between === undefined ? {} : { relieve: async () => void (await between()) }),
      })
      return runPipe(pipe, ports, { kind, isBackground }, signal)
    },
  }
  return self
}

async function put({ opened, indexes }: World, dataset: string, ...entities: readonly Json[]): Promise<void> {
  const document = () =>
    reading(opened.log, (snapshot) => (snapshot.dataset(dataset) as DatasetView).document as DatasetDocument)
  await new DatasetWriter(opened.writer, indexes, dataset, document, () => {}).write(entities.map(entity), {})
}

/** Live entities by id. */
function live({ opened: { log } }: World, dataset: string): ReadonlyMap<string, Json> {
  return reading(log, (snapshot) => {
    const found = [...(snapshot.dataset(dataset)?.entities({ deleted: false }) ?? [])].map((version) => {
      const own = entries(entityOf(version, { internal: false })).filter(([name]) => name !== '$ids')
      return [version.id, Object.fromEntries(own.map(([name, value]) => [name, JSON.parse(writeJson(value))]))] as const
    })
    return new Map(found.sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}

/** What the merge makes of what there is, in a dataset of its own. */
async function fresh(here: World, asks: Asks, id: string, more: Json = {}): Promise<ReadonlyMap<string, Json>> {
  await here.run(pipe(asks, id, { ...more, enable_background_rescan: false }))
  return live(here, id)
}

const offset = ({ opened }: World) => reading(opened.log, (snapshot) => snapshot.offset(sourceOffset('p')))
const statesOf = ({ opened }: World, prefix: string): string[] =>
  reading(opened.log, (snapshot) =>
    [...snapshot.states(Buffer.from(`p\u0000${prefix}`))].map(([key]) => Buffer.from(key).toString()),
  )
/** Names of the states that the merge keeps rows of. */
const epochs = (here: World): string[] => [
  ...new Set(
    statesOf(here, 'merge\u0000')
      .map((key) => key.split('\u0000'))
      .filter((parts) => parts.length > 3)
      .map((parts) => parts[2] as string),
  ),
]
const leftovers = (here: World): string[] => [...statesOf(here, 'beside'), ...statesOf(here, 'merge\u0000beside-')]

/** Two that are the same by `x`, two others by `y`. */
async function sample(here: World): Promise<void> {
  await put(here, 'a', { _id: 'a1', x: 1, y: 2, who: 'a1' }, { _id: 'a2', x: 2, y: 3, who: 'a2' })
  await put(here, 'b', { _id: 'b1', x: 1, y: 3, who: 'b1' }, { _id: 'b2', x: 4, y: 4, who: 'b2' })
  await put(here, 'c', { _id: 'c1', x: 4, y: 4, who: 'c1' })
}

describe('a rescan of a merge in the background', () => {
  it('makes another state while runs go on with the former one, and exchanges them', async () => {
    const here = await world()
    await sample(here)
    const others = Array.from({ length: 30 }, (_, n) => ({ _id: `o${n}`, x: 100 + n, y: 100 + n, who: `o${n}` }))
    await put(here, 'b', ...others)
    await here.run(pipe(BY_X))
    await put(here, 'a', { _id: 'a3', x: 4, y: 9, who: 'a3' })
    const former = await here.run(pipe(BY_Y))
    expect(former).toMatchObject({ outcome: 'completed', owes: 'rescan', changes: 2 })
    // By the former rules: `b2` and `a3` are the same by `x`.
    expect([...live(here, 'd').keys()].slice(0, 4)).toEqual(['0|a1|1|b1', '0|a2', '0|a3|1|b2', '1|o0'])
    expect(reading(here.opened.log, (snapshot) => outOfSync(pipe(BY_Y), snapshot))).toMatchObject([
      { code: 'config-changed', message: expect.stringMatching(/former configuration/) },
    ])
    const reports: Promise<RunReport>[] = []
    let among: readonly string[] = []
    const rescan = await here.run(pipe(BY_Y), 'rescan', {
      isBackground: true,
      between: async () => {
        if (reports.length > 0) return
        await put(here, 'a', { _id: 'a4', x: 1, y: 4, who: 'a4' })
        // It has its turn after this batch, still by the former rules.
        reports.push(
          here.run(pipe(BY_Y)).then((report) => {
            among = [...live(here, 'd').keys()]
            return report
          }),
        )
      },
    })
    expect(await reports[0]).toMatchObject({ outcome: 'completed', owes: null })
    expect(among).toContain('0|a1|0|a4|1|b1')
    expect(rescan).toMatchObject({ outcome: 'completed', syncType: 'full', owes: 'run' })
    expect(live(here, 'd')).toEqual(await fresh(here, BY_Y, 'q'))
    expect(leftovers(here)).toEqual([])
    // What nobody makes any more is deleted once more, by id.
    expect(await here.run(pipe(BY_Y))).toMatchObject({ outcome: 'completed', owes: null })
    expect(await here.run(pipe(BY_Y))).toMatchObject({ outcome: 'completed', changes: 0 })
    expect(epochs(here)).toHaveLength(1)
    expect(reading(here.opened.log, (snapshot) => outOfSync(pipe(BY_Y), snapshot))).toEqual([])
  })

  it('deletes by id what the former state made, where deletions are not tracked', async () => {
    const here = await world()
    await sample(here)
    const more = { sink: { type: 'dataset', dataset: 'd', deletion_tracking: false } }
    await here.run(pipe(BY_X, 'p', more))
    await here.run(pipe(BY_Y, 'p', more), 'rescan', { isBackground: true })
    expect([...live(here, 'd').keys()]).toContain('0|a1|1|b1')
    await here.run(pipe(BY_Y, 'p', more))
    expect(live(here, 'd')).toEqual(await fresh(here, BY_Y, 'q'))
  })

  it('ends a run beside it at the end, and takes in what that had left', async () => {
    const here = await world()
    await sample(here)
    await here.run(pipe(BY_X))
    let beside: Promise<RunReport> | null = null
    let isFirst = true
    const rescan = await here.run(pipe(BY_Y), 'rescan', {
      isBackground: true,
      between: async () => {
        if (!isFirst) return
        isFirst = false
        await put(here, 'a', { _id: 'a5', x: 1, y: 3, who: 'a5' })
        const held = new Promise((resolve) => setTimeout(resolve, 60))
        beside = here.run(pipe(BY_Y), 'incremental', { between: () => held })
      },
    })
    expect(await (beside as Promise<RunReport> | null)).toMatchObject({ outcome: 'interrupted' })
    expect(rescan).toMatchObject({ outcome: 'completed' })
    expect(live(here, 'd')).toEqual(await fresh(here, BY_Y, 'q'))
  })

  it('follows what changed in the datasets it hops to while it was under way', async () => {
    const here = await world()
    await sample(here)
    await put(here, 'h', { _id: '1', t: 'before' }, { _id: '2', t: 'same' })
    const hop = ['hops', { datasets: ['h h'], where: ['eq', '_S.x', ['integer', 'h._id']], return: 'h.t' }]
    const more = {
      transform: {
        type: 'dtl',
        rules: {
          default: [
            ['copy', '*'],
            ['add', 't', hop],
          ],
        },
      },
    }
    await here.opened.writer.commit({ populated: [['h', true]] })
    await here.run(pipe(BY_X, 'p', more))
    let isFirst = true
    const beside: Promise<RunReport>[] = []
    await here.run(pipe(BY_Y, 'p', more), 'rescan', {
      isBackground: true,
      between: async () => {
        if (live(here, 'd').get('0|a2|1|b1') === undefined || !isFirst) return
        isFirst = false
        await put(here, 'h', { _id: '1', t: 'after' })
        beside.push(here.run(pipe(BY_Y, 'p', more)))
      },
    })
    expect(await beside[0]).toMatchObject({ code: null })
    await here.run(pipe(BY_Y, 'p', more))
    expect(isFirst).toBe(false)
    const expected = await fresh(here, BY_Y, 'q', more)
    expect(JSON.stringify([...expected])).toContain('after')
    expect(live(here, 'd')).toEqual(expected)
  })

  it('leaves the former state alone when it is given up, and what it had made to the next', async () => {
    const here = await world()
    await sample(here)
    await here.run(pipe(BY_X))
    const before = epochs(here)
    await here.run(pipe(BY_Y), 'rescan', { isBackground: true, commits: 4 })
    expect(epochs(here)).toHaveLength(2)
    const { writer } = here.opened
    await withPresent(here, (present) => forgetBeside('p', present, (state: StateChanges) => writer.commit({ state })))
    here.besides = new Besides()
    expect([epochs(here), leftovers(here)]).toEqual([before, []])
    await put(here, 'a', { _id: 'a6', x: 1, y: 7, who: 'a6' })
    expect(await here.run(pipe(BY_X))).toMatchObject({ outcome: 'completed', owes: null })
    expect([...live(here, 'd').keys()]).toContain('0|a1|0|a6|1|b1')
  })

  it('is begun anew for a configuration that came back, and takes away what was made of the other', async () => {
    const here = await world()
    await sample(here)
    await here.run(pipe(BY_X))
    await here.run(pipe(BY_Y), 'rescan', { isBackground: true, commits: 7 })
    here.besides = new Besides()
    expect([...live(here, 'd').keys()]).toContain('0|a2|1|b1')
    expect(await here.run(pipe(BY_X))).toMatchObject({ outcome: 'completed', owes: 'rescan' })
    expect(reading(here.opened.log, (snapshot) => outOfSync(pipe(BY_X), snapshot))).toMatchObject([
      { code: 'rescan-given-up' },
    ])
    expect(leftovers(here)).toEqual([])
    await here.run(pipe(BY_X), 'rescan', { isBackground: true })
    expect(live(here, 'd')).toEqual(await fresh(here, BY_X, 'q'))
    expect(await here.run(pipe(BY_X))).toMatchObject({ owes: null })
    expect(reading(here.opened.log, (snapshot) => outOfSync(pipe(BY_X), snapshot))).toEqual([])
  })

  it('shows readers at every moment what the one or the other configuration makes, and nobody missing', async () => {
    const here = await world()
    await sample(here)
    const [one, other] = [await fresh(here, BY_X, 'one'), await fresh(here, BY_Y, 'other')]
    await here.run(pipe(BY_X))
    let looks = 0
    const look = async () => {
      looks++
      const there = live(here, 'd')
      for (const [id, found] of there) expect([one.get(id), other.get(id)]).toContainEqual(found)
      const members = new Set([...there.values()].flatMap(({ who }) => who as string | string[]))
      expect([...members].sort()).toEqual(['a1', 'a2', 'b1', 'b2'])
    }
    for (let commits = 0; commits < 14; commits++) {
      const report = await here.run(pipe(BY_Y), 'rescan', { isBackground: true, commits: 3, between: look })
      here.besides = new Besides()
      // A run in the midst of it finds a state that is whole.
      expect(await here.run(pipe(BY_Y))).toMatchObject({ code: null, outcome: 'completed' })
      await look()
      if (report.outcome === 'completed') break
    }
    await here.run(pipe(BY_Y), 'rescan', { isBackground: true, between: look })
    await here.run(pipe(BY_Y))
    expect(looks).toBeGreaterThan(6)
    expect(live(here, 'd')).toEqual(other)
  })

  it('ends as one from scratch, whatever changes, runs, is configured and killed meanwhile', async () => {
    const change = fc.record({
      dataset: fc.constantFrom('a', 'b', 'c'),
      at: fc.nat(3),
      x: fc.nat(3),
      y: fc.nat(3),
      _deleted: fc.nat(4).map((one) => one === 0),
    })
    const step = fc.record({
      changes: fc.array(change, { maxLength: 3 }),
      runs: fc.boolean(),
      dies: fc.option(fc.nat(6)),
    })
    const history = fc.record({
      from: fc.constantFrom(...VARIANTS),
      to: fc.constantFrom(...VARIANTS),
      identity: fc.constantFrom('composite', 'first'),
      tracks: fc.boolean(),
      steps: fc.array(step, { maxLength: 9 }),
      kills: fc.array(fc.nat(14), { maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(history, async ({ from, to, identity, tracks, steps, kills }) => {
        const here = await world()
        const more = { sink: { type: 'dataset', dataset: 'd', deletion_tracking: tracks, bitset_commit_interval: 3 } }
        const [before, after] = [pipe({ ...from, identity }, 'p', more), pipe({ ...to, identity }, 'p', more)]
        await sample(here)
        await here.run(before)
        const left = [...steps]
        const beside: Promise<unknown>[] = []
        const between = async () => {
          const next = left.shift()
          if (next === undefined) return
          for (const { dataset, at, ...rest } of next.changes) {
            const _id = `${dataset}${at}`
            await put(here, dataset, { _id, who: _id, ...rest })
          }
          if (next.runs && beside.length === 0) {
            const commits = next.dies ?? Number.POSITIVE_INFINITY
            beside.push(here.run(after, 'incremental', { commits }).finally(() => beside.splice(0)))
          }
        }
        for (const commits of [...kills, Number.POSITIVE_INFINITY]) {
          await here.run(after, 'rescan', { isBackground: true, commits, between })
          await Promise.all(beside)
          // The process is another one after a kill.
          if (commits !== Number.POSITIVE_INFINITY) here.besides = new Besides()
        }
        const last = await here.run(after)
        expect(last).toMatchObject({ outcome: 'completed', owes: null })
        expect(live(here, 'd')).toEqual(await fresh(here, { ...to, identity }, 'q'))
        expect([leftovers(here), epochs(here).length, offset(here)]).toEqual([[], 1, expect.any(String)])
      }),
      { numRuns: 8 },
    )
  })
})

async function withPresent(
  { opened: { log } }: World,
  use: (present: () => Snapshot) => Promise<unknown>,
): Promise<void> {
  const snapshot = log.snapshot()
  try {
    await use(() => {
      snapshot.renew()
      return snapshot
    })
  } finally {
    snapshot.close()
  }
}
