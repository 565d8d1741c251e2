/** Dates and datetimes as text: UTC, nanoseconds, years 1 to 9999 (dtl.md §2.1). */

import { civilOf, DAY_SECONDS, daysOf, secondsOf } from './calendar.ts'
import { Datetime, LocalDate } from './value.ts'

/*
 * Written out by hand, because most entities hold a datetime: a regular expression and `Date` take three times as long.
 */

const SECOND_NS = 1_000_000_000n
const FORM = 'YYYY-MM-DDTHH:MM:SS'

/** What stands after `~t`: a date or a datetime, or null when it is neither or does not exist. */
export function parseDatetime(text: string): Datetime | LocalDate | null {
  const { length } = text
  if (length < 10 || text[4] !== '-' || text[7] !== '-') return null
  const days = daysOf(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10))
  if (Number.isNaN(days)) return null
  if (length === 10) return new LocalDate(days)
  if (text[10] !== 'T' || text[13] !== ':' || text[16] !== ':' || text[length - 1] !== 'Z') return null
  const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)]
  // NaN, for what is not a digit, fails each of these.
  if (!(hour < 24 && minute < 60 && second < 60)) return null
  const fraction = fractionOf(text)
  if (Number.isNaN(fraction)) return null
  return new Datetime(BigInt(days * DAY_SECONDS + hour * 3_600 + minute * 60 + second) * SECOND_NS + BigInt(fraction))
}

/** Without the tag, and without zeros at the end of the fraction. */
export function datetimeText(value: Datetime | LocalDate): string {
  if (value instanceof LocalDate) return dayText(value.days)
  const { seconds, rest } = secondsOf(value.nanoseconds)
  const days = Math.floor(seconds / DAY_SECONDS)
  const time = seconds - days * DAY_SECONDS
  const minutes = Math.floor(time / 60)
  const clock = `${dayText(days)}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(time % 60)}`
  return rest === 0 ? `${clock}Z` : `${clock}.${String(rest).padStart(9, '0').replace(/0+$/, '')}Z`
}

/** Nanoseconds; NaN when there is neither a `Z` at once nor one to nine digits before it. */
function fractionOf(text: string): number {
  const end = text.length - 1
  if (end === FORM.length) return 0
  const places = end - FORM.length - 1
  if (text[FORM.length] !== '.' || places < 1 || places > 9) return Number.NaN
  return digits(text, FORM.length + 1, end) * 10 ** (9 - places)
}

/** The whole number there; NaN when something else is, or nothing. */
function digits(text: string, start: number, end: number): number {
  let number = 0
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

function dayText(days: number): string {
  const { year, month, day } = civilOf(days)
  const yearText = year >= 1000 ? String(year) : String(year).padStart(4, '0')
  return `${yearText}-${two(month)}-${two(day)}`
}

const TWO = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
const two = (number: number): string => TWO[number] as string
