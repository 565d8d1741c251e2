/** Rows of one kind: read from the store below, changed in memory, drained page by page to be committed. */

import type { ClassStore, RowChange } from './contract.ts'

/** How a kind of row lies in bytes. */
export interface RowCodec<T> {
  encode(row: T): string
  decode(text: string): T
}

interface Entry<T> {
  /** null: deleted. */
  readonly row: T | null
  /** The page of changes that carries it. */
  readonly page: number
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
    const bytes = this.#store.get(this.#bytesOf(key))
    return bytes === undefined ? undefined : this.#codec.decode(textOf(bytes))
  }

  put(key: string, row: T): void {
    this.#entries.set(key, { row, page: this.#page })
    this.#changed.add(key)
  }

  delete(key: string): void {
    this.#entries.set(key, { row: null, page: this.#page })
    this.#changed.add(key)
  }

  /** Up to `limit` rows in no particular order: what one page of work can take. */
  some(limit: number): (readonly [key: string, row: T])[] {
    const found: (readonly [string, T])[] = []
    for (const [bytes, value] of this.#store.range(Buffer.from(this.#kind))) {
      if (found.length >= limit) return found
      const key = textOf(bytes).slice(1)
      if (!this.#entries.has(key)) found.push([key, this.#codec.decode(textOf(value))])
    }
    for (const [key, { row }] of this.#entries) {
      if (found.length >= limit) return found
      if (row !== null) found.push([key, row])
    }
    return found
  }

  /** Adds the changes since the last drain to `page`, and counts them as that page's. */
  drain(page: number, changes: RowChange[]): void {
    for (const key of this.#changed) {
      const { row } = this.#entries.get(key) as Entry<T>
      changes.push([this.#bytesOf(key), row === null ? null : Buffer.from(this.#codec.encode(row))])
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

  #bytesOf(key: string): Uint8Array {
    return Buffer.from(this.#kind + key)
  }
}

export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
