/** What a program needs and touches, read off its nodes. */

import { reachableRules } from './check.ts'
import type { Analysis, DtlSettings, IndexSpec } from './contract.ts'
import { indexText } from './index-text.ts'
import { type Plan, planSpec } from './plan.ts'
import { purityOf } from './purity.ts'
import { Problems } from './scope.ts'
import type { HopsNode, Node, ProgramNode, SpecNode } from './syntax.ts'
import { walk } from './walk.ts'

/** A hops of a program, with the indexes it uses: for people, and for whoever follows dependencies. */
export interface ExplainedHops {
  readonly rule: string
  readonly pointer: string
  readonly specs: readonly ExplainedSpec[]
}

export interface ExplainedSpec {
  readonly pointer: string
  readonly datasets: readonly { readonly dataset: string; readonly alias: string }[]
  readonly tracked: boolean
  readonly recurse: boolean
  /** In the order in which the aliases are bound. */
  readonly joins: readonly ExplainedJoin[]
  /** Conditions that are checked on rows, subsets and surplus joins among them. */
  readonly checks: number
}

export interface ExplainedJoin {
  readonly pointer: string
  readonly alias: string
  /** The index the join is answered from. */
  readonly index: IndexSpec
  /** Text of the expression whose values are looked up. */
  readonly key: string
}

export interface Explanation {
  readonly hops: readonly ExplainedHops[]
  /** Datasets of `lookup-entity`. */
  readonly lookups: readonly string[]
}

export interface Analysed {
  readonly analysis: Analysis
  readonly explanation: Explanation
}

export function analyse(program: ProgramNode, settings: DtlSettings): Analysed {
  const hops: ExplainedHops[] = []
  const lookups = new Set<string>()
  let createsChildren = false
  for (const rule of reachableRules(program)) {
    walk(rule.block, {
      hops: (node) => hops.push(explainHops(node, rule.id, settings)),
      call: ({ definition, arguments: args }) => {
        const [first] = args
        if (definition.name === 'lookup-entity' && first?.kind === 'constant') lookups.add(first.value as string)
      },
      transform: ({ definition }) => {
        if (definition.name === 'create-child') createsChildren = true
      },
    })
  }
  const purity = purityOf(reachableRules(program), settings)
  const specs = hops.flatMap((one) => one.specs)
  const datasetsOf = (some: readonly ExplainedSpec[]) => [
    ...new Set(some.flatMap(({ datasets }) => datasets.map(({ dataset }) => dataset))),
  ]
  return {
    analysis: {
      indexes: uniqueIndexes(specs.flatMap(({ joins }) => joins.map(({ index }) => index))),
      datasets: [...new Set([...datasetsOf(specs), ...lookups])],
      tracked: datasetsOf(specs.filter(({ tracked }) => tracked)),
      deterministic: purity.time.length + purity.chance.length === 0,
      createsChildren,
      purity,
    },
    explanation: { hops, lookups: [...lookups] },
  }
}

function explainHops(node: HopsNode, rule: string, settings: DtlSettings): ExplainedHops {
  return {
    rule,
    pointer: node.pointer,
    specs: node.specs.map((spec) => explainSpec(spec, planSpec(spec, new Problems()), settings)),
  }
}

function explainSpec(spec: SpecNode, plan: Plan, settings: DtlSettings): ExplainedSpec {
  return {
    pointer: spec.pointer,
    datasets: spec.aliases.map(({ dataset, alias }) => ({ dataset, alias })),
    tracked: spec.tracked,
    recurse: spec.recurse,
    joins: plan.steps.flatMap(({ alias, lookups }) =>
      lookups.map(({ pointer, key, indexed }) => ({
        pointer,
        alias: alias.alias,
        index: { dataset: alias.dataset, expression: indexText(indexed, settings) },
        key: keyText(key, settings),
      })),
    ),
    checks: plan.before.length + plan.steps.reduce((sum, { checks }) => sum + checks.length, 0),
  }
}

/** The side that is looked up may use hops or rules, which have no text of their own. */
function keyText(node: Node, settings: DtlSettings): string {
  try {
    return indexText(node, settings)
  } catch {
    return node.pointer
  }
}

function uniqueIndexes(indexes: readonly IndexSpec[]): readonly IndexSpec[] {
  return [...new Map(indexes.map((index) => [`${index.dataset} ${index.expression}`, index])).values()]
}
