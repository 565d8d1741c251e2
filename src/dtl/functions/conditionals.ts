/** Conditionals: only the chosen branch is evaluated (dtl.md §9.5). */

import { isTrue, type Value } from '../../model/value.ts'
import type { Evaluate, FunctionDefinition } from '../syntax.ts'
import { isEqual } from './comparisons.ts'
import { each, evaluateOf, example, one, optional } from './definition.ts'

const nothing: Evaluate = () => null

export const conditionals: readonly FunctionDefinition[] = [
  {
    name: 'if',
    behaviour: '-',
    parameters: [one('CONDITION', 'boolean-expression'), one('THEN'), optional('ELSE')],
    summary: 'THEN when CONDITION is true, otherwise ELSE, or null.',
    examples: [example('["if", 0, "yes", "no"]', '"yes"'), example('["if", null, "yes"]', 'null')],
    compile: ([condition, then, otherwise]) => {
      const [test, yes, no] = [evaluateOf(condition), evaluateOf(then), otherwise?.evaluate ?? nothing]
      return (frame) => (isTrue(test(frame)) ? yes(frame) : no(frame))
    },
  },
  {
    name: 'case',
    behaviour: '-',
    parameters: [each('VALUE', 'boolean-expression'), each('THEN'), optional('ELSE')],
    summary: 'THEN of the first VALUE that is true, otherwise ELSE, or null.',
    examples: [
      example('["case", ["gt", "_S.n", 10], "many", ["gt", "_S.n", 1], "some", "few"]', '"some"', {
        source: '{"n": 2}',
      }),
    ],
    compile: (args) => {
      const branches = args.map(evaluateOf)
      const pairs = branches.length >> 1
      const otherwise = branches[pairs * 2] ?? nothing
      return (frame) => {
        for (let pair = 0; pair < pairs; pair++) {
          if (isTrue((branches[pair * 2] as Evaluate)(frame))) return (branches[pair * 2 + 1] as Evaluate)(frame)
        }
        return otherwise(frame)
      }
    },
  },
  {
    name: 'case-eq',
    behaviour: '-',
    parameters: [one('VALUE'), each('VALUE_N'), each('THEN'), optional('ELSE')],
    summary: 'THEN of the first VALUE_N that is equal to VALUE, otherwise ELSE, or null.',
    examples: [
      example('["case-eq", "_S.c", "NO", "Norway", "SE", "Sweden", "elsewhere"]', '"Sweden"', {
        source: '{"c": "SE"}',
      }),
    ],
    compile: ([value, ...args]) => {
      const given = evaluateOf(value)
      const branches = args.map(evaluateOf)
      const pairs = branches.length >> 1
      const otherwise = branches[pairs * 2] ?? nothing
      return (frame) => {
        const wanted: Value = given(frame)
        for (let pair = 0; pair < pairs; pair++) {
          if (isEqual(wanted, (branches[pair * 2] as Evaluate)(frame)))
            return (branches[pair * 2 + 1] as Evaluate)(frame)
        }
        return otherwise(frame)
      }
    },
  },
]
