/** The calendar: days, months and years, and how they are counted from 1970 (proleptic Gregorian, UTC). */

export const DAY_SECONDS = 86_400

export interface Civil {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

export const daysInMonth = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : (MONTH_DAYS[month - 1] as number)

/** Days since 1970-01-01; NaN when there is no such day in the years from 1 on. */
export function daysOf(year: number, month: number, day: number): number {
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return Number.NaN
  if (day > daysInMonth(year, month)) return Number.NaN
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
export function civilOf(days: number): Civil {
  const shifted = days + EPOCH
  const era = Math.floor(shifted / ERA_DAYS)
  const day = shifted - era * ERA_DAYS
  const yearOfEra = Math.floor(
    (day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365,
  )
  const dayOfYear = day - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * dayOfYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * march + 2) / 5) + 1,
  }
}

/** The day that many months later; a day that the month does not have becomes its last one. NaN beyond the calendar. */
export function plusMonths(days: number, months: number): number {
  const { year, month, day } = civilOf(days)
  const count = year * 12 + month - 1 + months
  const [newYear, newMonth] = [Math.floor(count / 12), (((count % 12) + 12) % 12) + 1]
  return daysOf(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)))
}

const SECOND_NS = 1_000_000_000n

/** Whole seconds since 1970, and the nanoseconds after them, of an instant. */
export function secondsOf(nanoseconds: bigint): { readonly seconds: number; readonly rest: number } {
  // A double is near enough to guess the second, and dividing bigints is slow; the rest says whether the guess was right.
  const seconds = Math.floor(Number(nanoseconds) / 1e9)
  const rest = Number(nanoseconds - BigInt(seconds) * SECOND_NS)
  if (rest < 0) return { seconds: seconds - 1, rest: rest + 1e9 }
  return rest >= 1e9 ? { seconds: seconds + 1, rest: rest - 1e9 } : { seconds, rest }
}

/** From 0001-01-01T00:00:00Z, in nanoseconds since 1970. */
export const FIRST_INSTANT = BigInt(daysOf(1, 1, 1) * DAY_SECONDS) * SECOND_NS
/** To 9999-12-31T23:59:59.999999999Z. */
export const LAST_INSTANT = BigInt((daysOf(9999, 12, 31) + 1) * DAY_SECONDS) * SECOND_NS - 1n

/** Whether an instant is one that a datetime can hold: years 1 to 9999 (dtl.md §2.1). */
export const isInCalendar = (nanoseconds: bigint): boolean =>
  nanoseconds >= FIRST_INSTANT && nanoseconds <= LAST_INSTANT
