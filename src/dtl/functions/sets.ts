/** Lists as sets (dtl.md §9.18). */

import type { FunctionDefinition } from '../syntax.ts'
import { distinct, ValueSet } from '../value-set.ts'
import { example, ofTwoLists, one } from './definition.ts'

const TWO = [one('VALUES1'), one('VALUES2')]

export const sets: readonly FunctionDefinition[] = [
  ofTwoLists({
    name: 'difference',
    behaviour: 'L',
    parameters: TWO,
    summary: 'The values of the first that are not in the second; duplicates stay.',
    examples: [example('["difference", ["list", "a", "b", "a"], "b"]', '["a", "a"]')],
    result: (a, b) => {
      const others = new ValueSet(b)
      return a.filter((value) => !others.has(value))
    },
  }),
  ofTwoLists({
    name: 'intersection',
    behaviour: 'L',
    parameters: TWO,
    summary: 'The values of the first that are in the second; duplicates stay.',
    examples: [example('["intersection", ["list", "a", "b", "a"], ["list", "a", "c"]]', '["a", "a"]')],
    result: (a, b) => {
      const others = new ValueSet(b)
      return a.filter((value) => others.has(value))
    },
  }),
  ofTwoLists({
    name: 'intersects',
    behaviour: 'A',
    parameters: TWO,
    summary: 'Whether the two share a value.',
    examples: [
      example('["intersects", ["list", 1, 2], ["list", 2.0]]', 'true'),
      example('["intersects", null, null]', 'false'),
    ],
    result: (a, b) => {
      if (a.length === 0 || b.length === 0) return false
      const others = new ValueSet(b)
      return a.some((value) => others.has(value))
    },
  }),
  ofTwoLists({
    name: 'union',
    behaviour: 'L',
    parameters: TWO,
    summary: 'The values of both, of equal ones the first.',
    examples: [example('["union", ["list", "b", "a"], ["list", "a", "c"]]', '["b", "a", "c"]')],
    result: (a, b, frame) => {
      frame.run.spend(a.length + b.length)
      return distinct([...a, ...b])
    },
  }),
]
