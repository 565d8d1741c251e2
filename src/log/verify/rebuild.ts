/**
 * Makes `latest`, the counts and the indexes of a dataset anew from its log, which it only reads. The folder is claimed, so
 * no hub runs on it. It writes in slices; the house says that it is under way, so that no hub starts on a half of it.
 */

import { randomUUID } from 'node:crypto'
import type { Entity } from '../../model/entity.ts'
import { Block } from '../block.ts'
import { claimFolder } from '../claim.ts'
import type { Version } from '../contract.ts'
import {
  type Counts,
  HOUSE,
  type House,
  nameKey,
  noCounts,
  readCounts,
  readDocuments,
  readHouse,
  type StoredDocument,
  writeCounts,
  writeText,
} from '../documents.ts'
import { type Environment, get, keysIn, openForWriting, rowsOf } from '../environment.ts'
import { LogError } from '../errors.ts'
import { encodeId } from '../ids.ts'
import { bounded, datasetKey, indexKey, isLong, latestKey, prefixEnd, sequenceOf, valuePart } from '../keys.ts'
import { type HeldKey, LatestRow, LatestWriter } from '../latest.ts'
import { writeLongParts } from '../long-parts.ts'
import { entityOf } from '../stored.ts'

/** Rows taken away in one transaction. */
const ROWS = 5_000
/** Blocks of one transaction. */
const BLOCKS = 64

export interface RebuildOptions {
  /** As of verify: null leaves the index to be filled by the hub. */
  keysOf(expression: string, fingerprint: string, entity: Entity): readonly Uint8Array[] | null
  progress?(dataset: string, versions: number): void
}

/** Rejects `data-in-use` when a hub runs on the folder, and `broken-row` when the log of a dataset cannot be read. */
export async function rebuild(path: string, datasets: ReadonlySet<string>, options: RebuildOptions): Promise<void> {
  const release = await claimFolder(path)
  try {
    const environment = openForWriting(path)
    try {
      const rebuilds = readDocuments(environment)
        .filter(({ id }) => datasets.has(id))
        .map((document) => new Rebuild(environment, document, options))
      // A log that cannot be read must not take away what the rest still says.
      for (const one of rebuilds) one.check()
      begin(environment, [...datasets])
      for (const one of rebuilds) one.run()
      begin(environment, [])
    } finally {
      await environment.close()
    }
  } finally {
    await release()
  }
}

/** Another writer that has this log open somewhere gives up when it finds a stranger in the house. */
function begin(environment: Environment, rebuilding: readonly string[]): void {
  environment.write(() => {
    const former = readHouse(environment)
    if (former === undefined) throw new LogError('no-log', 'There is no log in this folder.')
    const { rebuilding: _, ...rest } = former
    const house: House = { ...rest, writer: randomUUID() }
    const changed = rebuilding.length === 0 ? house : { ...house, rebuilding }
    writeText(environment.tables.meta, HOUSE, JSON.stringify(changed))
  })
}

class Rebuild {
  readonly #environment: Environment
  readonly #document: StoredDocument
  readonly #options: RebuildOptions
  readonly #number: number
  readonly #row = new LatestRow()
  readonly #latest = new LatestWriter()
  readonly #counts: Counts = noCounts()
  /** Those whose keys cannot be computed here. */
  readonly #left = new Set<number>()

  constructor(environment: Environment, document: StoredDocument, options: RebuildOptions) {
    this.#environment = environment
    this.#document = document
    this.#options = options
    this.#number = document.number
    for (const { number, state } of document.indexes) if (state === 'filling') this.#left.add(number)
  }

  /** Throws `broken-row` when not all of the log can be read. */
  check(): void {
    this.#walk(() => {})
  }

  run(): void {
    this.#clear('index')
    this.#clear('latest')
    this.#walk((version, block) => this.#name(version, block))
    this.#walk((version, block) => this.#finish(version, block))
    this.#end()
  }

  #clear(name: 'index' | 'latest'): void {
    const { [name]: table } = this.#environment.tables
    const prefix = datasetKey(this.#number)
    const range = { start: prefix, end: prefixEnd(prefix), limit: ROWS }
    for (let isMore = true; isMore; ) {
      this.#environment.write(() => {
        const keys = keysIn(table, range)
        for (const key of keys) table.remove(key)
        isMore = keys.length === ROWS
      })
    }
  }

  /** Each version in the order of the log, so that the last of an id is its newest. */
  #walk(each: (version: Version, block: number) => void): void {
    const end = prefixEnd(datasetKey(this.#number))
    let versions = 0
    for (let start: Buffer | undefined = datasetKey(this.#number); start !== undefined; ) {
      const range = { start, end, limit: BLOCKS }
      this.#environment.write(() => {
        const rows = rowsOf(this.#environment.tables.log, range)
        for (const { key, value } of rows) {
          const block = new Block(value, value.length, this.#number, sequenceOf(key))
          for (let entry = 0; entry < block.count; entry++) each(block.versionAt(entry), block.first)
          versions += block.count
        }
        const last = rows.at(-1)
        start = last === undefined || rows.length < BLOCKS ? undefined : Buffer.concat([last.key, ZERO])
      })
      this.#options.progress?.(this.#document.id, versions)
    }
  }

  #name({ id, sequence, deleted, hash }: Version, block: number): void {
    this.#put(encodeId(id), { sequence, block, deleted, hash: Buffer.from(hash, 'hex'), hashStart: 0 }, [])
    this.#counts.versions++
    this.#counts.end = sequence + 1
  }

  /** The keys of the newest version of an id, and its part of the counts. */
  #finish(version: Version, block: number): void {
    const { sequence, deleted, hash } = version
    const id = encodeId(version.id)
    const found = get(this.#environment.tables.latest, latestKey(this.#number, id)) as Buffer
    const row = this.#row.read(found, found.length, this.#number)
    if (row.sequence !== sequence) return
    if (isLong(id) && !row.isOf(id))
      throw new LogError('id-collision', `Two long ids have the same key as '${version.id.slice(0, 40)}…'.`)
    if (deleted) this.#counts.deleted++
    else this.#counts.existing++
    for (let lane = 0; lane < 4; lane++) {
      this.#counts.sums[lane] = (this.#counts.sums[lane] as number) + row.lane(lane)
    }
    const keys = this.#document.indexes.flatMap(({ number }) => this.#index(version, id, number))
    if (keys.length === 0) return
    this.#put(id, { sequence, block, deleted, hash: Buffer.from(hash, 'hex'), hashStart: 0 }, keys)
  }

  #index(version: Version, id: Buffer, number: number): readonly HeldKey[] {
    if (this.#left.has(number)) return []
    const index = this.#document.indexes.find((one) => one.number === number)
    const entity = entityOf(version, { internal: false })
    const keys = index === undefined ? null : this.#options.keysOf(index.expression, index.fingerprint, entity)
    if (keys === null) {
      this.#left.add(number)
      return []
    }
    const held = new Map<string, HeldKey>()
    for (const key of keys) {
      const value = valuePart(key)
      held.set(value.toString('latin1'), { index: number, value })
      const row = indexKey(this.#number, number, version.deleted, value, bounded(id))
      this.#environment.tables.index.put(row, writeLongParts(id, isLong(key) ? Buffer.from(key) : null))
    }
    return [...held.values()]
  }

  #put(id: Buffer, version: Parameters<LatestWriter['write']>[2], keys: readonly HeldKey[]): void {
    this.#environment.tables.latest.put(
      latestKey(this.#number, id),
      this.#latest.write(this.#number, id, version, keys),
    )
  }

  #end(): void {
    const { meta } = this.#environment.tables
    this.#environment.write(() => {
      // Compaction may have taken the newest versions away: the end that was given out stays.
      const end = Math.max(this.#counts.end, formerEnd(this.#environment, this.#number))
      const anew = { state: 'filling' as const, filled: 0, until: end, indexed: 0 }
      const indexes = this.#document.indexes.map((index) =>
        this.#left.has(index.number) ? { ...index, ...anew } : index,
      )
      writeCounts(meta, this.#number, { ...this.#counts, end })
      writeText(meta, nameKey('d', this.#document.id), JSON.stringify({ ...this.#document, indexes }))
    })
  }
}

/** Damaged counts say nothing. */
function formerEnd({ tables }: Environment, number: number): number {
  try {
    return readCounts(tables.meta, number).end
  } catch {
    return 0
  }
}

const ZERO = Buffer.from([0])
