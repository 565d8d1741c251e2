/** Compares the rows of a dataset's indexes with the keys that its ids hold: each held key has its row, and there are no others. */

import type { IndexDocument } from '../contract.ts'
import type { StoredDocument } from '../documents.ts'
import { get, keysIn, type Table } from '../environment.ts'
import {
  datasetKey,
  indexKey,
  indexPrefix,
  isShortened,
  isShortenedValue,
  prefixEnd,
  valuePart,
  valuePartLength,
} from '../keys.ts'
import { type HeldKey, LatestRow } from '../latest.ts'
import { readLongParts } from '../long-parts.ts'
import type { Findings, Place, Walked } from './finding.ts'
import { type Walk, type WalkedRow, walkRows } from './rows.ts'
import type { Sweeps } from './verify.ts'

/** Where the value begins in an index row's key. */
const VALUE = 8

export class IndexWalk {
  readonly #walk: Walk
  readonly #document: StoredDocument
  readonly #number: number
  readonly #sweeps: Sweeps
  readonly #findings: Findings
  readonly #walked: Walked
  readonly #row = new LatestRow()
  readonly #known: ReadonlyMap<number, IndexDocument>
  /** Held keys of each index that have their row. */
  readonly #held = new Map<number, number>()

  constructor(walk: Walk, document: StoredDocument, sweeps: Sweeps, findings: Findings, walked: Walked) {
    this.#walk = walk
    this.#document = document
    this.#number = document.number
    this.#sweeps = sweeps
    this.#findings = findings
    this.#walked = walked
    this.#known = new Map(document.indexes.map((index) => [index.number, index]))
  }

  /** Whether an id that holds `held` has exactly these keys in an index. */
  holds(held: readonly HeldKey[], index: number, keys: readonly Uint8Array[]): boolean {
    const has = new Set(held.filter((one) => one.index === index).map(({ value }) => value.toString('latin1')))
    const wanted = new Set(keys.map((key) => valuePart(key).toString('latin1')))
    return has.size === wanted.size && [...wanted].every((key) => has.has(key))
  }

  /** Looks for the rows of the keys that an id holds. Keys of indexes that are gone go with the id's next version. */
  hold(id: Buffer, row: LatestRow): void {
    for (const { index, value } of row.keys()) {
      if (!this.#known.has(index)) continue
      const key = indexKey(this.#number, index, row.deleted, value, id)
      if (get(this.#walk.environment.tables.index, key, this.#walk.transaction) === undefined) {
        this.#add('A key that an id holds has no row in the index.', index, key)
      } else {
        this.#held.set(index, (this.#held.get(index) ?? 0) + 1)
      }
    }
  }

  /** Call it when `latest` was walked. */
  async all(): Promise<void> {
    for (const number of this.#known.keys()) {
      const rows = await this.#each(number, (row) => this.#readable(row))
      if (rows !== (this.#held.get(number) ?? 0)) await this.#each(number, (row) => this.#isHeld(row))
    }
    await this.#strays()
  }

  async #each(index: number, one: (row: WalkedRow) => void): Promise<number> {
    let count = 0
    for (const deleted of [false, true]) {
      const prefix = indexPrefix(this.#number, index, deleted)
      for await (const rows of walkRows(this.#walk, 'index', prefix, prefixEnd(prefix))) {
        rows.forEach(one)
        count += rows.length
      }
    }
    return count
  }

  #readable({ key, value }: WalkedRow): void {
    this.#walked.indexRows++
    try {
      if (!Buffer.isBuffer(value)) throw value
      const part = key.subarray(VALUE, VALUE + valuePartLength(key, VALUE))
      if (!isShortened(key, VALUE + part.length) && !isShortenedValue(part)) return
      readLongParts(value, this.#number)
    } catch (error) {
      this.#findings.add('unreadable', (error as Error).message, this.#place(indexOf(key), key))
    }
  }

  /** That the row is one of a key that its id holds: looked at only when the counts differ. */
  #isHeld({ key }: WalkedRow): void {
    const end = VALUE + valuePartLength(key, VALUE)
    const value = key.subarray(VALUE, end)
    const latest = Buffer.concat([datasetKey(this.#number), key.subarray(end)])
    try {
      const found = get(this.#walk.environment.tables.latest, latest, this.#walk.transaction)
      const row = found === undefined ? undefined : this.#row.read(found, found.length, this.#number)
      const isHeld = row?.keys().some((held) => held.index === indexOf(key) && held.value.equals(value))
      if (isHeld === true && row?.deleted === isOfDeleted(key)) return
      this.#add('It has a row of a key that its id does not hold.', indexOf(key), key)
    } catch {
      // The row in `latest` cannot be read: that is told where it lies.
    }
  }

  /** Rows of indexes that do not exist: one look for each number. */
  async #strays(): Promise<void> {
    const { environment, transaction } = this.#walk
    const end = prefixEnd(datasetKey(this.#number))
    for (let from: Buffer | undefined = datasetKey(this.#number); from !== undefined; ) {
      await this.#walk.breathe()
      const key = firstKey(environment.tables.index, { start: from, end, limit: 1, transaction })
      if (key === undefined) return
      const index = key.length < VALUE ? -1 : indexOf(key)
      if (!this.#known.has(index) && !this.#sweeps.indexes.has(`${this.#number} ${index}`)) {
        this.#findings.add(
          'stray',
          `It holds rows of index number ${index}, which does not exist.`,
          this.#place(index, key),
        )
      }
      from = index < 0 ? undefined : prefixEnd(indexPrefix(this.#number, index, true))
    }
  }

  #add(message: string, index: number, key: Buffer): void {
    this.#findings.add('index', message, this.#place(index, key))
  }

  #place(index: number, key: Buffer): Place {
    const expression = this.#known.get(index)?.expression ?? `number ${index}`
    return { table: 'index', dataset: this.#document.id, index: expression, key: key.toString('hex') }
  }
}

type Range = Parameters<Table['getKeys']>[0]
const firstKey = (table: Table, range: Range): Buffer | undefined => keysIn(table, range)[0]

const markOf = (key: Buffer): number => key.readUInt32BE(4)
const indexOf = (key: Buffer): number => markOf(key) >>> 1
const isOfDeleted = (key: Buffer): boolean => (markOf(key) & 1) === 1
