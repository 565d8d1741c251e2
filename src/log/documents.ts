/**
 * Rows of the `meta` table: what is known of the log and its datasets.
 *
 *     h              what the log is: layout, numbers given, how often documents changed, the writer that has it now
 *     d dataset id   the dataset's document
 *     c dataset u32  its counts
 *     y change u48   id of the dataset whose document changed last with that number
 *     p dataset u32  how far it was compacted: text of whoever compacts
 *     e dataset u32, sequence u64  what an erased entity left for its readers, to be taken away after them
 *     x dataset u32 [index u32]  rows to be swept away
 *     r pipe         number of its newest run
 *     s dataset u32  what a circuit breaker holds back: see staging.ts
 *     u staging u32 number u32  what a run changed beside it: see undo.ts
 *     m name         other small documents
 */

import { broken, checksum, seal, unseal } from './checksum.ts'
import type { DatasetCounts, DatasetDocument } from './contract.ts'
import { type Environment, get, keysIn, type ReadTransaction, rowsOf, type Table } from './environment.ts'
import { LogError } from './errors.ts'
import { MAX_PART, prefixEnd } from './keys.ts'

export type MetaKind = 'h' | 'd' | 'c' | 'p' | 'e' | 'y' | 'x' | 'r' | 's' | 'u' | 'm'

/** A dataset's document as it is stored. */
export interface StoredDocument extends DatasetDocument {
  /** Next index number to be given. */
  readonly nextIndex: number
  /** What {@link House.documents} was after this document changed. */
  readonly changed: number
}

/** How rows and keys look; a log of another layout is refused. */
export const LAYOUT = 1

/** What there is one of in each log. */
export interface House {
  readonly layout: number
  readonly nextDataset: number
  /** Grows when a dataset's document changes. */
  readonly documents: number
  /** Another one with each writer: a writer that finds a stranger's gives up. */
  readonly writer: string
  /** Datasets whose `latest` and indexes are being made anew: no hub starts before that is finished. */
  readonly rebuilding?: readonly string[]
}

/** The key of a named row. Throws `bad-name` when the name is too long to be one. */
export function nameKey(kind: MetaKind | '', name: string): Buffer {
  const key = Buffer.from(kind + name, 'utf8')
  if (key.length > MAX_PART + 1 || name === '') {
    throw new LogError('bad-name', name === '' ? 'A name is empty.' : `The name '${name.slice(0, 40)}…' is too long.`, {
      details: { bytes: key.length, limit: MAX_PART },
      hint: `Use a name of 1 to ${MAX_PART} bytes.`,
    })
  }
  return key
}

export function numberKey(kind: MetaKind, ...numbers: readonly number[]): Buffer {
  const key = Buffer.allocUnsafe(1 + 4 * numbers.length)
  key.write(kind, 0, 'latin1')
  numbers.forEach((number, i) => {
    key.writeUInt32BE(number, 1 + 4 * i)
  })
  return key
}

export const HOUSE = Buffer.from('h')

export function readText(table: Table, key: Uint8Array, transaction?: ReadTransaction): string | undefined {
  const row = get(table, key, transaction)
  if (row === undefined) return undefined
  return unseal(row, row.length, `'${Buffer.from(key).toString('latin1')}'`).toString('utf8')
}

export const writeText = (table: Table, key: Uint8Array, text: string): unknown =>
  table.put(key, seal(Buffer.from(text)))

/** All sealed texts whose key starts with the prefix: the rest of the key, and the text. */
export function readTexts(
  table: Table,
  prefix: Buffer,
  transaction?: ReadTransaction,
): readonly (readonly [name: string, text: string])[] {
  const range = { start: prefix, end: prefixEnd(prefix), ...(transaction === undefined ? {} : { transaction }) }
  return rowsOf(table, range).map(({ key, value }) => {
    const name = key.toString('utf8')
    return [name, unseal(value, value.length, `'${name}'`).toString('utf8')] as const
  })
}

export function readHouse({ tables }: Environment, transaction?: ReadTransaction): House | undefined {
  const text = readText(tables.meta, HOUSE, transaction)
  if (text === undefined) return undefined
  const house = JSON.parse(text) as House
  if (house.layout !== LAYOUT) throw unknownLayout(house.layout)
  return house
}

const unknownLayout = (layout: number): LogError =>
  new LogError('unknown-layout', `The log has the layout ${layout}; this version reads the layout ${LAYOUT}.`, {
    details: { layout, known: LAYOUT },
    hint: 'Open it with the version that wrote it, export the data there, and import it here.',
  })

export function readDocuments({ tables }: Environment, transaction?: ReadTransaction): StoredDocument[] {
  return readTexts(tables.meta, Buffer.from('d'), transaction).map(([, text]) => parseDocument(text))
}

function parseDocument(text: string): StoredDocument {
  const stored = { ...ABSENT, ...JSON.parse(text) } as StoredDocument
  return { ...stored, indexes: stored.indexes.map((index) => ({ ...ABSENT_OF_INDEX, ...index })) }
}

/** What a document says that was stored before it had the property. */
const ABSENT = {
  kind: 'normal',
  durable: false,
  isTripped: false,
  changed: 0,
  erased: 0,
  vanished: 0,
  upstream: {},
  restore: null,
} as const satisfies Partial<StoredDocument>

const ABSENT_OF_INDEX = { feedsSince: null } as const

export function readDocument(
  { tables }: Environment,
  id: string,
  transaction?: ReadTransaction,
): StoredDocument | undefined {
  const text = readText(tables.meta, nameKey('d', id), transaction)
  return text === undefined ? undefined : parseDocument(text)
}

/** Where it is noted that a document changed: each has one such row, so that the newest changes are found without the rest. */
export function changeKey(change: number): Buffer {
  const key = Buffer.allocUnsafe(7)
  key.write('y', 0, 'latin1')
  key.writeUIntBE(change, 1, 6)
  return key
}

/** The datasets whose documents changed after `since`, those that are gone too, each with the number of its last change. */
export function readChanged(
  { tables }: Environment,
  since: number,
  transaction: ReadTransaction,
): readonly (readonly [change: number, id: string])[] {
  const range = { start: changeKey(since + 1), end: Buffer.from('z'), transaction }
  return rowsOf(tables.meta, range).map(
    ({ key, value }) =>
      [key.readUIntBE(1, 6), unseal(value, value.length, 'a change of a dataset').toString('utf8')] as const,
  )
}

/** Counts as the writer keeps them, with the sum of the hashes of all latest versions, in four lanes of 32 bits. */
export interface Counts extends DatasetCounts {
  end: number
  existing: number
  deleted: number
  versions: number
  readonly sums: Uint32Array
}

const COUNTS_BYTES = 4 + 4 * 8 + 16

export const noCounts = (): Counts => ({ end: 0, existing: 0, deleted: 0, versions: 0, sums: new Uint32Array(4) })

export function writeCounts(table: Table, dataset: number, { end, existing, deleted, versions, sums }: Counts): void {
  const row = Buffer.allocUnsafe(COUNTS_BYTES)
  row.writeDoubleLE(end, 4)
  row.writeDoubleLE(existing, 12)
  row.writeDoubleLE(deleted, 20)
  row.writeDoubleLE(versions, 28)
  sums.forEach((sum, lane) => {
    row.writeUInt32LE(sum, 36 + 4 * lane)
  })
  row.writeUInt32LE(checksum(row.subarray(4), dataset), 0)
  table.put(numberKey('c', dataset), row)
}

export function readCounts(table: Table, dataset: number, transaction?: ReadTransaction): Counts {
  const row = get(table, numberKey('c', dataset), transaction)
  if (row === undefined) return noCounts()
  if (row.length !== COUNTS_BYTES || checksum(row.subarray(4, COUNTS_BYTES), dataset) !== row.readUInt32LE(0)) {
    throw broken(`the counts of dataset number ${dataset}`, { dataset })
  }
  return {
    end: row.readDoubleLE(4),
    existing: row.readDoubleLE(12),
    deleted: row.readDoubleLE(20),
    versions: row.readDoubleLE(28),
    sums: Uint32Array.from([0, 1, 2, 3], (lane) => row.readUInt32LE(36 + 4 * lane)),
  }
}

const U32 = 2 ** 32

const remnantKey = (dataset: number, sequence: number): Buffer =>
  numberKey('e', dataset, Math.floor(sequence / U32), sequence % U32)

const HERE = Buffer.from([1])

/** Notes that this version is all that is left of an erased entity. */
export const putRemnant = (table: Table, dataset: number, sequence: number): unknown =>
  table.put(remnantKey(dataset, sequence), HERE)

export const removeRemnant = (table: Table, dataset: number, sequence: number): unknown =>
  table.remove(remnantKey(dataset, sequence))

/** Sequences of the remnants of a dataset, ascending. */
export function readRemnants(table: Table, dataset: number, transaction?: ReadTransaction): number[] {
  const start = numberKey('e', dataset)
  const range = { start, end: prefixEnd(start), ...(transaction === undefined ? {} : { transaction }) }
  return keysIn(table, range).map((key) => key.readUInt32BE(5) * U32 + key.readUInt32BE(9))
}
