/** The hub's log: named loggers, each with a level, whose lines are written out, and the newest of them kept to be asked for. */

import type { Logger } from '../../pipes/logger.ts'
import { HubError } from '../errors.ts'
import { bounded, type Details, type Level, type Line, levelNamed, mapTexts, rankOf } from './line.ts'
import { Ring } from './ring.ts'

export interface LogBookOptions {
  readonly level: Level
  /** Writes a line where whoever runs the hub reads it. */
  readonly write: (line: Line) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Takes secrets out of any text, before it is written or kept. */
  readonly mask?: (text: string) => string
  /** Lines kept of each logger, and as many again of those that warn. */
  readonly kept?: number
}

/** What somebody asks for of the lines that are kept. */
export interface LineQuery {
  /** Lines of this level and above. */
  readonly level?: Level
  readonly pipe?: string
  readonly tenant?: string
  /** Caused by the request with this id. */
  readonly request?: string
  /** Milliseconds since 1970: only lines after it. */
  readonly since?: number
  /** The newest, at most. */
  readonly limit: number
}

export interface LoggerDocument {
  readonly _id: string
  readonly level: Level
  /** Lines kept. */
  readonly lines: number
  /** When the oldest of them was written, ISO 8601. */
  readonly since: string | null
}

/** All loggers together. */
export const ALL = 'all'

const KEPT = 1_000

interface Named {
  readonly name: string
  level: Level
  /** Apart, so that a flood of requests does not wash the warnings away. */
  readonly usual: Ring<Numbered>
  readonly urgent: Ring<Numbered>
}

interface Numbered {
  readonly number: number
  readonly line: Line
}

export class LogBook {
  readonly #options: LogBookOptions
  readonly #loggers = new Map<string, Named>()
  #level: Level
  #lines = 0
  #mask: (text: string) => string

  constructor(options: LogBookOptions) {
    this.#options = options
    this.#level = options.level
    this.#mask = options.mask ?? asItIs
  }

  /** From now on texts go through this. */
  maskWith(mask: (text: string) => string): void {
    this.#mask = mask
  }

  logger(name: string): Logger {
    const named = this.#named(name)
    const at =
      (level: Level) =>
      (message: string, details: Details = {}) =>
        this.#say(named, level, message, details)
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }

  documents(): readonly LoggerDocument[] {
    return [this.#allDocument(), ...[...this.#loggers.values()].map((named) => documentOf(named))]
  }

  /** Oldest first; of a logger, or of all. Code: unknown-logger. */
  lines(name: string, { limit, ...query }: LineQuery): readonly Line[] {
    const among = name === ALL ? [...this.#loggers.values()] : [this.#known(name)]
    const kept = among.flatMap(({ usual, urgent }) => [...usual.all(), ...urgent.all()])
    const found = kept.filter(({ line }) => isAsked(line, query)).sort((a, b) => a.number - b.number)
    return (limit > 0 ? found.slice(-limit) : []).map(({ line }) => line)
  }

  /** What is written of a logger, or of all, from now on. Codes: unknown-logger, bad-request. */
  setLevel(name: string | null, level: string): void {
    const known = levelNamed(level)
    if (name !== null && name !== ALL) {
      this.#known(name).level = known
      return
    }
    this.#level = known
    for (const named of this.#loggers.values()) named.level = known
  }

  #say(named: Named, level: Level, message: string, details: Details): void {
    const rank = rankOf(level)
    const isWritten = rank >= rankOf(named.level)
    // What happened of late can be looked up whatever is written.
    if (!isWritten && rank < KEPT_FROM) return
    const line = this.#masked({ time: this.#now(), level, logger: named.name, message, details })
    if (isWritten) this.#options.write(line)
    const ring = rank >= URGENT_FROM ? named.urgent : named.usual
    ring.push({ number: ++this.#lines, line: bounded(line) })
  }

  #masked(line: Line): Line {
    if (this.#mask === asItIs || !this.#holdsSecrets(line)) return line
    return { ...line, message: this.#mask(line.message), details: mapTexts(line.details, this.#mask) as Details }
  }

  /** Of most lines nothing has to be taken out: one look at all of their texts together tells. */
  #holdsSecrets({ message, details }: Line): boolean {
    const texts = [message]
    mapTexts(details, (text) => {
      texts.push(text)
      return text
    })
    const all = texts.join('\u0000')
    return this.#mask(all) !== all
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }

  #named(name: string): Named {
    let named = this.#loggers.get(name)
    if (named === undefined) {
      const size = this.#options.kept ?? KEPT
      named = { name, level: this.#level, usual: new Ring(size), urgent: new Ring(size) }
      this.#loggers.set(name, named)
    }
    return named
  }

  #known(name: string): Named {
    const named = this.#loggers.get(name)
    if (named !== undefined) return named
    throw new HubError('unknown-logger', `There is no logger '${name}'.`, {
      hint: `There are ${[ALL, ...this.#loggers.keys()].join(', ')}.`,
    })
  }

  #allDocument(): LoggerDocument {
    const all = [...this.#loggers.values()].map((named) => documentOf(named))
    const since = all.flatMap((one) => one.since ?? []).sort()[0] ?? null
    return { _id: ALL, level: this.#level, lines: all.reduce((sum, { lines }) => sum + lines, 0), since }
  }
}

const asItIs = (text: string): string => text

const KEPT_FROM = rankOf('info')
const URGENT_FROM = rankOf('warn')

function documentOf({ name, level, usual, urgent }: Named): LoggerDocument {
  const first = [usual.all()[0], urgent.all()[0]].flatMap((one) => one?.line.time ?? [])
  return {
    _id: name,
    level,
    lines: usual.length + urgent.length,
    since: first.length === 0 ? null : new Date(Math.min(...first)).toISOString(),
  }
}

function isAsked(line: Line, { level, pipe, tenant, request, since }: Omit<LineQuery, 'limit'>): boolean {
  const { details } = line
  return (
    (level === undefined || rankOf(line.level) >= rankOf(level)) &&
    (pipe === undefined || details.pipe === pipe) &&
    (tenant === undefined || details.tenant === tenant) &&
    (request === undefined || details.request === request) &&
    (since === undefined || line.time > since)
  )
}

/** A book for a hub that was given nothing but a logger: what is kept can be asked for, the logger gets the rest. */
export function bookOver(logger: Logger): LogBook {
  return new LogBook({
    level: 'debug',
    write: ({ level, logger: name, message, details }) => logger[level](message, { ...details, logger: name }),
  })
}
