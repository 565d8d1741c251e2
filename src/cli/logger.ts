/** Where the hub's log goes: to standard error, as JSON for programs or as text for people; and plain lines for a command that somebody waits for. */

import { destination, pino } from 'pino'
import { LogBook } from '../hub/logs/book.ts'
import { isLevel, LEVELS, type Level, type Line } from '../hub/logs/line.ts'
import type { Logger } from '../pipes/logger.ts'
import { type Arguments, UsageError } from './arguments.ts'
import { logText } from './log-text.ts'
import type { Terminal } from './terminal.ts'

const FORMATS = ['auto', 'json', 'text'] as const

/** `--log-level`, `--log-format` and `--verbose`. */
export function openLogBook(given: Arguments, terminal: Terminal): LogBook {
  const level = given.flag('verbose') ? 'debug' : levelOf(given)
  const format = given.text('log-format') as string
  if (!(FORMATS as readonly string[]).includes(format)) {
    throw new UsageError(`--log-format ${format} is none of ${FORMATS.join(', ')}.`)
  }
  const isText = format === 'text' || (format === 'auto' && terminal.isWatched)
  return new LogBook({ level, write: isText ? writeText(terminal) : writeJson() })
}

function levelOf(given: Arguments): Level {
  const level = given.text('log-level') as string
  if (!isLevel(level)) throw new UsageError(`--log-level ${level} is none of ${LEVELS.join(', ')}.`)
  return level
}

function writeJson(): (line: Line) => void {
  const formatters = { level: (label: string) => ({ level: label }) }
  const log = pino({ level: 'debug', base: null, timestamp: false, formatters }, destination(2))
  return ({ time, level, logger, message, details }) =>
    log[level]({ ...details, time: new Date(time).toISOString(), logger }, message)
}

function writeText(terminal: Terminal): (line: Line) => void {
  const colours: Record<Level, (text: string) => string> = {
    debug: terminal.dim,
    info: terminal.green,
    warn: terminal.yellow,
    error: terminal.red,
  }
  return (line) => terminal.note(logText(line, (level, text) => colours[level](text)))
}

/** Warnings and errors; how the run of a pipe ended is for the command to tell. */
export function plainLogger(terminal: Terminal): Logger {
  const tell = (message: string, details: Readonly<Record<string, unknown>> = {}) => {
    if (details.outcome === undefined) terminal.note(message)
  }
  return { debug() {}, info() {}, warn: tell, error: tell }
}
