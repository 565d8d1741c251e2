/** When a cron schedule fires next: pure arithmetic in UTC over what cron-parse.ts read. */

import { type Cron, FIRST_YEAR, LAST_YEAR } from './cron-parse.ts'

/** The first minute after `after` at which it fires, in milliseconds since 1970; null: never again. */
export function nextCronTime(cron: Cron, after: number): number | null {
  const start = new Date(Math.max(Math.floor(after / MINUTE_MS) + 1, 0) * MINUTE_MS)
  const firstYear = Math.max(start.getUTCFullYear(), FIRST_YEAR)
  for (let year = firstYear; year <= LAST_YEAR; year++) {
    if (!allows(cron.years.isAny, cron.years.values, year)) continue
    const isFirstYear = year === start.getUTCFullYear()
    for (let month = isFirstYear ? start.getUTCMonth() : 0; month < 12; month++) {
      if (!cron.months.values.has(month + 1)) continue
      const isFirstMonth = isFirstYear && month === start.getUTCMonth()
      const found = firstInMonth(cron, year, month, isFirstMonth ? start : null)
      if (found !== null) return found
    }
  }
  return null
}

/** Whether there is any minute at all, since 1970, at which it fires. */
export const everFires = (cron: Cron): boolean => nextCronTime(cron, -MINUTE_MS) !== null

const MINUTE_MS = 60_000

const allows = (isAny: boolean, values: ReadonlySet<number>, value: number): boolean => isAny || values.has(value)

/** `start`: not before it, when it lies in this month. */
function firstInMonth(cron: Cron, year: number, month: number, start: Date | null): number | null {
  const length = daysOf(year, month)
  for (let day = start?.getUTCDate() ?? 1; day <= length; day++) {
    if (!isDay(cron, year, month, day, length)) continue
    const isFirstDay = start !== null && day === start.getUTCDate()
    const minute = firstInDay(cron, isFirstDay ? start.getUTCHours() * 60 + start.getUTCMinutes() : 0)
    if (minute !== null) return Date.UTC(year, month, day) + minute * MINUTE_MS
  }
  return null
}

/** Minute of the day, not before `from`. */
function firstInDay({ hours, minutes }: Cron, from: number): number | null {
  for (let hour = Math.floor(from / 60); hour < 24; hour++) {
    if (!hours.values.has(hour)) continue
    for (let minute = hour * 60 < from ? from % 60 : 0; minute < 60; minute++) {
      if (minutes.values.has(minute)) return hour * 60 + minute
    }
  }
  return null
}

/** As in Unix: where both the day and the weekday are named, either will do; where one is, that one. */
function isDay(cron: Cron, year: number, month: number, day: number, length: number): boolean {
  const weekday = new Date(Date.UTC(year, month, day)).getUTCDay()
  const isOfMonth = cron.days.values.has(day) || (cron.isLastDay && day === length)
  const isOfWeek = cron.weekdays.values.has(weekday) || (cron.lastWeekdays.has(weekday) && day + 7 > length)
  if (cron.days.isAny) return isOfWeek
  return cron.weekdays.isAny ? isOfMonth : isOfMonth || isOfWeek
}

const daysOf = (year: number, month: number): number => new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
