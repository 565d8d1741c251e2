/** Rows of one kind: read from the store below, changed in memory, drained page by page to be committed. */

import type { ClassStore, RowChange } from './contract.ts'

/** How a kind of row lies in bytes. */
export interface RowCodec<T> {
  encode(row: T): string
  decode(text: string): T
}

interface Entry<T> {
  /** null: deleted. */
  row: T | null
  /** The page of changes that carries it. */
  page: number
  /** The page before which no store held the key; 0 when that is not known. */
  readonly born: number
}

/** A row that was read may be changed in place only by who puts it back. */
export class Table<T> {
  readonly #kind: string
  readonly #codec: RowCodec<T>
  readonly #store: ClassStore
  /** What the store does not hold yet, or not surely. */
  readonly #entries = new Map<string, Entry<T>>()
  readonly #pages: { readonly page: number; readonly keys: readonly string[] }[] = []
  #changed = new Set<string>()
  #page = 1

  /** `kind` is one character, which no other table of the store has. */
  constructor(kind: string, codec: RowCodec<T>, store: ClassStore) {
    this.#kind = kind
    this.#codec = codec
    this.#store = store
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry !== undefined) return entry.row ?? undefined
    const bytes = this.#store.get(this.#kind + key)
    return bytes === undefined ? undefined : this.#codec.decode(textOf(bytes))
  }

  put(key: string, row: T): void {
    this.#set(key, row, 0)
  }

  /** Puts a row whose key is not in the store. Deleted in the same page, it leaves no trace. */
  add(key: string, row: T): void {
    this.#set(key, row, this.#page)
  }

  delete(key: string): void {
    if (this.#entries.get(key)?.born === this.#page) {
      this.#entries.delete(key)
      this.#changed.delete(key)
    } else {
      this.#set(key, null, 0)
    }
  }

  #set(key: string, row: T | null, born: number): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      this.#entries.set(key, { row, page: this.#page, born })
    } else {
      entry.row = row
      entry.page = this.#page
    }
    this.#changed.add(key)
  }

  /** Up to `limit` rows in no particular order, of those whose key starts with the prefix: what one page of work can take. */
  some(limit: number, prefix = ''): (readonly [key: string, row: T])[] {
    const found: (readonly [string, T])[] = []
    for (const [stored, value] of this.#store.range(this.#kind + prefix)) {
      if (found.length >= limit) return found
      const key = stored.slice(1)
      if (!this.#entries.has(key)) found.push([key, this.#codec.decode(textOf(value))])
    }
    for (const [key, { row }] of this.#entries) {
      if (found.length >= limit) return found
      if (row !== null && key.startsWith(prefix)) found.push([key, row])
    }
    return found
  }

  /** Adds the changes since the last drain to `page`, and counts them as that page's. */
  drain(page: number, changes: RowChange[]): void {
    for (const key of this.#changed) {
      const { row } = this.#entries.get(key) as Entry<T>
      changes.push([this.#kind + key, row === null ? null : Buffer.from(this.#codec.encode(row))])
    }
    this.#pages.push({ page, keys: [...this.#changed] })
    this.#changed = new Set()
    this.#page = page + 1
  }

  /** The store holds the pages up to this one: their rows need not be kept here. */
  committed(page: number): void {
    for (let oldest = this.#pages[0]; oldest !== undefined && oldest.page <= page; oldest = this.#pages[0]) {
      for (const key of oldest.keys) {
        const entry = this.#entries.get(key)
        if (entry !== undefined && entry.page <= page) this.#entries.delete(key)
      }
      this.#pages.shift()
    }
  }
}

export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
