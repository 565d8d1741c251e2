/** Nulls (dtl.md §9.15). */

import { isTrue, type Value } from '../../model/value.ts'
import { firstOf, listOf } from '../coerce.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { applying, evaluateOf, example, one, optional, some, VALUES } from './definition.ts'

const isNull = (value: Value): boolean => firstOf(value) === null

export const nulls: readonly FunctionDefinition[] = [
  {
    name: 'coalesce',
    behaviour: 'A',
    parameters: [optional('FUNCTION', 'function-expression'), VALUES],
    summary: 'The first value that is not null, or for which FUNCTION is true.',
    examples: [
      example('["coalesce", ["list", null, false, 1]]', 'false'),
      example('["coalesce", ["gt", "_.", 1], ["list", 1, 2, 3]]', '2'),
    ],
    compile: ([fn, values]) => {
      const evaluate = evaluateOf(values)
      if (fn === undefined) return (frame) => listOf(evaluate(frame)).find((value) => value !== null) ?? null
      const apply = applying(fn)
      return (frame) => listOf(evaluate(frame)).find((value) => isTrue(apply(value, frame))) ?? null
    },
  },
  {
    name: 'coalesce-args',
    behaviour: '-',
    parameters: [some('VALUES')],
    summary: 'The first argument that is not null; an empty list is not null.',
    examples: [example('["coalesce-args", null, ["list"], 1]', '[]'), example('["coalesce-args", null]', 'null')],
    compile: (args) => {
      const parts = args.map(evaluateOf)
      return (frame) => {
        for (const part of parts) {
          const value = part(frame)
          if (value !== null) return value
        }
        return null
      }
    },
  },
  {
    name: 'if-null',
    behaviour: '-',
    parameters: [one('VALUE'), one('FALLBACK-VALUE')],
    summary: 'VALUE, or the other one when the first value of VALUE is null.',
    examples: [example('["if-null", ["list", null, 1], 2]', '2'), example('["if-null", 1, 2]', '1')],
    compile: ([value, fallback]) => {
      const [given, otherwise] = [evaluateOf(value), evaluateOf(fallback)]
      return (frame) => {
        const wanted = given(frame)
        return isNull(wanted) ? otherwise(frame) : wanted
      }
    },
  },
  {
    name: 'is-null',
    behaviour: '-',
    parameters: [VALUES],
    summary: 'Whether the first value is null: also of an empty list.',
    examples: [example('["is-null", ["list", null, 1]]', 'true'), example('["is-null", ""]', 'false')],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => isNull(evaluate(frame))
    },
  },
  {
    name: 'is-not-null',
    behaviour: '-',
    parameters: [VALUES],
    summary: 'Whether the first value is not null.',
    examples: [example('["is-not-null", ["list"]]', 'false'), example('["is-not-null", false]', 'true')],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => !isNull(evaluate(frame))
    },
  },
]
