/** Arithmetic: exact where it can be, of the most precise type of its operands (dtl.md §9.12). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { add, divide, isNumeric, modulo, multiply, power, roundAt, subtract } from '../../src/dtl/arithmetic.ts'
import { compareNumbers, type Numeric, toDecimal } from '../../src/model/decimal.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { Decimal, type Float, float, integer, kindOf, type Value } from '../../src/model/value.ts'
import { evaluated } from './settings.ts'

const whole = fc
  .oneof(fc.integer(), fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }))
  .map((given) => integer(BigInt(given)))
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.integer({ min: 0, max: 12 }))
  .map(([unscaled, scale]) => new Decimal(unscaled, scale))
const double = fc
  .double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 })
  .map((given) => float(given) as Float | number)
const exact = fc.oneof(whole, decimal) as fc.Arbitrary<Numeric>
const any = fc.oneof(whole, decimal, double) as fc.Arbitrary<Numeric>

const isSame = (a: Value, b: Numeric) => isNumeric(a) && compareNumbers(a, b) === 0
const calculated = (text: string) => evaluated(JSON.parse(JSON.stringify(parseJson(text, { transit: false })))) // constants without floats

describe('arithmetic', () => {
  it('undoes itself where it is exact', () => {
    fc.assert(fc.property(exact, exact, (a, b) => isSame(subtract(add(a, b) as Numeric, b), a)))
    fc.assert(fc.property(exact, exact, (a, b) => isSame(add(a, b), add(b, a) as Numeric)))
    fc.assert(
      fc.property(exact, exact, exact, (a, b, c) =>
        isSame(multiply(a, add(b, c) as Numeric), add(multiply(a, b) as Numeric, multiply(a, c) as Numeric) as Numeric),
      ),
    )
  })

  it('gives the most precise type of the two', () => {
    const rank = { integer: 0, float: 1, decimal: 2 } as Record<string, number>
    for (const operation of [add, subtract, multiply, modulo]) {
      fc.assert(
        fc.property(any, any, (a, b) => {
          const result = operation(a, b)
          if (result === null) return true
          return rank[kindOf(result)] === Math.max(rank[kindOf(a)] as number, rank[kindOf(b)] as number)
        }),
      )
    }
  })

  it('leaves a rest with the sign of the divisor', () => {
    fc.assert(
      fc.property(exact, exact, (a, b) => {
        const rest = modulo(a, b)
        if (rest === null) return compareNumbers(b, 0) === 0
        const sign = compareNumbers(rest as Numeric, 0)
        const isSmaller =
          compareNumbers(multiply(rest as Numeric, rest as Numeric) as Numeric, multiply(b, b) as Numeric) < 0
        return isSmaller && (sign === 0 || sign === compareNumbers(b, 0))
      }),
    )
  })

  it('divides to 28 digits, rounded half to even', () => {
    fc.assert(
      fc.property(whole, whole, (a, b) => {
        const quotient = divide(a, b)
        if (quotient === null) return compareNumbers(b, 0) === 0
        const { unscaled, scale } = quotient as Decimal
        // Off by half a unit of the last place at most.
        const error = BigInt(a) * 10n ** BigInt(scale) - unscaled * BigInt(b)
        const digits = (unscaled < 0n ? -unscaled : unscaled).toString().length
        const twice = (error < 0n ? -error : error) * 2n
        const unit = digits > 28 ? 10n ** BigInt(digits - 28) : 1n
        return quotient instanceof Decimal && scale >= 0 && twice <= (BigInt(b) < 0n ? -BigInt(b) : BigInt(b)) * unit
      }),
    )
    expect(writeJson(divide(10, 20))).toBe('"~f0.5"')
    expect(writeJson(divide(20, 10))).toBe('"~f2"')
    expect(writeJson(divide(1, 3))).toBe('"~f0.3333333333333333333333333333"')
    expect(writeJson(divide(2, 3))).toBe('"~f0.6666666666666666666666666667"')
    expect(writeJson(divide(new Decimal(100n, 2), 1))).toBe('"~f1.00"')
    expect(writeJson(divide(1, 1.5))).toBe('0.6666666666666666')
    expect(writeJson(divide(10n ** 40n, 3))).toBe('"~f3333333333333333333333333333000000000000"')
  })

  it('raises to powers, or gives null for what overflows or is not real', () => {
    expect(writeJson(power(2, 100))).toBe('1267650600228229401496703205376')
    expect(writeJson(power(2, -2))).toBe('0.25')
    expect(writeJson(power(new Decimal(15n, 1), 2))).toBe('"~f2.25"')
    expect(writeJson(power(new Decimal(2n, 0), -1))).toBe('"~f0.5"')
    expect(power(-8, 0.5)).toBeNull()
    expect(power(10, 10n ** 12n)).toBeNull()
    expect(power(-1, 10n ** 15n + 1n)).toBe(-1)
    expect(power(0, -1)).toBeNull()
    expect(power(1.5, 10_000)).toBeNull()
  })

  it('rounds the decimal text, not the double', () => {
    expect(roundAt(2.2, 1, 'up')).toBe(2.2)
    expect(writeJson(roundAt(1.005, 2, 'half-even') ?? null)).toBe('1.0')
    expect(writeJson(roundAt(2.675, 2, 'half-even') ?? null)).toBe('2.68')
    expect(roundAt(15, -1, 'half-even')).toBe(20)
    expect(roundAt(25, -1, 'half-even')).toBe(20)
    expect(roundAt(-21, -1, 'up')).toBe(-20)
    expect(roundAt(-21, -1, 'down')).toBe(-30)
    expect(roundAt(5, -5_000, 'up')).toBeUndefined()
    fc.assert(
      fc.property(any, fc.integer({ min: -3, max: 8 }), (given, places) => {
        const up = roundAt(given, places, 'up')
        const down = roundAt(given, places, 'down')
        return compareNumbers(down as Numeric, given) <= 0 && compareNumbers(up as Numeric, given) >= 0
      }),
    )
  })

  it('keeps plain JSON numbers plain', () => {
    const bare = new Decimal(15n, 1, true)
    expect(writeJson(add(bare, 1))).toBe('2.5')
    expect(writeJson(add(bare, new Decimal(1n, 0)))).toBe('"~f2.5"')
    expect(toDecimal(add(bare, bare) as Numeric).bare).toBe(true)
  })

  it('is null for what is no number, and by zero', () => {
    expect(calculated('["+", 1, "2"]')).toBe('null')
    expect(calculated('["/", 1, 0]')).toBe('null')
    expect(calculated('["divide", 0, ["list", 1, 2]]')).toBe('[]')
    expect(calculated('["sum", ["list", true, "1", null]]')).toBe('0')
  })
})
