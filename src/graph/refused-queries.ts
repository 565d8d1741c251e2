/** Queries that cost a thread lately: they are not run again for a while. */

import type { GraphQuery } from './contract.ts'
import { GraphError } from './errors.ts'

const REFUSED_MS = 5 * 60_000
const KEPT = 1_000

export class RefusedQueries {
  readonly #queries = new Map<string, { readonly timeoutMs: number; readonly until: number }>()

  add({ query, timeoutMs }: GraphQuery): void {
    this.#queries.delete(query)
    this.#queries.set(query, { timeoutMs, until: Date.now() + REFUSED_MS })
    const [oldest] = this.#queries.keys()
    if (this.#queries.size > KEPT && oldest !== undefined) this.#queries.delete(oldest)
  }

  /** Why the query is not run; null when it may be. */
  find({ query }: GraphQuery): GraphError | null {
    const refused = this.#queries.get(query)
    if (refused === undefined) return null
    const left = refused.until - Date.now()
    if (left <= 0) {
      this.#queries.delete(query)
      return null
    }
    const retryAfterSeconds = Math.ceil(left / 1_000)
    return new GraphError(
      'query-refused',
      'This query ended a thread of the graph lately, and is not run again so soon.',
      {
        hint: 'Make it more selective; as it is, it is refused for some minutes.',
        details: { retryAfterSeconds, timeoutMs: refused.timeoutMs },
      },
    )
  }
}
