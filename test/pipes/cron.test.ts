import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { everFires, nextCronTime } from '../../src/pipes/cron.ts'
import { type Cron, parseCron } from '../../src/pipes/cron-parse.ts'

const read = (text: string): Cron => {
  const { cron, error } = parseCron(text)
  if (cron === null) throw new Error(error.message)
  return cron
}

const at = (iso: string): number => Date.parse(`${iso}Z`)

/** The next `count` times after a moment. */
function times(text: string, after: string, count = 1): string[] {
  const cron = read(text)
  const found: string[] = []
  for (let from = at(after), n = 0; n < count; n++) {
    const next = nextCronTime(cron, from)
    if (next === null) return [...found, 'never']
    found.push(new Date(next).toISOString().slice(0, 16))
    from = next
  }
  return found
}

const wrong = (text: string): string => {
  const { error } = parseCron(text)
  return error === null ? 'nothing' : `${error.message} ${error.hint ?? ''}`
}

describe('a cron expression', () => {
  it('fires after a moment, never at it', () => {
    expect(times('0 * * * *', '2026-01-01T00:00:00', 2)).toEqual(['2026-01-01T01:00', '2026-01-01T02:00'])
    expect(times('* * * * *', '2026-01-01T00:00:59')).toEqual(['2026-01-01T00:01'])
  })

  it('knows lists, ranges, steps and names', () => {
    expect(times('0,30 8-9 * * MON-FRI', '2026-01-02T09:00', 3)).toEqual([
      '2026-01-02T09:30',
      '2026-01-05T08:00',
      '2026-01-05T08:30',
    ])
    expect(times('*/20 0 1 jan *', '2026-01-01T00:00', 3)).toEqual([
      '2026-01-01T00:20',
      '2026-01-01T00:40',
      '2027-01-01T00:00',
    ])
    expect(times('0 0 1/10 * ?', '2026-02-01T00:00', 4)).toEqual([
      '2026-02-11T00:00',
      '2026-02-21T00:00',
      '2026-03-01T00:00',
      '2026-03-11T00:00',
    ])
    expect(times('50/5 23 * * *', '2026-01-01T23:50', 2)).toEqual(['2026-01-01T23:55', '2026-01-02T23:50'])
    expect(times('0 0 10-20/5 * *', '2026-01-11T00:00', 2)).toEqual(['2026-01-15T00:00', '2026-01-20T00:00'])
  })

  it('takes 0 and 7 as Sunday, and ranges over the end of the week', () => {
    for (const sunday of ['0', '7', 'SUN', 'sun']) {
      expect(times(`0 0 * * ${sunday}`, '2026-01-01T00:00')).toEqual(['2026-01-04T00:00'])
    }
    const weekend = ['2026-01-03T00:00', '2026-01-04T00:00', '2026-01-10T00:00']
    for (const range of ['SAT-SUN', '6-7', '6-0'])
      expect(times(`0 0 * * ${range}`, '2026-01-01T00:00', 3)).toEqual(weekend)
    expect(times('0 0 * * 5-7', '2026-01-01T00:00', 2)).toEqual(['2026-01-02T00:00', '2026-01-03T00:00'])
  })

  it('knows the last day of a month, also of a February', () => {
    expect(times('0 0 L * *', '2028-01-31T00:00', 2)).toEqual(['2028-02-29T00:00', '2028-03-31T00:00'])
    expect(times('0 0 15,L FEB ?', '2026-01-01T00:00', 3)).toEqual([
      '2026-02-15T00:00',
      '2026-02-28T00:00',
      '2027-02-15T00:00',
    ])
  })

  it('takes 6L as the last Saturday of a month, as it numbers all weekdays', () => {
    expect(times('0 0 ? * 6L', '2026-01-01T00:00', 2)).toEqual(['2026-01-31T00:00', '2026-02-28T00:00'])
    expect(times('0 0 * * FRIL', '2026-01-01T00:00', 2)).toEqual(['2026-01-30T00:00', '2026-02-27T00:00'])
    expect(times('0 0 * * 7L', '2026-01-01T00:00')).toEqual(['2026-01-25T00:00'])
  })

  it('fires on either when both a day and a weekday are named', () => {
    expect(times('0 0 13 * FRI', '2026-01-01T00:00', 4)).toEqual([
      '2026-01-02T00:00',
      '2026-01-09T00:00',
      '2026-01-13T00:00',
      '2026-01-16T00:00',
    ])
  })

  it('ends with its years', () => {
    expect(times('0 0 29 2 * 2020-2030', '2026-01-01T00:00', 2)).toEqual(['2028-02-29T00:00', 'never'])
    expect(times('0 0 1 1 * 2019,2099', '2026-01-01T00:00', 2)).toEqual(['2099-01-01T00:00', 'never'])
    expect(times('0 0 1 1 * 1999', '2026-01-01T00:00')).toEqual(['never'])
    expect(times('* * * * *', '2099-12-31T23:59')).toEqual(['never'])
  })

  it('may name days that never come', () => {
    expect(everFires(read('0 0 31 FEB,APR *'))).toBe(false)
    expect(everFires(read('0 0 29 FEB *'))).toBe(true)
    expect(everFires(read('0 0 1 1 * 1970'))).toBe(true)
  })

  it('says which field is wrong, and what may stand there', () => {
    expect(wrong('* * * *')).toMatch(/has 5 fields.*this has 4/)
    expect(wrong('')).toMatch(/this has 0/)
    expect(wrong('* * * * * * *')).toMatch(/this has 7/)
    expect(wrong('60 * * * *')).toMatch(/minute '60'.*60 is not between 0 and 59/)
    expect(wrong('* 24 * * *')).toMatch(/hour '24'/)
    expect(wrong('* * 0 * *')).toMatch(/day of month '0'.*between 1 and 31/)
    expect(wrong('* * * 13 *')).toMatch(/month '13'/)
    expect(wrong('* * * JANUARY *')).toMatch(/month 'JANUARY'.*JAN, FEB/)
    expect(wrong('* * * * 8')).toMatch(/day of week '8'/)
    expect(wrong('* * * * * 1969')).toMatch(/year '1969'.*between 1970 and 2099/)
    expect(wrong('* * * * * */2')).toMatch(/takes no '\/'/)
    expect(wrong('*/0 * * * *')).toMatch(/from 1 on/)
    expect(wrong('*/-1 * * * *')).toMatch(/from 1 on/)
    expect(wrong('1/2/3 * * * *')).toMatch(/once/)
    expect(wrong('30-10 * * * *')).toMatch(/ends before it begins/)
    expect(wrong('1-2-3 * * * *')).toMatch(/two ends/)
    expect(wrong('? * * * *')).toMatch(/two day fields/)
    expect(wrong(', * * * *')).toMatch(/minute ''/)
    expect(wrong('* * 15W * *')).toMatch(/'W'.*not supported/)
    expect(wrong('* * LW * *')).toMatch(/'W'.*not supported/)
    expect(wrong('* * * * 6#3')).toMatch(/'#'.*not supported/)
    expect(wrong('* * 3L * *')).toMatch(/stands alone/)
    expect(wrong('* * * * L')).toMatch(/follows a weekday/)
    expect(wrong('L * * * *')).toMatch(/minute 'L'/)
    expect(wrong('* * * JUL *')).toBe('nothing')
  })

  it('fires when a walk through every minute says so', () => {
    fc.assert(
      fc.property(expression, start, (text, from) => {
        expect(nextCronTime(read(text), from)).toEqual(walked(text, from))
      }),
      { numRuns: 300 },
    )
  })
})

// Both sides read the text by themselves: the walk by the words of the specification, for what the generator writes.

const number = (min: number, max: number) => fc.integer({ min, max })
const items = (min: number, max: number) =>
  fc.oneof(
    number(min, max).map(String),
    fc.tuple(number(min, max), number(min, max)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    number(1, 12).map((step) => `*/${step}`),
    fc.tuple(number(min, max), number(1, 9)).map(([from, step]) => `${from}/${step}`),
  )
const field = (min: number, max: number, ...more: fc.Arbitrary<string>[]) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.oneof(items(min, max), ...more), { minLength: 1, maxLength: 3 })
        .map((parts) => parts.join(',')),
    },
  )
const expression = fc
  .tuple(
    field(0, 59),
    field(0, 23),
    field(1, 31, fc.constant('L')),
    fc.constant('*'),
    field(
      0,
      6,
      number(0, 6).map((day) => `${day}L`),
    ),
  )
  .map((fields) => fields.join(' '))
const start = number(0, 365 * 24 * 60).map((minutes) => Date.UTC(2026, 0, 1) + minutes * 60_000 + 12_345)

const WALK_MINUTES = 65 * 24 * 60

function walked(text: string, from: number): number | null {
  const [minute, hour, day, , weekday] = text.split(' ') as [string, string, string, string, string]
  const minutes = walkable(minute, 59, 0)
  const hours = walkable(hour, 23, 0)
  const days = walkable(day, 31, 1)
  const weekdays = walkable(weekday, 6, 0)
  for (let step = 1; step <= WALK_MINUTES; step++) {
    const time = new Date((Math.floor(from / 60_000) + step) * 60_000)
    if (!minutes.has(String(time.getUTCMinutes())) || !hours.has(String(time.getUTCHours()))) continue
    const isLast = new Date(time.getTime() + 86_400_000).getUTCDate() === 1
    const isLastOfKind = new Date(time.getTime() + 7 * 86_400_000).getUTCMonth() !== time.getUTCMonth()
    const isOfMonth = days.has(String(time.getUTCDate())) || (days.has('L') && isLast)
    const isOfWeek = weekdays.has(String(time.getUTCDay())) || (weekdays.has(`${time.getUTCDay()}L`) && isLastOfKind)
    const isDay = day === '*' ? isOfWeek : weekday === '*' ? isOfMonth : isOfMonth || isOfWeek
    if (isDay) return time.getTime()
  }
  return nextCronTime(read(text), from + WALK_MINUTES * 60_000)
}

function walkable(text: string, max: number, min: number): ReadonlySet<string> {
  const values = new Set<string>()
  for (const part of text.split(',')) {
    const [range = '', step] = part.split('/')
    if (range.endsWith('L')) values.add(range)
    else {
      const [a, b] = range === '*' ? [min, max] : range.split('-').map(Number)
      const to = b ?? (step === undefined ? a : max)
      for (let value = a as number; value <= (to as number); value += Number(step ?? 1)) values.add(String(value))
    }
  }
  return values
}
