/** An expression over a dataset's alias, as an expression over `_S`: in equality rules `_S` is the entity of the dataset (dtl.md §4). */

import { isList, type Value } from '../../model/value.ts'

export interface OwnExpression {
  readonly own: Value
  /** Aliases it refers to, each once. */
  readonly aliases: readonly string[]
}

export function ownExpression(expression: Value, aliases: ReadonlyMap<string, unknown>): OwnExpression {
  const found = new Set<string>()
  return { own: rewrite(expression, aliases, found), aliases: [...found] }
}

function rewrite(expression: Value, aliases: ReadonlyMap<string, unknown>, found: Set<string>): Value {
  if (typeof expression === 'string') {
    // A variable is written with a dot after it (dtl.md §4).
    const dot = expression.indexOf('.')
    const name = expression.slice(0, Math.max(dot, 0))
    if (!aliases.has(name)) return expression
    found.add(name)
    return `_S${expression.slice(dot)}`
  }
  // Dict literals are constants as a whole, and so is what `literal` holds (dtl.md §3.3).
  if (!isList(expression) || expression[0] === 'literal') return expression
  return expression.map((argument, at) => (at === 0 ? argument : rewrite(argument, aliases, found)))
}
