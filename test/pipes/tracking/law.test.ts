/** An incremental run ends with the live entities of a full one, whatever the hops and whatever happened (design: the law). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import type { TrackedPlace } from '../../../src/pipes/tracking/plan.ts'
import { entityWith, NAMES, program, some } from '../../dtl/arbitrary-hops.ts'
import { type OpenedLog, openedLog } from '../../log/sample.ts'
import { pipeOf } from '../running-pipe.ts'
import { type Json, type RunHow, World } from './world.ts'

/** More in the long form. */
const RUNS = Number(process.env.LAW_PROGRAMS ?? 25)

type Step =
  | { readonly type: 'put'; readonly dataset: string; readonly entities: readonly Json[] }
  | { readonly type: 'run'; readonly commits: number | null; readonly kind: 'incremental' | 'rescan' }
  | { readonly type: 'compact'; readonly keep: number }

const puts = () =>
  fc.record({
    type: fc.constant('put' as const),
    dataset: some(...NAMES) as fc.Arbitrary<string>,
    entities: fc.array(some('1', '2', '3', 'k', 'n').chain((id) => entityWith(id as string)) as fc.Arbitrary<Json>, {
      minLength: 1,
      maxLength: 4,
    }),
  })
const runs = () =>
  fc.record({
    type: fc.constant('run' as const),
    commits: fc.option(fc.nat(6), { freq: 2 }),
    kind: some('incremental', 'incremental', 'incremental', 'rescan') as fc.Arbitrary<'incremental' | 'rescan'>,
  })
const steps = (): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: puts() },
      { weight: 3, arbitrary: runs() },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant('compact' as const), keep: fc.integer({ min: 1, max: 2 }) }),
      },
    ),
    { minLength: 3, maxLength: 14 },
  )

/** What stands before the program, and how its source entities come of datasets. */
interface Shape {
  readonly before: readonly unknown[]
  readonly source: 'dataset' | 'union' | 'merge' | 'latest'
  readonly isNamespaced: boolean
}

/** The properties of {@link entityWith} pass, under their names or others, as they are or computed. */
const passing = () =>
  some(
    ['copy', '*'],
    ['copy', ['list', '_id', 'x', 'y']],
    [
      ['copy', '*'],
      ['add', 'x', ['lower', '_S.y']],
    ],
    [
      ['copy', '*'],
      ['rename', 'x', 'y'],
      ['rename', 'y', 'x'],
    ],
    [
      ['copy', '*', 'y'],
      ['add', 'y', ['list', '_S.x', '_S._id']],
      ['add', 'z', ['hops', { datasets: ['a h'], where: ['eq', '_S.x', 'h.y'] }]],
    ],
    [
      ['copy', '*'],
      ['default', 'x', 'k'],
      ['if', ['eq', '_S.y', '2'], ['add', 'other', 1]],
    ],
    [
      ['filter', ['neq', '_S.y', '3']],
      ['copy', '*'],
      ['remove', 'x'],
    ],
  )
const shapes = (): fc.Arbitrary<Shape> =>
  fc.record({
    before: fc.array(passing(), { maxLength: 2 }),
    source: some('dataset', 'union', 'merge', 'latest') as fc.Arbitrary<Shape['source']>,
    isNamespaced: fc.boolean(),
  })
const PLAIN: Shape = { before: [], source: 'dataset', isNamespaced: false }

let worlds = 0

/** The program over datasets of its own. */
const named = (rules: unknown, prefix: string): unknown =>
  JSON.parse(JSON.stringify(rules).replaceAll(/"(source|a|b) (\w+)"/g, `"${prefix}$1 $2"`))

function sourceOf(type: Shape['source'], one: string, other: string): object {
  const datasets = [one, other]
  switch (type) {
    case 'dataset':
      return { type, dataset: one }
    case 'union':
      return { type: 'union_datasets', datasets }
    case 'latest':
      return { type: 'merge_datasets', datasets }
    case 'merge':
      return { type, version: 2, datasets: [`${one} one`, `${other} other`], equality: [['eq', 'one.y', 'other.y']] }
  }
}

const pipe = (id: string, prefix: string, rules: unknown, { before, source, isNamespaced }: Shape) =>
  pipeOf({
    _id: id,
    source: sourceOf(source, `${prefix}source`, `${prefix}b`),
    transform: [...before.map((one) => ({ default: one })), rules].map((rules) => ({
      type: 'dtl',
      id_required: false,
      rules: named(rules, prefix),
    })),
    sink: { type: 'dataset', dataset: id },
    batch_size: 2,
    ...(isNamespaced
      ? { namespaced_identifiers: true, add_namespaces: true, namespaces: { identity: 'n', property: 'n' } }
      : {}),
  })

/** What must be equal; null where the program fails on the data that there is at the end. */
async function settled(
  log: OpenedLog,
  rules: unknown,
  history: readonly Step[],
  {
    shape = PLAIN,
    planted = (pipe) => pipe,
    how = {},
  }: { shape?: Shape; planted?: (pipe: Pipe) => Pipe; how?: RunHow } = {},
): Promise<{ readonly tracked: readonly string[]; readonly full: readonly string[] } | null> {
  const world = new World(log)
  const prefix = `w${++worlds}-`
  await world.make(...NAMES.map((name) => prefix + name), `${prefix}sink`, `${prefix}full`)
  const tracked = planted(pipe(`${prefix}sink`, prefix, rules, shape))
  // Joined on what cannot be followed back, such as the id of a merged entity: the check says so.
  if (tracked.untracked.length > 0) return null
  for (const step of history) {
    if (step.type === 'put') await world.put(prefix + step.dataset, ...step.entities)
    else if (step.type === 'compact') for (const name of NAMES) await world.compact(prefix + name, step.keep)
    else await world.run(tracked, { kind: step.kind, commits: step.commits ?? Number.POSITIVE_INFINITY, ...how })
  }
  const outcomes = [(await world.run(tracked)).outcome, (await world.run(tracked)).outcome]
  const full = await world.run(pipe(`${prefix}full`, prefix, rules, shape))
  expect(outcomes).toEqual([full.outcome, full.outcome])
  return full.outcome === 'completed'
    ? { tracked: world.live(`${prefix}sink`), full: world.live(`${prefix}full`) }
    : null
}

const TIMEOUT_MS = 60_000 + RUNS * 4_000

it(
  'equals a full run, for hops of every shape, after inserts, changes, deletes, moves, kills and compaction',
  async () => {
    const log = await openedLog()
    const property = fc.asyncProperty(program(), steps(), async (rules, history) => {
      const found = await settled(log, rules, history)
      expect(found?.tracked).toEqual(found?.full)
    })
    await fc.assert(property, { numRuns: RUNS })
  },
  TIMEOUT_MS,
)

it(
  'equals a full run behind other transforms and namespaces, and over united and merged datasets',
  async () => {
    const log = await openedLog()
    const property = fc.asyncProperty(program(), steps(), shapes(), async (rules, history, shape) => {
      const found = await settled(log, rules, history, { shape })
      expect(found?.tracked).toEqual(found?.full)
    })
    await fc.assert(property, { numRuns: RUNS })
  },
  TIMEOUT_MS,
)

describe('a planted bug is caught', () => {
  /** Whether any of these programs and histories ends with something else than a full run. */
  async function isCaught(planted: (pipe: Pipe) => Pipe): Promise<boolean> {
    const log = await openedLog()
    for (const [rules, history] of fc.sample(fc.tuple(program(), steps()), { numRuns: 60, seed: 5 })) {
      const found = await settled(log, rules, history, { planted })
      if (found !== null && JSON.stringify(found.tracked) !== JSON.stringify(found.full)) return true
    }
    return false
  }

  const withPlaces = (pipe: Pipe, change: (place: TrackedPlace) => TrackedPlace): Pipe =>
    pipe.tracking === null
      ? pipe
      : { ...pipe, tracking: { ...pipe.tracking, places: pipe.tracking.places.map(change) } }

  it(
    'when the inverse of a hop looks up the wrong key',
    async () => {
      const wrong = (pipe: Pipe) =>
        withPlaces(pipe, (place) => ({
          ...place,
          steps: place.steps.map((step) => ({
            ...step,
            lookups: step.lookups.map(({ index }) => ({ key: '"_S._id"', index })),
          })),
        }))
      expect(await isCaught(wrong)).toBe(true)
    },
    TIMEOUT_MS,
  )

  it(
    'when the inverse of a hop misses a dataset',
    async () => {
      const wrong = (pipe: Pipe) =>
        withPlaces(pipe, (place) => (place.dataset.endsWith('a') ? { ...place, isStart: false } : place))
      expect(await isCaught(wrong)).toBe(true)
    },
    TIMEOUT_MS,
  )

  const joined = {
    default: [['add', 'r', ['hops', { datasets: ['a h'], where: ['eq', '_S.x', 'h.x'], return: 'h.y' }]]],
  }
  const put = (dataset: string, ...entities: Json[]): Step => ({ type: 'put', dataset, entities })
  const run = (commits: number | null = null): Step => ({ type: 'run', commits, kind: 'incremental' })
  const three = ['1', '2', '3'].map((_id) => ({ _id, x: 'k' }))

  it('when an offset is saved with the first page instead of the last', async () => {
    const log = await openedLog()
    for (let commits = 1; commits <= 2; commits++) {
      const history = [
        put('source', ...three),
        put('a', { _id: '1', x: 'k', y: 'old' }),
        run(),
        put('a', { _id: '1', x: 'k', y: 'new' }),
        run(commits),
      ]
      expect(await isSame(log, joined, history)).toBe(true)
      expect(await isSame(log, joined, history, { savesEarly: true })).toBe(commits === 2)
    }
  })

  it('when the state before a change is forgotten', async () => {
    const log = await openedLog()
    const history = [
      put('source', ...three),
      put('a', { _id: '1', x: 'k', y: 'old' }),
      run(),
      put('a', { _id: '1', x: 'K', y: 'new' }),
      run(),
    ]
    expect(await isSame(log, joined, history)).toBe(true)
    expect(await isSame(log, joined, history, { forgetsBefore: true })).toBe(false)
  })
})

async function isSame(log: OpenedLog, rules: unknown, history: readonly Step[], how: RunHow = {}): Promise<boolean> {
  const found = await settled(log, rules, history, { how })
  return JSON.stringify(found?.tracked) === JSON.stringify(found?.full)
}
