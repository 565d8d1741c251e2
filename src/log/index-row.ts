/**
 * Rows of the `index` table. The key says nearly all; the value holds what a shortened key lost.
 *
 *     0   u32  checksum of the rest, seeded with the dataset's number
 *     4   u8   1: deleted, 2: the id stands here in full, 4: the index value stands here in full
 *     5   for a long id: u32 its length, its bytes
 *     …   for a long value: u32 its length, its bytes
 */

import { broken, checksum } from './checksum.ts'
import { decodeId } from './ids.ts'
import { isLong } from './keys.ts'

const DELETED = 1
const LONG_ID = 2
const LONG_VALUE = 4
const HEAD = 5

/** `full`: the index value when its key was shortened. */
export function writeIndexRow(dataset: number, id: Buffer, full: Buffer | null, deleted: boolean): Buffer {
  const long = isLong(id)
  const row = Buffer.allocUnsafe(HEAD + (long ? 4 + id.length : 0) + (full === null ? 0 : 4 + full.length))
  row[4] = (deleted ? DELETED : 0) | (long ? LONG_ID : 0) | (full === null ? 0 : LONG_VALUE)
  let at = HEAD
  for (const bytes of [long ? id : null, full]) {
    if (bytes === null) continue
    row.writeUInt32LE(bytes.length, at)
    row.set(bytes, at + 4)
    at += 4 + bytes.length
  }
  row.writeUInt32LE(checksum(row.subarray(4), dataset), 0)
  return row
}

/** What an index row says; `full` is null when the value stands whole in the key. */
export interface IndexRow {
  readonly id: string
  readonly isLongId: boolean
  readonly deleted: boolean
  readonly full: Buffer | null
}

/** `idPart`: the rest of the key after the value. */
export function readIndexRow(dataset: number, idPart: Buffer, row: Buffer): IndexRow {
  if (row.length < HEAD || checksum(row.subarray(4), dataset) !== row.readUInt32LE(0)) {
    throw broken(`an index row of dataset number ${dataset}`, { dataset })
  }
  const flags = row[4] as number
  let at = HEAD
  const next = () => {
    const length = row.readUInt32LE(at)
    const bytes = row.subarray(at + 4, at + 4 + length)
    at += 4 + length
    return bytes
  }
  const isLongId = (flags & LONG_ID) !== 0
  const id = decodeId(isLongId ? next() : idPart)
  return { id, isLongId, deleted: (flags & DELETED) !== 0, full: (flags & LONG_VALUE) === 0 ? null : next() }
}
