/** A look at a log that is bounded in time: its house, its documents and counts, and the head and tail of each table and dataset. */

import { Block } from '../block.ts'
import { readCounts, readDocuments, readHouse, readTexts } from '../documents.ts'
import { type Environment, get, openForReading, type ReadTransaction, rowsOf, type Table } from '../environment.ts'
import { encodeId } from '../ids.ts'
import { datasetKey, latestKey, prefixEnd, sequenceOf } from '../keys.ts'
import { LatestRow } from '../latest.ts'

/** Datasets are looked at until this much time has gone. */
const LOOK_MS = 500

export interface QuickMessage {
  readonly isSound: boolean
  readonly message: string
}

export function quickLook(path: string, lookMs = LOOK_MS): QuickMessage {
  try {
    const environment = openForReading(path)
    const transaction = environment.read()
    try {
      new Look(environment, transaction).all(performance.now() + lookMs)
    } finally {
      environment.release(transaction)
      void environment.close()
    }
    return { isSound: true, message: '' }
  } catch (error) {
    return { isSound: false, message: (error as Error).message }
  }
}

class Look {
  readonly #environment: Environment
  readonly #transaction: ReadTransaction

  constructor(environment: Environment, transaction: ReadTransaction) {
    this.#environment = environment
    this.#transaction = transaction
  }

  all(until: number): void {
    const { tables } = this.#environment
    readHouse(this.#environment, this.#transaction)
    const documents = readDocuments(this.#environment, this.#transaction)
    readTexts(tables.offset, NONE, this.#transaction)
    for (const name of ['log', 'latest', 'index', 'left', 'state'] as const) this.#ends(tables[name], FIRST, undefined)
    for (const { number } of documents) {
      if (performance.now() > until) return
      this.#dataset(number)
    }
  }

  #dataset(number: number): void {
    const { tables } = this.#environment
    const { end } = readCounts(tables.meta, number, this.#transaction)
    const start = datasetKey(number)
    const after = prefixEnd(start)
    const latest = new LatestRow()
    for (const { value } of this.#ends(tables.latest, start, after)) latest.read(value, value.length, number)
    this.#ends(tables.index, start, after)
    for (const { key, value } of this.#ends(tables.log, start, after)) {
      const block = new Block(value, value.length, number, sequenceOf(key))
      for (const entry of [0, block.count - 1]) {
        const { id, sequence } = block.versionAt(entry)
        const row = get(tables.latest, latestKey(number, encodeId(id)), this.#transaction)
        if (row === undefined || sequence >= end || latest.read(row, row.length, number).sequence < sequence) {
          throw new Error(`version ${sequence} of dataset number ${number} is not what \`latest\` and the counts say`)
        }
      }
    }
  }

  #ends(table: Table, start: Uint8Array, end: Uint8Array | undefined) {
    const transaction = this.#transaction
    const first = rowsOf(table, { start, end, limit: 1, transaction })
    // Backwards the begin is inclusive and the end exclusive as well.
    const from = end ?? LAST
    const last = rowsOf(table, { start: from, end: start, limit: 1, reverse: true, transaction })
    return [...first, ...last]
  }
}

const NONE = Buffer.alloc(0)
const FIRST = Buffer.from([0])
const LAST = Buffer.alloc(16, 0xff)
