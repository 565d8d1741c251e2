/** Where the engine says what happens; the hub gives it pino, tests give it a list. */

export interface Logger {
  debug(message: string, details?: Readonly<Record<string, unknown>>): void
  info(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
  error(message: string, details?: Readonly<Record<string, unknown>>): void
}

export const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
