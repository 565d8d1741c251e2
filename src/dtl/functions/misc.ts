/** What fits no other chapter (dtl.md §9.13). */

import type { Value } from '../../model/value.ts'
import { listOf } from '../coerce.ts'
import type { Frame } from '../frame.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { any, evaluateOf, example, one } from './definition.ts'

export const misc: readonly FunctionDefinition[] = [
  {
    name: 'literal',
    behaviour: '-',
    parameters: [one('VALUE', 'any')],
    summary: 'Its argument as it is: a string that looks like a path, or a list, without being one.',
    examples: [
      example('["literal", "_S.a"]', '"_S.a"'),
      example('["literal", [1, ["upper", "a"]]]', '[1, ["upper", "a"]]'),
    ],
    compile: ([value]) => evaluateOf(value),
  },
  {
    name: 'tuples',
    behaviour: '-',
    parameters: [any('VALUES')],
    summary: 'All combinations of one value of each argument, nulls left out: for joins on several properties.',
    examples: [
      example('["tuples", ["list", 1, 2], ["list", "a", null, "b"]]', '[[1, "a"], [1, "b"], [2, "a"], [2, "b"]]'),
      example('["tuples", 1, null]', '[]'),
    ],
    compile: (args) => {
      const parts = args.map(evaluateOf)
      return (frame) =>
        crossProduct(
          parts.map((part) => listOf(part(frame)).filter((value) => value !== null)),
          frame,
        )
    },
  },
]

function crossProduct(lists: readonly (readonly Value[])[], frame: Frame): Value[] {
  if (lists.length === 0) return []
  let tuples: Value[][] = [[]]
  for (const list of lists) {
    frame.run.spend(tuples.length * list.length)
    const longer: Value[][] = []
    for (const tuple of tuples) for (const value of list) longer.push([...tuple, value])
    tuples = longer
  }
  return tuples
}
