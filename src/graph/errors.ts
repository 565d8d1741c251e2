/** What can go wrong when the graph is asked. */

export type GraphErrorCode =
  /** It is being loaded or rebuilt: come back after `details.retryAfterSeconds`. */
  | 'graph-not-ready'
  /** The query took longer than it may. */
  | 'query-timeout'
  /** It did so a short while ago, and is not run again. */
  | 'query-refused'
  /** It is not SPARQL, or asks for what the hub does not do; `details` has line and column when they are known. */
  | 'query-invalid'
  /** The result cannot be written in the form that was asked for. */
  | 'not-acceptable'
  /** The graph broke under this query, or under another while this one waited. */
  | 'graph-lost'
  /** The graph is a projection: nobody writes to it. */
  | 'update-refused'

export interface GraphErrorFields {
  readonly hint: string
  readonly details?: Readonly<Record<string, unknown>>
}

export class GraphError extends Error {
  override readonly name = 'GraphError'
  readonly code: GraphErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly hint: string

  constructor(code: GraphErrorCode, message: string, { hint, details = {} }: GraphErrorFields) {
    super(message)
    this.code = code
    this.hint = hint
    this.details = details
  }
}
