/** Exact decimal numbers: text, comparison, and the other numbers as decimals (dtl.md §2.3). */

import { Decimal, Float } from './value.ts'

/** Any numeric value. */
export type Numeric = number | bigint | Float | Decimal

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,5})?$/

/** The decimal a text spells, or null. Digits after the point are kept; an exponent is worked in. */
export function parseDecimal(text: string, bare = false): Decimal | null {
  if (!DECIMAL.test(text)) return null
  const at = text.search(/[eE]/)
  const mantissa = at < 0 ? text : text.slice(0, at)
  const exponent = at < 0 ? 0 : Number(text.slice(at + 1))
  const point = mantissa.indexOf('.')
  const digits = point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1)
  const unscaled = BigInt(digits.startsWith('+') ? digits.slice(1) : digits === '-' ? '0' : digits)
  const scale = (point < 0 ? 0 : mantissa.length - point - 1) - exponent
  return scale >= 0 ? new Decimal(unscaled, scale, bare) : new Decimal(unscaled * 10n ** BigInt(-scale), 0, bare)
}

/** Digits with as many after the point as its scale. */
export function decimalText({ unscaled, scale }: Decimal): string {
  if (scale === 0) return unscaled.toString()
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** The shortest text that reads back as the same double, as a decimal: a Float compares as that (dtl.md §2.3). */
export function toDecimal(number: Numeric): Decimal {
  if (number instanceof Decimal) return number
  if (typeof number === 'bigint') return new Decimal(number, 0)
  const double = number instanceof Float ? number.value : number
  return Number.isSafeInteger(double) ? new Decimal(BigInt(double), 0) : (parseDecimal(String(double)) as Decimal)
}

/** The same value without zeros at the end of its fraction: one form for each value. */
export function normalised({ unscaled, scale }: Decimal): Decimal {
  let [digits, places] = [unscaled, scale]
  while (places > 0 && digits % 10n === 0n) {
    digits /= 10n
    places--
  }
  return new Decimal(digits, places)
}

/** Negative, zero or positive: exact across integers, floats and decimals. */
export function compareNumbers(a: Numeric, b: Numeric): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  const [left, right] = [toDecimal(a), toDecimal(b)]
  const scale = Math.max(left.scale, right.scale)
  const difference =
    left.unscaled * 10n ** BigInt(scale - left.scale) - right.unscaled * 10n ** BigInt(scale - right.scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
