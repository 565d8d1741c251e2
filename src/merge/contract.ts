/** What the room needs from outside: a place for its rows. */

/** Committed rows by key. New ones are handed out by {@link ClassState.drain} for the caller to commit. Keys are texts of at most 1,000 bytes in UTF-8. */
export interface ClassStore {
  get(key: string): Uint8Array | undefined
  /** Rows whose key starts with the prefix, in code point order. */
  range(prefix: string): Iterable<readonly [key: string, value: Uint8Array]>
}

/** A row to be written, or with null to be deleted. */
export type RowChange = readonly [key: string, value: Uint8Array | null]

/** A member's place in the state: the position of its dataset as one character, then its id (or a mark and a hash of it). */
export type NodeKey = string
