/** One line of the hub's log, and how much of it is kept. */

import { HubError } from '../errors.ts'

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

export type Details = Readonly<Record<string, unknown>>

export interface Line {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly level: Level
  /** Part of the hub that says it. */
  readonly logger: string
  readonly message: string
  readonly details: Details
}

/** Characters of a text that is kept, at most: what is longer is cut. */
const LONGEST = 4_000

export const rankOf = (level: Level): number => LEVELS.indexOf(level)

/** Code: bad-request. */
export function levelNamed(text: string): Level {
  const named = text.toLowerCase() === 'warning' ? 'warn' : text.toLowerCase()
  if (isLevel(named)) return named
  throw new HubError('bad-request', `'${text}' is no level of a log.`, { hint: `Levels are ${LEVELS.join(', ')}.` })
}

export const isLevel = (text: string): text is Level => (LEVELS as readonly string[]).includes(text)

/** Short enough to be kept in memory by the thousand, whatever it tells of. */
export function bounded({ message, details, ...line }: Line): Line {
  return { ...line, message: cut(message), details: mapTexts(details, cut) as Details }
}

/** Every text in it through the function; what holds texts too deep is text itself. */
export function mapTexts(value: unknown, map: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return map(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === DEEPEST) return map(jsonOf(value))
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapTexts(one, map, depth + 1)]))
}

const DEEPEST = 4

function jsonOf(value: object): string {
  try {
    return JSON.stringify(value)
  } catch {
    return String(value)
  }
}

const cut = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`)
