/** What can go wrong while a program runs; mistakes in the program itself are problems, found before (dtl.md §15, §16). */

export type DtlErrorCode =
  /** `fail!` was reached: the whole run stops. */
  | 'fail'
  /** `trip!` was reached: the run stops, and the circuit breaker of its dataset trips. */
  | 'trip'
  /** A target or a created entity has no string `_id`. */
  | 'bad-id'
  /** An argument has a value that the function cannot do anything with, such as a step of 0. */
  | 'bad-argument'
  | 'recursion-too-deep'
  | 'too-much-work'
  /** The thread that does it would run out of memory. */
  | 'too-much-memory'
  /** Lists and dicts within one another, more than any reader takes. */
  | 'nested-too-deep'
  /** A hops collected more than the thresholds of the pipe allow. */
  | 'hops-threshold'
  /** A key or password is a secret that is not defined. */
  | 'missing-secret'
  /** An optional package is needed that is not installed. */
  | 'missing-package'
  /** The port to other datasets, or the engine, failed within the program; `cause` says how. */
  | 'failed'

/** An entity that could not be transformed (dtl.md §15). */
export class DtlError extends Error {
  override readonly name = 'DtlError'
  readonly code: DtlErrorCode
  readonly hint: string
  /** JSON pointer, below the transform object, of the transform that failed. */
  pointer = ''
  /** `_id` of the source entity. */
  entity: string | null = null
  /** What the step that failed was given, as JSON text, cut where it is long and with secrets masked. */
  values: readonly string[] = []

  constructor(code: DtlErrorCode, message: string, options: { readonly hint: string; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }

  get details(): Readonly<Record<string, unknown>> {
    const values = this.values.length === 0 ? {} : { values: this.values }
    return { pointer: this.pointer, entity: this.entity, ...values }
  }
}

/** The error of a transform: what was thrown within it, with the place of the innermost transform. */
export function located(thrown: unknown, pointer: string): DtlError {
  const error = thrown instanceof DtlError ? thrown : asDtlError(thrown)
  if (error.pointer === '') error.pointer = pointer
  return error
}

const STACK_OVERFLOW = 'Maximum call stack size exceeded'

function asDtlError(thrown: unknown): DtlError {
  // The engine's own limit comes first where rules nest expressions deeply, or on a small stack. No pattern is matched
  // here: there may be no room left for it.
  if (thrown instanceof RangeError && thrown.message === STACK_OVERFLOW) return tooDeep()
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new DtlError('failed', message, { hint: 'See the cause.', cause: thrown })
}

export const tooDeep = (): DtlError =>
  new DtlError('recursion-too-deep', 'Rules apply one another too deep.', {
    hint: 'End the recursion: apply the rule only to values that are there. A thousand levels are allowed.',
  })
