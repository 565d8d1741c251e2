/** Dates and datetimes as text: UTC, nanoseconds, years 1 to 9999 (dtl.md §2.1). */

import { Datetime, LocalDate } from './value.ts'

/*
 * Written out by hand, because most entities hold a datetime: a regular expression and `Date` take three times as long.
 */

const DAY_SECONDS = 86_400
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
  const { nanoseconds } = value
  // A double is near enough to guess the second, and dividing bigints is slow; the rest says whether the guess was right.
  let seconds = Math.floor(Number(nanoseconds) / 1e9)
  let rest = Number(nanoseconds - BigInt(seconds) * SECOND_NS)
  if (rest < 0) {
    seconds -= 1
    rest += 1e9
  } else if (rest >= 1e9) {
    seconds += 1
    rest -= 1e9
  }
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

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** Days since 1970-01-01; NaN when there is no such day. */
function daysOf(year: number, month: number, day: number): number {
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return Number.NaN
  if (day > (month === 2 && isLeap(year) ? 29 : (MONTH_DAYS[month - 1] as number))) return Number.NaN
  // Years begin with March, so that the leap day is the last of one; eras of 400 years have equal lengths.
  const years = month <= 2 ? year - 1 : year
  const era = Math.floor(years / 400)
  const yearOfEra = years - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * ERA_DAYS + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - EPOCH
}

const ERA_DAYS = 146_097
/** From 0000-03-01 to 1970-01-01. */
const EPOCH = 719_468

/** {@link daysOf} the other way round. */
function dayText(days: number): string {
  const shifted = days + EPOCH
  const era = Math.floor(shifted / ERA_DAYS)
  const day = shifted - era * ERA_DAYS
  const yearOfEra = Math.floor(
    (day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  )
  const dayOfYear = day - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * dayOfYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const yearText = year >= 1000 ? String(year) : String(year).padStart(4, '0')
  return `${yearText}-${two(month)}-${two(dayOfYear - Math.floor((153 * march + 2) / 5) + 1)}`
}

const TWO = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
const two = (number: number): string => TWO[number] as string
