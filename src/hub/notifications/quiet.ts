/** Hours in which people are left alone: until when something waits. */

import type { NotificationSettings } from '../../config/notifications.ts'

type QuietHours = NonNullable<NotificationSettings['quiet_hours']>

const MINUTE_MS = 60_000

/** Null: it is not quiet now; otherwise when it ends, to the minute, in milliseconds since 1970. */
export function quietUntil(hours: QuietHours | undefined, now: number): number | null {
  if (hours === undefined) return null
  const [from, to, at] = [minutesOf(hours.from), minutesOf(hours.to), minutesAt(now, hours.time_zone)]
  const isQuiet = from <= to ? at >= from && at < to : at >= from || at < to
  if (!isQuiet) return null
  const left = (to - at + DAY) % DAY
  return Math.floor(now / MINUTE_MS) * MINUTE_MS + left * MINUTE_MS
}

const DAY = 24 * 60

function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return hours * 60 + minutes
}

function minutesAt(now: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  return minutesOf(parts.format(now))
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
