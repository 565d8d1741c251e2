/** What this room itself has to refuse: one class, told apart by its code; `problem.ts` gives each code its status. */

export interface ApiErrorOptions {
  /** What to do about it. */
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** Stable: clients may compare it. */
  readonly code: string
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
  }
}
