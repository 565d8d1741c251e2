/** What can go wrong with RDF: text that is not what its format says, and things a format or an entity cannot say. */

export type RdfErrorCode =
  /** The text is not well formed; `details.line` says where, when it is known. */
  | 'bad-rdf'
  /** No format has that name, media type or file ending, or it can only be read. */
  | 'unknown-format'
  /** It is RDF, and the format or an entity has no way to say it. */
  | 'not-expressible'
  /** Statements about one thing lie apart where they were expected together. */
  | 'scattered'

export class RdfError extends Error {
  override readonly name = 'RdfError'
  readonly code: RdfErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly hint: string

  constructor(
    code: RdfErrorCode,
    message: string,
    options: { hint: string; details?: Readonly<Record<string, unknown>>; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
  }
}
