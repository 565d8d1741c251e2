/** Patterns of dates and times, `%Y-%m-%d`: compiled once, then printed with or read by (dtl.md §9.6). */

import { civilOf, DAY_SECONDS, daysOf } from '../model/calendar.ts'

/** A date and a time as a clock on the wall shows them. */
export interface WallTime {
  /** Seconds since 1970 as that clock counts them. */
  readonly seconds: number
  readonly nanoseconds: number
  /** Seconds it is ahead of UTC, where that is known. */
  readonly offset: number | null
}

type Token = 'd' | 'e' | 'H' | 'I' | 'p' | 'm' | 'M' | 'S' | 'f' | 'y' | 'Y' | 'z'
type Part = { readonly literal: string } | { readonly token: Token }

export type TimeFormat = readonly Part[]

const TOKENS = 'deHIpmMSfyYz'
/** Parts of a pattern at most: they bound the work for each text that is tried. */
const MAX_PARTS = 200

/** A compiled pattern, or what is wrong with it. */
export function compileFormat(pattern: string): TimeFormat | { readonly mistake: string } {
  const parts: Part[] = []
  let literal = ''
  const endLiteral = () => {
    if (literal !== '') parts.push({ literal })
    literal = ''
  }
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string
    if (char !== '%') {
      literal += char
      continue
    }
    const token = pattern[++at]
    if (token === '%') literal += '%'
    else if (token === undefined) return { mistake: 'a single % stands at the end' }
    else if (!TOKENS.includes(token)) return { mistake: `there is no %${token}` }
    else if (parts.some((part) => 'token' in part && part.token === 'z')) return { mistake: '%z must come last' }
    else {
      endLiteral()
      parts.push({ token: token as Token })
    }
  }
  endLiteral()
  return parts.length > MAX_PARTS ? { mistake: `it has more than ${MAX_PARTS} parts` } : parts
}

export const FORMAT_HINT = `Tokens are ${[...TOKENS].map((token) => `%${token}`).join(' ')}, and %% for a percent sign.`

// ————— printing

export function printTime(format: TimeFormat, time: WallTime): string {
  const days = Math.floor(time.seconds / DAY_SECONDS)
  const { year, month, day } = civilOf(days)
  const second = time.seconds - days * DAY_SECONDS
  const hour = Math.floor(second / 3_600)
  let text = ''
  for (const part of format) {
    if ('literal' in part) text += part.literal
    else text += printed[part.token]({ year, month, day, hour, second, time })
  }
  return text
}

interface Printed {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  /** Of the day. */
  readonly second: number
  readonly time: WallTime
}

const padded = (number: number, width = 2): string => String(number).padStart(width, '0')

const printed: Readonly<Record<Token, (given: Printed) => string>> = {
  d: ({ day }) => padded(day),
  e: ({ day }) => String(day),
  H: ({ hour }) => padded(hour),
  I: ({ hour }) => padded(hour % 12 === 0 ? 12 : hour % 12),
  p: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  m: ({ month }) => padded(month),
  M: ({ second }) => padded(Math.floor(second / 60) % 60),
  S: ({ second }) => padded(second % 60),
  // What is finer is lost.
  f: ({ time }) => padded(Math.floor(time.nanoseconds / 1_000), 6),
  y: ({ year }) => padded(year % 100),
  Y: ({ year }) => padded(year, 4),
  z: ({ time }) => offsetText(time.offset ?? 0),
}

function offsetText(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / 60)
  return `${offset < 0 ? '-' : '+'}${padded(Math.floor(minutes / 60))}${padded(minutes % 60)}`
}

// ————— reading

interface Fields {
  year: number
  month: number
  day: number
  hour: number
  /** Of twelve, with its half of the day. */
  hour12: number
  isAfternoon: boolean
  minute: number
  second: number
  nanoseconds: number
  offset: number | null
  has24: boolean
}

/** The time that a text says, when all of it matches; null otherwise, and for days that do not exist. */
export function readTime(format: TimeFormat, text: string): WallTime | null {
  const found = matched(format, text)
  if (found === null) return null
  // Parts that the pattern does not have.
  const fields: Fields = {
    year: 1900,
    month: 1,
    day: 1,
    hour: 0,
    hour12: 12,
    isAfternoon: false,
    minute: 0,
    second: 0,
    nanoseconds: 0,
    offset: null,
    has24: false,
  }
  format.forEach((part, place) => {
    if ('token' in part) assign[part.token](fields, found[place] as string)
  })
  const days = daysOf(fields.year, fields.month, fields.day)
  if (Number.isNaN(days)) return null
  const hour = fields.has24 ? fields.hour : (fields.hour12 % 12) + (fields.isAfternoon ? 12 : 0)
  const seconds = days * DAY_SECONDS + hour * 3_600 + fields.minute * 60 + fields.second
  return { seconds, nanoseconds: fields.nanoseconds, offset: fields.offset }
}

const assign: Readonly<Record<Token, (fields: Fields, text: string) => void>> = {
  d: (fields, text) => {
    fields.day = Number(text)
  },
  e: (fields, text) => {
    fields.day = Number(text)
  },
  H: (fields, text) => {
    fields.hour = Number(text)
    fields.has24 = true
  },
  I: (fields, text) => {
    fields.hour12 = Number(text)
  },
  p: (fields, text) => {
    fields.isAfternoon = text[0] === 'p' || text[0] === 'P'
  },
  m: (fields, text) => {
    fields.month = Number(text)
  },
  M: (fields, text) => {
    fields.minute = Number(text)
  },
  S: (fields, text) => {
    fields.second = Number(text)
  },
  f: (fields, text) => {
    fields.nanoseconds = Number(text.padEnd(9, '0'))
  },
  y: (fields, text) => {
    fields.year = Number(text) + (Number(text) <= 68 ? 2000 : 1900)
  },
  Y: (fields, text) => {
    fields.year = Number(text)
  },
  z: (fields, text) => {
    fields.offset = offsetOf(text)
  },
}

/** Seconds, of `+HHMM` or `+HH:MM`. */
export function offsetOf(text: string): number {
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2))
  return (text[0] === '-' ? -minutes : minutes) * 60
}

/** How many characters a part may take there, the longest first. */
type Lengths = (text: string, at: number) => readonly number[]

const NONE: readonly number[] = []

/** One or two digits that make a number in the range. */
const number =
  (least: number, most: number): Lengths =>
  (text, at) => {
    const [first, second] = [digitAt(text, at), digitAt(text, at + 1)]
    if (first < 0) return NONE
    const lengths: number[] = []
    if (second >= 0 && first * 10 + second >= least && first * 10 + second <= most) lengths.push(2)
    if (first >= least && first <= most) lengths.push(1)
    return lengths
  }

/** That many digits, or fewer down to the least. */
const digits =
  (least: number, most: number): Lengths =>
  (text, at) => {
    let there = 0
    while (there < most && digitAt(text, at + there) >= 0) there++
    return Array.from({ length: Math.max(0, there - least + 1) }, (_, less) => there - less)
  }

function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - 48
  return digit >= 0 && digit <= 9 ? digit : -1
}

/** A sticky expression of a fixed small size. */
const fixed = (expression: RegExp): Lengths => {
  return (text, at) => {
    expression.lastIndex = at
    const length = expression.exec(text)?.[0].length
    return length === undefined ? NONE : [length]
  }
}

const lengthsOf: Readonly<Record<Token, Lengths>> = {
  d: number(1, 31),
  e: number(1, 31),
  H: number(0, 23),
  I: number(1, 12),
  p: fixed(/[ap]m/iy),
  m: number(1, 12),
  M: number(0, 59),
  S: number(0, 59),
  f: digits(1, 9),
  y: digits(2, 2),
  Y: digits(4, 4),
  z: fixed(/[+-](?:[01]\d|2[0-3]):?[0-5]\d/y),
}

/**
 * What each part took, when the parts together take the whole text. Tokens without anything between them may share out
 * digits in several ways: the first way that fits is it. A place where a part failed is never tried again, so the work
 * is bounded by parts times places.
 */
function matched(format: TimeFormat, text: string): readonly string[] | null {
  const taken: string[] = []
  const failed = new Set<number>()
  const from = (place: number, at: number): boolean => {
    const part = format[place]
    if (part === undefined) return at === text.length
    const state = place * (text.length + 1) + at
    if (failed.has(state)) return false
    const lengths =
      'token' in part
        ? lengthsOf[part.token](text, at)
        : text.startsWith(part.literal, at)
          ? [part.literal.length]
          : NONE
    for (const length of lengths) {
      taken[place] = text.slice(at, at + length)
      if (from(place + 1, at + length)) return true
    }
    failed.add(state)
    return false
  }
  return from(0, 0) ? taken : null
}
