/** Errors of the hub; the codes are stable, and only the api turns them into statuses. */

import type { Problem } from '../config/problems.ts'

export interface ErrorOptions {
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly problems?: readonly Problem[]
  /** Texts of the components that were sent, by id. */
  readonly posted?: ReadonlyMap<string, string>
  readonly cause?: unknown
}

export class HubError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>
  readonly problems: readonly Problem[]
  readonly posted: ReadonlyMap<string, string>

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HubError'
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
    this.problems = options.problems ?? []
    this.posted = options.posted ?? new Map()
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

/** Details are facts for programs, entities among them: of those only what is text for people is looked at. */
export function maskedError(error: ErrorData, mask: (text: string) => string): ErrorData {
  const { message, hint, stack } = error
  return {
    ...error,
    message: mask(message),
    hint: hint === undefined ? hint : mask(hint),
    stack: stack === undefined ? stack : mask(stack),
  }
}

export function errorFrom({ code, message, hint, details, stack }: ErrorData): HubError {
  const error = new HubError(code, message, { details, ...(hint === undefined ? {} : { hint }) })
  if (stack !== undefined) error.stack = stack
  return error
}
