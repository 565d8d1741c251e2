/** Exact decimal numbers: their text, their order, and the other numbers as decimals (dtl.md §2.3). */

import { Decimal, Float } from './value.ts'

/** Any numeric value. */
export type Numeric = number | bigint | Float | Decimal

const FORM = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const EXPONENT = /[eE]/

/** Larger powers of ten would let ten bytes of input fill the memory; doubles end at 308. */
const MAX_EXPONENT = 1_000

/** The decimal a text spells, or null. Digits after the point are kept as scale; an exponent is worked in. */
export function parseDecimal(text: string, bare = false): Decimal | null {
  if (!FORM.test(text)) return null
  const at = text.search(EXPONENT)
  const exponent = at < 0 ? 0 : Number(text.slice(at + 1))
  if (Math.abs(exponent) > MAX_EXPONENT) return null
  const mantissa = at < 0 ? text : text.slice(0, at)
  const point = mantissa.indexOf('.')
  const digits = point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1)
  const scale = (point < 0 ? 0 : mantissa.length - point - 1) - exponent
  // BigInt reads '-5' but not '+5'.
  const unscaled = BigInt(digits.startsWith('+') ? digits.slice(1) : digits)
  return scale >= 0 ? new Decimal(unscaled, scale, bare) : new Decimal(unscaled * tenTo(-scale), 0, bare)
}

/** All its digits, as many after the point as its scale. */
export function decimalText({ unscaled, scale }: Decimal): string {
  if (scale === 0) return unscaled.toString()
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** One text for each value, whatever the type and the scale: `1`, `1.0` and `~f1.00` are all `1`. */
export function numberText(number: Numeric): string {
  if (typeof number === 'bigint') return number.toString()
  if (typeof number === 'number') {
    // The shortest text that reads back as the same double is the decimal a Float counts as; only an exponent is in the way.
    const text = String(number === 0 ? 0 : number)
    return text.includes('e') ? decimalText(toDecimal(number)) : text
  }
  if (number instanceof Float) return numberText(number.value)
  const text = decimalText(number)
  return number.scale === 0 ? text : withoutZeros(text)
}

/** A number as a decimal. A Float counts as the shortest text that reads back as the same double. */
export function toDecimal(number: Numeric): Decimal {
  if (number instanceof Decimal) return number
  if (typeof number === 'bigint') return new Decimal(number, 0)
  const double = number instanceof Float ? number.value : number
  return Number.isSafeInteger(double) ? new Decimal(BigInt(double), 0) : (parseDecimal(String(double)) as Decimal)
}

/** Negative, zero or positive: exact across integers, floats and decimals. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  const [left, right] = [toDecimal(a), toDecimal(b)]
  const scale = Math.max(left.scale, right.scale)
  const x = left.scale === scale ? left.unscaled : left.unscaled * tenTo(scale - left.scale)
  const y = right.scale === scale ? right.unscaled : right.unscaled * tenTo(scale - right.scale)
  return x < y ? -1 : x > y ? 1 : 0
}

const tenTo = (exponent: number): bigint => 10n ** BigInt(exponent)

/** Of a text with a point: without the zeros at its end, and without a point nothing follows. `-0.0` is `0`. */
function withoutZeros(text: string): string {
  let end = text.length
  while (text.charCodeAt(end - 1) === 48) end--
  if (text.charCodeAt(end - 1) === 46) end--
  return text.slice(0, end)
}
