/** Opens LMDB: the one place that does, so that every thread opens it the same way (design §4). */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { LogError } from './errors.ts'
import { withinGate } from './gate.ts'

/** Address space, not memory or disk. Beyond it LMDB would have to map the file anew. */
const MAP_BYTES = 64 * 1024 ** 3
/** Read transactions open at one time, over all threads and processes; LMDB's own 126 runs out. */
const MAX_READERS = 2048

const TABLES = ['log', 'latest', 'index', 'left', 'offset', 'state', 'meta'] as const
export type Tables = Readonly<Record<(typeof TABLES)[number], Table>>

/** One table. Keys and values are bytes. */
export interface Table {
  /** The value, in memory that the next read overwrites. */
  getBinaryFast(key: Uint8Array, options?: { transaction: ReadTransaction }): Uint8Array | undefined
  /** For {@link rowsOf}. */
  getRange(options: RangeOptions): { readonly asArray: readonly Row[] }
  /** For {@link keysIn}. */
  getKeys(options: RangeOptions): Iterable<Buffer>
  /** Only inside {@link Environment.write}, where it happens at once. The bytes are copied. */
  put(key: Uint8Array, value: Uint8Array): unknown
  remove(key: Uint8Array): unknown
}

interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

interface RangeOptions {
  /** Inclusive. */
  readonly start?: Uint8Array
  /** Exclusive. */
  readonly end?: Uint8Array | undefined
  readonly limit?: number
  /** From `start` downwards. */
  readonly reverse?: boolean
  readonly transaction?: ReadTransaction
}

export interface ReadTransaction {
  done(): void
}

export interface Environment {
  readonly tables: Tables
  /** A read transaction of the present; it must be given back with {@link release}. */
  read(): ReadTransaction
  release(transaction: ReadTransaction): void
  /** All that `action` puts is on disk when this returns; when it throws, nothing of it is there. */
  write<T>(action: () => T): T
  /** Gives back what processes held that died while they read: they would keep the file growing. */
  checkReaders(): void
  /** A copy of one moment, without free pages, into an empty folder that is there. Writers go on meanwhile. */
  copyTo(folder: string): Promise<void>
  close(): Promise<void>
}

/** For the writer; the tables are there when it returns. No other thread may have opened the folder before. */
export const openForWriting = (path: string): Environment => openEnvironment(path, false)

/** Below this the file has no page that says where the data is: its first writer ended as it made it. LMDB would crash. */
const FIRST_PAGES_BYTES = 8192

/** For everybody else: an environment that could write would wait on the write lock. */
export function openForReading(path: string): Environment {
  const file = statSync(join(path, 'data.mdb'), { throwIfNoEntry: false })
  if (file === undefined || file.size < FIRST_PAGES_BYTES) {
    throw new LogError('no-log', `There is no log in ${path}.`, {
      details: { path },
      hint: 'Start a hub with this data folder first, or check the path.',
    })
  }
  return openEnvironment(path, true)
}

function openEnvironment(path: string, readOnly: boolean): Environment {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
  const root = open({
    ...binary,
    path,
    noSubdir: false,
    readOnly,
    mapSize: MAP_BYTES,
    maxReaders: MAX_READERS,
    maxDbs: TABLES.length,
    // LMDB's own commit: it returns when the data, and then the page that names it, are on disk.
    overlappingSync: false,
  })
  const openTable = (name: (typeof TABLES)[number]) => root.openDB({ ...binary, name })
  const tables = Object.fromEntries(TABLES.map((name) => [name, openTable(name)])) as unknown as Tables
  if (TABLES.some((name) => tables[name] === undefined)) {
    throw new LogError('no-log', `The folder ${path} holds an LMDB environment, but not a log.`, { details: { path } })
  }
  return {
    tables,
    read() {
      // The library shares one read transaction until a timer fires: without this, it could be an old one.
      root.resetReadTxn()
      return withinGate(() => root.useReadTransaction())
    },
    release(transaction) {
      transaction.done()
      root.resetReadTxn()
    },
    write<T>(action: () => T): T {
      let result: T | undefined
      // Nothing is returned from the inner function: a promise, such as `put` gives, would leave the transaction open.
      root.transactionSync(() => {
        result = action()
      })
      return result as T
    },
    checkReaders: () => void root.readerCheck(),
    copyTo: (folder) => root.backup(folder, true),
    close: () => root.close(),
  }
}

/** The value of a key in memory that the next read of this thread overwrites. */
export function get(table: Table, key: Uint8Array, transaction?: ReadTransaction): Buffer | undefined {
  const value = transaction === undefined ? table.getBinaryFast(key) : table.getBinaryFast(key, { transaction })
  if (value === undefined || Buffer.isBuffer(value)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.length)
}

/** The rows of a range, in order. The cursor is closed when this returns: one that stays open lets the file grow. */
export const rowsOf = (table: Table, range: RangeOptions): readonly Row[] =>
  withinGate(() => table.getRange(range).asArray)

/** The keys of a range, in order, without their values. */
export const keysIn = (table: Table, range: RangeOptions): readonly Buffer[] =>
  // Quicker than `asArray`.
  withinGate(() => [...table.getKeys(range)])
