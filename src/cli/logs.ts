/** `samtale logs`: what a hub that runs said of late, and what it goes on to say. */

import { setTimeout as wait } from 'node:timers/promises'
import { isLevel, type Level } from '../hub/logs/line.ts'
import { type Arguments, UsageError } from './arguments.ts'
import { type AskedHub, withHub } from './asking.ts'
import type { Command } from './command.ts'
import { logText } from './log-text.ts'
import type { Terminal } from './terminal.ts'

interface LineDocument {
  readonly timestamp: string
  readonly loglevel: string
  readonly logger_name: string
  readonly logdata: string
  readonly details: Readonly<Record<string, unknown>>
}

const FOLLOW_MS = 1_000

export const logs: Command = async ({ given, environment, terminal }) => {
  const query = queryOf(given)
  const name = given.positionals[0] ?? 'all'
  return withHub(given, environment, async (hub) => {
    let last = show(await ask(hub, name, query), given, terminal)
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    while (given.flag('follow') && !stop.signal.aborted) {
      await wait(FOLLOW_MS, undefined, { signal: stop.signal }).catch(() => {})
      if (last !== null) query.set('since', last)
      last = show(await ask(hub, name, query), given, terminal) ?? last
    }
    return 0
  })
}

const ask = (hub: AskedHub, name: string, query: URLSearchParams): Promise<readonly LineDocument[]> =>
  hub.get(`/api/logs/${encodeURIComponent(name)}?${query}`)

function queryOf(given: Arguments): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of ['level', 'pipe', 'request', 'since'] as const) {
    const value = given.text(name)
    if (value !== undefined) query.set(name, value)
  }
  const lines = given.text('lines') as string
  if (!/^\d{1,6}$/.test(lines)) throw new UsageError(`--lines ${lines} is not a number of lines.`)
  query.set('limit', lines)
  return query
}

/** Gives the time of the last line; null when there is none. */
function show(lines: readonly LineDocument[], given: Arguments, terminal: Terminal): string | null {
  for (const line of lines) terminal.line(given.flag('json') ? JSON.stringify(line) : textOf(line, terminal))
  return lines.at(-1)?.timestamp ?? null
}

function textOf({ timestamp, loglevel, logger_name, logdata, details }: LineDocument, terminal: Terminal): string {
  const colours: Record<Level, (text: string) => string> = {
    debug: terminal.dim,
    info: terminal.green,
    warn: terminal.yellow,
    error: terminal.red,
  }
  const level = isLevel(loglevel) ? loglevel : 'info'
  const line = { time: Date.parse(timestamp), level, logger: logger_name, message: logdata, details }
  return logText(line, (one, text) => colours[one](text))
}
