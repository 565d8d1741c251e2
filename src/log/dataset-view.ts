/** One dataset in a snapshot. Rows are read in chunks, so that between two versions no cursor is open. */

import { Block } from './block.ts'
import { broken } from './checksum.ts'
import type { DatasetCounts, DatasetView, Place, Staging, SubsetKey, UncommittedView, Version } from './contract.ts'
import { numberKey, readCounts, readRemnants, readText, type StoredDocument } from './documents.ts'
import { get, keysIn, rowsOf } from './environment.ts'
import { decodeId, encodeId } from './ids.ts'
import type { JsonChunks } from './json-chunks.ts'
import {
  bounded,
  datasetKey,
  indexKey,
  isShortened,
  isShortenedValue,
  latestKey,
  latestKeyOf,
  logKey,
  prefixEnd,
  sequenceOf,
  valuePart,
  valuePrefix,
} from './keys.ts'
import { LatestRow } from './latest.ts'
import { readLongParts } from './long-parts.ts'
import type { OpenSnapshot } from './snapshot.ts'
import { isStaging, readStaging, stagingNumber } from './staging.ts'
import { type SubsetRange, type SubsetRows, subsetChanges, subsetMembers } from './subset.ts'
import { withStaged } from './uncommitted.ts'

/** Blocks of the first chunk of a scan; it doubles up to the most. */
const FIRST_BLOCKS = 1
const MOST_BLOCKS = 32
/** Ids read ahead by a walk over the entities. */
const IDS = 128
/** Ids of a page of a lookup. */
const IDS_PAGE = 1_000
/** Ids read ahead where content is not looked at. */
const HEADS = 1_000
/** Where the id begins in a key of `latest`. */
const ID_START = 4
/** Blocks kept during such a walk: neighbours in id order are often neighbours in time. */
const KEPT_BLOCKS = 64

interface ChangesOptions {
  readonly history?: boolean
  readonly reverse?: boolean
  readonly limit?: number
  readonly to?: number | undefined
}

type Accepts = (block: Block, entry: number, sequence: number) => boolean

interface Head {
  readonly id: string
  readonly sequence: number
  readonly deleted: boolean
}

export class OpenDataset implements DatasetView {
  readonly document: StoredDocument
  readonly #snapshot: OpenSnapshot
  readonly #number: number
  readonly #row = new LatestRow()

  constructor(snapshot: OpenSnapshot, document: StoredDocument) {
    this.#snapshot = snapshot
    this.document = document
    this.#number = document.number
  }

  counts(): DatasetCounts {
    const { end, existing, deleted, versions } = readCounts(this.#tables.meta, this.#number, this.#transaction)
    return { end, existing, deleted, versions }
  }

  staging(): Staging | undefined {
    return readStaging(this.#tables.meta, this.#number, this.#transaction)
  }

  withUncommitted(): UncommittedView {
    const staging = this.staging()
    if (staging === undefined || staging.state === 'undoing') return this
    const document = { ...this.document, number: stagingNumber(this.#number) }
    return withStaged(this, new OpenDataset(this.#snapshot, document))
  }

  latest(id: string): Version | undefined {
    const row = this.#latestRow(id)
    if (row === undefined) return undefined
    const { sequence, block: first } = row
    const block = this.#block(first)
    const entry = block.find(sequence)
    if (entry < 0) throw this.#missing(sequence)
    return block.versionAt(entry, true)
  }

  latestReader(): (id: string) => Version | undefined {
    const here = this.#snapshot.moves
    const kept = new Map<number, Block>()
    return (id) => {
      this.#snapshot.checkStill(here)
      const row = this.#latestRow(id)
      if (row === undefined) return undefined
      const { sequence } = row
      const block = this.#keptBlock(row.block, kept)
      const entry = block.find(sequence)
      if (entry < 0) throw this.#missing(sequence)
      return block.versionAt(entry)
    }
  }

  head(id: string): { readonly sequence: number; readonly hash: string; readonly deleted: boolean } | undefined {
    const row = this.#latestRow(id)
    return row === undefined ? undefined : { sequence: row.sequence, hash: row.hash, deleted: row.deleted }
  }

  version(sequence: number): Version | undefined {
    const first = this.#blockOf(sequence)
    if (first === undefined) return undefined
    const block = this.#block(first)
    const entry = block.find(sequence)
    return entry < 0 ? undefined : block.versionAt(entry, true)
  }

  *places(since: number | null): Generator<Place> {
    const here = this.#snapshot.moves
    for (const block of this.#blocks(since)) {
      for (let entry = 0; entry < block.count; entry++) {
        if (since !== null && block.sequenceAt(entry) <= since) continue
        yield placeOf(block, entry)
        this.#snapshot.checkStill(here)
      }
    }
  }

  *placesAt(sequences: Iterable<number>): Generator<Place> {
    for (const [block, entry] of this.#entriesAt(sequences)) yield placeOf(block, entry)
  }

  *versionsAt(sequences: Iterable<number>): Generator<Version> {
    for (const [block, entry] of this.#entriesAt(sequences)) yield block.versionAt(entry)
  }

  *#entriesAt(sequences: Iterable<number>): Generator<readonly [block: Block, entry: number]> {
    const here = this.#snapshot.moves
    let block: Block | undefined
    let end = 0
    for (const sequence of sequences) {
      if (block === undefined || sequence < block.first || sequence >= end) {
        const first = this.#blockOf(sequence)
        if (first === undefined) continue
        block = this.#ownBlock(first)
        end = block.sequenceAt(block.count - 1) + 1
      }
      const entry = block.find(sequence)
      if (entry < 0) continue
      yield [block, entry]
      this.#snapshot.checkStill(here)
    }
  }

  compacted(): string | undefined {
    return readText(this.#tables.meta, numberKey('p', this.#number), this.#transaction)
  }

  remnants(): readonly number[] {
    return readRemnants(this.#tables.meta, this.#number, this.#transaction)
  }

  *changes(
    since: number | null,
    { history = true, reverse = false, limit = Number.POSITIVE_INFINITY, to }: ChangesOptions = {},
  ): Generator<Version> {
    let left = limit
    if (left <= 0) return
    const accepts: Accepts =
      history || this.#hasOneVersionOfEach()
        ? () => true
        : (block, entry, sequence) => this.#isLatest(block, entry, sequence)
    for (const version of this.#walk({ since, reverse, to }, accepts)) {
      yield version
      if (--left <= 0) return
    }
  }

  jsonInto(
    chunks: JsonChunks,
    since: number | null,
    { history, deleted, to, limit }: Parameters<DatasetView['jsonInto']>[2],
  ): { reached: number; added: number } {
    let added = 0
    for (const block of this.#blocks(since)) {
      for (let entry = 0; entry < block.count; entry++) {
        const sequence = block.sequenceAt(entry)
        if (since !== null && sequence <= since) continue
        if (sequence > to) return { reached: to, added }
        const isWanted = history || ((deleted || !block.deletedAt(entry)) && this.#isLatest(block, entry, sequence))
        if (!isWanted) continue
        chunks.addFrom(block, entry)
        if (++added === limit) return { reached: sequence, added }
      }
    }
    return { reached: to, added }
  }

  *#walk({ since, reverse, to }: SubsetRange, accepts: Accepts): Generator<Version> {
    const here = this.#snapshot.moves
    for (const block of reverse ? this.#blocksBackwards(since) : this.#blocks(since)) {
      for (let i = 0; i < block.count; i++) {
        const entry = reverse ? block.count - 1 - i : i
        const sequence = block.sequenceAt(entry)
        if (since !== null && (reverse ? sequence >= since : sequence <= since)) continue
        if (to !== undefined && (reverse ? sequence < to : sequence > to)) return
        if (!accepts(block, entry, sequence)) continue
        yield block.versionAt(entry)
        this.#snapshot.checkStill(here)
      }
    }
  }

  *entities({ after: afterId, deleted = true }: { after?: string; deleted?: boolean } = {}): Generator<Version> {
    const here = this.#snapshot.moves
    const end = prefixEnd(datasetKey(this.#number))
    let start = afterId === undefined ? datasetKey(this.#number) : next(latestKey(this.#number, encodeId(afterId)))
    const kept = new Map<number, Block>()
    for (let chunk = 8; ; chunk = Math.min(2 * chunk, IDS)) {
      const rows = rowsOf(this.#tables.latest, { start, end, limit: chunk, transaction: this.#transaction })
      for (const { value } of rows) {
        const row = this.#row.read(value, value.length, this.#number)
        if (row.deleted && !deleted) continue
        const { sequence, block: first } = row
        const block = this.#keptBlock(first, kept)
        const entry = block.find(sequence)
        if (entry < 0) throw this.#missing(sequence)
        yield block.versionAt(entry)
        this.#snapshot.checkStill(here)
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < chunk) return
      start = next(last.key)
    }
  }

  *heads({ after: afterId, deleted = true }: { after?: string; deleted?: boolean } = {}): Generator<Head> {
    const here = this.#snapshot.moves
    const end = prefixEnd(datasetKey(this.#number))
    let start = afterId === undefined ? datasetKey(this.#number) : next(latestKey(this.#number, encodeId(afterId)))
    for (let chunk = 8; ; chunk = Math.min(2 * chunk, HEADS)) {
      const rows = rowsOf(this.#tables.latest, { start, end, limit: chunk, transaction: this.#transaction })
      for (const { key, value } of rows) {
        const row = this.#row.read(value, value.length, this.#number)
        if (row.deleted && !deleted) continue
        const { sequence, block } = row
        const head = { sequence, deleted: row.deleted }
        // The key of a long id is a hash; its text stands in the block.
        const id = isShortened(key, ID_START) ? this.#idAt(block, sequence) : decodeId(key as Buffer, ID_START)
        yield { id, ...head }
        this.#snapshot.checkStill(here)
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < chunk) return
      start = next(last.key)
    }
  }

  lookup(index: number, key: Uint8Array, { deleted = false } = {}): readonly string[] {
    const ids: string[] = []
    const value = valuePart(key)
    const isOrdered = this.#idsOf(index, false, key, value, ids)
    if (!deleted) return isOrdered ? ids : inOrder(ids)
    const live = ids.length
    const isDeletedOrdered = this.#idsOf(index, true, key, value, ids)
    return isOrdered && isDeletedOrdered && (live === 0 || live === ids.length) ? ids : inOrder(ids)
  }

  *lookupPages(
    index: number,
    key: Uint8Array,
    { after, size = IDS_PAGE, deleted = false }: { after?: string | undefined; size?: number; deleted?: boolean } = {},
  ): Generator<readonly string[]> {
    const here = this.#snapshot.moves
    const value = valuePart(key)
    const prefix = valuePrefix(this.#number, index, deleted, value)
    const end = prefixEnd(prefix)
    let start: Buffer | undefined
    if (after !== undefined) start = next(indexKey(this.#number, index, deleted, value, bounded(encodeId(after))))
    for (;;) {
      const range = { start: start ?? prefix, end, limit: size, transaction: this.#transaction }
      const keys = keysIn(this.#tables.index, range)
      const ids: string[] = []
      for (const found of keys) this.#addId(found, prefix.length, key, value, ids)
      if (ids.length > 0) yield ids
      this.#snapshot.checkStill(here)
      const last = keys.at(-1)
      if (last === undefined || keys.length < size) return
      start = next(last)
    }
  }

  *subset(
    part: SubsetKey,
    since: number | null,
    { reverse = false, members, to }: { reverse?: boolean; members?: Float64Array | null; to?: number } = {},
  ): Generator<Version> {
    const here = this.#snapshot.moves
    const known = members === undefined ? this.subsetMembers(part, since, { reverse }) : members
    for (const version of subsetChanges(this.#rows(), part, { since, reverse, to }, known)) {
      yield version
      this.#snapshot.checkStill(here)
    }
  }

  subsetMembers(part: SubsetKey, since: number | null, { reverse = false } = {}): Float64Array | null {
    return subsetMembers(this.#rows(), part, since, reverse)
  }

  #rows(): SubsetRows {
    let kept: Block | undefined
    return {
      dataset: this.#number,
      end: this.counts().end,
      tables: this.#tables,
      transaction: this.#transaction,
      latestAt: (key) => this.#latestAt(key),
      latestOf: (id) => this.#latestRow(decodeId(id)),
      latest: (id) => this.latest(id),
      version: (sequence) => this.version(sequence),
      versionNear: (sequence) => {
        let entry = kept === undefined ? -1 : kept.find(sequence)
        if (entry < 0) {
          const first = this.#blockOf(sequence)
          if (first === undefined) return undefined
          kept = this.#ownBlock(first)
          entry = kept.find(sequence)
        }
        return entry < 0 ? undefined : kept?.versionAt(entry)
      },
      walk: (range, accepts) => this.#walk(range, accepts),
    }
  }

  /** Adds the ids to `ids`; false when they are not in order, for the keys of long ids end in a hash. */
  #idsOf(index: number, deleted: boolean, key: Uint8Array, value: Buffer, ids: string[]): boolean {
    const prefix = valuePrefix(this.#number, index, deleted, value)
    const range = { start: prefix, end: prefixEnd(prefix), transaction: this.#transaction }
    let isOrdered = true
    for (const found of keysIn(this.#tables.index, range)) {
      if (!this.#addId(found, prefix.length, key, value, ids)) isOrdered = false
    }
    return isOrdered
  }

  /** Adds the id of an index row, unless its shortened value is another one's; false when its key does not tell its order. */
  #addId(found: Buffer, idStart: number, key: Uint8Array, value: Buffer, ids: string[]): boolean {
    const isLongId = isShortened(found, idStart)
    const isLongValue = isShortenedValue(value)
    if (!isLongId && !isLongValue) {
      ids.push(decodeId(found, idStart))
      return true
    }
    const row = get(this.#tables.index, found, this.#transaction) as Buffer
    const long = readLongParts(row.subarray(0, row.length), this.#number)
    if (!isLongValue || long.value.equals(key)) ids.push(isLongId ? decodeId(long.id) : decodeId(found, idStart))
    return !isLongId
  }

  get #tables() {
    return this.#snapshot.environment.tables
  }

  get #transaction() {
    return this.#snapshot.transaction
  }

  #latestRow(id: string): LatestRow | undefined {
    const row = get(this.#tables.latest, latestKeyOf(this.#number, id), this.#transaction)
    if (row === undefined) return undefined
    const known = this.#row.read(row, row.length, this.#number)
    // A long id's key is a hash: the full text decides.
    return known.isLong && !known.isOf(encodeId(id)) ? undefined : known
  }

  #latestAt(key: Buffer): LatestRow | undefined {
    const row = get(this.#tables.latest, key, this.#transaction)
    return row === undefined ? undefined : this.#row.read(row, row.length, this.#number)
  }

  /** Then nothing is superseded, and no version has to be asked: each id has one at least. */
  #hasOneVersionOfEach(): boolean {
    const { existing, deleted, versions } = this.counts()
    return versions === existing + deleted && !isStaging(this.#number)
  }

  #isLatest(block: Block, entry: number, sequence: number): boolean {
    return this.#latestAt(latestKey(this.#number, block.idBytesAt(entry)))?.sequence === sequence
  }

  /** A block in memory that the next read overwrites. */
  #block(first: number): Block {
    const row = get(this.#tables.log, logKey(this.#number, first), this.#transaction)
    if (row === undefined) throw this.#missing(first)
    return new Block(row, row.length, this.#number, first)
  }

  #keptBlock(first: number, kept: Map<number, Block>): Block {
    let block = kept.get(first)
    if (block !== undefined) return block
    block = this.#ownBlock(first)
    if (kept.size >= KEPT_BLOCKS) kept.delete(kept.keys().next().value as number)
    kept.set(first, block)
    return block
  }

  /** A block in memory of its own. */
  #ownBlock(first: number): Block {
    const row = get(this.#tables.log, logKey(this.#number, first), this.#transaction)
    if (row === undefined) throw this.#missing(first)
    return new Block(Buffer.from(row.subarray(0, row.length)), row.length, this.#number, first)
  }

  #idAt(first: number, sequence: number): string {
    const block = this.#block(first)
    const entry = block.find(sequence)
    if (entry < 0) throw this.#missing(sequence)
    return block.versionAt(entry).id
  }

  /** Key of the block in which a sequence lies, if it is anywhere. */
  #blockOf(sequence: number): number | undefined {
    const [key] = keysIn(this.#tables.log, {
      start: logKey(this.#number, sequence),
      end: before(this.#number),
      reverse: true,
      limit: 1,
      transaction: this.#transaction,
    })
    return key === undefined ? undefined : sequenceOf(key)
  }

  *#blocks(since: number | null): Generator<Block> {
    const here = this.#snapshot.moves
    const end = prefixEnd(datasetKey(this.#number))
    let start = logKey(this.#number, since === null || since < 0 ? 0 : (this.#blockOf(since + 1) ?? 0))
    for (let chunk = FIRST_BLOCKS; ; chunk = Math.min(2 * chunk, MOST_BLOCKS)) {
      this.#snapshot.checkStill(here)
      const rows = rowsOf(this.#tables.log, { start, end, limit: chunk, transaction: this.#transaction })
      for (const { key, value } of rows) yield new Block(value, value.length, this.#number, sequenceOf(key))
      const last = rows.at(-1)
      if (last === undefined || rows.length < chunk) return
      start = next(last.key)
    }
  }

  *#blocksBackwards(below: number | null): Generator<Block> {
    const here = this.#snapshot.moves
    const end = before(this.#number)
    if (below !== null && below <= 0) return
    let start = below === null ? LAST(this.#number) : logKey(this.#number, below - 1)
    for (let chunk = FIRST_BLOCKS; ; chunk = Math.min(2 * chunk, MOST_BLOCKS)) {
      this.#snapshot.checkStill(here)
      const range = { start, end, limit: chunk, reverse: true, transaction: this.#transaction }
      const rows = rowsOf(this.#tables.log, range)
      for (const { key, value } of rows) yield new Block(value, value.length, this.#number, sequenceOf(key))
      const last = rows.at(-1)
      if (last === undefined || rows.length < chunk || sequenceOf(last.key) === 0) return
      start = logKey(this.#number, sequenceOf(last.key) - 1)
    }
  }

  #missing(sequence: number): Error {
    return broken(`version ${sequence} of dataset '${this.document.id}'`, { dataset: this.document.id, sequence })
  }
}

const placeOf = (block: Block, entry: number): Place => ({
  id: decodeId(block.idBytesAt(entry)),
  sequence: block.sequenceAt(entry),
  previous: block.previousAt(entry),
  deleted: block.deletedAt(entry),
  ts: block.ts,
  block: block.first,
  blockBytes: block.length,
})

/** UTF-8 bytes have the order of code points. */
const inOrder = (ids: readonly string[]): string[] =>
  ids
    .map((id) => [id, encodeId(id)] as const)
    .sort(([, a], [, b]) => Buffer.compare(a, b))
    .map(([id]) => id)

/** The next possible key. */
const next = (key: Uint8Array): Buffer => Buffer.concat([key, ZERO])
const ZERO = Buffer.from([0])

/** Below the first row of a dataset in the `log` table, as an exclusive end. */
const before = (dataset: number): Buffer => datasetKey(dataset)
const LAST = (dataset: number): Buffer => logKey(dataset, 2 ** 48 - 1)
