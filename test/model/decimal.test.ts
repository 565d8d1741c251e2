import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareNumbers, decimalText, numberText, parseDecimal, toDecimal } from '../../src/model/decimal.ts'
import { Decimal, Float } from '../../src/model/value.ts'
import { decimalNumber } from './values.ts'

describe('parseDecimal', () => {
  it('undoes decimalText, scale included', () => {
    fc.assert(
      fc.property(decimalNumber, (decimal) => {
        expect(parseDecimal(decimalText(decimal))).toEqual(new Decimal(decimal.unscaled, decimal.scale))
      }),
    )
  })

  it.each([
    ['1', 1n, 0],
    ['-1.50', -150n, 2],
    ['+0.5', 5n, 1],
    ['.5', 5n, 1],
    ['5.', 5n, 0],
    ['1.5e3', 1500n, 0],
    ['1.5E-3', 15n, 4],
    ['-0.0', 0n, 1],
  ])('reads %s', (text, unscaled, scale) => {
    expect(parseDecimal(text)).toEqual(new Decimal(unscaled, scale))
  })

  it.each(['', '-', '.', 'abc', '1.2.3', '1e', '0x1', ' 1', '1 ', 'NaN', 'Infinity', '1e99999999'])(
    'refuses %j',
    (text) => {
      expect(parseDecimal(text)).toBeNull()
    },
  )
})

describe('numberText', () => {
  it.each([
    [1, '1'],
    [-0, '0'],
    [new Float(-0), '0'],
    [new Float(1), '1'],
    [0.1, '0.1'],
    [1e-7, '0.0000001'],
    [new Float(1e21), '1000000000000000000000'],
    [new Decimal(-150n, 2), '-1.5'],
    [new Decimal(0n, 3), '0'],
    [new Decimal(1000n, 0), '1000'],
    [10n ** 20n, '100000000000000000000'],
  ])('is one text for each value: %s', (number, text) => {
    expect(numberText(number)).toBe(text)
  })
})

describe('compareNumbers', () => {
  it('is exact where doubles are not', () => {
    expect(compareNumbers(9007199254740993n, new Float(9007199254740992))).toBe(1)
    expect(compareNumbers(0.1, parseDecimal('0.1') as Decimal)).toBe(0)
    expect(compareNumbers(0.1, parseDecimal('0.1000000000000000055') as Decimal)).toBe(-1)
    expect(compareNumbers(new Float(1e300), 10n ** 300n)).toBe(0)
    expect(compareNumbers(-1, new Decimal(-10n, 1))).toBe(0)
  })

  it('agrees with the order of doubles', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(double, double, (a, b) => {
        expect(compareNumbers(toDecimal(a), toDecimal(b))).toBe(a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })
})
