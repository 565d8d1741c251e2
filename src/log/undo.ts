/**
 * Offsets and state as they were before a run with a circuit breaker: put back when what it wrote is dropped.
 *
 * Each change of the run leaves a row in `meta`: 'u', the number of its staging, a number that grows. Rows are undone
 * from the newest to the oldest, so a key that was changed often ends as it was first.
 *
 *     0   u8   1: an offset, 0: state; 2: it had a value
 *     1   u16  length of the key
 *     3   the key, the value as it is stored
 */

import { seal, unseal } from './checksum.ts'
import { numberKey } from './documents.ts'
import { get, keysIn, rowsOf, type Table, type Tables } from './environment.ts'
import { prefixEnd } from './keys.ts'

const OFFSET = 1
const HAD_VALUE = 2

export type UndoTable = 'offset' | 'state'

/** Notes what a key holds now. Only inside a write transaction, before the key changes. */
export function noteFormer(tables: Tables, staging: number, name: UndoTable, key: Buffer): void {
  const row = get(tables[name], key)
  // Its memory is that of the last read, which the next one overwrites.
  const value = row === undefined ? Buffer.alloc(0) : Buffer.from(row.subarray(0, row.length))
  const note = Buffer.allocUnsafe(3 + key.length + value.length)
  note[0] = (name === 'offset' ? OFFSET : 0) | (row === undefined ? 0 : HAD_VALUE)
  note.writeUInt16LE(key.length, 1)
  note.set(key, 3)
  note.set(value, 3 + key.length)
  tables.meta.put(numberKey('u', staging, newest(tables.meta, staging) + 1), seal(note))
}

/** Puts back up to `limit` of them, newest first; false when none was left. Only inside a write transaction. */
export function undoSlice(tables: Tables, staging: number, limit: number): boolean {
  const rows = rowsOf(tables.meta, { ...backwards(staging), limit })
  for (const { key: place, value: row } of rows) {
    const note = unseal(row, row.length, 'what a run changed')
    const flags = note[0] as number
    const keyEnd = 3 + note.readUInt16LE(1)
    const table = tables[(flags & OFFSET) === 0 ? 'state' : 'offset']
    const key = note.subarray(3, keyEnd)
    if ((flags & HAD_VALUE) === 0) table.remove(key)
    else table.put(key, note.subarray(keyEnd))
    tables.meta.remove(place)
  }
  return rows.length > 0
}

function newest(meta: Table, staging: number): number {
  const [key] = keysIn(meta, { ...backwards(staging), limit: 1 })
  return key === undefined ? -1 : key.readUInt32BE(5)
}

/** All rows of a staging, from the newest. The end is exclusive: the prefix itself is below every row. */
const backwards = (staging: number) => ({
  start: prefixEnd(numberKey('u', staging)) as Buffer,
  end: numberKey('u', staging),
  reverse: true,
})
