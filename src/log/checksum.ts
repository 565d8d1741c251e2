/** The checksum that every stored value carries, since LMDB has none of its own (design §4). */

import { crc32 } from 'node:zlib'
import { LogError } from './errors.ts'

/** CRC-32 of bytes; `seed` ties the value to where it lies. */
export const checksum = (bytes: Uint8Array, seed = 0): number => crc32(bytes, seed)

/** A small value as it is stored: four bytes of checksum, then the bytes. */
export function seal(bytes: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(4 + bytes.length)
  row.set(bytes, 4)
  row.writeUInt32LE(checksum(bytes), 0)
  return row
}

/** The bytes of a sealed value: a view, which is valid as long as the row is. */
export function unseal(row: Buffer, length: number, what: string): Buffer {
  const bytes = row.subarray(4, length)
  if (length < 4 || checksum(bytes) !== row.readUInt32LE(0)) throw broken(what)
  return bytes
}

export const broken = (what: string, details: Readonly<Record<string, unknown>> = {}): LogError =>
  new LogError('broken-row', `What the log stored as ${what} is damaged: its checksum does not match.`, {
    details,
    hint: 'The disk or the file system lost data. Restore the data folder from a backup.',
  })
