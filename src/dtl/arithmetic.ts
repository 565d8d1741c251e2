/** Arithmetic over integers, floats and decimals, each exact in its own way (dtl.md §9.12). */

import { type Numeric, toDecimal } from '../model/decimal.ts'
import { Decimal, Float, float, integer, type Value } from '../model/value.ts'

export const isNumeric = (value: Value): value is Numeric =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Float || value instanceof Decimal

const isWhole = (value: Numeric): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))

/** The double nearest to a number. */
export const toDouble = (value: Numeric): number =>
  value instanceof Float ? value.value : value instanceof Decimal ? Number(textOf(value)) : Number(value)

const textOf = ({ unscaled, scale }: Decimal): string => `${unscaled}e-${scale}`

interface Operation {
  readonly integers: (a: bigint, b: bigint) => bigint
  readonly doubles: (a: number, b: number) => number
  readonly decimals: (a: Decimal, b: Decimal) => { readonly unscaled: bigint; readonly scale: number }
}

/** The result has the most precise type of the two; null: it overflows. */
function operate({ integers, doubles, decimals }: Operation): (a: Numeric, b: Numeric) => Value {
  return (a, b) => {
    if (isWhole(a) && isWhole(b)) {
      if (typeof a === 'number' && typeof b === 'number') {
        const quick = doubles(a, b)
        if (Number.isSafeInteger(quick)) return quick === 0 ? 0 : quick
      }
      return integer(integers(BigInt(a), BigInt(b)))
    }
    if (!(a instanceof Decimal) && !(b instanceof Decimal)) return float(doubles(toDouble(a), toDouble(b)))
    const { unscaled, scale } = decimals(toDecimal(a), toDecimal(b))
    return new Decimal(unscaled, scale, isBare(a, b))
  }
}

/** A result is written as a plain JSON number when all decimals that went into it were. */
const isBare = (...operands: readonly Numeric[]): boolean =>
  operands.every((operand) => !(operand instanceof Decimal) || operand.bare)

const power10 = (exponent: number): bigint => 10n ** BigInt(exponent)

/** Both unscaled values at the larger scale. */
function aligned(a: Decimal, b: Decimal): { left: bigint; right: bigint; scale: number } {
  const scale = Math.max(a.scale, b.scale)
  return { left: a.unscaled * power10(scale - a.scale), right: b.unscaled * power10(scale - b.scale), scale }
}

export const add = operate({
  integers: (a, b) => a + b,
  doubles: (a, b) => a + b,
  decimals: (a, b) => {
    const { left, right, scale } = aligned(a, b)
    return { unscaled: left + right, scale }
  },
})

export const subtract = operate({
  integers: (a, b) => a - b,
  doubles: (a, b) => a - b,
  decimals: (a, b) => {
    const { left, right, scale } = aligned(a, b)
    return { unscaled: left - right, scale }
  },
})

export const multiply = operate({
  integers: (a, b) => a * b,
  doubles: (a, b) => a * b,
  decimals: (a, b) => ({ unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale }),
})

const flooredModulo = operate({
  integers: (a, b) => floorMod(a, b),
  doubles: (a, b) => {
    const rest = a % b
    return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
  },
  decimals: (a, b) => {
    const { left, right, scale } = aligned(a, b)
    return { unscaled: floorMod(left, right), scale }
  },
})

function floorMod(a: bigint, b: bigint): bigint {
  const rest = a % b
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest
}

export const isZero = (value: Numeric): boolean =>
  value instanceof Decimal ? value.unscaled === 0n : value instanceof Float ? value.value === 0 : value === 0

/** With the sign of the divisor; null: by zero. */
export const modulo = (a: Numeric, b: Numeric): Value => (isZero(b) ? null : flooredModulo(a, b))

/** Integers divide to a Decimal; null: by zero, or overflow. */
export function divide(a: Numeric, b: Numeric): Value {
  if (isZero(b)) return null
  const hasDecimal = a instanceof Decimal || b instanceof Decimal
  if (!hasDecimal && !(isWhole(a) && isWhole(b))) return float(toDouble(a) / toDouble(b))
  const { unscaled, scale } = quotient(toDecimal(a), toDecimal(b))
  return new Decimal(unscaled, scale, hasDecimal && isBare(a, b))
}

/** Significant digits a decimal division is carried to. */
const DIGITS = 28

function quotient(a: Decimal, b: Decimal): { unscaled: bigint; scale: number } {
  const [numerator, denominator] = [a.unscaled * power10(b.scale), b.unscaled * power10(a.scale)]
  const isNegative = numerator < 0n !== denominator < 0n
  const [top, bottom] = [magnitude(numerator), magnitude(denominator)]
  // One digit more or less than wanted, which the loop below puts right.
  let scale = DIGITS - (top.toString().length - bottom.toString().length)
  let result = roundedQuotient(top, bottom, scale)
  while (result.toString().length > DIGITS) result = roundedQuotient(top, bottom, --scale)
  // An exact quotient needs no zeros at its end; nor has a Decimal a negative scale.
  const least = Math.max(0, a.scale - b.scale)
  if (scale < 0) return { unscaled: (isNegative ? -result : result) * power10(-scale), scale: 0 }
  if (result * bottom === top * power10(scale)) {
    while (scale > least && result % 10n === 0n) {
      result /= 10n
      scale--
    }
  }
  return { unscaled: isNegative ? -result : result, scale }
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

const roundedQuotient = (top: bigint, bottom: bigint, scale: number): bigint =>
  scale >= 0 ? halfEven(top * power10(scale), bottom) : halfEven(top, bottom * power10(-scale))

/** Of non-negative integers, rounded to the nearest, half to even. */
function halfEven(top: bigint, bottom: bigint): bigint {
  const whole = top / bottom
  const twice = (top % bottom) * 2n
  return twice > bottom || (twice === bottom && whole % 2n === 1n) ? whole + 1n : whole
}

/** Bits of a power at most: more is an overflow. */
const MAX_BITS = 200_000

/** Null: not real, or an overflow. */
export function power(base: Numeric, exponent: Numeric): Value {
  if (isWhole(exponent) && (isWhole(base) || base instanceof Decimal)) {
    const count = Number(exponent)
    if (count >= 0) return wholePower(base, count)
    if (base instanceof Decimal) {
      const inverse = wholePower(base, -count)
      return inverse === null || isZero(inverse as Numeric)
        ? null
        : divide(new Decimal(1n, 0, base.bare), inverse as Numeric)
    }
  }
  return float(toDouble(base) ** toDouble(exponent))
}

function wholePower(base: bigint | number | Decimal, count: number): Value {
  const digits = base instanceof Decimal ? base.unscaled : BigInt(base)
  const bits = magnitude(digits).toString(2).length
  const scale = base instanceof Decimal ? base.scale * count : 0
  if ((digits < -1n || digits > 1n) && bits * count > MAX_BITS) return null
  if (scale > MAX_BITS) return null
  // The powers of 0, 1 and -1 depend on the parity alone.
  const times = digits >= -1n && digits <= 1n && count > 2 ? 2 + (count % 2) : count
  const result = digits ** BigInt(times)
  return base instanceof Decimal ? new Decimal(result, scale, base.bare) : integer(result)
}

export type Rounding = 'up' | 'down' | 'half-even'

/** Places further left or right than this are not rounded to. */
const MAX_PLACES = 1_000

/** Rounds at a number of decimals, on the decimal text of a Float; undefined: too far left. */
export function roundAt(value: Numeric, places: number, rounding: Rounding): Value | undefined {
  if (places < -MAX_PLACES) return undefined
  const { unscaled, scale } = toDecimal(value)
  if (isWhole(value) && places >= 0) return value
  const at = Math.min(places, scale)
  const rounded = dropDigits(unscaled, scale - at, rounding)
  const result = at >= 0 ? { unscaled: rounded, scale: at } : { unscaled: rounded * power10(-at), scale: 0 }
  if (isWhole(value) || places === 0) return integer(result.unscaled / power10(result.scale))
  if (value instanceof Decimal) return new Decimal(result.unscaled, result.scale, value.bare)
  return float(Number(`${result.unscaled}e-${result.scale}`))
}

function dropDigits(unscaled: bigint, count: number, rounding: Rounding): bigint {
  if (count <= 0) return unscaled
  const unit = power10(count)
  if (rounding === 'half-even') {
    const rounded = halfEven(magnitude(unscaled), unit)
    return unscaled < 0n ? -rounded : rounded
  }
  const rest = floorMod(unscaled, unit)
  const down = (unscaled - rest) / unit
  return rounding === 'up' && rest !== 0n ? down + 1n : down
}
