/** The hub's log: JSON lines on standard error for a hub that serves, plain lines for a command that somebody waits for. */

import { destination, pino } from 'pino'
import type { Logger } from '../pipes/logger.ts'
import type { Terminal } from './terminal.ts'

export function openLogger(level: 'debug' | 'info' | 'warn'): Logger {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination(2))
  const at =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, details: Readonly<Record<string, unknown>> = {}) =>
      log[method](details, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Warnings and errors; how the run of a pipe ended is for the command to tell. */
export function plainLogger(terminal: Terminal): Logger {
  const tell = (message: string, details: Readonly<Record<string, unknown>> = {}) => {
    if (details.outcome === undefined) terminal.note(message)
  }
  return { debug() {}, info() {}, warn: tell, error: tell }
}
