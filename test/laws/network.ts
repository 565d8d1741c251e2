/** Random networks of pipes and random histories of them, small, so that things meet and shrink well. */

import fc from 'fast-check'
import { deploy } from '../../src/hub/deployment.ts'
import { SHAPES, type Shape } from './shapes.ts'
import type { Json } from './world.ts'

/** A pipe of a network: a shape, what it may become, and which of the datasets before it it reads. */
interface Recipe {
  readonly shapes: readonly [string, string]
  readonly reads: readonly [number, number, number]
  readonly batchSize: number
  readonly keepVersions: number
  /** Rescans may go on beside its runs. */
  readonly isBackground: boolean
  /** How far a partial rescan goes back. */
  readonly delta: number
}

export interface Network {
  readonly roots: number
  /** Versions that compaction keeps in them. */
  readonly rootsKeep: number
  readonly recipes: readonly Recipe[]
}

export type Step =
  | { readonly kind: 'put'; readonly root: number; readonly entity: Json }
  | { readonly kind: 'delete'; readonly root: number; readonly id: string }
  | { readonly kind: 'run' | 'configure' | 'reset' | 'rescan' | 'partial'; readonly pipe: number }
  /** A rescan begins beside what comes next. */
  | { readonly kind: 'beside'; readonly pipe: number }
  /** Some pipes at once, from one on. */
  | { readonly kind: 'together'; readonly pipe: number; readonly several: number }
  /** Of a root, or of what a pipe made. */
  | { readonly kind: 'repost'; readonly dataset: number; readonly id: string }
  | { readonly kind: 'compact'; readonly dataset: number }
  /** What a circuit breaker holds back, if it does. */
  | { readonly kind: 'decide'; readonly pipe: number; readonly commits: boolean }
  | { readonly kind: 'kill'; readonly pipe: number; readonly commits: number }
  /** A root, or what a pipe made, is deleted and made again. */
  | { readonly kind: 'recreate'; readonly root: number }
  | { readonly kind: 'lose'; readonly pipe: number }
  | { readonly kind: 'settle' | 'restart' }

const IDS = ['1', '2', '3', '4', '5']
const key = fc.constantFrom<unknown>('1', '2', '3', '4', null, ['1', '3'], ['2', '4'], [])
const id = fc.constantFrom(...IDS)

const entity = fc.record({ _id: id, x: key, y: key, t: fc.constantFrom('a', 'b', 'A', 'c') })

const isPossible = ({ pipe }: Shape): boolean =>
  !deploy([JSON.stringify({ _id: 'p', type: 'pipe', ...pipe('a', 'b', 'c') })], '{}', null).problems.some(
    ({ level }) => level === 'error',
  )

/** `may` says which shapes there are, of those that the hub does. */
export const network = (may: (shape: Shape) => boolean, most: number): fc.Arbitrary<Network> => {
  const names = Object.keys(SHAPES).filter((name) => may(SHAPES[name] as Shape) && isPossible(SHAPES[name] as Shape))
  const shape = fc.constantFrom(...names)
  const recipe = fc.record({
    shapes: fc.tuple(shape, shape),
    reads: fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)),
    batchSize: fc.constantFrom(1, 2, 100),
    keepVersions: fc.constantFrom(1, 2),
    isBackground: fc.boolean(),
    delta: fc.constantFrom(1, 3),
  })
  return fc.record({
    rootsKeep: fc.constantFrom(1, 2),
    roots: fc.integer({ min: 1, max: 3 }),
    recipes: fc.array(recipe, { minLength: 1, maxLength: most }),
  })
}

const pipe = fc.nat(20)
/** Of roots, and of some of what pipes make of them. */
const repostable = fc.oneof(
  id,
  id.map((one) => `0|${one}`),
  id.map((one) => `p${one}`),
)
const root = fc.nat(2)

/** `change` is how often configurations and datasets become others. */
export const history = (length: number, change = 1): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('put' as const), root, entity }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), root, id }) },
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('run' as const), pipe }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
      { weight: change, arbitrary: fc.record({ kind: fc.constant('configure' as const), pipe }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('reset' as const, 'rescan' as const), pipe }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
      { weight: change, arbitrary: fc.record({ kind: fc.constantFrom('recreate' as const), root }) },
      { weight: change, arbitrary: fc.record({ kind: fc.constantFrom('lose' as const), pipe }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), pipe, commits: fc.nat(5) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('beside' as const), pipe }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('together' as const), pipe, several: fc.integer({ min: 2, max: 4 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('partial' as const), pipe }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('repost' as const), dataset: pipe, id: repostable }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), dataset: pipe }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('decide' as const), pipe, commits: fc.boolean() }) },
    ),
    { minLength: 1, maxLength: length },
  )

export const rootName = (prefix: string, root: number): string => `${prefix}r${root}`
export const pipeName = (prefix: string, place: number): string => `${prefix}p${place}`

/** The configuration of a network; `turned` are pipes that have become what they may. */
export function configurationOf(
  { roots, rootsKeep, recipes }: Network,
  prefix: string,
  turned: ReadonlySet<number>,
  common: Json = {},
): readonly (Json & { readonly _id: string; readonly sink: Json })[] {
  const names = Array.from({ length: roots }, (_, place) => rootName(prefix, place))
  const components = names.map((name) => ({
    _id: name,
    type: 'pipe',
    source: { type: 'http_endpoint' },
    sink: { type: 'dataset', dataset: name },
    compaction: { keep_versions: rootsKeep },
  }))
  const pipes = recipes.map(({ reads, batchSize, keepVersions, isBackground, delta }, place) => {
    const before = [...names, ...recipes.slice(0, place).map((_, earlier) => pipeName(prefix, earlier))]
    // The newest more often than the others, for chains.
    const [a, b, c] = reads.map((one) => before.at(-1 - (one % before.length)) as string) as [string, string, string]
    const shape = shapeAt({ recipes }, place, turned)
    const name = pipeName(prefix, place)
    const { sink, pump, ...more } = shape.pipe(a, b, c)
    return {
      ...common,
      _id: name,
      type: 'pipe',
      batch_size: batchSize,
      compaction: { keep_versions: keepVersions },
      ...(isBackground ? { enable_background_rescan: true } : {}),
      pump: { partial_rescan_run_count: 1_000, partial_rescan_delta: delta, ...(pump as Json) },
      ...more,
      sink: { type: 'dataset', ...(sink as Json), dataset: name },
    }
  })
  return [...components, ...pipes]
}

export function shapeAt({ recipes }: Pick<Network, 'recipes'>, place: number, turned: ReadonlySet<number>): Shape {
  const [first, second] = (recipes[place] as Recipe).shapes
  return SHAPES[turned.has(place) ? second : first] as Shape
}
