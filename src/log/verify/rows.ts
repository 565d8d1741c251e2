/** Walks the rows of a table whatever state they are in: a row that cannot be read is named, and the walk goes on behind it. */

import { type Environment, get, keysIn, type ReadTransaction, rowsOf, type Table, type Tables } from '../environment.ts'

/** Rows read in one go. */
const ROWS = 256

export interface WalkedRow {
  readonly key: Buffer
  /** The value, or why it cannot be had. */
  readonly value: Buffer | Error
}

/** All of it stopped: nothing behind `after` can be reached. */
export class BrokenTable extends Error {
  override readonly name = 'BrokenTable'
  readonly after: Buffer | null

  constructor(why: string, after: Buffer | null) {
    super(why)
    this.after = after
  }
}

export interface Walk {
  readonly environment: Environment
  readonly transaction: ReadTransaction
  /** Between two chunks of rows: says how far it came, and lets others run. */
  breathe(): Promise<void>
}

/** The rows from `start` (inclusive) to `end` (exclusive). Throws {@link BrokenTable}. */
export async function* walkRows(
  { environment, transaction, breathe }: Walk,
  name: keyof Tables,
  start: Uint8Array,
  end: Uint8Array | undefined,
): AsyncGenerator<readonly WalkedRow[]> {
  const table = environment.tables[name]
  let from = start
  let last: Buffer | null = null
  for (;;) {
    await breathe()
    const rows = readChunk(table, { start: from, end, limit: ROWS, transaction }, last)
    for (const { key } of rows) {
      // A damaged page may lead back to where the walk has been.
      if (last !== null && Buffer.compare(key, last) <= 0) throw new BrokenTable('its keys are not in order', last)
      last = key
    }
    yield rows
    if (rows.length < ROWS) return
    from = Buffer.concat([last as Buffer, ZERO])
  }
}

interface Range {
  readonly start: Uint8Array
  readonly end: Uint8Array | undefined
  readonly limit: number
  readonly transaction: ReadTransaction
}

function readChunk(table: Table, range: Range, last: Buffer | null): readonly WalkedRow[] {
  try {
    return rowsOf(table, range)
  } catch {
    // One of them cannot be read: one by one, the others can.
  }
  let keys: readonly Buffer[]
  try {
    keys = keysIn(table, range)
  } catch (error) {
    throw new BrokenTable((error as Error).message, last)
  }
  return keys.map((key) => ({ key, value: readOne(table, key, range.transaction) }))
}

function readOne(table: Table, key: Buffer, transaction: ReadTransaction): Buffer | Error {
  try {
    const value = get(table, key, transaction)
    return value === undefined
      ? new Error('it is not found under its own key')
      : Buffer.from(value.subarray(0, value.length))
  } catch (error) {
    return error as Error
  }
}

const ZERO = Buffer.from([0])
