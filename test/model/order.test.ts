import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { compare, compareText, equals } from '../../src/model/order.ts'
import type { Value } from '../../src/model/value.ts'
import { near, value } from './values.ts'

const any = fc.oneof(near, near, value)
const sign = (number: number): number => (number < 0 ? -1 : number > 0 ? 1 : 0)

describe('equals', () => {
  it('is an equivalence', () => {
    fc.assert(fc.property(any, (a) => equals(a, a)))
    fc.assert(fc.property(near, near, (a, b) => equals(a, b) === equals(b, a)))
    fc.assert(
      fc.property(near, near, near, (a, b, c) => !equals(a, b) || !equals(b, c) || equals(a, c)),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['1', '1.0', true],
    ['1', '"~f1.00"', true],
    ['0.1', '"~f0.1"', true],
    ['12345678901234567890', '12345678901234567890.0', false],
    ['9007199254740993', '"~f9007199254740993"', true],
    ['"~t1970-01-02"', '"~t1970-01-02T00:00:00Z"', true],
    ['"1"', '1', false],
    ['true', '1', false],
    ['"~:a"', '"a"', false],
    ['"~ra"', '"a"', false],
    ['"~bYQ=="', '"a"', false],
    ['null', '[]', false],
    ['{"a":1,"b":[2]}', '{"b":[2.0],"a":1}', true],
    ['{"a":1}', '{"a":1,"b":null}', false],
    ['{"constructor":1}', '{"toString":1}', false],
    ['[1,2]', '[2,1]', false],
  ])('says of %s and %s: %s', (a, b, expected) => {
    expect(equals(parseJson(a), parseJson(b))).toBe(expected)
    expect(equals(parseJson(b), parseJson(a))).toBe(expected)
  })
})

describe('compare', () => {
  it('is a total order that calls the same what is equal', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(sign(compare(a, b))).toBe(-sign(compare(b, a)) + 0)
        expect(compare(a, b) === 0).toBe(equals(a, b))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(near, near, near, (a, b, c) => compare(a, b) > 0 || compare(b, c) > 0 || compare(a, c) <= 0),
      { numRuns: 3000 },
    )
  })

  it('ranks the types', () => {
    const ranked = [
      'null',
      'false',
      'true',
      '-1e300',
      '"~f-0.5"',
      '0',
      '0.1',
      '12345678901234567890',
      '"~t0001-01-01"',
      '"~t2015-01-01T00:00:00.000000001Z"',
      '"~t2015-01-02"',
      '"~u531a379e-31bb-4ce1-8690-158dceb64be6"',
      '"~:a:b"',
      '"~ra"',
      '""',
      '"A"',
      '"a"',
      '"\uffff"',
      '"\u{1f600}"',
      '{}',
      '{"a":1}',
      '{"a":1,"b":0}',
      '{"a":2}',
      '{"b":0}',
      '[]',
      '[1]',
      '[1,2]',
      '[2]',
      '"~b"',
      '"~bAA=="',
      '"~bAAE="',
      '"~b/w=="',
    ].map((text) => parseJson(text))
    const mixed = [...ranked].sort((a, b) => writeJson(a).length - writeJson(b).length || compare(b, a))
    expect(mixed.sort(compare).map((one: Value) => writeJson(one))).toEqual(ranked.map((one) => writeJson(one)))
  })
})

describe('compareText', () => {
  it('orders by code point', () => {
    const points = (text: string) => [...text].map((character) => character.codePointAt(0) as number)
    const expected = (a: string, b: string) => {
      const [left, right] = [points(a), points(b)]
      for (let place = 0; place < Math.min(left.length, right.length); place++) {
        const difference = (left[place] as number) - (right[place] as number)
        if (difference !== 0) return sign(difference)
      }
      return sign(left.length - right.length)
    }
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
      maxLength: 4,
    })
    fc.assert(fc.property(text, text, (a, b) => sign(compareText(a, b)) === expected(a, b)))
  })
})
