/**
 * Writes what a log has more than an earlier backup of it: for each dataset the versions since, as they lie in the log, with
 * what `latest`, the indexes and `left` say of their ids; offsets, state and meta in full. A dataset that does not simply
 * continue (made again, restored, entities erased or gone by compaction) is written whole.
 */

import { Block } from '../block.ts'
import { get, rowsOf, type Table } from '../environment.ts'
import { bounded, datasetKey, indexKey, latestKey, logKey, prefixEnd, sequenceOf } from '../keys.ts'
import { LatestRow } from '../latest.ts'
import { leftSince } from '../left.ts'
import type { OpenSnapshot } from '../snapshot.ts'
import { readStagings, stagingNumber } from '../staging.ts'
import { type Contents, type DatasetContents, isContinued } from './contents.ts'
import { KIND, type Kind, type RecordWriter } from './record-file.ts'

/** Rows read in one go. */
const ROWS = 256

export function writeIncrement(snapshot: OpenSnapshot, then: Contents, now: Contents, file: RecordWriter): void {
  new Increment(snapshot, file).all(new Map(then.datasets.map((one) => [one.id, one])), now.datasets)
}

class Increment {
  readonly #snapshot: OpenSnapshot
  readonly #file: RecordWriter
  readonly #row = new LatestRow()

  constructor(snapshot: OpenSnapshot, file: RecordWriter) {
    this.#snapshot = snapshot
    this.#file = file
  }

  all(then: ReadonlyMap<string, DatasetContents>, now: readonly DatasetContents[]): void {
    for (const dataset of now) {
      const before = then.get(dataset.id)
      const since = isContinued(before, dataset) && this.#isApart(dataset.number, before.end) ? before.end : null
      this.#file.add(KIND.dataset, NOTHING, Buffer.from(JSON.stringify({ number: dataset.number, since })))
      if (since === null) this.#whole(dataset.number)
      else this.#since(dataset.number, since)
    }
    const { offset, state, meta } = this.#snapshot.environment.tables
    // What circuit breakers hold back lies in hidden datasets: seldom any, and never for long.
    for (const { dataset } of readStagings(meta, this.#snapshot.transaction)) {
      const number = stagingNumber(dataset)
      this.#file.add(KIND.dataset, NOTHING, Buffer.from(JSON.stringify({ number, since: null })))
      this.#whole(number)
    }
    this.#rows(KIND.offset, offset, FIRST, undefined)
    this.#rows(KIND.state, state, FIRST, undefined)
    this.#rows(KIND.meta, meta, FIRST, undefined)
  }

  /** Whether no block holds versions from both sides of a sequence. */
  #isApart(number: number, since: number): boolean {
    if (since === 0) return true
    const last = rowsOf(this.#snapshot.environment.tables.log, {
      start: logKey(number, since - 1),
      end: datasetKey(number),
      reverse: true,
      limit: 1,
      transaction: this.#snapshot.transaction,
    })[0]
    if (last === undefined) return true
    const block = new Block(last.value, last.value.length, number, sequenceOf(last.key))
    return block.sequenceAt(block.count - 1) < since
  }

  #whole(number: number): void {
    const { log, latest, index, left } = this.#snapshot.environment.tables
    const start = datasetKey(number)
    const end = prefixEnd(start)
    this.#rows(KIND.log, log, start, end)
    this.#rows(KIND.latest, latest, start, end)
    this.#rows(KIND.index, index, start, end)
    this.#rows(KIND.left, left, start, end)
  }

  #since(number: number, since: number): void {
    const { log, left } = this.#snapshot.environment.tables
    for (const { key, value } of this.#range(log, logKey(number, since), prefixEnd(datasetKey(number)))) {
      this.#file.add(KIND.log, key, value)
      const block = new Block(value, value.length, number, sequenceOf(key))
      for (let entry = 0; entry < block.count; entry++) this.#latest(number, block, entry)
    }
    for (const { key, value } of leftSince(left, this.#snapshot.transaction, number, since)) {
      this.#file.add(KIND.left, key, value)
    }
  }

  /** What there is beside the log of an id whose newest version this is. */
  #latest(number: number, block: Block, entry: number): void {
    const { environment, transaction } = this.#snapshot
    const id = Buffer.from(block.idBytesAt(entry))
    const key = latestKey(number, id)
    const found = get(environment.tables.latest, key, transaction)
    if (found === undefined) return
    const row = this.#row.read(Buffer.from(found.subarray(0, found.length)), found.length, number)
    if (row.sequence !== block.sequenceAt(entry)) return
    // Checked, so that no damaged version goes into a backup.
    block.versionAt(entry)
    this.#file.add(KIND.latest, key, found.subarray(0, found.length))
    for (const { index, value } of row.keys()) {
      const indexRow = indexKey(number, index, row.deleted, value, bounded(id))
      const more = get(environment.tables.index, indexRow, transaction)
      if (more !== undefined) this.#file.add(KIND.index, indexRow, more.subarray(0, more.length))
    }
  }

  #rows(kind: Kind, table: Table, start: Uint8Array, end: Uint8Array | undefined): void {
    for (const { key, value } of this.#range(table, start, end)) this.#file.add(kind, key, value)
  }

  *#range(table: Table, start: Uint8Array, end: Uint8Array | undefined) {
    const { transaction } = this.#snapshot
    for (let from = start; ; ) {
      const rows = rowsOf(table, { start: from, end, limit: ROWS, transaction })
      yield* rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < ROWS) return
      from = Buffer.concat([last.key, ZERO])
    }
  }
}

const NOTHING = Buffer.alloc(0)
const ZERO = Buffer.from([0])
const FIRST = ZERO
