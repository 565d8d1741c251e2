/** Subsets and index expressions as they stand in configurations and requests: `["eq", INDEX_EXPRESSION, LITERAL]` (dtl.md §13). */

import { isList, type Value } from '../model/value.ts'
import { type CompiledExpression, compileExpression } from './compile.ts'
import type { DtlProblem, DtlSettings } from './contract.ts'
import { parseExpression } from './parse.ts'
import { Problems, Scope } from './scope.ts'

export interface CompiledSubset {
  /** Text of its index. Like the value, only to be used when there is no error among the problems. */
  readonly index: string
  /** What one of the index's values must equal. */
  readonly value: Value
  readonly problems: readonly DtlProblem[]
}

/** Pointers of problems lie below the subset. */
export function compileSubset(subset: Value, settings: DtlSettings): CompiledSubset {
  if (!isList(subset) || subset.length !== 3 || subset[0] !== 'eq') {
    const hint = 'For example ["eq", "_S.type", "person"].'
    return failed([error('', 'A subset must have the form ["eq", expression, literal].', hint)])
  }
  const { index, problems: ofExpression } = compileIndexExpression(subset[1] as Value, settings)
  const { value, problems: ofLiteral } = literalOf(subset[2] as Value)
  const problems = [
    ...ofExpression.map((one) => ({ ...one, pointer: `/1${one.pointer}` })),
    ...ofLiteral.map((one) => ({ ...one, pointer: `/2${one.pointer}` })),
  ]
  return { index, value, problems }
}

/** As `compileExpression`; an expression that gives the same for all entities is doubtful, too. */
export function compileIndexExpression(expression: Value, settings: DtlSettings): CompiledExpression {
  const compiled = compileExpression(expression, settings)
  if (compiled.problems.some(({ level }) => level === 'error') || readsEntity(expression)) return compiled
  const hint =
    typeof expression === 'string' ? `Did you mean "_S.${expression}"?` : 'Read a property, such as "_S.type".'
  const message = 'The index expression reads nothing of the entity: it gives the same for all.'
  return { ...compiled, problems: [...compiled.problems, { level: 'warning', pointer: '', message, hint }] }
}

function literalOf(literal: Value): { readonly value: Value; readonly problems: readonly DtlProblem[] } {
  const problems = new Problems()
  const node = parseExpression(literal, '', new Scope(problems))
  if (problems.hasErrors) return { value: null, problems: problems.all }
  if (node.kind !== 'constant') {
    const hint = 'For example "~:crm:person", not ["ni", "crm", "person"].'
    return { value: null, problems: [error('', 'The right side of a subset must be a literal.', hint)] }
  }
  if (node.value !== null) return { value: node.value, problems: [] }
  const hint = 'Use ["eq", ["is-null", expression], true] for entities without a value.'
  return { value: null, problems: [error('', 'Null is in no index, so nothing is in this subset.', hint)] }
}

function readsEntity(expression: Value): boolean {
  if (typeof expression === 'string') return /^_S(\.|$)/.test(expression)
  return isList(expression) && expression.some((one) => readsEntity(one))
}

const error = (pointer: string, message: string, hint: string): DtlProblem => ({
  level: 'error',
  pointer,
  message,
  hint,
})

const failed = (problems: readonly DtlProblem[]): CompiledSubset => ({ index: '', value: null, problems })
