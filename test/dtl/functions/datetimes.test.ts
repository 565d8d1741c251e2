/** Date and time: what the specification leaves to us, and what is refused beforehand. */

import { describe, expect, it } from 'vitest'
import { dictOf } from '../../../src/model/dict.ts'
import { evaluated, problemsOf } from '../settings.ts'

const mistakes = (expression: unknown) =>
  problemsOf({ default: [['add', 'x', expression]] }).map(({ pointer, message }) => `${pointer} ${message}`)

describe('datetime', () => {
  it('takes offsets, dates and nanoseconds, and refuses all else', () => {
    expect(evaluated(['datetime', ['list', '2015-07-28T09:46:00-0130', '2015-07-28T09:46:00+00:00']])).toBe(
      '["~t2015-07-28T11:16:00Z","~t2015-07-28T09:46:00Z"]',
    )
    expect(evaluated(['datetime', ['list', '~t2015-07-28', -1]])).toBe(
      '["~t2015-07-28T00:00:00Z","~t1969-12-31T23:59:59.999999999Z"]',
    )
    for (const wrong of [
      '2015-07-28',
      '2015-07-28 09:46:00Z',
      '2015-07-28T09:46Z',
      '2015-07-28T09:46:00',
      '2015-07-28T09:46:00.1234567891Z',
      '2015-02-29T00:00:00Z',
      '2015-07-28T24:00:00Z',
      '2015-07-28T09:46:00+24:00',
      '0001-01-01T00:00:00+01:00',
      '9999-12-31T23:00:00-01:00',
      ' 2015-07-28T09:46:00Z',
      1.5,
      '~f1',
      true,
      10 ** 30,
    ])
      expect(evaluated(['datetime', wrong])).toBe('null')
  })

  it('takes integers up to the ends of the calendar', () => {
    expect(evaluated(['datetime', ['integer', '253402300799999999999']])).toBe('"~t9999-12-31T23:59:59.999999999Z"')
    expect(evaluated(['datetime', ['integer', '253402300800000000000']])).toBe('null')
    expect(evaluated(['datetime', ['integer', '-62135596800000000000']])).toBe('"~t0001-01-01T00:00:00Z"')
    expect(evaluated(['datetime', ['integer', '-62135596800000000001']])).toBe('null')
  })
})

describe('datetime-parse', () => {
  const parsed = (pattern: string, text: string, zone = 'UTC') => evaluated(['datetime-parse', zone, pattern, text])

  it('accepts one digit for two, up to nine of a fraction, and any case of am and pm', () => {
    expect(parsed('%d.%m.%Y %H:%M:%S', '1.2.2003 4:5:6')).toBe('"~t2003-02-01T04:05:06Z"')
    expect(parsed('%S.%f', '7.123456789')).toBe('"~t1900-01-01T00:00:07.123456789Z"')
    expect(parsed('%S.%f', '7.1234567891')).toBe('null')
    expect(parsed('%I%p', '12aM')).toBe('"~t1900-01-01T00:00:00Z"')
    expect(parsed('%I%p', '12PM')).toBe('"~t1900-01-01T12:00:00Z"')
    expect(parsed('%I', '12')).toBe('"~t1900-01-01T00:00:00Z"')
    expect(parsed('%H %p', '15 am')).toBe('"~t1900-01-01T15:00:00Z"')
  })

  it('shares out digits that stand together so that all of the text fits', () => {
    expect(parsed('%d%m%Y', '2872015')).toBe('"~t2015-07-28T00:00:00Z"')
    expect(parsed('%H%M%S', '94600')).toBe('"~t1900-01-01T09:46:00Z"')
    expect(parsed('%Y%m%d', '20150728')).toBe('"~t2015-07-28T00:00:00Z"')
  })

  it('matches the whole text, literally', () => {
    expect(parsed('%Y', ' 2015')).toBe('null')
    expect(parsed('%Y', '2015 ')).toBe('null')
    expect(parsed('%Y (.*)', '2015 (x)')).toBe('null')
    expect(parsed('%Y %%', '2015 %')).toBe('"~t2015-01-01T00:00:00Z"')
  })

  it('refuses days that do not exist, and numbers out of range', () => {
    for (const text of ['30.02.2015', '29.02.2015', '31.04.2015', '00.01.2015', '01.13.2015', '01.01.0000'])
      expect(parsed('%d.%m.%Y', text)).toBe('null')
    expect(parsed('%H', '24')).toBe('null')
    expect(parsed('%S', '60')).toBe('null')
    expect(parsed('%I', '0')).toBe('null')
  })

  it('takes an offset in the text before the time zone', () => {
    expect(parsed('%H:%M %z', '09:46 -02:30', 'Europe/Oslo')).toBe('"~t1900-01-01T12:16:00Z"')
    expect(parsed('%H:%M %z', '09:46 Z')).toBe('null')
    expect(parsed('%H:%M %z', '09:46 +2')).toBe('null')
  })

  it('reads local times that occur twice as the first, and those left out with the offset before', () => {
    expect(parsed('%Y-%m-%d %H:%M', '2017-10-29 02:30', 'Europe/Oslo')).toBe('"~t2017-10-29T00:30:00Z"')
    expect(parsed('%Y-%m-%d %H:%M', '2017-03-26 02:30', 'Europe/Oslo')).toBe('"~t2017-03-26T01:30:00Z"')
  })

  it('takes soon whatever a pattern and a text do to each other', () => {
    const pattern = '%d'.repeat(150)
    const startedAt = performance.now()
    expect(parsed(pattern, `${'1'.repeat(224)}x`)).toBe('null')
    expect(parsed(pattern, '1'.repeat(1_000_000))).toBe('null')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe('datetime-format', () => {
  it('cuts fractions to six digits, pads years, and takes dates', () => {
    expect(evaluated(['datetime-format', '%Y %f', '~t0987-01-02T03:04:05.123456789Z'])).toBe('"0987 123456"')
    expect(evaluated(['datetime-format', '%e/%m %H', '~t2015-07-02'])).toBe('"2/07 00"')
    expect(evaluated(['datetime-format', '%I%p', ['list', '~t2015-07-02T00:00:00Z', '~t2015-07-02T12:00:00Z']])).toBe(
      '["12AM","12PM"]',
    )
  })

  it('prints offsets with hours and minutes, also those of old', () => {
    expect(evaluated(['datetime-format', 'Asia/Kolkata', '%z', '~t2015-07-02'])).toBe('"+0530"')
    expect(evaluated(['datetime-format', 'America/Caracas', '%z', '~t1800-01-01'])).toBe('"-0427"')
  })

  it('leaves out what a clock would show beyond the calendar, and what is no datetime', () => {
    expect(evaluated(['datetime-format', 'Asia/Kolkata', '%Y', ['list', '~t9999-12-31T23:00:00Z', '2015', 5]])).toBe(
      '[]',
    )
  })
})

describe('datetime-plus', () => {
  it('keeps the day of the month where there is one', () => {
    expect(evaluated(['datetime-plus', 'month', 13, '~t2015-01-31T10:00:00Z'])).toBe('"~t2016-02-29T10:00:00Z"')
    expect(evaluated(['datetime-plus', 'year', -1, '~t2016-02-29'])).toBe('"~t2015-02-28T00:00:00Z"')
    expect(evaluated(['datetime-plus', 'month', -12, '~t2016-03-31'])).toBe('"~t2015-03-31T00:00:00Z"')
  })

  it('gives null for a number that is no integer, and leaves out results beyond the calendar', () => {
    for (const count of [null, 'x', 1.5, ['float', 1]])
      expect(evaluated(['datetime-plus', 'day', count, ['list', '~t2016-03-31']])).toBe('null')
    for (const part of ['year', 'month', 'week', 'nanosecond'])
      expect(evaluated(['datetime-plus', part, ['^', 10, 40], ['list', '~t2016-03-31', 1]])).toBe('[]')
    expect(evaluated(['datetime-plus', 'year', ['list', 7984, 'x'], '~t2016-03-31'])).toBe('null')
    expect(evaluated(['datetime-plus', 'year', ['list', 7983, 'x'], '~t2016-03-31'])).toBe('"~t9999-03-31T00:00:00Z"')
  })
})

describe('datetime-diff', () => {
  const diff = (part: string, a: unknown, b: unknown) => evaluated(['datetime-diff', part, a, b])

  it('counts whole parts towards zero, either way round', () => {
    expect(diff('week', '~t2015-01-09', '~t2015-01-01')).toBe('1')
    expect(diff('week', '~t2015-01-01', '~t2015-01-09')).toBe('-1')
    expect(diff('day', '~t2015-01-02T00:00:00Z', '~t2015-01-01T00:00:00.000000001Z')).toBe('0')
    expect(diff('month', '~t2015-02-28', '~t2015-01-31')).toBe('1')
    expect(diff('month', '~t2015-01-31', '~t2015-02-28')).toBe('-1')
    expect(diff('month', '~t2015-03-15T09:00:00Z', '~t2015-01-15T09:00:00.5Z')).toBe('1')
    expect(diff('year', '~t2016-02-28', '~t2015-03-01')).toBe('0')
    expect(diff('nanosecond', '~t9999-12-31', '~t0001-01-01')).toBe('315537811200000000000')
  })

  it('uses first values, and gives null without two datetimes', () => {
    expect(diff('day', ['list', '~t2015-01-09', '~t2015-01-20'], ['list', '~t2015-01-01'])).toBe('8')
    for (const one of [null, [], 'x', 5]) {
      const given = Array.isArray(one) ? ['list'] : one
      expect(diff('day', given, '~t2015-01-01')).toBe('null')
      expect(diff('day', '~t2015-01-01', given)).toBe('null')
    }
  })
})

describe('datetime-shift', () => {
  it('moves the clock, also through times that occur twice', () => {
    expect(evaluated(['datetime-shift', 'Europe/Oslo', 'America/New_York', '~t2017-10-29T02:30:00.5Z'])).toBe(
      '"~t2017-10-28T20:30:00.5Z"',
    )
    expect(evaluated(['datetime-shift', 'UTC', 'Asia/Kolkata', ['list', null, '~t9999-12-31T23:59:59Z']])).toBe('[]')
  })
})

describe('the compiler', () => {
  it('knows parts, tokens and time zones', () => {
    expect(mistakes(['datetime-plus', 'fortnight', 1, '_S.a'])).toEqual([
      "/rules/default/0/2/1 There is no part of a date called 'fortnight'.",
    ])
    expect(mistakes(['datetime-diff', 'days', '_S.a', '_S.b'])[0]).toContain("'days'")
    expect(mistakes(['datetime-parse', '%Y-%q', '_S.a'])).toEqual([
      "/rules/default/0/2/1 The pattern '%Y-%q' cannot be used: there is no %q.",
    ])
    expect(mistakes(['datetime-format', 'Europe/Olso', '%z %Y', '_S.a'])).toEqual([
      "/rules/default/0/2/1 There is no time zone 'Europe/Olso'.",
      "/rules/default/0/2/2 The pattern '%z %Y' cannot be used: %z must come last.",
    ])
    expect(mistakes(['datetime-format', '100%', '_S.a'])[0]).toContain('a single %')
    expect(mistakes(['datetime-parse', '%d'.repeat(300), '_S.a'])[0]).toContain('more than 200 parts')
    expect(mistakes(['datetime-shift', 'UTC', '+02:00', '_S.a'])[0]).toContain("'+02:00'")
  })

  it('takes no expression for them', () => {
    expect(mistakes(['datetime-plus', '_S.part', 1, '_S.a'])[0]).toContain("'_S.part'")
    expect(mistakes(['datetime-format', ['concat', '%Y'], '_S.a'])[0]).toContain(
      'FORMATSTRING must be a constant string',
    )
  })

  it('has no current time in an index', () => {
    const hops = dictOf({ datasets: ['d a'], where: ['eq', '_S.t', ['datetime-diff', 'day', 'a.t', ['now']]] })
    expect(mistakes(['hops', hops]).join()).toContain("'now' cannot be used in an index expression")
  })
})
