/** Where the doors report requests and what went wrong inside. */

type Details = Readonly<Record<string, unknown>>

export interface Log {
  debug(message: string, details?: Details): void
  info(message: string, details?: Details): void
  warn(message: string, details?: Details): void
  error(message: string, details?: Details): void
}

/** An error as details: what a log needs to find the place. */
export function detailsOf(error: unknown): Details {
  const { message, stack, code } = error as Error & { readonly code?: unknown }
  return {
    error: message ?? String(error),
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack }),
  }
}
