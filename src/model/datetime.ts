/** Dates and datetimes as text: UTC, nanoseconds, years 1 to 9999 (dtl.md §2.1). */

import { Datetime, LocalDate } from './value.ts'

const FORM = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z)?$/
const DAY_MS = 86_400_000

/** What stands after `~t`: a date or a datetime, or null when it is neither or does not exist. */
export function parseDatetime(text: string): Datetime | LocalDate | null {
  const found = FORM.exec(text)
  if (found === null) return null
  const [, year, month, day, hour, minute, second, fraction] = found
  const midnight = midnightOf(Number(year), Number(month), Number(day))
  if (midnight === null) return null
  if (hour === undefined) return new LocalDate(midnight / DAY_MS)
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  const milliseconds = midnight + Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1_000
  return new Datetime(BigInt(milliseconds) * 1_000_000n + BigInt((fraction ?? '').padEnd(9, '0')))
}

/** Without the tag, and without zeros at the end of the fraction. */
export function datetimeText(value: Datetime | LocalDate): string {
  if (value instanceof LocalDate) return new Date(value.days * DAY_MS).toISOString().slice(0, 10)
  const { nanoseconds } = value
  let seconds = nanoseconds / 1_000_000_000n
  let rest = nanoseconds % 1_000_000_000n
  if (rest < 0n) {
    seconds -= 1n
    rest += 1_000_000_000n
  }
  const whole = new Date(Number(seconds) * 1_000).toISOString().slice(0, 19)
  return rest === 0n ? `${whole}Z` : `${whole}.${rest.toString().padStart(9, '0').replace(/0+$/, '')}Z`
}

function midnightOf(year: number, month: number, day: number): number | null {
  if (year < 1 || month < 1 || month > 12 || day < 1) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCDate() === day && date.getUTCMonth() === month - 1 ? date.getTime() : null
}
