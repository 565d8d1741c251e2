/** What the room needs from outside: a place for its rows. */

/** Committed rows by key. New ones are handed out by {@link ClassState.drain} for the caller to commit. Keys are texts of at most 1,000 bytes in UTF-8. */
export interface ClassStore {
  get(key: string): Uint8Array | undefined
  /** Rows whose key starts with the prefix, in code point order; with `after` only those behind that key. */
  range(prefix: string, after?: string): Iterable<readonly [key: string, value: Uint8Array]>
}

/** A row to be written, or with null to be deleted. */
export type RowChange = readonly [key: string, value: Uint8Array | null]

/** A member in the state: the number of its input as one character, then its id (or a mark and a hash of it). */
export type NodeKey = string
