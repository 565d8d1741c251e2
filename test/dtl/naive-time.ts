/** Date and time for the naive interpreter: by the engine's own calendar, and by looking at every quarter of an hour around. */

import { Datetime, LocalDate, type Value } from '../../src/model/value.ts'

const DAY_MS = 86_400_000

/** Milliseconds since 1970 and nanoseconds after them. */
export interface Moment {
  readonly ms: number
  readonly nanos: number
}

export function momentOf(value: Value): Moment | null {
  if (value instanceof LocalDate) return { ms: value.days * DAY_MS, nanos: 0 }
  if (!(value instanceof Datetime)) return null
  const nanos = Number(((value.nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n)
  return { ms: Number((value.nanoseconds - BigInt(nanos)) / 1_000_000n), nanos }
}

export function datetimeOf(ms: number, nanos: number): Datetime | undefined {
  const year = new Date(ms).getUTCFullYear()
  return year >= 1 && year <= 9999 ? new Datetime(BigInt(ms) * 1_000_000n + BigInt(nanos)) : undefined
}

/** Milliseconds of a day and time; null when there is no such day. */
function utc(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number | null {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const isThere = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isThere && year >= 1 ? date.getTime() : null
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** Milliseconds that a zone is ahead of UTC. */
export function offsetAt(zone: string, ms: number): number {
  let clock = clocks.get(zone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-u-ca-gregory', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    clocks.set(zone, clock)
  }
  const whole = Math.floor(ms / 1000) * 1000
  const parts = new Map(clock.formatToParts(whole).map(({ type, value }) => [type, value]))
  const part = (name: string) => Number(parts.get(name as Intl.DateTimeFormatPartTypes))
  const year = parts.get('era')?.startsWith('B') === true ? 1 - part('year') : part('year')
  const local = new Date(0)
  local.setUTCFullYear(year, part('month') - 1, part('day'))
  local.setUTCHours(part('hour'), part('minute'), part('second'))
  return local.getTime() - whole
}

/** The instant of a local time: of all that show it the first; where none does, by the offset of a day and a half before. */
export function instantOf(zone: string, local: number): number {
  const offsets = new Set<number>()
  for (let hours = -30; hours <= 30; hours += 0.5) offsets.add(offsetAt(zone, local + hours * 3_600_000))
  const shown = [...offsets]
    .map((offset) => local - offset)
    .filter((ms) => offsetAt(zone, ms) + ms === local)
    .sort((a, b) => a - b)
  return shown[0] ?? local - offsetAt(zone, local - 30 * 3_600_000)
}

const pad = (number: number, width: number) => String(number).padStart(width, '0')

export function format(zone: string, pattern: string, { ms, nanos }: Moment): string | undefined {
  const offset = offsetAt(zone, ms)
  const date = new Date(ms + offset)
  const [year, hour] = [date.getUTCFullYear(), date.getUTCHours()]
  if (year < 1 || year > 9999) return undefined
  const minutes = Math.trunc(Math.abs(offset) / 60_000)
  const tokens: Readonly<Record<string, string>> = {
    '%d': pad(date.getUTCDate(), 2),
    '%e': String(date.getUTCDate()),
    '%H': pad(hour, 2),
    '%I': pad(((hour + 11) % 12) + 1, 2),
    '%p': hour >= 12 ? 'PM' : 'AM',
    '%m': pad(date.getUTCMonth() + 1, 2),
    '%M': pad(date.getUTCMinutes(), 2),
    '%S': pad(date.getUTCSeconds(), 2),
    '%f': pad(Math.trunc((date.getUTCMilliseconds() * 1_000_000 + nanos) / 1000), 6),
    '%y': pad(year % 100, 2),
    '%Y': pad(year, 4),
    '%z': `${offset < 0 ? '-' : '+'}${pad(Math.trunc(minutes / 60), 2)}${pad(minutes % 60, 2)}`,
    '%%': '%',
  }
  return pattern.replace(/%./g, (token) => tokens[token] as string)
}

const EXPRESSIONS: Readonly<Record<string, string>> = {
  '%d': '(3[01]|[12]\\d|0[1-9]|[1-9])',
  '%e': '(3[01]|[12]\\d|0[1-9]|[1-9])',
  '%H': '(2[0-3]|[01]\\d|\\d)',
  '%I': '(1[0-2]|0[1-9]|[1-9])',
  '%p': '([aApP][mM])',
  '%m': '(1[0-2]|0[1-9]|[1-9])',
  '%M': '([0-5]\\d|\\d)',
  '%S': '([0-5]\\d|\\d)',
  '%f': '(\\d{1,9})',
  '%y': '(\\d\\d)',
  '%Y': '(\\d{4})',
  '%z': '([+-](?:[01]\\d|2[0-3]):?[0-5]\\d)',
  '%%': '%',
}

export function parse(zone: string, pattern: string, text: string): Datetime | undefined {
  const tokens = (pattern.match(/%./g) ?? []).filter((token) => token !== '%%')
  const expression = pattern
    .split(/(%.)/)
    .map((part) => EXPRESSIONS[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('')
  const found = new RegExp(`^${expression}$`).exec(text)
  if (found === null) return undefined
  const given = (token: string) => {
    const at = tokens.lastIndexOf(token)
    return at < 0 ? undefined : (found[at + 1] as string)
  }
  const short = given('%y')
  const year = Number(given('%Y') ?? (short === undefined ? 1900 : Number(short) <= 68 ? `20${short}` : `19${short}`))
  const half = given('%p')?.toLowerCase() === 'pm' ? 12 : 0
  const hour = Number(given('%H') ?? (Number(given('%I') ?? 12) % 12) + half)
  const local = utc(
    year,
    Number(given('%m') ?? 1),
    Number(given('%d') ?? given('%e') ?? 1),
    hour,
    Number(given('%M') ?? 0),
    Number(given('%S') ?? 0),
  )
  if (local === null) return undefined
  const nanos = Number((given('%f') ?? '').padEnd(9, '0'))
  const offset = given('%z')?.replace(':', '')
  const ms =
    offset === undefined
      ? instantOf(zone, local)
      : local - Number(`${offset[0]}1`) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3))) * 60_000
  return datetimeOf(ms + Math.trunc(nanos / 1_000_000), nanos % 1_000_000)
}

export function plus(part: string, count: bigint, { ms, nanos }: Moment): Datetime | undefined {
  const months = { year: 12, month: 1 }[part]
  if (months === undefined) {
    const length = LENGTHS[part] as bigint
    const moved = BigInt(ms) * 1_000_000n + BigInt(nanos) + count * length
    const rest = Number(((moved % 1_000_000n) + 1_000_000n) % 1_000_000n)
    return datetimeOf(Number((moved - BigInt(rest)) / 1_000_000n), rest)
  }
  const date = new Date(ms)
  const all = date.getUTCFullYear() * 12 + date.getUTCMonth() + Number(count) * months
  const [year, month] = [Math.floor(all / 12), all - Math.floor(all / 12) * 12]
  let day = date.getUTCDate()
  while (utc(year, month + 1, day) === null && day > 0) day--
  const found = utc(year, month + 1, day)
  return found === null ? undefined : datetimeOf(found + ms - Math.floor(ms / DAY_MS) * DAY_MS, nanos)
}

const LENGTHS: Readonly<Record<string, bigint>> = {
  week: 604_800_000_000_000n,
  day: 86_400_000_000_000n,
  hour: 3_600_000_000_000n,
  minute: 60_000_000_000n,
  second: 1_000_000_000n,
  millisecond: 1_000_000n,
  microsecond: 1_000n,
  nanosecond: 1n,
}

/** By counting: how often the part fits between the earlier and the later. */
export function difference(part: string, first: Moment, second: Moment): bigint {
  const nanosOf = ({ ms, nanos }: Moment) => BigInt(ms) * 1_000_000n + BigInt(nanos)
  const [a, b] = [nanosOf(first), nanosOf(second)]
  const length = LENGTHS[part]
  if (length !== undefined) return a >= b ? (a - b) / length : -((b - a) / length)
  const [earlier, later, sign] = a < b ? [first, second, -1n] : [second, first, 1n]
  let count = Math.max(0, (new Date(later.ms).getUTCFullYear() - new Date(earlier.ms).getUTCFullYear() - 1) * 12)
  if (part === 'year') count = Math.floor(count / 12)
  for (;;) {
    const next = plus(part, BigInt(count + 1), earlier)
    if (next === undefined || next.nanoseconds > nanosOf(later)) return sign * BigInt(count)
    count++
  }
}

/** The ISO form with `Z` or an offset. */
export function iso(text: string): Datetime | undefined {
  const found =
    /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/.exec(
      text,
    )
  if (found === null) return undefined
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const local = utc(year, month, day, hour, minute, second)
  const nanos = Number((found[7] ?? '').padEnd(9, '0'))
  const zone = (found[8] as string).replace(':', '')
  if (local === null) return undefined
  const offset =
    zone === 'Z' ? 0 : Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3))) * 60_000
  return datetimeOf(local - offset + Math.trunc(nanos / 1_000_000), nanos % 1_000_000)
}
