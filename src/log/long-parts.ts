/**
 * Values of rows in the `index` table: nothing, for the key says all; or, when a part of the key was shortened, what it was.
 *
 *     0   u32  checksum of the rest
 *     4   u32  bytes of the id, the id when it is long
 *     …   u32  bytes of the index value, the value when it is long
 */

import { broken, checksum } from './checksum.ts'
import { isLong } from './keys.ts'

const NOTHING = Buffer.alloc(0)

/** `full`: the index value when its key was shortened. */
export function writeLongParts(id: Buffer, full: Buffer | null): Buffer {
  const longId = isLong(id) ? id : NOTHING
  if (longId === NOTHING && full === null) return NOTHING
  const value = full ?? NOTHING
  const row = Buffer.allocUnsafe(12 + longId.length + value.length)
  row.writeUInt32LE(longId.length, 4)
  row.set(longId, 8)
  row.writeUInt32LE(value.length, 8 + longId.length)
  row.set(value, 12 + longId.length)
  row.writeUInt32LE(checksum(row.subarray(4)), 0)
  return row
}

/** Each part is empty when it stands whole in the key. */
export function readLongParts(row: Buffer, dataset: number): { readonly id: Buffer; readonly value: Buffer } {
  if (row.length < 12 || checksum(row.subarray(4)) !== row.readUInt32LE(0)) {
    throw broken(`an index row of dataset number ${dataset}`, { dataset })
  }
  const idEnd = 8 + row.readUInt32LE(4)
  return { id: row.subarray(8, idEnd), value: row.subarray(idEnd + 4, idEnd + 4 + row.readUInt32LE(idEnd)) }
}
