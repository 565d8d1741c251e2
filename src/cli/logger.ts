/** The hub's log: JSON lines on standard error, by pino. */

import { destination, pino } from 'pino'
import type { Logger } from '../pipes/logger.ts'

export function openLogger(level: 'debug' | 'info' | 'warn'): Logger {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination(2))
  const at =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, details: Readonly<Record<string, unknown>> = {}) =>
      log[method](details, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
