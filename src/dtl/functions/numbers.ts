/** Numbers of each kind, and their texts (dtl.md §9.16). */

import { type Numeric, parseDecimal, toDecimal } from '../../model/decimal.ts'
import { instantOf } from '../../model/order.ts'
import { Datetime, Decimal, Float, float, integer, isInteger, LocalDate, type Value } from '../../model/value.ts'
import { isNumeric, toDouble } from '../arithmetic.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { casting, example, mapping, typeTest } from './definition.ts'

export const numbers: readonly FunctionDefinition[] = [
  casting({
    name: 'decimal',
    summary: 'Numbers and numeric strings as decimals.',
    examples: [
      example('["decimal", ["list", "1.50", 2, "x"]]', '["~f1.50", "~f2"]'),
      example('["decimal", "n/a", "x"]', '"n/a"'),
    ],
    convert: (value) => {
      if (typeof value === 'string') return parseDecimal(value.trim()) ?? undefined
      return isNumeric(value) ? toDecimal(value) : undefined
    },
  }),
  casting({
    name: 'float',
    summary: 'Numbers and numeric strings as floats.',
    examples: [example('["float", ["list", "1.0", 2, " 1e3 ", "x"]]', '[1.0, 2.0, 1000.0]')],
    convert: (value) => {
      const double = typeof value === 'string' ? doubleOf(value.trim()) : isNumeric(value) ? toDouble(value) : null
      return double === null ? undefined : (float(double) ?? undefined)
    },
  }),
  casting({
    name: 'integer',
    summary:
      'Numbers cut to integers, strings of digits, hexadecimal strings as two’s complement, datetimes as nanoseconds.',
    examples: [
      example('["integer", ["list", "12", -124.9, "~f7.8", "1.5"]]', '[12, -124, 7]'),
      example('["integer", ["list", "0x00ff", "0xff"]]', '[255, -1]'),
      example('["integer", "~t1970-01-01T00:00:01Z"]', '1000000000'),
    ],
    convert: (value) => integerFrom(value),
  }),
  mapping({
    name: 'hex',
    summary: 'Integers as hexadecimal two’s complement in whole bytes.',
    examples: [example('["hex", ["list", 1, 255, -1, 12345, 1.5]]', '["0x01", "0x00ff", "0xff", "0x3039"]')],
    convert: (value) => {
      const number = typeof value === 'string' ? integerFrom(value) : value
      return number !== undefined && isInteger(number) ? hexOf(BigInt(number)) : undefined
    },
  }),
  typeTest({
    name: 'is-decimal',
    kinds: ['decimal'],
    summary: 'Whether the first value is a decimal.',
    examples: [example('["is-decimal", "~f1.5"]', 'true'), example('["is-decimal", 1.5]', 'false')],
  }),
  typeTest({
    name: 'is-float',
    kinds: ['float'],
    summary: 'Whether the first value is a float.',
    examples: [example('["is-float", 1.0]', 'true'), example('["is-float", 1]', 'false')],
  }),
  typeTest({
    name: 'is-integer',
    kinds: ['integer'],
    summary: 'Whether the first value is an integer.',
    examples: [example('["is-integer", ["list", 1, "2"]]', 'true'), example('["is-integer", true]', 'false')],
  }),
]

const NUMERIC = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/
const doubleOf = (text: string): number | null => (NUMERIC.test(text) ? Number(text) : null)

/** Digits an integer text has at most: beyond it, making a number of them takes noticeable time. */
const MAX_DIGITS = 100_000

function integerFrom(value: Value): Value | undefined {
  if (typeof value === 'string') {
    if (value.length > MAX_DIGITS) return undefined
    if (/^[+-]?\d+$/.test(value)) return integer(BigInt(value.startsWith('+') ? value.slice(1) : value))
    return /^0x[0-9a-fA-F]+$/.test(value) ? integer(fromHex(value.slice(2))) : undefined
  }
  if (value instanceof Datetime || value instanceof LocalDate) return integer(instantOf(value))
  return isNumeric(value) ? truncated(value) : undefined
}

/** Towards zero. */
function truncated(value: Numeric): Value {
  if (isInteger(value as Value)) return value as Value
  const double = value instanceof Float ? value.value : value
  if (typeof double === 'number' && Number.isSafeInteger(Math.trunc(double))) return Math.trunc(double) + 0
  const { unscaled, scale } = value instanceof Decimal ? value : toDecimal(value)
  return integer(unscaled / 10n ** BigInt(scale))
}

function fromHex(digits: string): bigint {
  const padded = digits.length % 2 === 0 ? digits : `0${digits}`
  return BigInt.asIntN(padded.length * 4, BigInt(`0x${padded}`))
}

function hexOf(value: bigint): string {
  // Whole bytes, with room for the sign: of a negative number the complement has the digits that count.
  const digits = (value < 0n ? -value - 1n : value).toString(2).length
  const bytes = Math.ceil((digits + 1) / 8)
  return `0x${BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0')}`
}
