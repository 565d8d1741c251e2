/** Comparisons (dtl.md §9.4). */

import { compare, compareText, equals, rankOf } from '../../model/order.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { listOf } from '../coerce.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { evaluateOf, example, ofFirsts, one } from './definition.ts'

const TWO = [one('A'), one('B')]

export const comparisons: readonly FunctionDefinition[] = [
  {
    name: 'eq',
    behaviour: '-',
    parameters: TWO,
    summary: 'Whether the two are equal as lists: order and number matter. In `where` of hops it is a join.',
    examples: [
      example('["eq", 42, ["list", 42]]', 'true'),
      example('["eq", 1, 1.0]', 'true'),
      example('["eq", null, ["list"]]', 'true'),
      example('["eq", "1", 1]', 'false'),
    ],
    compile: ([a, b]) => {
      const [left, right] = [evaluateOf(a), evaluateOf(b)]
      return (frame) => {
        const first = left(frame)
        return isEqual(first, right(frame))
      }
    },
  },
  {
    name: 'neq',
    behaviour: '-',
    parameters: TWO,
    summary: 'The negation of `eq`.',
    examples: [example('["neq", "a", "b"]', 'true'), example('["neq", ["list", "a"], "a"]', 'false')],
    compile: ([a, b]) => {
      const [left, right] = [evaluateOf(a), evaluateOf(b)]
      return (frame) => {
        const first = left(frame)
        return !isEqual(first, right(frame))
      }
    },
  },
  order('gt', 'greater than', (difference) => difference > 0, ['["gt", 2, 1]', '["gt", ["list", 2, 9], 2]']),
  order('gte', 'greater than or equal to', (difference) => difference >= 0, ['["gte", 2, 2]', '["gte", null, 2]']),
  order('lt', 'less than', (difference) => difference < 0, ['["lt", "B", "a"]', '["lt", "1", 2]']),
  order('lte', 'less than or equal to', (difference) => difference <= 0, [
    '["lte", 2, 2.0]',
    '["lte", {"a": 1}, {"a": 1}]',
  ]),
]

/** Equal after list coercion (dtl.md §9.4). */
export function isEqual(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a === 'string' && typeof b === 'string') return false
  if (!isList(a) && !isList(b)) return equals(a, b)
  const [left, right] = [listOf(a), listOf(b)]
  if (left.length !== right.length) return false
  for (let place = 0; place < left.length; place++)
    if (!equals(left[place] as Value, right[place] as Value)) return false
  return true
}

/** A comparison with an example that holds and one that does not. */
function order(
  name: string,
  words: string,
  holds: (difference: number) => boolean,
  [yes, no]: [string, string],
): FunctionDefinition {
  return ofFirsts({
    name,
    parameters: TWO,
    summary: `Whether the first value of A is ${words} that of B; false for null and for values of different types.`,
    examples: [example(yes, 'true'), example(no, 'false')],
    result: (a, b) => {
      if (typeof a === 'number' && typeof b === 'number') return holds(a - b)
      if (typeof a === 'string' && typeof b === 'string') return holds(compareText(a, b))
      if (a === null || b === null || !isOrdered(a) || rankOf(a) !== rankOf(b)) return false
      return holds(compare(a, b))
    },
  })
}

/** Dicts and lists have a place in the mixed order, but are never less or greater. */
const isOrdered = (value: Value): boolean => !isList(value) && !isDict(value)
