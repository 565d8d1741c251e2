/**
 * Keys of the tables: binary, compound, and bounded.
 *
 *     log     dataset u32 · first sequence u48
 *     latest  dataset u32 · id
 *     index   dataset u32 · index u31 · deleted u1 · value (its length u16, its bytes) · id
 *
 * Numbers are big-endian, so that byte order is numeric order. An id or an index value above 512 bytes is shortened to
 * its first 256 bytes, a mark and its 128-bit hash; the longest key is then 1,034 bytes, below LMDB's 1,978. The mark is
 * a byte that UTF-8 never uses and greater than any it does, so a shortened id cannot equal a plain one, and ids sort by
 * code point except that those above 512 bytes come after all shorter ones with the same first 256 bytes, in the order
 * of their hashes.
 */

import { hash } from 'node:crypto'
import { encodeId } from './ids.ts'

/** `get` beyond this quietly finds nothing. */
export const MAX_KEY = 1978
/** Ids and index values up to this many bytes stand in keys as they are. */
export const MAX_PART = 512
const KEPT = 256
const MARK = 0xff
/** Length of an id or a value that was shortened. */
const SHORTENED = KEPT + 1 + 16
/** In the length of an index value: it was shortened. */
const SHORTENED_VALUE = 0x8000

export const isLong = (part: Uint8Array): boolean => part.length > MAX_PART

/** An id or index value as it stands in keys. */
export function bounded(part: Uint8Array): Uint8Array {
  if (part.length <= MAX_PART) return part
  const short = new Uint8Array(SHORTENED)
  short.set(part.subarray(0, KEPT))
  short[KEPT] = MARK
  short.set(hash('md5', part, 'buffer'), KEPT + 1)
  return short
}

/** Whether the id part of a key, from `start` to its end, was shortened. */
export const isShortened = (key: Uint8Array, start: number): boolean =>
  key.length === start + SHORTENED && key[start + KEPT] === MARK

export function datasetKey(dataset: number): Buffer {
  const key = Buffer.allocUnsafe(4)
  key.writeUInt32BE(dataset, 0)
  return key
}

export function logKey(dataset: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(10)
  key.writeUInt32BE(dataset, 0)
  key.writeUIntBE(sequence, 4, 6)
  return key
}

export const sequenceOf = (key: Buffer): number => key.readUIntBE(4, 6)

export function latestKey(dataset: number, id: Uint8Array): Buffer {
  const part = bounded(id)
  const key = Buffer.allocUnsafe(4 + part.length)
  key.writeUInt32BE(dataset, 0)
  key.set(part, 4)
  return key
}

/** Of an id as text: the key is lent until the next one, and the common ids are not encoded in between. */
export function latestKeyOf(dataset: number, id: string): Buffer {
  const { length } = id
  if (length > SHORT) return latestKey(dataset, encodeId(id))
  for (let i = 0; i < length; i++) {
    const code = id.charCodeAt(i)
    if (code >= 0x80) return latestKey(dataset, encodeId(id))
    lent[4 + i] = code
  }
  lent.writeUInt32BE(dataset, 0)
  return lent.subarray(0, 4 + length)
}

const SHORT = 128
const lent = Buffer.allocUnsafeSlow(4 + SHORT)

/** The rows of an index start with this: those of ids whose newest version is deleted lie apart. */
export function indexPrefix(dataset: number, index: number, deleted: boolean): Buffer {
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE(dataset, 0)
  key.writeUInt32BE(markedIndex(index, deleted), 4)
  return key
}

const markedIndex = (index: number, deleted: boolean): number => 2 * index + (deleted ? 1 : 0)

/**
 * An index value as it stands in keys and in the list of the keys an entity holds: its length, which says whether it was
 * shortened, and its bytes. Values are any bytes, so no byte could mark the shortened ones.
 */
export function valuePart(value: Uint8Array): Buffer {
  const bytes = bounded(value)
  const part = Buffer.allocUnsafe(2 + bytes.length)
  part.writeUInt16LE(bytes === value ? bytes.length : bytes.length | SHORTENED_VALUE, 0)
  part.set(bytes, 2)
  return part
}

export const valuePartLength = (bytes: Buffer, at: number): number => 2 + (bytes.readUInt16LE(at) & ~SHORTENED_VALUE)

export const isShortenedValue = (part: Buffer): boolean => (part.readUInt16LE(0) & SHORTENED_VALUE) !== 0

/** All rows of one value of an index start with this. */
export function valuePrefix(dataset: number, index: number, deleted: boolean, value: Uint8Array): Buffer {
  return indexKey(dataset, index, deleted, value, NOTHING)
}

/** `value` is a {@link valuePart}, `id` is bounded. */
export function indexKey(dataset: number, index: number, deleted: boolean, value: Uint8Array, id: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(8 + value.length + id.length)
  key.writeUInt32BE(dataset, 0)
  key.writeUInt32BE(markedIndex(index, deleted), 4)
  key.set(value, 8)
  key.set(id, 8 + value.length)
  return key
}

const NOTHING = new Uint8Array(0)

/** The first key after all keys that start with the prefix; undefined when there is none. */
export function prefixEnd(prefix: Uint8Array): Buffer | undefined {
  let end = prefix.length
  while (end > 0 && prefix[end - 1] === 0xff) end--
  if (end === 0) return undefined
  const next = Buffer.from(prefix.subarray(0, end))
  next[end - 1] = (next[end - 1] as number) + 1
  return next
}
