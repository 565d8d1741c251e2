/** Walks one dataset: its log against `latest`, `latest` against the log and the indexes, and all of it against the counts. */

import { Block } from '../block.ts'
import type { DatasetView, Version } from '../contract.ts'
import { OpenDataset } from '../dataset-view.ts'
import { type Counts, noCounts, readCounts, type StoredDocument } from '../documents.ts'
import { get } from '../environment.ts'
import { encodeId } from '../ids.ts'
import { datasetKey, isLong, latestKey, logKey, prefixEnd, sequenceOf } from '../keys.ts'
import { LatestRow } from '../latest.ts'
import { partnerOf } from '../left.ts'
import type { OpenSnapshot } from '../snapshot.ts'
import { entityOf } from '../stored.ts'
import type { Findings, Place, Walked } from './finding.ts'
import { IndexWalk } from './index-walk.ts'
import { BrokenTable, type Walk, type WalkedRow, walkRows } from './rows.ts'
import type { Sweeps, VerifyOptions } from './verify.ts'

export class DatasetWalk {
  readonly #walk: Walk
  readonly #view: DatasetView
  readonly #document: StoredDocument
  readonly #number: number
  readonly #options: VerifyOptions
  readonly #findings: Findings
  readonly #walked: Walked
  readonly #indexes: IndexWalk
  readonly #row = new LatestRow()
  readonly #counted: Counts = noCounts()
  #counts: Counts | undefined
  /** Sequence of the version before, in the log. */
  #last = -1
  /** Versions that their `latest` row names. */
  #newest = 0

  constructor(
    walk: Walk,
    snapshot: OpenSnapshot,
    document: StoredDocument,
    sweeps: Sweeps,
    options: VerifyOptions,
    findings: Findings,
    walked: Walked,
  ) {
    this.#walk = walk
    // Not by its id: the documents of others may be damaged.
    this.#view = new OpenDataset(snapshot, document)
    this.#document = document
    this.#number = document.number
    this.#options = options
    this.#findings = findings
    this.#walked = walked
    this.#indexes = new IndexWalk(walk, document, sweeps, findings, walked)
  }

  async all(): Promise<void> {
    this.#counts = this.#readCounts()
    await this.#each('log', (row) => this.#block(row))
    await this.#each('latest', (row) => this.#latest(row))
    const ids = this.#counted.existing + this.#counted.deleted
    if (ids !== this.#newest) await this.#each('latest', (row) => this.#named(row))
    await this.#guarded('index', () => this.#indexes.all())
    await this.#each('left', (row) => this.#left(row))
    this.#compareCounts()
  }

  /** `_updated`, `_previous` and `latest` of each version of a block. */
  #block({ key, value }: WalkedRow): void {
    const first = sequenceOf(key)
    if (!Buffer.isBuffer(value)) {
      this.#unreadable(value, { sequence: first })
      return
    }
    let block: Block
    try {
      block = new Block(value, value.length, this.#number, first)
    } catch (error) {
      this.#unreadable(error as Error, { sequence: first })
      return
    }
    for (let entry = 0; entry < block.count; entry++) {
      const sequence = block.sequenceAt(entry)
      this.#walked.versions++
      this.#counted.versions++
      this.#inOrder(sequence)
      try {
        this.#version(block.versionAt(entry), first)
      } catch (error) {
        this.#unreadable(error as Error, { sequence })
      }
    }
  }

  #inOrder(sequence: number): void {
    if (sequence <= this.#last) {
      this.#add('sequence', `It comes after the sequence ${this.#last}.`, { sequence })
    }
    if (this.#counts !== undefined && sequence >= this.#counts.end) {
      this.#add('sequence', `The dataset ends before ${this.#counts.end}.`, { sequence })
    }
    this.#last = Math.max(this.#last, sequence)
  }

  #version(version: Version, block: number): void {
    const { id, sequence, previous } = version
    if (previous !== null) this.#checkPrevious(version, previous)
    const bytes = encodeId(id)
    const found = get(this.#walk.environment.tables.latest, latestKey(this.#number, bytes), this.#walk.transaction)
    if (found === undefined) {
      this.#add('latest', 'Its id has no row in `latest`.', { sequence, id })
      return
    }
    const row = this.#row.read(found, found.length, this.#number)
    if (isLong(bytes) && !row.isOf(bytes)) {
      this.#add('latest', 'The row of its id in `latest` is of another id.', { sequence, id })
      return
    }
    if (row.sequence < sequence) {
      this.#add('latest', `\`latest\` names the older version ${row.sequence}.`, { sequence, id })
      return
    }
    if (row.sequence > sequence) return
    this.#newest++
    if (row.hash !== version.hash || row.deleted !== version.deleted || row.block !== block) {
      this.#add('latest', '`latest` says another hash, state or block than its version.', { sequence, id })
    }
    this.#checkKeys(version, row)
  }

  #checkPrevious({ id, sequence }: Version, previous: number): void {
    if (previous >= sequence) {
      this.#add('previous', `Its _previous is ${previous}.`, { sequence, id })
      return
    }
    let before: Version | undefined
    try {
      before = this.#view.version(previous)
    } catch {
      // It cannot be read: that is told where it lies.
      return
    }
    if (before !== undefined && before.id !== id) {
      this.#add('previous', `Its _previous ${previous} is a version of '${before.id}'.`, { sequence, id })
    }
  }

  /** That the keys an id holds are those of its content. */
  #checkKeys(version: Version, row: LatestRow): void {
    const { keysOf } = this.#options
    const ready = this.#document.indexes.filter(({ state }) => state === 'ready')
    if (keysOf === undefined || ready.length === 0) return
    const held = row.keys()
    const entity = entityOf({ ...version, body: Uint8Array.from(version.body) }, { internal: false })
    for (const index of ready) {
      const keys = keysOf(index.expression, index.fingerprint, entity)
      if (keys === null || this.#indexes.holds(held, index.number, keys)) continue
      const { sequence, id } = version
      this.#add('index', 'It holds other keys than its content has.', { sequence, id, index: index.expression })
    }
  }

  /** Adds up what `latest` holds. */
  #latest({ key, value }: WalkedRow): void {
    const row = this.#readRow(key, value)
    if (row === undefined) return
    this.#walked.ids++
    if (row.deleted) this.#counted.deleted++
    else this.#counted.existing++
    const { sums } = this.#counted
    for (let lane = 0; lane < 4; lane++) sums[lane] = (sums[lane] as number) + row.lane(lane)
    if (row.hasKeys) this.#indexes.hold(key.subarray(4), row)
  }

  /** That the version which a `latest` row names is there: looked at only when the counts differ. */
  #named({ key, value }: WalkedRow): void {
    const row = this.#readRow(key, value, false)
    if (row === undefined) return
    const { sequence, block: first } = row
    const place = { sequence, key: key.toString('hex') }
    try {
      const found = get(this.#walk.environment.tables.log, logKey(this.#number, first), this.#walk.transaction)
      const block = found === undefined ? undefined : new Block(found, found.length, this.#number, first)
      if (block === undefined || block.find(sequence) < 0) {
        this.#add('latest', '`latest` names a version that is not in the log.', place)
        return
      }
      const id = block.idBytesAt(block.find(sequence))
      if (!latestKey(this.#number, id).equals(key)) {
        this.#add('latest', '`latest` names a version of another id.', { ...place, id: id.toString('utf8') })
      }
    } catch {
      // Told by the walk over the log.
    }
  }

  #readRow(key: Buffer, value: Buffer | Error, tells = true): LatestRow | undefined {
    try {
      if (!Buffer.isBuffer(value)) throw value
      return this.#row.read(value, value.length, this.#number)
    } catch (error) {
      if (tells) this.#unreadable(error as Error, { table: 'latest', key: key.toString('hex') })
      return undefined
    }
  }

  /** Each loss of a key has two rows. */
  #left({ key, value }: WalkedRow): void {
    const place = { table: 'left', key: key.toString('hex') }
    try {
      if (!Buffer.isBuffer(value)) throw value
      const partner = partnerOf(key, value)
      if (get(this.#walk.environment.tables.left, partner, this.#walk.transaction) === undefined) {
        this.#add('index', 'Of what an id lost, one of two rows is missing.', place)
      }
    } catch (error) {
      this.#unreadable(error as Error, place)
    }
  }

  #compareCounts(): void {
    if (this.#counts === undefined) return
    for (const name of ['existing', 'deleted', 'versions'] as const) {
      const [said, found] = [this.#counts[name], this.#counted[name]]
      if (said !== found) this.#add('counts', `The count '${name}' says ${said}; there are ${found}.`)
    }
    if (!this.#counts.sums.every((sum, lane) => sum === this.#counted.sums[lane])) {
      this.#add('counts', 'The sum of the hashes of all latest versions differs from what is there.')
    }
  }

  #readCounts(): Counts | undefined {
    try {
      return readCounts(this.#walk.environment.tables.meta, this.#number, this.#walk.transaction)
    } catch (error) {
      this.#unreadable(error as Error, { table: 'meta' })
      return undefined
    }
  }

  async #each(table: 'log' | 'latest' | 'left', one: (row: WalkedRow) => void): Promise<void> {
    const prefix = datasetKey(this.#number)
    await this.#guarded(table, async () => {
      for await (const rows of walkRows(this.#walk, table, prefix, prefixEnd(prefix))) rows.forEach(one)
    })
  }

  async #guarded(table: string, walk: () => Promise<void>): Promise<void> {
    try {
      await walk()
    } catch (error) {
      if (!(error instanceof BrokenTable)) throw error
      const key = error.after?.toString('hex')
      this.#add('unreadable', `Not all of it can be reached: ${error.message}.`, {
        table,
        ...(key === undefined ? {} : { key }),
      })
    }
  }

  #unreadable({ message }: Error, place: Place): void {
    this.#add('unreadable', message, place)
  }

  #add(law: Parameters<Findings['add']>[0], message: string, place: Place = {}): void {
    this.#findings.add(law, message, { dataset: this.#document.id, ...place })
  }
}
