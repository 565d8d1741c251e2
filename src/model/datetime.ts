/** Dates and datetimes as text: UTC, nanoseconds, years 1 to 9999 (dtl.md §2.1). */

import { Datetime, LocalDate } from './value.ts'

const FORM = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z)?$/
const DAY_MS = 86_400_000
const SECOND_NS = 1_000_000_000n

/** What stands after `~t`: a date or a datetime, or null when it is neither or does not exist. */
export function parseDatetime(text: string): Datetime | LocalDate | null {
  const found = FORM.exec(text)
  if (found === null) return null
  const [, year, month, day, hour, minute, second, fraction] = found
  const midnight = midnightOf(Number(year), Number(month), Number(day))
  if (midnight === null) return null
  if (hour === undefined) return new LocalDate(midnight / DAY_MS)
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const seconds = midnight / 1_000 + Number(hour) * 3_600 + Number(minute) * 60 + Number(second)
  const nanoseconds = fraction === undefined ? 0 : Number(fraction.padEnd(9, '0'))
  return new Datetime(BigInt(seconds) * SECOND_NS + BigInt(nanoseconds))
}

/** Without the tag, and without zeros at the end of the fraction. */
export function datetimeText(value: Datetime | LocalDate): string {
  if (value instanceof LocalDate) return new Date(value.days * DAY_MS).toISOString().slice(0, 10)
  const { nanoseconds } = value
  // The fraction counts upwards from the second below, before 1970 too.
  const rest = ((nanoseconds % SECOND_NS) + SECOND_NS) % SECOND_NS
  const whole = new Date(Number((nanoseconds - rest) / 1_000_000n)).toISOString().slice(0, 19)
  return rest === 0n ? `${whole}Z` : `${whole}.${rest.toString().padStart(9, '0').replace(/0+$/, '')}Z`
}

/** Milliseconds of the start of a day, or null when there is no such day. */
function midnightOf(year: number, month: number, day: number): number | null {
  if (year < 1 || month < 1 || month > 12 || day < 1) return null
  // Date.UTC would take years below 100 for 1900 and after.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : null
}
