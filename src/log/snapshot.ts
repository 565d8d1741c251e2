/** A consistent view of a log: one read transaction, held from opening to renewing or closing. */

import { unseal } from './checksum.ts'
import type { DatasetDocument, DatasetView, Snapshot } from './contract.ts'
import { OpenDataset } from './dataset-view.ts'
import type { DocumentCache, DocumentsThen } from './document-cache.ts'
import { nameKey, readText, readTexts } from './documents.ts'
import { type Environment, get, type ReadTransaction, rowsOf } from './environment.ts'
import { LogError } from './errors.ts'
import { prefixEnd } from './keys.ts'

/** Rows read in one go; between two goes nothing of LMDB is open but the transaction. */
const ROWS = 256

export class OpenSnapshot implements Snapshot {
  readonly environment: Environment
  readonly #documents: DocumentCache
  readonly #onClose: () => void
  #transaction: ReadTransaction | null
  #then: DocumentsThen | null = null
  #moves = 0

  constructor(environment: Environment, documents: DocumentCache, onClose: () => void) {
    this.environment = environment
    this.#documents = documents
    this.#onClose = onClose
    this.#transaction = environment.read()
  }

  /** Throws `closed` when the snapshot is. */
  get transaction(): ReadTransaction {
    if (this.#transaction === null) throw new LogError('closed', 'The snapshot is closed.')
    return this.#transaction
  }

  /** Grows when the snapshot moves; who goes on reading where it was before is told so. */
  get moves(): number {
    return this.#moves
  }

  datasets(): readonly DatasetDocument[] {
    return this.#all().all()
  }

  dataset(id: string): DatasetView | undefined {
    const document = this.#all().get(id)
    return document === undefined ? undefined : new OpenDataset(this, document)
  }

  offset(name: string): string | undefined {
    return readText(this.environment.tables.offset, nameKey('', name), this.transaction)
  }

  offsets(prefix: string): readonly (readonly [name: string, value: string])[] {
    return readTexts(this.environment.tables.offset, Buffer.from(prefix), this.transaction)
  }

  meta(name: string): string | undefined {
    return readText(this.environment.tables.meta, nameKey('m', name), this.transaction)
  }

  state(key: Uint8Array): Uint8Array | undefined {
    const row = get(this.environment.tables.state, key, this.transaction)
    return row === undefined ? undefined : Uint8Array.from(unseal(row, row.length, 'a state entry'))
  }

  *states(prefix: Uint8Array, after?: Uint8Array): Iterable<readonly [key: Uint8Array, value: Uint8Array]> {
    const end = prefixEnd(prefix)
    let start: Uint8Array = prefix.length === 0 ? Buffer.from([0]) : prefix
    if (after !== undefined) start = Buffer.concat([after, ZERO])
    const here = this.#moves
    for (;;) {
      this.checkStill(here)
      const range = { start, end, limit: ROWS, transaction: this.transaction }
      const rows = rowsOf(this.environment.tables.state, range)
      for (const { key, value } of rows) {
        yield [key, unseal(value, value.length, 'a state entry')] as const
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < ROWS) return
      start = Buffer.concat([last.key, ZERO])
    }
  }

  renew(): void {
    this.environment.release(this.transaction)
    this.#transaction = null
    this.#transaction = this.environment.read()
    this.#then = null
    this.#moves++
  }

  close(): void {
    if (this.#transaction === null) return
    this.environment.release(this.#transaction)
    this.#transaction = null
    this.#onClose()
  }

  /** Throws when the snapshot is not where it was. */
  checkStill(moves: number): void {
    if (moves === this.#moves) return
    throw new LogError('snapshot-moved', 'The snapshot was renewed while something was still being read from it.', {
      hint: 'Finish reading, or start again after renewing.',
    })
  }

  #all(): DocumentsThen {
    const { transaction } = this
    this.#then ??= this.#documents.at(transaction)
    return this.#then
  }
}

/** A key with this after it is the next possible key. */
const ZERO = Buffer.from([0])
