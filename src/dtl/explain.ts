/** How a program will do its work, as data: the plan of each hops, what can be followed back, what is known beforehand. */

import { reachableRules } from './check.ts'
import { compileArgument } from './closures.ts'
import type { DtlSettings, IndexSpec, Inverse, InversePlace } from './contract.ts'
import { indexText } from './index-text.ts'
import { nodeText, returnText } from './node-text.ts'
import { type Check, planSpec } from './plan.ts'
import { Problems } from './scope.ts'
import type { HopsNode, ProgramNode, RuleNode, SpecNode, Tools } from './syntax.ts'
import { SKIP, walk } from './walk.ts'

export interface Explanation {
  readonly hops: readonly ExplainedHops[]
  /** Parts that are computed once, when the program is compiled. */
  readonly folded: readonly Folded[]
}

export interface ExplainedHops {
  readonly rule: string
  readonly pointer: string
  readonly specs: readonly ExplainedSpec[]
}

export interface ExplainedSpec {
  readonly pointer: string
  /** In the order in which the aliases are bound. */
  readonly steps: readonly ExplainedStep[]
  /** Checked once for a source, before anything is looked up. */
  readonly before: readonly ExplainedCheck[]
  readonly returns: string
  readonly recursion: { readonly maxDepth: number | null; readonly excludesRoot: boolean } | null
  readonly tracked: boolean
  readonly trace: string | null
  /** The way back of each alias, for whoever follows a change. */
  readonly back: readonly ExplainedBack[]
  /** What no index helps with. */
  readonly scans: readonly string[]
}

export interface ExplainedStep {
  readonly alias: string
  readonly dataset: string
  readonly lookups: readonly ExplainedLookup[]
  /** Aliases whose entities the keys are computed of; none: it is looked up once for each source. */
  readonly after: readonly string[]
  /** Checked on each entity found. */
  readonly checks: readonly ExplainedCheck[]
}

export interface ExplainedLookup {
  readonly pointer: string
  /** The index that answers it. */
  readonly index: IndexSpec
  /** What is looked up in it. */
  readonly key: string
}

export interface ExplainedCheck {
  readonly kind: Check['kind']
  readonly pointer: string
  readonly text: string
}

export interface ExplainedBack {
  readonly alias: string
  readonly dataset: string
  /** Lookups from a changed entity to the source, the shortest way; the last is in the dataset of the pipe's source. */
  readonly chain: readonly ExplainedBackStep[]
  readonly obstacle: string | null
}

export interface ExplainedBackStep {
  /** Null: the dataset that the pipe reads. */
  readonly dataset: string | null
  readonly lookups: readonly { readonly key: string; readonly index: string }[]
}

export interface Folded {
  readonly pointer: string
  readonly text: string
}

export function explainProgram(program: ProgramNode, inverse: Inverse, settings: DtlSettings): Explanation {
  const hops: ExplainedHops[] = []
  const rules = reachableRules(program)
  for (const rule of rules) {
    walk(rule.block, {
      hops: (node) => {
        hops.push(explainHops(node, rule.id, inverse, settings))
      },
    })
  }
  return { hops, folded: rules.flatMap((rule) => foldedIn(rule, settings)) }
}

const explainHops = (node: HopsNode, rule: string, inverse: Inverse, settings: DtlSettings): ExplainedHops => ({
  rule,
  pointer: node.pointer,
  specs: node.specs.map((spec) => explainSpec(spec, inverse, settings)),
})

function explainSpec(spec: SpecNode, inverse: Inverse, settings: DtlSettings): ExplainedSpec {
  const plan = planSpec(spec, new Problems())
  const bound = plan.steps.map(({ alias }) => alias.alias)
  const steps = plan.steps.map(
    ({ alias, lookups, after, checks }): ExplainedStep => ({
      alias: alias.alias,
      dataset: alias.dataset,
      lookups: lookups.map(({ pointer, key, indexed }) => ({
        pointer,
        index: { dataset: alias.dataset, expression: indexText(indexed, settings) },
        key: nodeText(key),
      })),
      after: bound.slice(after - 1, Math.max(after, 0)),
      checks: checks.map(explainCheck),
    }),
  )
  const places = inverse.places.filter(({ pointer }) => pointer === spec.pointer)
  return {
    pointer: spec.pointer,
    steps,
    before: plan.before.map(explainCheck),
    returns: returnText(spec.returns),
    recursion: spec.recurse ? { maxDepth: spec.maxDepth, excludesRoot: spec.excludesRoot } : null,
    tracked: spec.tracked,
    trace: spec.trace,
    back: places.map((place) => explainBack(place, inverse)),
    scans: [...unconnected(steps), ...exactOnly(steps)],
  }
}

/** An alias that hangs on the source alone is combined with every row there is already. */
function unconnected(steps: readonly ExplainedStep[]): string[] {
  return steps.flatMap(({ alias, after, checks }, place) => {
    const isFree = place > 0 && after.length === 0 && !checks.some(({ kind }) => kind === 'overlap')
    const others = steps.slice(0, place).map((step) => step.alias)
    return isFree ? [`Each '${alias}' is combined with each '${others.join("' and each '")}': nothing joins them.`] : []
  })
}

function exactOnly(steps: readonly ExplainedStep[]): string[] {
  return steps.flatMap(({ alias, checks }) =>
    checks.map(({ kind, text }) =>
      kind === 'overlap'
        ? `The join ${text} is checked on each '${alias}' found: another join came first, and one index binds an alias.`
        : `${kind === 'subset' ? 'The subset' : 'The condition'} ${text} is checked on each '${alias}' found.`,
    ),
  )
}

function explainCheck(check: Check): ExplainedCheck {
  const { kind } = check
  if (check.kind === 'filter') return { kind, pointer: check.node.pointer, text: nodeText(check.node) }
  if (check.kind === 'subset') {
    const { pointer, alias, expression, value } = check.subset
    return {
      kind,
      pointer,
      text: `${alias.alias}: ${nodeText(expression)} = ${nodeText({ kind: 'constant', pointer, value })}`,
    }
  }
  const texts = check.pairs.map(({ left, right }) => `${nodeText(left)} = ${nodeText(right)}`)
  return { kind, pointer: check.pairs[0]?.pointer ?? '', text: texts.join(' or ') }
}

function explainBack(place: InversePlace, inverse: Inverse): ExplainedBack {
  const { alias, dataset } = place
  return { alias, dataset, chain: shortestWay(place, inverse), obstacle: place.obstacle }
}

/** Breadth first; a recursion may go round before, which is not told. */
function shortestWay(start: InversePlace, { places }: Inverse): readonly ExplainedBackStep[] {
  const open: { readonly place: InversePlace; readonly way: readonly ExplainedBackStep[] }[] = [
    { place: start, way: [] },
  ]
  const seen = new Set([start])
  for (const { place, way } of open) {
    for (const { to, dataset, lookups } of place.steps) {
      const further = [...way, { dataset, lookups }]
      if (to === null) return further
      const next = places[to] as InversePlace
      if (!seen.has(next)) open.push({ place: next, way: further })
      seen.add(next)
    }
  }
  return []
}

/** The greatest calls that give the same for every entity. */
function foldedIn({ block }: RuleNode, settings: DtlSettings): Folded[] {
  const folded: Folded[] = []
  const tools: Tools = {
    settings,
    idRequired: false,
    rule: () => () => undefined,
    hops: () => () => [],
    namespaceFor: () => null,
  }
  walk(block, {
    call: (node) => {
      if (compileArgument(node, tools).constant === undefined) return undefined
      folded.push({ pointer: node.pointer, text: nodeText(node) })
      return SKIP
    },
  })
  return folded
}
