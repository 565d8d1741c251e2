/** Applies an increment to a copy of the log it was made since; nobody else has the copy. */

import { randomUUID } from 'node:crypto'
import { Block } from '../block.ts'
import {
  type Counts,
  nameKey,
  numberKey,
  readCounts,
  readDocuments,
  readHouse,
  type StoredDocument,
  writeCounts,
  writeText,
} from '../documents.ts'
import { type Environment, get, keysIn, type Tables } from '../environment.ts'
import { LogError } from '../errors.ts'
import { datasetKey, indexKey, prefixEnd, sequenceOf } from '../keys.ts'
import { LatestRow } from '../latest.ts'
import { putLeft } from '../left.ts'
import { readStagings, stagingNumber } from '../staging.ts'
import { orderSweep } from '../sweep.ts'
import { type BackupRecord, KIND, readRecords } from './record-file.ts'

/** Records and bytes of one transaction. */
const RECORDS = 5_000
const BYTES = 16 << 20
/** Rows taken away in one transaction. */
const ROWS = 5_000

/** Throws `bad-backup` when the file is cut short; what was applied of it by then stays. */
export function applyIncrement(environment: Environment, path: string): void {
  const increment = new Application(environment)
  let waiting: BackupRecord[] = []
  let bytes = 0
  const flush = () => {
    const records = waiting
    environment.write(() => {
      for (const record of records) increment.take(record)
    })
    waiting = []
    bytes = 0
  }
  for (const record of readRecords(path)) {
    // These take rows away, in transactions of their own.
    if (record.kind === KIND.dataset) {
      flush()
      increment.begin(JSON.parse(record.value.toString('utf8')))
      continue
    }
    waiting.push(record)
    bytes += record.key.length + record.value.length
    if (waiting.length >= RECORDS || bytes >= BYTES) flush()
  }
  flush()
  increment.end()
}

interface Former {
  readonly document: StoredDocument
  readonly counts: Counts
  /** How far compaction had come: what it took away since is still here. */
  readonly compacted: Buffer | undefined
}

class Application {
  readonly #environment: Environment
  readonly #tables: Tables
  readonly #former = new Map<number, Former>()
  readonly #held = new LatestRow()
  /** Datasets that continue: versions that came with this increment. */
  readonly #continued = new Map<number, number>()
  #number = 0
  #isMetaCleared = false

  constructor(environment: Environment) {
    this.#environment = environment
    this.#tables = environment.tables
    // Outside of a write transaction, one could read of a moment that has passed.
    const stagings = environment.write(() => {
      this.#readFormer()
      return readStagings(environment.tables.meta)
    })
    for (const { dataset } of stagings) this.#clearDataset(stagingNumber(dataset))
    for (const name of ['offset', 'state'] as const) this.#clear(name, ZERO, undefined)
  }

  #readFormer(): void {
    const { meta } = this.#tables
    for (const document of readDocuments(this.#environment)) {
      const { number } = document
      const found = get(meta, numberKey('p', number))
      // The next read would overwrite it.
      const compacted = found === undefined ? undefined : Buffer.from(found.subarray(0, found.length))
      this.#former.set(number, { document, counts: readCounts(meta, number), compacted })
    }
  }

  begin({ number, since }: { readonly number: number; readonly since: number | null }): void {
    this.#number = number
    if (since !== null) {
      if (this.#former.get(number)?.counts.end !== since) throw notContinued(number, since)
      this.#continued.set(number, 0)
      return
    }
    this.#clearDataset(number)
  }

  #clearDataset(number: number): void {
    const start = datasetKey(number)
    for (const name of ['log', 'latest', 'index', 'left'] as const) this.#clear(name, start, prefixEnd(start))
  }

  /** In a write transaction. */
  take({ kind, key, value }: BackupRecord): void {
    const { log, latest, index, left, offset, state } = this.#tables
    switch (kind) {
      case KIND.log:
        log.put(key, value)
        this.#countVersions(key, value)
        return
      case KIND.latest:
        this.#forgetHeld(key)
        latest.put(key, value)
        return
      case KIND.index:
        index.put(key, value)
        return
      case KIND.left:
        if (this.#continued.has(this.#number)) putLeft(left, key, value)
        else left.put(key, value)
        return
      case KIND.offset:
        offset.put(key, value)
        return
      case KIND.state:
        state.put(key, value)
        return
      case KIND.meta:
        this.#clearMeta()
        this.#tables.meta.put(key, value)
        return
      default:
        throw new LogError('bad-backup', `An increment has a record of the unknown kind ${kind}.`)
    }
  }

  end(): void {
    this.#environment.write(() => {
      const now = new Map(readDocuments(this.#environment).map((document) => [document.number, document]))
      for (const [number, { document }] of this.#former) {
        const after = now.get(number)
        if (after === undefined) orderSweep(this.#tables, number)
        else for (const index of goneOf(document, after)) orderSweep(this.#tables, number, index)
      }
      for (const [number, versions] of this.#continued) this.#settle(now.get(number) as StoredDocument, versions)
    })
  }

  #countVersions(key: Buffer, value: Buffer): void {
    const before = this.#continued.get(this.#number)
    if (before === undefined) return
    this.#continued.set(this.#number, before + new Block(value, value.length, this.#number, sequenceOf(key)).count)
  }

  /** The index rows of the version before. */
  #forgetHeld(key: Buffer): void {
    const found = get(this.#tables.latest, key)
    if (found === undefined) return
    const row = this.#held.read(Buffer.from(found.subarray(0, found.length)), found.length, this.#number)
    for (const { index, value } of row.keys()) {
      this.#tables.index.remove(indexKey(this.#number, index, row.deleted, value, key.subarray(4)))
    }
  }

  /** Sweeps that were ordered before the increment are still to be done here. */
  #clearMeta(): void {
    if (this.#isMetaCleared) return
    this.#isMetaCleared = true
    for (const key of keysIn(this.#tables.meta, { start: ZERO })) {
      if (key[0] !== SWEEP) this.#tables.meta.remove(key)
    }
  }

  /** Counts of what is here, and indexes that are not complete here filled again from the begin. */
  #settle(document: StoredDocument, versions: number): void {
    const { meta } = this.#tables
    const { number } = document
    const former = this.#former.get(number) as Former
    const counts = readCounts(meta, number)
    writeCounts(meta, number, { ...counts, versions: former.counts.versions + versions })
    const anew = { state: 'filling' as const, filled: 0, until: counts.end, indexed: 0 }
    if (former.compacted === undefined) meta.remove(numberKey('p', number))
    else meta.put(numberKey('p', number), former.compacted)
    const indexes = document.indexes.map((index) => {
      const before = former.document.indexes.find((one) => one.number === index.number)
      return before?.state === 'ready' ? index : { ...index, ...anew }
    })
    writeText(meta, nameKey('d', document.id), JSON.stringify({ ...document, indexes }))
  }

  #clear(name: keyof Tables, start: Uint8Array, end: Uint8Array | undefined): void {
    const table = this.#tables[name]
    for (let isMore = true; isMore; ) {
      this.#environment.write(() => {
        const keys = keysIn(table, { start, end, limit: ROWS })
        for (const key of keys) table.remove(key)
        isMore = keys.length === ROWS
      })
    }
  }
}

/** Says in each dataset's document that the data came from a backup. */
export function markRestored(environment: Environment, uuid: string): void {
  const { meta } = environment.tables
  environment.write(() => {
    const house = readHouse(environment)
    if (house === undefined) throw new LogError('no-log', 'There is no log in this backup.')
    for (const document of readDocuments(environment)) {
      const { end } = readCounts(meta, document.number)
      const { generation } = document
      const restore = { uuid, offset: end === 0 ? null : end - 1, generation }
      const restored = { ...document, generation: randomUUID(), restore }
      writeText(meta, nameKey('d', document.id), JSON.stringify(restored))
    }
  })
}

const goneOf = (before: StoredDocument, after: StoredDocument): readonly number[] =>
  before.indexes.map(({ number }) => number).filter((number) => !after.indexes.some((one) => one.number === number))

const notContinued = (number: number, since: number): LogError =>
  new LogError(
    'bad-backup',
    `An increment begins at ${since} of dataset number ${number}, and the backup before does not end there.`,
    {
      hint: 'A backup of the chain is missing or was replaced. Restore an earlier one.',
    },
  )

const ZERO = Buffer.from([0])
const SWEEP = 'x'.charCodeAt(0)
