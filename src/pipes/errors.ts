/** What goes wrong in this room: one class, told apart by its code. */

export interface PipeErrorOptions {
  /** Facts for programs: address, status, row and the like. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>
  /** What to do about it. */
  readonly hint?: string
  readonly cause?: unknown
}

/** An error of a pipe, a source, a sink or a system. Addresses in it have their secrets masked. */
export class PipeError extends Error {
  override readonly name = 'PipeError'
  /** Stable: clients may compare it. */
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
  readonly hint: string | undefined

  constructor(code: string, message: string, options: PipeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    this.hint = options.hint
  }
}
