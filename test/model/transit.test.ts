import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeTransit, encodeTransit } from '../../src/model/transit.ts'
import { Float, kindOf, Typed, type TypedScalar, type UUID } from '../../src/model/value.ts'
import { identical, scalar } from './values.ts'

describe('decodeTransit', () => {
  it('undoes encodeTransit, but that a bare decimal gets its tag', () => {
    const typed = scalar.filter((one): one is TypedScalar => one instanceof Typed && !(one instanceof Float))
    fc.assert(
      fc.property(typed, (one) => {
        const back = decodeTransit(encodeTransit(one))
        const expected =
          one.kind === 'decimal' ? Object.assign(Object.create(Object.getPrototypeOf(one)), one, { bare: false }) : one
        return identical(back, expected)
      }),
    )
  })

  it.each([
    ['~:crm:person', 'ni'],
    ['~:', 'ni'],
    ['~rhttp://example.org/', 'uri'],
    ['~t2015-12-31', 'date'],
    ['~t2015-12-31T00:00:00Z', 'datetime'],
    ['~f1.50', 'decimal'],
    ['~u531A379E-31bb-4ce1-8690-158dceb64be6', 'uuid'],
    ['~b', 'bytes'],
    ['~bAAECAwQF', 'bytes'],
    ['~bAA==', 'bytes'],
    ['~t2015-13-45', 'string'],
    ['~uxyz', 'string'],
    ['~u531a379e31bb4ce18690158dceb64be6', 'string'],
    ['~b%%', 'string'],
    ['~bA', 'string'],
    ['~bAA=', 'string'],
    ['~b====', 'string'],
    ['~b_-_-', 'string'],
    ['~fabc', 'string'],
    ['~f', 'string'],
    ['~d1', 'string'],
    ['~i1', 'string'],
    ['~~', 'string'],
    ['~', 'string'],
    ['', 'string'],
    [' ~:a', 'string'],
  ])('takes %j for a %s', (text, kind) => {
    expect(kindOf(decodeTransit(text))).toBe(kind)
    if (kind === 'string') expect(decodeTransit(text)).toBe(text)
  })

  it('writes UUIDs in lower case', () => {
    expect((decodeTransit('~u531A379E-31BB-4CE1-8690-158DCEB64BE6') as UUID).text).toBe(
      '531a379e-31bb-4ce1-8690-158dceb64be6',
    )
  })
})
