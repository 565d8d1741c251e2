/** Date and time (dtl.md §9.6). */

import { civilOf, DAY_SECONDS, isInCalendar, plusMonths, secondsOf } from '../../model/calendar.ts'
import { parseDatetime } from '../../model/datetime.ts'
import { instantOf } from '../../model/order.ts'
import { Datetime, integer, isInteger, LocalDate, type Value } from '../../model/value.ts'
import { type Zone, zoneOf } from '../../model/zones.ts'
import { firstOf } from '../coerce.ts'
import type { Argument, ArgumentNode, FunctionDefinition, Report } from '../syntax.ts'
import { compileFormat, FORMAT_HINT, offsetOf, printTime, readTime, type TimeFormat } from '../time-format.ts'
import { casting, evaluateOf, example, mappingWith, one, optional, typeTest, VALUES } from './definition.ts'

const SECOND = 1_000_000_000n

/** Parts of one length, in nanoseconds; years and months are counted by the calendar. */
const LENGTHS: Readonly<Record<string, bigint>> = {
  week: 7n * 86_400n * SECOND,
  day: 86_400n * SECOND,
  hour: 3_600n * SECOND,
  minute: 60n * SECOND,
  second: SECOND,
  millisecond: 1_000_000n,
  microsecond: 1_000n,
  nanosecond: 1n,
}
const MONTHS: Readonly<Record<string, number>> = { year: 12, month: 1 }
const DATEPARTS = [...Object.keys(MONTHS), ...Object.keys(LENGTHS)]

const DATEPART = one('DATEPART', 'constant-string')
const TIMEZONE = optional('TIMEZONE_NAME', 'constant-string')
const FORMAT = one('FORMATSTRING', 'constant-string')

export const datetimes: readonly FunctionDefinition[] = [
  casting({
    name: 'datetime',
    summary: 'Datetimes; strings in ISO form with `Z` or an offset; integers as nanoseconds since 1970.',
    examples: [
      example('["datetime", "2015-07-28T09:46:00.12345Z"]', '"~t2015-07-28T09:46:00.12345Z"'),
      example('["datetime", "2015-07-28T09:46:00+02:00"]', '"~t2015-07-28T07:46:00Z"'),
      example('["datetime", ["list", 1438076760123450000, "x"]]', '["~t2015-07-28T09:46:00.12345Z"]'),
      example('["datetime", ["concat", "no ", "_."], "date"]', '"no date"'),
    ],
    convert: toDatetime,
  }),
  {
    name: 'datetime-diff',
    behaviour: 'F',
    parameters: [DATEPART, one('STARTDATE'), one('ENDDATE')],
    summary: 'STARTDATE minus ENDDATE in whole parts, towards zero.',
    check: ([part], report) => checkDatepart(part, report),
    examples: [
      example('["datetime-diff", "day", ["datetime", "2015-07-28T00:00:00Z"], "~t2015-07-29T00:00:00Z"]', '-1'),
      example('["datetime-diff", "month", "~t2016-07-29", "~t2015-03-02"]', '16'),
    ],
    compile: ([part, start, end]) => {
      const [from, to] = [evaluateOf(start), evaluateOf(end)]
      const difference = differenceIn(textOf(part))
      return (frame) => {
        const first = instantIn(firstOf(from(frame)))
        const second = instantIn(firstOf(to(frame)))
        return first === undefined || second === undefined ? null : difference(first, second)
      }
    },
  },
  mappingWith({
    name: 'datetime-format',
    parameters: [TIMEZONE, FORMAT, VALUES],
    summary: 'Datetimes as text, by a pattern with tokens such as `%Y`, in a time zone (UTC).',
    check: checkZoneAndFormat,
    examples: [
      example('["datetime-format", "%d.%m.%Y", "~t2015-07-28T09:46:00Z"]', '"28.07.2015"'),
      example('["datetime-format", "Europe/Oslo", "%H:%M %z", "~t2015-07-28T09:46:00Z"]', '"11:46 +0200"'),
    ],
    bind: ([zoneName, pattern]) => {
      const [zone, format] = [zoneGiven(zoneName), formatGiven(pattern)]
      return (value) => {
        const instant = instantIn(value)
        if (instant === undefined) return undefined
        const { seconds, rest } = secondsOf(instant)
        const offset = zone.offsetAt(seconds)
        if (!isInCalendar(instant + BigInt(offset) * SECOND)) return undefined
        return printTime(format, { seconds: seconds + offset, nanoseconds: rest, offset })
      }
    },
  }),
  mappingWith({
    name: 'datetime-parse',
    parameters: [TIMEZONE, FORMAT, VALUES],
    summary:
      'Strings that match a pattern with tokens such as `%Y` as datetimes; local times are of a time zone (UTC).',
    check: checkZoneAndFormat,
    examples: [
      example('["datetime-parse", "%d.%m.%Y", ["list", "28.07.2015", "x"]]', '["~t2015-07-28T00:00:00Z"]'),
      example('["datetime-parse", "Europe/Oslo", "%Y-%m-%d %H:%M", "2015-07-28 09:46"]', '"~t2015-07-28T07:46:00Z"'),
      example('["datetime-parse", "%H:%M%z", "09:46+0100"]', '"~t1900-01-01T08:46:00Z"'),
    ],
    bind: ([zoneName, pattern]) => {
      const [zone, format] = [zoneGiven(zoneName), formatGiven(pattern)]
      return (value) => {
        const time = typeof value === 'string' ? readTime(format, value) : null
        if (time === null) return undefined
        const seconds = time.offset === null ? zone.instantOf(time.seconds) : time.seconds - time.offset
        return datetimeAt(BigInt(seconds) * SECOND + BigInt(time.nanoseconds))
      }
    },
  }),
  mappingWith({
    name: 'datetime-plus',
    parameters: [DATEPART, one('VALUE', 'integer-expression'), VALUES],
    summary: 'Datetimes moved by a number of parts; a day that a month does not have becomes its last one.',
    check: ([part], report) => checkDatepart(part, report),
    examples: [
      example('["datetime-plus", "hour", -1, "~t2016-03-01T00:00:00Z"]', '"~t2016-02-29T23:00:00Z"'),
      example('["datetime-plus", "month", 1, "~t2015-01-31"]', '"~t2015-02-28T00:00:00Z"'),
    ],
    bind: ([part, given]) => {
      const count = firstOf(given as Value)
      if (!isInteger(count)) return null
      const move = moverBy(part as string, BigInt(count))
      return (value) => {
        const instant = instantIn(value)
        return instant === undefined ? undefined : move(instant)
      }
    },
  }),
  mappingWith({
    name: 'datetime-shift',
    parameters: [one('FROM_TIMEZONE', 'constant-string'), one('TO_TIMEZONE', 'constant-string'), VALUES],
    summary: 'The clock of one time zone as the clock of another, each written as if it were UTC.',
    check: ([from, to], report) => {
      checkZone(from, report)
      checkZone(to, report)
    },
    examples: [
      example('["datetime-shift", "Europe/Oslo", "UTC", "~t2015-07-28T09:46:00Z"]', '"~t2015-07-28T07:46:00Z"'),
      example('["datetime-shift", "UTC", "Europe/Oslo", "~t2015-07-28T09:46:00Z"]', '"~t2015-07-28T11:46:00Z"'),
    ],
    bind: ([from, to]) => {
      const [fromZone, toZone] = [zoneGiven(from), zoneGiven(to)]
      return (value) => {
        const local = instantIn(value)
        if (local === undefined) return undefined
        const { seconds, rest } = secondsOf(local)
        const instant = fromZone.instantOf(seconds)
        return datetimeAt(BigInt(instant + toZone.offsetAt(instant)) * SECOND + BigInt(rest))
      }
    },
  }),
  typeTest({
    name: 'is-datetime',
    kinds: ['datetime', 'date'],
    summary: 'Whether the first value is a datetime or a date.',
    examples: [
      example('["is-datetime", "~t2015-07-28T09:46:00Z"]', 'true'),
      example('["is-datetime", "2015-07-28T09:46:00Z"]', 'false'),
    ],
  }),
  {
    name: 'now',
    behaviour: '-',
    reads: 'time',
    parameters: [],
    summary: 'The current time; the same during a run.',
    examples: [example('["is-datetime", ["now"]]', 'true')],
    compile: () => (frame) => new Datetime(frame.run.context.now()),
  },
]

/** Nanoseconds since 1970; a date is its midnight. */
const instantIn = (value: Value): bigint | undefined =>
  value instanceof Datetime || value instanceof LocalDate ? instantOf(value) : undefined

const datetimeAt = (nanoseconds: bigint): Datetime | undefined =>
  isInCalendar(nanoseconds) ? new Datetime(nanoseconds) : undefined

function toDatetime(value: Value): Value | undefined {
  if (value instanceof Datetime) return value
  if (value instanceof LocalDate) return new Datetime(instantOf(value))
  if (isInteger(value)) return datetimeAt(BigInt(value))
  return typeof value === 'string' ? fromIso(value) : undefined
}

const OFFSET = /[+-](?:[01]\d|2[0-3]):?[0-5]\d$/

function fromIso(text: string): Datetime | undefined {
  const offset = OFFSET.exec(text.slice(-6))?.[0]
  const utc = offset === undefined ? text : `${text.slice(0, -offset.length)}Z`
  const read = parseDatetime(utc)
  if (!(read instanceof Datetime)) return undefined
  return offset === undefined ? read : datetimeAt(read.nanoseconds - BigInt(offsetOf(offset)) * SECOND)
}

function differenceIn(part: string): (first: bigint, second: bigint) => Value {
  const months = MONTHS[part]
  // The language divides towards zero.
  if (months !== undefined) return (first, second) => Math.trunc(monthsBetween(first, second) / months) + 0
  const length = LENGTHS[part] as bigint
  return (first, second) => integer((first - second) / length)
}

/** Whole months from the earlier to the later, negative when the first one is the earlier. */
function monthsBetween(first: bigint, second: bigint): number {
  if (first < second) return -monthsBetween(second, first)
  const [later, earlier] = [secondsOf(first), secondsOf(second)]
  const [laterDays, earlierDays] = [later, earlier].map(({ seconds }) => Math.floor(seconds / DAY_SECONDS)) as [
    number,
    number,
  ]
  const [a, b] = [civilOf(laterDays), civilOf(earlierDays)]
  const months = (a.year - b.year) * 12 + a.month - b.month
  const reached = plusMonths(earlierDays, months)
  const time = ({ seconds, rest }: typeof later, days: number) => (seconds - days * DAY_SECONDS) * 1e9 + rest
  const isWhole = reached < laterDays || (reached === laterDays && time(earlier, earlierDays) <= time(later, laterDays))
  return isWhole ? months : months - 1
}

/** A count beyond this leads out of the calendar whatever the part. */
const FAR = 1_000_000_000_000_000_000_000n

function moverBy(part: string, count: bigint): (instant: bigint) => Value | undefined {
  if (count > FAR || count < -FAR) return () => undefined
  const months = MONTHS[part]
  if (months === undefined) {
    const distance = count * (LENGTHS[part] as bigint)
    return (instant) => datetimeAt(instant + distance)
  }
  const moved = Number(count) * months
  return (instant) => {
    const { seconds, rest } = secondsOf(instant)
    const days = Math.floor(seconds / DAY_SECONDS)
    const later = Math.abs(moved) > 120_000 ? Number.NaN : plusMonths(days, moved)
    if (Number.isNaN(later)) return undefined
    return datetimeAt(BigInt(later * DAY_SECONDS + seconds - days * DAY_SECONDS) * SECOND + BigInt(rest))
  }
}

// ————— constants, right by the check

const textOf = (argument: Argument | undefined): string => argument?.constant as string
const zoneGiven = (name: Value | undefined): Zone => zoneOf((name as string | undefined) ?? 'UTC') as Zone
const formatGiven = (pattern: Value | undefined): TimeFormat => compileFormat(pattern as string) as TimeFormat

const constantIn = (node: ArgumentNode | undefined): string | undefined =>
  node?.kind === 'constant' && typeof node.value === 'string' ? node.value : undefined

function checkDatepart(node: ArgumentNode | undefined, report: Report): void {
  const part = constantIn(node)
  if (part !== undefined && !DATEPARTS.includes(part))
    report(node as ArgumentNode, `There is no part of a date called '${part}'.`, `Parts are ${DATEPARTS.join(', ')}.`)
}

function checkZoneAndFormat([zone, format]: readonly (ArgumentNode | undefined)[], report: Report): void {
  checkZone(zone, report)
  const pattern = constantIn(format)
  if (pattern === undefined) return
  const compiled = compileFormat(pattern)
  if ('mistake' in compiled)
    report(format as ArgumentNode, `The pattern '${pattern}' cannot be used: ${compiled.mistake}.`, FORMAT_HINT)
}

function checkZone(node: ArgumentNode | undefined, report: Report): void {
  const name = constantIn(node)
  if (name !== undefined && zoneOf(name) === null) {
    report(
      node as ArgumentNode,
      `There is no time zone '${name}'.`,
      'Write a name of the IANA database, such as Europe/Oslo or UTC.',
    )
  }
}
