/** Reads cron expressions: five fields, or six with the year (hub.md §5.4). */

/** A field as it was written: what it allows. */
export interface CronField {
  /** `*` or `?`: everything. */
  readonly isAny: boolean
  readonly values: ReadonlySet<number>
}

/** When a schedule fires, in UTC. */
export interface Cron {
  readonly minutes: CronField
  readonly hours: CronField
  readonly days: CronField
  readonly months: CronField
  /** 0 is Sunday. */
  readonly weekdays: CronField
  readonly years: CronField
  /** `L`: the last day of the month too. */
  readonly isLastDay: boolean
  /** `<n>L`: these weekdays when they are the last of their kind in the month. */
  readonly lastWeekdays: ReadonlySet<number>
}

/** What an expression means, or what is wrong with it. */
export type ParsedCron =
  | { readonly cron: Cron; readonly error: null }
  | { readonly cron: null; readonly error: { readonly message: string; readonly hint?: string } }

export function parseCron(text: string): ParsedCron {
  const parts = text.trim().split(/\s+/)
  if (parts.length !== 5 && parts.length !== 6) {
    const message = `A cron expression has 5 fields, or 6 with the year; this has ${text.trim() === '' ? 0 : parts.length}.`
    return { cron: null, error: { message, hint: `The fields are ${FIELDS.map(({ name }) => name).join(', ')}.` } }
  }
  try {
    return { cron: cronOf(parts), error: null }
  } catch (error) {
    if (!(error instanceof FieldError)) throw error
    return { cron: null, error: { message: error.message, ...(error.hint === null ? {} : { hint: error.hint }) } }
  }
}

interface FieldRule {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
  readonly isDay?: boolean
  /** What `L` does in it. */
  readonly last?: 'alone' | 'after-value'
  /** A range may go over its end: `SAT-SUN`. */
  readonly wraps?: boolean
  readonly hasNoSteps?: boolean
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
/** First and last year that may be named. */
export const FIRST_YEAR = 1970
export const LAST_YEAR = 2099

const FIELDS: readonly FieldRule[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31, isDay: true, last: 'alone' },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 0, max: 7, names: WEEKDAYS, isDay: true, last: 'after-value', wraps: true },
  { name: 'year', min: FIRST_YEAR, max: LAST_YEAR, hasNoSteps: true },
]

function cronOf(parts: readonly string[]): Cron {
  const [minutes, hours, days, months, weekdays, years] = FIELDS.map((rule, place) =>
    readField(parts[place] ?? '*', rule),
  ) as [Read, Read, Read, Read, Read, Read]
  return {
    minutes: minutes.field,
    hours: hours.field,
    days: days.field,
    months: months.field,
    weekdays: onlySevenDays(weekdays.field),
    years: years.field,
    isLastDay: days.lasts.size > 0,
    lastWeekdays: new Set([...weekdays.lasts].map((day) => day % 7)),
  }
}

/** 7 is Sunday, too. */
const onlySevenDays = ({ isAny, values }: CronField): CronField => ({
  isAny,
  values: new Set([...values].map((day) => day % 7)),
})

interface Read {
  readonly field: CronField
  readonly lasts: ReadonlySet<number>
}

function readField(text: string, rule: FieldRule): Read {
  const values = new Set<number>()
  const lasts = new Set<number>()
  for (const part of text.split(',')) {
    const last = lastOf(part, rule)
    if (last !== null) lasts.add(last)
    else for (const value of valuesOf(part, rule)) values.add(value)
  }
  return { field: { isAny: text === '*' || text === '?', values }, lasts }
}

/** The weekday of `<n>L`, 0 for the `L` of the month, null for anything else. */
function lastOf(part: string, rule: FieldRule): number | null {
  if (rule.last === undefined || !/L$/i.test(part)) return null
  const value = part.slice(0, -1)
  if (rule.last === 'alone') {
    if (value === '') return 0
    throw new FieldError(rule, part, "In this field 'L' stands alone: the last day of the month.")
  }
  // JUL ends in L, but is no day; a weekday's name never does.
  if (value === '') throw new FieldError(rule, part, "In this field 'L' follows a weekday: 'FRIL' is the last Friday.")
  return numberOf(value, rule, part)
}

function valuesOf(part: string, rule: FieldRule): readonly number[] {
  refuseUnknownSigns(part, rule)
  const [range = '', step, ...rest] = part.split('/')
  if (rest.length > 0) throw new FieldError(rule, part, "'/' may stand in it once.")
  if (step !== undefined && rule.hasNoSteps === true) throw new FieldError(rule, part, "It takes no '/'.")
  const [from, to] = rangeOf(range, rule, part, step !== undefined)
  const by = step === undefined ? 1 : stepOf(step, rule, part)
  const values: number[] = []
  for (let value = from; value <= to; value += by) values.push(value > rule.max ? value - 7 : value)
  return values
}

/** From and to, both included; `to` beyond the field's end is a range that goes over it. */
function rangeOf(range: string, rule: FieldRule, part: string, hasStep: boolean): readonly [number, number] {
  const end = rule.wraps === true ? 6 : rule.max
  if (range === '*') return [rule.min, end]
  if (range === '?') {
    if (rule.isDay === true) return [rule.min, end]
    throw new FieldError(rule, part, "'?' may only stand in the two day fields.")
  }
  const [first = '', second, ...rest] = range.split('-')
  if (rest.length > 0) throw new FieldError(rule, part, 'A range has two ends.')
  const from = numberOf(first, rule, part)
  if (second === undefined) return [from, hasStep ? Math.max(from, end) : from]
  const to = numberOf(second, rule, part)
  if (from <= to) return [from, to]
  if (rule.wraps === true) return [from, to + 7]
  throw new FieldError(rule, part, 'The range ends before it begins.')
}

function numberOf(text: string, rule: FieldRule, part: string): number {
  const named = rule.names?.indexOf(text.toUpperCase()) ?? -1
  if (named >= 0) return named + (rule.min === 1 ? 1 : 0)
  if (!/^\d{1,4}$/.test(text)) {
    const known = rule.names === undefined ? '' : `, or ${rule.names.join(', ')}`
    throw new FieldError(rule, part, `Known are ${rule.min} to ${rule.max}${known}.`)
  }
  const value = Number(text)
  if (value >= rule.min && value <= rule.max) return value
  throw new FieldError(rule, part, `${value} is not between ${rule.min} and ${rule.max}.`)
}

function stepOf(text: string, rule: FieldRule, part: string): number {
  const step = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (step > 0) return step
  throw new FieldError(rule, part, "After '/' stands a whole number from 1 on.")
}

function refuseUnknownSigns(part: string, rule: FieldRule): void {
  if (part.includes('#')) throw new FieldError(rule, part, "'#' (the n-th weekday of a month) is not supported.")
  if (rule.isDay === true && /^(?:\d+W|W|LW)$/i.test(part)) {
    throw new FieldError(rule, part, "'W' (the nearest working day) is not supported.")
  }
}

class FieldError extends Error {
  readonly hint: string | null

  constructor(rule: FieldRule, part: string, hint: string) {
    super(`The ${rule.name} '${part}' of the cron expression cannot be read.`)
    this.hint = hint
  }
}
