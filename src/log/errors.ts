/** What can go wrong in the log, each with a stable code. */

export type LogErrorCode =
  | 'data-in-use'
  | 'no-log'
  | 'unknown-layout'
  | 'broken-row'
  | 'rebuild-unfinished'
  | 'log-damaged'
  | 'bad-backup'
  | 'stale-run'
  | 'index-set-changed'
  | 'unknown-dataset'
  | 'unknown-index'
  | 'bad-name'
  | 'key-too-long'
  | 'bad-id'
  | 'entity-too-large'
  | 'id-collision'
  | 'second-version'
  | 'stale-entity'
  | 'sequence-conflict'
  | 'wrong-kind'
  | 'breaker-open'
  | 'breaker-tripped'
  | 'breaker-not-tripped'
  | 'bad-batch'
  | 'newest-version'
  | 'too-many-datasets'
  | 'storage-failed'
  | 'snapshot-moved'
  | 'writer-ended'
  | 'closed'

export interface LogErrorFields {
  readonly details?: Readonly<Record<string, unknown>>
  /** What to do about it. */
  readonly hint?: string
  readonly cause?: unknown
}

export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly hint: string | undefined

  constructor(code: LogErrorCode, message: string, { details = {}, hint, cause }: LogErrorFields = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
    this.hint = hint
  }
}

/** What of an error may cross between threads. */
export interface ErrorText {
  readonly code: LogErrorCode
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly hint: string | undefined
}

export function toErrorText(error: unknown): ErrorText {
  if (error instanceof LogError) {
    return { code: error.code, message: error.message, details: error.details, hint: error.hint }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'storage-failed', message, details: {}, hint: undefined }
}

export function fromErrorText({ code, message, details, hint }: ErrorText): LogError {
  return new LogError(code, message, { details, ...(hint === undefined ? {} : { hint }) })
}
