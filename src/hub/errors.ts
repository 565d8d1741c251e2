/** Errors of the hub; the codes are stable, and only the api turns them into statuses. */

import type { Problem } from '../config/problems.ts'

export interface ErrorOptions {
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly problems?: readonly Problem[]
  readonly cause?: unknown
}

export class HubError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly problems: readonly Problem[]

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HubError'
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
    this.problems = options.problems ?? []
  }
}

/** An error as plain data, to cross between threads. */
export interface ErrorData {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly stack: string | undefined
}

export function errorData(error: unknown): ErrorData {
  const { code, message, hint, details, stack } = error as Partial<HubError> & Error
  return { code: code ?? 'unexpected', message: message ?? String(error), hint, details: details ?? {}, stack }
}

export function errorFrom({ code, message, hint, details, stack }: ErrorData): HubError {
  const error = new HubError(code, message, { details, ...(hint === undefined ? {} : { hint }) })
  if (stack !== undefined) error.stack = stack
  return error
}
