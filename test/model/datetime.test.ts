import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { datetimeText, parseDatetime } from '../../src/model/datetime.ts'
import { Datetime, LocalDate } from '../../src/model/value.ts'
import { date, datetime } from './values.ts'

describe('parseDatetime', () => {
  it('undoes datetimeText', () => {
    fc.assert(
      fc.property(fc.oneof(date, datetime), (one) => {
        expect(parseDatetime(datetimeText(one))).toEqual(one)
      }),
      { numRuns: 2000 },
    )
  })

  it('agrees with the engine to the millisecond', () => {
    const instant = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(instant, (one) => {
        expect(parseDatetime(one.toISOString())).toEqual(new Datetime(BigInt(one.getTime()) * 1_000_000n))
        expect(parseDatetime(one.toISOString().slice(0, 10))).toEqual(
          new LocalDate(Math.floor(one.getTime() / 86_400_000)),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    '2015-13-45',
    '2015-00-01',
    '2015-02-29',
    '1900-02-29',
    '0000-01-01',
    '2015-04-31',
    '2015-1-1',
    '15-01-01',
    '10000-01-01',
    '2015-01-02T24:00:00Z',
    '2015-01-02T23:60:00Z',
    '2015-01-02T23:59:60Z',
    '2015-01-02T03:04:05',
    '2015-01-02T03:04Z',
    '2015-01-02T03:04:05.Z',
    '2015-01-02T03:04:05.1234567890Z',
    '2015-01-02T03:04:05+01:00',
    '2015-01-02T03:04:05,5Z',
    '2015-01-02 03:04:05Z',
    '2015-01-02Z',
    '2015-01-0a',
    '',
    'now',
  ])('refuses %j', (text) => {
    expect(parseDatetime(text)).toBeNull()
  })

  it('reads nanoseconds', () => {
    expect(parseDatetime('1970-01-01T00:00:00.000000001Z')).toEqual(new Datetime(1n))
    expect(parseDatetime('1969-12-31T23:59:59.999999999Z')).toEqual(new Datetime(-1n))
    expect(parseDatetime('2000-02-29T00:00:00.5Z')).toEqual(new Datetime(951_782_400_500_000_000n))
  })
})

describe('datetimeText', () => {
  it('leaves out the zeros at the end of the fraction', () => {
    expect(datetimeText(new Datetime(1_500_000_000n))).toBe('1970-01-01T00:00:01.5Z')
    expect(datetimeText(new Datetime(2_000_000_000n))).toBe('1970-01-01T00:00:02Z')
    expect(datetimeText(new Datetime(-1n))).toBe('1969-12-31T23:59:59.999999999Z')
    expect(datetimeText(new LocalDate(-719_162))).toBe('0001-01-01')
    expect(datetimeText(new Datetime(253_402_300_799_999_999_999n))).toBe('9999-12-31T23:59:59.999999999Z')
  })
})
