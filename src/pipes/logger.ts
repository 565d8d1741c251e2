/** Where the engine says what happens; the hub gives it a logger of its book, tests give it a list. */

type Details = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, details?: Details): void
  info(message: string, details?: Details): void
  warn(message: string, details?: Details): void
  error(message: string, details?: Details): void
}

export const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** The same logger, each line with the id of the request that caused it; undefined: nobody asked. */
export function causedBy(logger: Logger, request: string | undefined): Logger {
  if (request === undefined) return logger
  const at =
    (level: keyof Logger) =>
    (message: string, details: Details = {}) =>
      logger[level](message, { ...details, request })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
