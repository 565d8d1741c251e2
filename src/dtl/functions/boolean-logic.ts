/** Boolean logic (dtl.md §9.1). */

import { isTrue } from '../../model/value.ts'
import type { Argument, Evaluate, FunctionDefinition } from '../syntax.ts'
import { evaluateOf, example, ofListWith, some } from './definition.ts'

export const booleanLogic: readonly FunctionDefinition[] = [
  ofListWith({
    name: 'all',
    behaviour: 'A',
    isOptional: true,
    summary: 'Whether every value is true, or FUNCTION is true for every value; of nothing it is.',
    examples: [
      example('["all", ["list", 1, false]]', 'false'),
      example('["all", ["gt", "_.", 2], ["list", 4, 5]]', 'true'),
      example('["all", null]', 'true'),
    ],
    result: (values, apply, frame) => values.every((value) => isTrue(apply(value, frame))),
  }),
  ofListWith({
    name: 'any',
    behaviour: 'A',
    isOptional: true,
    summary: 'Whether at least one value is true, or FUNCTION is true for one.',
    examples: [example('["any", ["gt", "_.", 4], ["list", 4, 5]]', 'true'), example('["any", null]', 'false')],
    result: (values, apply, frame) => values.some((value) => isTrue(apply(value, frame))),
  }),
  {
    name: 'and',
    behaviour: '-',
    parameters: [some('EXPRESSIONS', 'boolean-expression')],
    summary: 'Whether all arguments are true; it stops at the first that is not.',
    examples: [example('["and", 1, ""]', 'true'), example('["and", true, ["list"]]', 'false')],
    compile: (args) => conjunction(args),
  },
  {
    name: 'or',
    behaviour: '-',
    parameters: [some('EXPRESSIONS', 'boolean-expression')],
    summary: 'Whether any argument is true; it stops at the first that is.',
    examples: [example('["or", null, 0]', 'true'), example('["or", null, false]', 'false')],
    compile: (args) => {
      const conditions = args.map(evaluateOf)
      return (frame) => {
        for (const condition of conditions) if (isTrue(condition(frame))) return true
        return false
      }
    },
  },
  {
    name: 'not',
    behaviour: '-',
    parameters: [some('EXPRESSIONS', 'boolean-expression')],
    summary: 'The negation of `and` over the arguments.',
    examples: [example('["not", null]', 'true'), example('["not", true, false]', 'true')],
    compile: (args) => {
      const all = conjunction(args)
      return (frame) => all(frame) === false
    },
  },
]

function conjunction(args: readonly (Argument | undefined)[]): Evaluate {
  const conditions = args.map(evaluateOf)
  return (frame) => {
    for (const condition of conditions) if (!isTrue(condition(frame))) return false
    return true
  }
}
