/** What a program needs and touches, read off its nodes. */

import { reachableRules } from './check.ts'
import type { Analysis, DtlSettings, Emission, IndexSpec } from './contract.ts'
import { emissionOf } from './emission.ts'
import { indexText } from './index-text.ts'
import { planSpec } from './plan.ts'
import { purityOf, UNKNOWN } from './purity.ts'
import { Problems } from './scope.ts'
import type { ProgramNode, SpecNode } from './syntax.ts'
import { walk } from './walk.ts'

export function analyse(program: ProgramNode, settings: DtlSettings): Analysis {
  const rules = reachableRules(program)
  const specs: SpecNode[] = []
  let createsChildren = false
  let trips = false
  for (const { block } of rules) {
    walk(block, {
      hops: (node) => {
        specs.push(...node.specs)
      },
      transform: ({ definition }) => {
        if (definition.name === 'create-child') createsChildren = true
        if (definition.name === 'trip!') trips = true
      },
    })
  }
  const purity = purityOf(rules, settings)
  let emission: Emission | undefined
  const lookedUp = purity.lookups.map(({ what }) => what).filter((dataset) => dataset !== UNKNOWN)
  return {
    indexes: uniqueIndexes(specs.flatMap((spec) => indexesOf(spec, settings))),
    datasets: [...new Set([...datasetsOf(specs), ...lookedUp])],
    tracked: datasetsOf(specs.filter(({ tracked }) => tracked)),
    deterministic: purity.time.length + purity.chance.length === 0,
    createsChildren,
    trips,
    purity,
    /** Not everybody who compiles a program asks. */
    get emission() {
      emission ??= emissionOf(program, rules, settings)
      return emission
    },
  }
}

const indexesOf = (spec: SpecNode, settings: DtlSettings): IndexSpec[] =>
  planSpec(spec, new Problems()).steps.flatMap(({ alias: { dataset }, lookups }) =>
    lookups.map(({ indexed }) => ({ dataset, expression: indexText(indexed, settings) })),
  )

const datasetsOf = (specs: readonly SpecNode[]): string[] => [
  ...new Set(specs.flatMap(({ aliases }) => aliases.map(({ dataset }) => dataset))),
]

const uniqueIndexes = (indexes: readonly IndexSpec[]): readonly IndexSpec[] => [
  ...new Map(indexes.map((index) => [`${index.dataset} ${index.expression}`, index])).values(),
]
