/** What dataset sinks and sources say about indexes, as what they need. */

import type { DtlProblem, DtlSettings } from '../dtl/contract.ts'
import { compileIndexExpression, compileSubset } from '../dtl/subset.ts'
import { isList, type Value } from '../model/value.ts'
import type { Needs } from './contract.ts'
import { errorAt, type Finding } from './finding.ts'

/** The index over all identities of an entity. */
export const IDS = '$ids'
const IDS_EXPRESSION = '_S.$ids'

const NOTHING: Needs = { indexes: [], findings: [] }

/** `indexes` of a sink: `"$ids"`, or a list of index expressions, `"$ids"` among them (hub.md §15.1). */
export function explicitIndexes(dataset: string, given: Value | undefined, settings: DtlSettings): Needs {
  if (given === undefined || given === null) return NOTHING
  if (given === IDS) return explicitIndexes(dataset, [IDS], settings)
  if (!isList(given)) {
    const hint = 'For example ["_S.email", ["lower", "_S.name"]].'
    return { indexes: [], findings: [errorAt('/indexes', '"indexes" must be "$ids" or a list of expressions.', hint)] }
  }
  const compiled = given.map((one) => compileIndexExpression(one === IDS ? IDS_EXPRESSION : one, settings))
  return {
    indexes: compiled.filter(({ index }) => index !== '').map(({ index }) => ({ dataset, expression: index })),
    findings: compiled.flatMap(({ problems }, place) => findingsOf(problems, `/indexes/${place}`)),
  }
}

/** The index that a `subset` is read from. */
export function subsetIndex(dataset: string, subset: Value | undefined, settings: DtlSettings): Needs {
  if (subset === undefined || subset === null) return NOTHING
  const { index, problems } = compileSubset(subset, settings)
  return {
    indexes: problems.some(({ level }) => level === 'error') ? [] : [{ dataset, expression: index, feeds: true }],
    findings: findingsOf(problems, '/subset'),
  }
}

const findingsOf = (problems: readonly DtlProblem[], pointer: string): Finding[] =>
  problems.map((problem) => ({ ...problem, pointer: pointer + problem.pointer }))
