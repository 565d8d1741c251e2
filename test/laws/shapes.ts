/** Shapes of pipes for random networks: what each does with the datasets before it, and why it is not exact, if it is not. */

import type { InexactKind } from '../../src/pipes/exactness/reason.ts'

type Json = Readonly<Record<string, unknown>>

export interface Shape {
  /** Why the check must not call it exact. */
  readonly inexact?: InexactKind
  /** It mints ids: exact but for those. */
  readonly mints?: boolean
  /** Nothing is promised, and yet it ends as a full run does, once all that is held back has been let through. */
  readonly settles?: boolean
  /** `a` is the dataset of the source; `b` and `c` are others, or the same. */
  pipe(a: string, b: string, c: string): Json
}

const dtl = (...rules: unknown[]) => ({ type: 'dtl', rules: { default: rules } })
const all = ['copy', '*']
const reading = (dataset: string, ...rules: unknown[]) => ({
  source: { type: 'dataset', dataset },
  transform: dtl(...rules),
})
const hop = (...specs: object[]) => ['add', 'h', ['hops', ...specs]]
const living = ['filter', ['neq', '_S._deleted', true]]
const merge = (datasets: readonly string[], more: Json = {}) => ({
  type: 'merge',
  version: 2,
  datasets: [...new Set(datasets)].map((dataset, place) => `${dataset} m${place}`),
  ...more,
})

/** Joins the aliases m0, m1 … of as many datasets as there are, each with the next. */
const rules = (datasets: readonly string[], property: string, first = property): readonly unknown[] => {
  const aliases = [...new Set(datasets)].map((_, place) => `m${place}`)
  return aliases.map((alias, place) => [
    'eq',
    `${alias}.${first}`,
    `${aliases[(place + 1) % aliases.length]}.${property}`,
  ])
}

const hops: Readonly<Record<string, Shape['pipe']>> = {
  toOne: (a, b) => reading(a, all, hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p._id'], return: 'p.t' })),
  toMany: (a, b) => reading(a, all, hop({ datasets: [`${b} p`], where: ['eq', '_S._id', 'p.x'], return: 'p._id' })),
  overlap: (a, b) =>
    reading(a, hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.y'], return: ['list', 'p.t', 'p.x'] })),
  whole: (a, b) => reading(a, ['copy', 't'], hop({ datasets: [`${b} p`], where: ['eq', '_S.y', 'p.x'] })),
  two: (a, b, c) =>
    reading(
      a,
      ['copy', ['list', 'x', 'y']],
      hop({
        datasets: [`${b} p`, `${c} q`],
        where: [
          ['eq', '_S.x', 'p.x'],
          ['eq', 'p.y', 'q.x'],
        ],
        return: ['list', 'p._id', 'q.t'],
      }),
    ),
  either: (a, b) =>
    reading(
      a,
      hop({ datasets: [`${b} p`], where: ['or', ['eq', '_S.x', 'p.x'], ['eq', '_S.y', 'p.y']], return: 'p._id' }),
    ),
  tuples: (a, b) =>
    reading(
      a,
      all,
      hop({
        datasets: [`${b} p`],
        where: ['eq', ['tuples', '_S.x', '_S.y'], ['tuples', 'p.x', 'p.y']],
        return: 'p._id',
      }),
    ),
  lower: (a, b) =>
    reading(a, hop({ datasets: [`${b} p`], where: ['eq', ['lower', '_S.t'], ['lower', 'p.t']], return: 'p._id' })),
  filtered: (a, b) =>
    reading(
      a,
      all,
      hop({
        datasets: [`${b} p`],
        where: [
          ['eq', '_S.x', 'p.x'],
          ['neq', 'p.t', '_S.t'],
        ],
        return: 'p._id',
      }),
    ),
  subset: (a, b) =>
    reading(
      a,
      all,
      hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], subsets: { p: ['eq', '_S.t', 'a'] }, return: 'p._id' }),
    ),
  chained: (a, b, c) =>
    reading(
      a,
      ['copy', 'x'],
      hop(
        { datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'] },
        { datasets: [`${c} q`], where: ['eq', '_S.y', 'q.y'], return: 'q.t' },
      ),
    ),
  up: (a, b) =>
    reading(a, [
      'add',
      'h',
      [
        'map',
        '_._id',
        ['hops', { datasets: [`${b} p`], where: ['eq', '_S.y', 'p._id'], recurse: true, exclude_root: true }],
      ],
    ]),
  upTwo: (a, b) =>
    reading(a, all, [
      'add',
      'h',
      ['map', '_.t', ['hops', { datasets: [`${b} p`], where: ['eq', '_S._id', 'p.y'], recurse: true, max_depth: 2 }]],
    ]),
  applied: (a, b, c) => ({
    source: { type: 'dataset', dataset: a },
    transform: {
      type: 'dtl',
      rules: {
        default: [all, ['add', 'h', ['apply-hops', 'inner', { datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'] }]]],
        inner: [
          ['copy', 't'],
          ['filter', ['neq', '_S.t', 'b']],
          ['add', 'k', ['hops', { datasets: [`${c} q`], where: ['eq', '_S.y', 'q._id'], return: 'q.x' }]],
        ],
      },
    },
  }),
  within: (a, b, c) =>
    reading(
      a,
      hop({
        datasets: [`${b} p`],
        where: ['eq', '_S.x', 'p.x'],
        return: ['list', 'p._id', ['hops', { datasets: [`${c} q`], where: ['eq', 'p.y', 'q.y'], return: 'q._id' }]],
      }),
    ),
  conditional: (a, b) =>
    reading(a, all, [
      'if',
      ['eq', '_S.t', 'a'],
      hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], return: 'p.y' }),
    ]),
  filterByHop: (a, b) =>
    reading(
      a,
      ['filter', ['is-not-empty', ['hops', { datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], return: 'p._id' }]]],
      all,
    ),
  namespaced: (a, b) => ({
    ...reading(a, all, hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], return: 'p._id' })),
    namespaced_identifiers: true,
    namespaces: { identity: 'z', property: 'z' },
  }),
  afterCopy: (a, b) => ({
    source: { type: 'dataset', dataset: a },
    transform: [
      dtl(['copy', 't'], ['rename', 'x', 'k']),
      dtl(all, hop({ datasets: [`${b} p`], where: ['eq', '_S.k', 'p.y'], return: 'p._id' })),
    ],
  }),
  ofUnion: (a, b, c) => ({
    ...reading(a, all, hop({ datasets: [`${c} p`], where: ['eq', '_S.x', 'p._id'], return: 'p.t' })),
    source: { type: 'union_datasets', datasets: [...new Set([a, b])] },
  }),
  inRounds: (a, b) => ({
    source: { type: 'dataset', dataset: a },
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', 't'],
          ['add', 'parts', ['apply-hops', 'part', { datasets: [`${b} p`], where: ['eq', '_S._id', 'p.y'] }]],
        ],
        part: [
          ['copy', 't'],
          [
            'if',
            ['eq', '_S.t', 'a'],
            ['add', 'of', ['hops', { datasets: [`${b} q`], where: ['eq', '_S.x', 'q._id'], return: 'q.t' }]],
          ],
        ],
      },
    },
  }),
  ofSubset: (a, b) => ({
    ...reading(a, all, hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], return: 'p._id' })),
    source: { type: 'dataset', dataset: a, subset: ['eq', '_S.t', 'a'] },
  }),
}

const exact: Readonly<Record<string, Shape['pipe']>> = {
  copy: (a) => reading(a, all),
  through: (a) => ({ source: { type: 'dataset', dataset: a } }),
  add: (a) => reading(a, ['copy', ['list', 'x', 't']], ['add', 'y', ['list', '_S.y', ['upper', '_S.t']]]),
  filter: (a) => reading(a, all, ['filter', ['eq', '_S.t', 'a']]),
  filterFirst: (a) => reading(a, ['filter', ['neq', '_S.x', '1']], ['copy', '*', '_*'], ['rename', 'y', 'x']),
  chain: (a) => ({
    source: { type: 'dataset', dataset: a },
    transform: [dtl(all, ['filter', ['neq', '_S.t', 'b']]), dtl(['copy', '*', 'n'], ['add', 'x', '_S.y'])],
  }),
  prefixed: (a) =>
    reading(a, ['add', '_id', ['concat', 'p', '_S._id']], ['copy', '*', '_id'], ['filter', ['neq', '_S.t', 'b']]),
  ofPart: (a) => ({ ...reading(a, all), source: { type: 'dataset', dataset: a, subset: ['eq', '_S.x', '1'] } }),
  everyVersion: (a) => ({
    ...reading(a, all),
    source: { type: 'dataset', dataset: a, include_previous_versions: true },
  }),
  merge: (a, b, c) => ({ source: merge([a, b, c], { equality: rules([a, b, c], 'x') }) }),
  mergeCompact: (a, b) => ({
    source: merge([a, b], { equality: rules([a, b], '_id', 'y'), strategy: 'compact' }),
    transform: dtl(all, ['filter', ['neq', '_S.t', 'c']]),
  }),
  mergeLimited: (a, b) => ({ source: merge([a, b], { equality: rules([a, b], 'x'), max_merged: 3 }) }),
  union: (a, b) => ({
    source: { type: 'union_datasets', datasets: [...new Set([a, b])] },
    transform: dtl(all, ['filter', ['neq', '_S.t', 'b']]),
  }),
  mergeByEither: (a, b) => ({
    source: merge([a, b], { equality: [...rules([a, b], 'x'), ...rules([a, b], 'y')] }),
  }),
  mergeSets: (a, b, c) => ({
    source: merge([a, b, c], { equality_sets: [[...new Set([a, b, c])].map((_, place) => `m${place}.y`)].filter(two) }),
  }),
  mergeListed: (a, b, c) => ({
    source: merge([a, b], {
      equality: rules([a, b], 't'),
      ...(c === a || c === b ? {} : { identity_lists: [`${c} x`] }),
    }),
  }),
  guarded: (a) => ({ ...reading(a, all), sink: { type: 'dataset', circuit_breaker_threshold_count: 2 } }),
  guardedHop: (a, b) => ({
    ...reading(a, all, hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], return: 'p._id' })),
    sink: { type: 'dataset', circuit_breaker_threshold_factor: 0.5 },
  }),
  discardTraced: (a) => ({ ...reading(a, all, ['if', ['eq', '_S.t', 'a'], ['discard']]), trace_output: true }),
  createTraced: (a) => ({
    ...reading(
      a,
      ['discard', ['neq', '_S._deleted', true]],
      ['if', ['neq', '_S.t', 'b'], ['create', ['dict', '_id', ['concat', 'c-', '_S._id'], 'x', '_S.x']]],
      ['if', ['eq', '_S.x', '1'], ['create', ['dict', '_id', ['concat', 'd-', '_S._id'], 'y', '_S.t']]],
      ['discard'],
    ),
    trace_output: true,
  }),
}

/** Lists of rules need two sides. */
const two = (set: readonly unknown[]): boolean => set.length > 1

const several = (a: string, b: string, more: Json) => ({ source: { datasets: [...new Set([a, b])], ...more } })
const latest: Shape['pipe'] = (a, b) => several(a, b, { type: 'merge_datasets' })
const ofAll: Shape['pipe'] = (a, b) => several(a, b, { type: 'merge_datasets', strategy: 'all' })
const different: Shape['pipe'] = (a, b) => several(a, b, { type: 'diff_datasets' })
const complete: Shape['pipe'] = (a) => ({
  ...reading(a, all),
  source: { type: 'dataset', dataset: a, completeness: true },
})
const completeAs: Shape['pipe'] = (a, b) => ({
  ...reading(a, all, hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], return: 'p._id' })),
  source: { type: 'dataset', dataset: a, completeness: [a, b] },
})

const inexact: Readonly<Record<string, readonly [InexactKind, Shape['pipe']]>> = {
  discard: ['discard', (a) => reading(a, all, ['discard', ['neq', '_S.t', 'b']])],
  create: [
    'discard',
    (a) => reading(a, living, ['create', ['dict', '_id', ['concat', 'c-', '_S._id', '_S.t'], 'x', '_S.x']]),
  ],
  lines: ['shared-id', (a) => reading(a, all, ['create', ['dict', '_id', ['concat', 'c-', '_S.t'], 'x', '_S.x']])],
  idOfValue: ['id', (a) => reading(a, all, ['add', '_id', ['concat', 'v', '_S.t']])],
  idSometimes: ['id', (a) => reading(a, all, ['if', ['eq', '_S.t', 'a'], ['add', '_id', ['concat', 'a', '_S._id']]])],
  filterBefore: [
    'id',
    (a) => reading(a, ['filter', ['eq', '_S.t', 'a']], ['add', '_id', ['concat', 'p', '_S._id']], ['copy', '*', '_id']),
  ],
  revives: ['deleted', (a) => reading(a, all, ['add', '_deleted', ['eq', '_S.t', 'b']])],
  internal: ['internal', (a) => reading(a, all, ['add', 'u', '_S._updated'])],
  history: ['history', (a) => reading(a, all, ['add', 'c', ['is-changed', '_.x']])],
  untracked: [
    'hop',
    (a, b) =>
      reading(
        a,
        all,
        hop({ datasets: [`${b} p`], where: ['eq', '_S.x', 'p.x'], return: 'p._id', 'track-dependencies': false }),
      ),
  ],
  lookedUp: ['hop', (a, b) => reading(a, all, ['add', 'h', ['path', 't', ['lookup-entity', b, ['string', '_S.x']]]])],
  keepsGone: ['sink', (a) => ({ ...reading(a, all), sink: { type: 'dataset', deletion_tracking: false } })],
  firstOnly: ['sink', (a) => ({ ...reading(a, all), sink: { type: 'dataset', prevent_multiple_versions: 'ignore' } })],
  suppressed: [
    'sink',
    (a) => ({
      ...reading(a, all, ['filter', ['eq', '_S.t', 'a']]),
      sink: { type: 'dataset', suppress_filtered: true },
    }),
  ],
  withChildren: ['history', (a) => reading(a, ['create-child', ['dict', '_id', ['concat', 'k', '_S.t']]])],
  firstIds: ['shared-id', (a, b) => ({ source: merge([a, b], { equality: rules([a, b], 'x'), identity: 'first' }) })],
  bareUnion: [
    'shared-id',
    (a, b) => ({ source: { type: 'union_datasets', datasets: [...new Set([a, b])], prefix_ids: false } }),
  ],
}

/** Reads all of it each time: exact, whatever the rules leave behind. */
const rescanned =
  (pipe: Shape['pipe']): Shape['pipe'] =>
  (a, b, c) => ({ ...pipe(a, b, c), pump: { rescan_run_count: 1 } })

export const SHAPES: Readonly<Record<string, Shape>> = {
  ...Object.fromEntries(Object.entries(exact).map(([name, pipe]) => [name, { pipe }])),
  ...Object.fromEntries(Object.entries(hops).map(([name, pipe]) => [name, { pipe }])),
  ...Object.fromEntries(Object.entries(inexact).map(([name, [inexact, pipe]]) => [name, { pipe, inexact }])),
  mergeStable: {
    inexact: 'history',
    mints: true,
    pipe: (a, b) => ({ source: merge([a, b], { equality: rules([a, b], 'x'), identity: 'stable' }) }),
  },
  latest: { inexact: 'source', settles: true, pipe: latest },
  ofAll: { inexact: 'source', settles: true, pipe: ofAll },
  different: { inexact: 'source', settles: true, pipe: different },
  complete: { inexact: 'time', settles: true, pipe: complete },
  completeAs: { inexact: 'time', settles: true, pipe: completeAs },
  latestAgain: { pipe: rescanned(latest) },
  ofAllAgain: { pipe: rescanned(ofAll) },
  differentAgain: { pipe: rescanned(different) },
  joinedAgain: { pipe: rescanned(hops.two as Shape['pipe']) },
  discardedAgain: { pipe: rescanned(inexact.discard?.[1] as Shape['pipe']) },
}
