/** Arithmetic; the signs take their operands in natural order, the words take the changed value last (dtl.md §9.12). */

import { Decimal, Float, float, type Value } from '../../model/value.ts'
import {
  add,
  divide,
  isNumeric,
  modulo,
  multiply,
  power,
  type Rounding,
  roundAt,
  subtract,
  toDouble,
} from '../arithmetic.ts'
import { firstOf } from '../coerce.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { example, mapping, mappingWith, ofFirsts, one, optional, VALUES } from './definition.ts'

type Numeric = Parameters<typeof add>[0]
type Operation = (a: Numeric, b: Numeric) => Value

export const math: readonly FunctionDefinition[] = [
  sign('+', add, 'A plus B.', ['["+", 1, ["list", 2.5, 9]]', '3.5']),
  sign('-', subtract, 'A minus B.', ['["-", 1, "~f0.1"]', '"~f0.9"']),
  sign('*', multiply, 'A times B.', ['["*", 9007199254740993, 2]', '18014398509481986']),
  sign('/', divide, 'A divided by B; integers give a decimal, zero gives null.', ['["/", 10, 20]', '"~f0.5"']),
  sign('%', modulo, 'The rest of A divided by B, with the sign of B.', ['["%", -5, 3]', '1']),
  sign('^', power, 'A to the power of B.', ['["^", 2, 10]', '1024']),
  word('plus', 'INCREMENT', (value, by) => add(value, by), 'INCREMENT added to the values.', [
    '["plus", 1, ["list", 1, "x", 2.5]]',
    '[2, 3.5]',
  ]),
  word('minus', 'DECREMENT', (value, by) => subtract(value, by), 'DECREMENT taken from the values.', [
    '["minus", 10, 12]',
    '2',
  ]),
  word('multiply', 'MULTIPLIER', (value, by) => multiply(value, by), 'The values times MULTIPLIER.', [
    '["multiply", 2, ["list", 1, 2]]',
    '[2, 4]',
  ]),
  word('divide', 'DIVISOR', (value, by) => divide(value, by), 'The values divided by DIVISOR.', [
    '["divide", 10, 20]',
    '"~f2"',
  ]),
  word('mod', 'DIVISOR', (value, by) => modulo(value, by), 'The rests of the values divided by DIVISOR.', [
    '["mod", 3, ["list", 5, -5]]',
    '[2, 1]',
  ]),
  word('pow', 'EXPONENT', (value, by) => power(value, by), 'The values to the power of EXPONENT.', [
    '["pow", 2, ["list", 2, 5]]',
    '[4, 25]',
  ]),
  mapping({
    name: 'abs',
    summary: 'Numbers without their sign.',
    examples: [example('["abs", ["list", -1, -1.5, "~f-2.0", -0.0]]', '[1, 1.5, "~f2.0", 0.0]')],
    convert: (value) => (isNumeric(value) ? (isNegative(value) ? multiply(value, -1) : value) : undefined),
  }),
  rounding('ceil', 'up', 'up', ['["ceil", 1, ["list", 2.2, 4.71]]', '[2.2, 4.8]']),
  rounding('floor', 'down', 'down', ['["floor", ["list", 2.2, -2.2, "~f3.9"]]', '[2, -3, 3]']),
  rounding('round', 'half-even', 'to the nearest, half to even,', [
    '["round", ["list", 2.5, 3.5, -4.5]]',
    '[2, 4, -4]',
  ]),
  real('sqrt', Math.sqrt, 'Square roots; null where there is no real one.', [
    '["sqrt", ["list", 9, -1]]',
    '[3.0, null]',
  ]),
  real('cos', Math.cos, 'Cosines of radians.', ['["cos", 0]', '1.0']),
  real('sin', Math.sin, 'Sines of radians.', ['["sin", 0]', '0.0']),
  real('tan', tangent, 'Tangents of radians; null close to where there is none.', ['["tan", 0]', '0.0']),
]

function sign(name: string, operation: Operation, summary: string, [dtl, gives]: [string, string]): FunctionDefinition {
  return ofFirsts({
    name,
    parameters: [one('A', 'numeric-expression'), one('B', 'numeric-expression')],
    summary,
    examples: [example(dtl, gives), example(`["${name}", 1, null]`, 'null')],
    result: (a, b) => (isNumeric(a) && isNumeric(b) ? operation(a, b) : null),
  })
}

function word(
  name: string,
  parameter: string,
  operation: Operation,
  summary: string,
  [dtl, gives]: [string, string],
): FunctionDefinition {
  return mappingWith({
    name,
    parameters: [one(parameter, 'numeric-expression'), VALUES],
    summary,
    examples: [example(dtl, gives), example(`["${name}", "x", 1]`, 'null')],
    bind: ([given]) => {
      const by = firstOf(given as Value)
      if (!isNumeric(by)) return null
      return (value) => (isNumeric(value) ? (operation(value, by) ?? undefined) : undefined)
    },
  })
}

function rounding(name: string, way: Rounding, words: string, [dtl, gives]: [string, string]): FunctionDefinition {
  return mappingWith({
    name,
    parameters: [optional('DIGITS', 'numeric-expression'), VALUES],
    summary: `Numbers rounded ${words} at DIGITS decimals; at none they become integers.`,
    examples: [example(dtl, gives)],
    bind: ([digits]) => {
      const given = digits === undefined ? 0 : firstOf(digits)
      if (given === null || !isNumeric(given)) return null
      const places = Math.trunc(toDouble(given))
      return (value) => (isNumeric(value) ? roundAt(value, places, way) : undefined)
    },
  })
}

function real(
  name: string,
  calculate: (x: number) => number,
  summary: string,
  [dtl, gives]: [string, string],
): FunctionDefinition {
  return mapping({
    name,
    summary,
    examples: [example(dtl, gives)],
    convert: (value) => (isNumeric(value) ? float(calculate(toDouble(value))) : undefined),
  })
}

/** Nearer than this to where the cosine is 0, the tangent is only noise. */
const NOISE = 1e-15

function tangent(x: number): number {
  return Math.abs(Math.cos(x)) < NOISE ? Number.NaN : Math.tan(x)
}

const isNegative = (value: Numeric): boolean =>
  value instanceof Decimal
    ? value.unscaled < 0n
    : value instanceof Float
      ? value.value < 0 || Object.is(value.value, -0)
      : value < 0
