/**
 * How the rows of a hops spec are found: which joins become index lookups, in which order, and what is left to check.
 *
 * The aliases are bound one after the other, each through the first join in `where` that leads to it from what is bound
 * already, starting from the source. All other conditions are checked as soon as everything they mention is bound.
 */

import { Problems } from './scope.ts'
import type { AliasVariable, CallNode, Node, SpecNode, SubsetNode, Variable } from './syntax.ts'
import { nameOfVariable, variablesOf } from './walk.ts'

/** Two expressions over two variables that must share a value (dtl.md §10.3). */
export interface JoinPair {
  readonly pointer: string
  readonly left: Node
  readonly right: Node
}

/** A join; several pairs are the branches of an `or`, of which one must hold. */
export interface Join {
  readonly pointer: string
  readonly variables: readonly [Variable, Variable]
  readonly pairs: readonly JoinPair[]
}

/** An index lookup: the values of `key` are looked up among those that `indexed` has over the dataset. */
export interface LookupPlan {
  readonly pointer: string
  readonly key: Node
  readonly indexed: Node
}

export type Check =
  | { readonly kind: 'filter'; readonly node: Node }
  | { readonly kind: 'overlap'; readonly pairs: readonly JoinPair[] }
  | { readonly kind: 'subset'; readonly subset: SubsetNode }

export interface BindPlan {
  readonly alias: AliasVariable
  /** The union of their answers. */
  readonly lookups: readonly LookupPlan[]
  /** How many aliases must be bound before the keys can be computed: the lookup is made once for them, not for each row. */
  readonly after: number
  /** What can be checked now that the alias is bound. */
  readonly checks: readonly Check[]
}

export interface Plan {
  readonly steps: readonly BindPlan[]
  /** Conditions that mention no alias. */
  readonly before: readonly Check[]
  /** Rows come in the order of `datasets` by themselves. */
  readonly inOrder: boolean
}

/** Plans a spec and reports what cannot be planned, and what is doubtful. */
export function planSpec(spec: SpecNode, problems: Problems): Plan {
  const { joins, filters } = classify(spec, problems)
  const steps: BindPlan[] = []
  const used = new Set<Join>()
  const places = new Map<string, number>()
  // Everything that is no alias of this spec is known before the first row.
  const placeOf = (variable: Variable): number | undefined =>
    isAliasOf(spec, variable) ? places.get(nameOfVariable(variable)) : 0
  for (;;) {
    const next = joins.find((join) => !used.has(join) && isOpenAtOneEnd(join, placeOf))
    if (next === undefined) break
    used.add(next)
    const [left, right] = next.variables
    const alias = (placeOf(left) === undefined ? left : right) as AliasVariable
    const after = placeOf(alias === left ? right : left) as number
    const lookups = next.pairs.map((pair) => lookupOf(pair, alias))
    steps.push({ alias, lookups, after, checks: [] })
    places.set(nameOfVariable(alias), steps.length)
  }
  for (const alias of spec.aliases) {
    if (places.has(nameOfVariable(alias))) continue
    problems.error(
      `${spec.pointer}/where`,
      `The alias '${alias.alias}' is not joined with _S, neither directly nor through other aliases.`,
      'A join is an eq whose two sides each use one variable, such as ["eq", "_S.id", "' +
        `${alias.alias}.id"]; it must stand in "where" itself, not within and or not.`,
    )
  }
  const checks: Check[] = [
    ...spec.subsets.map((subset): Check => ({ kind: 'subset', subset })),
    ...joins.filter((join) => !used.has(join)).map((join): Check => ({ kind: 'overlap', pairs: join.pairs })),
    ...filters.map((node): Check => ({ kind: 'filter', node })),
  ]
  const at = (place: number) => checks.filter((check) => readyAt(check, placeOf) === place)
  return {
    steps: steps.map((step, place) => ({ ...step, checks: at(place + 1) })),
    before: at(0),
    inOrder: steps.every(({ alias }, place) => alias === spec.aliases[place]),
  }
}

/** The joins of a spec, those that rows are only checked by among them. */
export const joinsOf = (spec: SpecNode): readonly Join[] => classify(spec, new Problems()).joins

const isAliasOf = (spec: SpecNode, variable: Variable): boolean =>
  variable.name === 'alias' && spec.aliases.includes(variable)

type PlaceOf = (variable: Variable) => number | undefined

const isOpenAtOneEnd = ({ variables: [left, right] }: Join, placeOf: PlaceOf): boolean =>
  (placeOf(left) === undefined) !== (placeOf(right) === undefined)

function lookupOf({ pointer, left, right }: JoinPair, alias: AliasVariable): LookupPlan {
  const isLeft = variablesOf(left).some((variable) => variable === alias)
  return isLeft ? { pointer, key: right, indexed: left } : { pointer, key: left, indexed: right }
}

/** The number of aliases that must be bound before a check can be made. */
function readyAt(check: Check, placeOf: PlaceOf): number {
  const nodes =
    check.kind === 'filter'
      ? [check.node]
      : check.kind === 'subset'
        ? [check.subset.expression]
        : check.pairs.flatMap(({ left, right }) => [left, right])
  return Math.max(0, ...nodes.flatMap(variablesOf).map((variable) => placeOf(variable) ?? 0))
}

interface Conditions {
  readonly joins: readonly Join[]
  readonly filters: readonly Node[]
}

/** Of several joins between the same two variables the first is one; the others compare exactly (dtl.md §10.2). */
function classify(spec: SpecNode, problems: Problems): Conditions {
  const joins: Join[] = []
  const filters: Node[] = []
  const connected = new Set<string>()
  for (const node of spec.where) {
    const join = joinOf(node, spec)
    if (join === null) {
      filters.push(node)
      continue
    }
    const pair = join.variables.map(nameOfVariable).sort().join(' ')
    if (connected.has(pair)) {
      filters.push(node)
      problems.warning(
        node.pointer,
        'A second join between the same two variables is not a join: it compares for exact equality.',
        'Join on several properties at once with ["tuples", …] on both sides.',
      )
      continue
    }
    connected.add(pair)
    joins.push(join)
    warnOfOuter(join, spec, problems)
  }
  return { joins, filters }
}

function warnOfOuter(join: Join, spec: SpecNode, problems: Problems): void {
  // An alias of a hops around this one is an entity of a dataset, so there is a way back through it.
  const outer = join.variables.find(({ name }) => name !== '_S' && name !== 'alias')
  if (outer === undefined || !spec.tracked) return
  const { name } = outer
  problems.warning(
    join.pointer,
    `A join on '${name}' works, but dependencies cannot be tracked through it.`,
    'Join on _S, or set "track-dependencies": false.',
  )
}

function joinOf(node: Node, spec: SpecNode): Join | null {
  if (node.kind !== 'call') return null
  if (node.definition.name === 'eq') return equalityOf(node, spec)
  return node.definition.name === 'or' ? unionOf(node, spec) : null
}

function equalityOf(node: CallNode, spec: SpecNode): Join | null {
  const [left, right] = node.arguments as [Node, Node]
  const [ofLeft, ofRight] = [variablesOf(left), variablesOf(right)]
  const [one, other] = [ofLeft[0], ofRight[0]]
  if (ofLeft.length !== 1 || ofRight.length !== 1 || one === undefined || other === undefined) return null
  if (nameOfVariable(one) === nameOfVariable(other)) return null
  if (!isAliasOf(spec, one) && !isAliasOf(spec, other)) return null
  return { pointer: node.pointer, variables: [one, other], pairs: [{ pointer: node.pointer, left, right }] }
}

/** An `or` whose branches are joins of the same two variables (dtl.md §10.2). */
function unionOf(node: CallNode, spec: SpecNode): Join | null {
  const branches = node.arguments.map((branch) => joinOf(branch as Node, spec))
  const [first] = branches
  if (first === undefined || first === null) return null
  const pair = (join: Join) => join.variables.map(nameOfVariable).sort().join(' ')
  if (!branches.every((join) => join !== null && pair(join) === pair(first))) return null
  return { pointer: node.pointer, variables: first.variables, pairs: branches.flatMap((join) => join?.pairs ?? []) }
}
