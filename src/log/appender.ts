/** Applies one batch to one dataset: compares, appends what changed, and keeps `latest`, the indexes and the counts true. */

import type { BatchReader, RecordKey } from './batch.ts'
import { BlockBuilder } from './block.ts'
import type { Counts } from './documents.ts'
import { get, type Tables } from './environment.ts'
import { LogError } from './errors.ts'
import type { Head } from './expectations.ts'
import { bounded, indexKey, isLong, latestKey, logKey, MAX_PART } from './keys.ts'
import { type HeldKey, LatestRow, LatestWriter } from './latest.ts'
import { forgetLeft, noteLeft } from './left.ts'
import { writeLongParts } from './long-parts.ts'
import { stampAt } from './stamps.ts'

const NONE: readonly never[] = []

export interface AppendOptions {
  readonly force: boolean
  readonly deletesOnlyExisting: boolean
  /** Of an id that has a version already, nothing is appended. */
  readonly ignoresSecond: boolean
  /** The dataset beside which this one is hidden: what is not here is compared with it. A hidden dataset has no indexes. */
  readonly beside: number | null
  /** The indexes of which it is noted who loses a key. */
  readonly fed: ReadonlySet<number>
}

export class Appender {
  readonly #tables: Tables
  readonly #blocks: BlockBuilder
  readonly #known = new LatestRow()
  readonly #latest = new LatestWriter()
  #dataset = 0

  constructor(tables: Tables) {
    this.#tables = tables
    this.#blocks = new BlockBuilder((first, block) => tables.log.put(logKey(this.#dataset, first), block))
  }

  /** Gives how many versions were appended. Only inside a write transaction. */
  append(
    dataset: number,
    counts: Counts,
    batch: BatchReader,
    ts: number,
    { force, deletesOnlyExisting, ignoresSecond, beside, fed }: AppendOptions,
  ): number {
    const { latest } = this.#tables
    const { source } = batch
    const begin = counts.end
    this.#dataset = dataset
    this.#blocks.begin(dataset, ts)
    batch.rewind()
    while (batch.next()) {
      const { deleted, id, hashStart } = batch
      const key = latestKey(dataset, id)
      const known = this.#read(key, id) ?? (beside === null ? undefined : this.#readOf(beside, id))
      let previous: number | null = null
      let held: readonly HeldKey[] = NONE
      let wasDeleted = false
      if (known === undefined) {
        if (deleted && deletesOnlyExisting) continue
      } else {
        // A new version only when the id is new, the hash differs, or the deleted state flips (hub.md §2.2).
        if (!force && known.hasHash(source, hashStart) && known.deleted === deleted) continue
        if (deleted && deletesOnlyExisting && known.deleted) continue
        if (ignoresSecond) continue
        previous = known.sequence
        if (known.hasKeys && beside === null) held = known.keys()
        wasDeleted = known.deleted
        uncount(counts, known)
      }
      const sequence = counts.end++
      const block = this.#blocks.add(sequence, previous, batch)
      const keys: readonly RecordKey[] = batch.keyCount === 0 || beside !== null ? NONE : batch.keys()
      if (held.length > 0 || keys.length > 0) {
        this.#reindex(id, held, wasDeleted, keys, deleted)
        if (fed.size > 0 && !wasDeleted) this.#noteLeft(id, held, deleted ? NONE : keys, fed, sequence)
      }
      latest.put(key, this.#latest.write(dataset, id, { sequence, block, deleted, hash: source, hashStart }, keys))
      count(counts, deleted, source, hashStart)
    }
    this.#blocks.flush()
    return counts.end - begin
  }

  /** The keys that these ids had at any time are not to be remembered. */
  forgetLeft(dataset: number, batch: BatchReader): void {
    batch.rewind()
    while (batch.next()) forgetLeft(this.#tables.left, dataset, batch.id)
  }

  /** Appends versions in the places that another log gave them; those below the end are there already. See stamps.ts. */
  appendStamped(
    dataset: number,
    counts: Counts,
    batch: BatchReader,
    stamps: Float64Array,
    fed: ReadonlySet<number>,
  ): number {
    const { source } = batch
    const before = counts.versions
    this.#dataset = dataset
    batch.rewind()
    let block = 0
    let blockTs = -1
    for (let place = 0; batch.next(); place++) {
      const { sequence, previous, ts } = stampAt(stamps, place)
      if (sequence < counts.end) continue
      const { deleted, id, hashStart } = batch
      const key = latestKey(dataset, id)
      const known = this.#read(key, id)
      const held = known?.keys() ?? NONE
      const wasDeleted = known?.deleted ?? false
      if (known !== undefined) uncount(counts, known)
      // A block has one time, and tells how far its versions are from its key in 16 bits.
      if (ts !== blockTs || sequence - block > 0xffff) {
        this.#blocks.flush()
        this.#blocks.begin(dataset, ts)
        blockTs = ts
      }
      block = this.#blocks.add(sequence, previous, batch)
      const keys = batch.keys()
      this.#reindex(id, held, wasDeleted, keys, deleted)
      if (fed.size > 0 && !wasDeleted) this.#noteLeft(id, held, deleted ? NONE : keys, fed, sequence)
      const version = { sequence, block, deleted, hash: source, hashStart }
      this.#tables.latest.put(key, this.#latest.write(dataset, id, version, keys))
      count(counts, deleted, source, hashStart)
      counts.end = sequence + 1
    }
    this.#blocks.flush()
    return counts.versions - before
  }

  /** The newest version of an id, for whoever only looks. */
  head(dataset: number, id: Buffer): Head | undefined {
    const known = this.#readOf(dataset, id)
    return known && { sequence: known.sequence, hash: known.hash, deleted: known.deleted }
  }

  /** Forgets what an aborted transaction left here. */
  reset(): void {
    this.#blocks.drop()
  }

  /**
   * Gives versions that were there before an index their keys in it. A version that is not the newest of its id any more
   * is passed over: the newer one came after the index, and brought its keys.
   */
  fill(dataset: number, index: number, entries: BatchReader): void {
    entries.rewind()
    this.#dataset = dataset
    while (entries.next()) {
      const { id } = entries
      const key = latestKey(dataset, id)
      const known = this.#read(key, id)
      if (known === undefined || known.sequence !== entries.sequence) continue
      const all = known.keys()
      const held = all.filter((one) => one.index === index)
      const keys = entries.keys()
      if (held.length === 0 && keys.length === 0) continue
      const { sequence, block, deleted } = known
      const hash = known.hashBytes()
      this.#reindex(id, held, deleted, keys, deleted)
      const others = all.filter((one) => one.index !== index)
      const version = { sequence, block, deleted, hash, hashStart: 0 }
      this.#tables.latest.put(key, this.#latest.write(dataset, id, version, [...others, ...keys]))
    }
  }

  /** Throws `id-collision` when a long id of the batch has the key of another one. */
  checkLongIds(dataset: number, batch: BatchReader): void {
    if (batch.longestId <= MAX_PART) return
    this.#dataset = dataset
    batch.rewind()
    while (batch.next()) if (batch.idLength > MAX_PART) this.#read(latestKey(dataset, batch.id), batch.id)
  }

  #readOf(dataset: number, id: Buffer): LatestRow | undefined {
    return this.#read(latestKey(dataset, id), id, dataset)
  }

  #read(key: Buffer, id: Buffer, dataset = this.#dataset): LatestRow | undefined {
    const row = get(this.#tables.latest, key)
    if (row === undefined) return undefined
    const known = this.#known.read(row, row.length, dataset)
    if (isLong(id) && !known.isOf(id)) {
      throw new LogError('id-collision', 'Two ids begin with the same 256 bytes and have the same 128-bit hash.', {
        details: { id: id.toString('utf8') },
        hint: 'Give one of the two entities another _id.',
      })
    }
    return known
  }

  /** Takes away the keys that are no longer held and adds the new ones; those that stay keep their rows. */
  #reindex(
    id: Buffer,
    held: readonly HeldKey[],
    wasDeleted: boolean,
    keys: readonly RecordKey[],
    deleted: boolean,
  ): void {
    const dataset = this.#dataset
    const { index } = this.#tables
    const idPart = bounded(id)
    const stays = held.length > 0 && wasDeleted === deleted ? new Set(keys.map(textOf)) : NOTHING
    for (const key of held) {
      if (!stays.has(textOf(key))) index.remove(indexKey(dataset, key.index, wasDeleted, key.value, idPart))
    }
    const was = stays === NOTHING ? NOTHING : new Set(held.map(textOf))
    for (const key of keys) {
      if (was.size > 0 && was.has(textOf(key))) continue
      index.put(indexKey(dataset, key.index, deleted, key.value, idPart), writeLongParts(id, key.full))
    }
  }

  /** Which subsets the id left with this version. */
  #noteLeft(
    id: Buffer,
    held: readonly HeldKey[],
    keys: readonly HeldKey[],
    fed: ReadonlySet<number>,
    sequence: number,
  ): void {
    const lost = held.filter(({ index }) => fed.has(index))
    if (lost.length === 0) return
    const still = keys.length === 0 ? NOTHING : new Set(keys.map(textOf))
    for (const key of lost) {
      if (!still.has(textOf(key))) noteLeft(this.#tables.left, this.#dataset, key.index, key.value, id, sequence)
    }
  }
}

const NOTHING: ReadonlySet<string> = new Set()

const textOf = ({ index, value }: HeldKey): string => `${index} ${value.toString('latin1')}`

/** Takes the newest version of an id out of the counts. */
export function uncount(counts: Counts, known: LatestRow): void {
  if (known.deleted) counts.deleted--
  else counts.existing--
  for (let lane = 0; lane < 4; lane++) counts.sums[lane] = (counts.sums[lane] as number) - known.lane(lane)
}

function count(counts: Counts, deleted: boolean, hash: Buffer, at: number): void {
  if (deleted) counts.deleted++
  else counts.existing++
  counts.versions++
  for (let lane = 0; lane < 4; lane++) {
    counts.sums[lane] = (counts.sums[lane] as number) + hash.readUInt32LE(at + 4 * lane)
  }
}
