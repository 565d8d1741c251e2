/**
 * Rows of the `latest` table: which version of an id is the newest, and the index keys that it holds.
 *
 *     0   u32  checksum of the rest, seeded with the dataset's number
 *     4   u8   1: deleted, 2: the id is long and stands here in full
 *     5   u48  sequence
 *     11  u16  how far back its block begins
 *     13  16   hash
 *     29  for a long id: u32 its length, its bytes
 *     … for each index key: u32 the index, the value as it stands in the index's keys
 */

import { broken, checksum } from './checksum.ts'
import { isLong, valuePartLength } from './keys.ts'

const DELETED = 1
const LONG = 2
const HASH = 13
const KEYS = 29

/** One index key that an entity holds; `value` is a `valuePart`. */
export interface HeldKey {
  readonly index: number
  readonly value: Buffer
}

/** Reads the row that was read last: one object for all rows, since most are looked at once. */
export class LatestRow {
  #row: Buffer = Buffer.alloc(0)
  #length = 0

  /** Points it at a row and checks it. */
  read(row: Buffer, length: number, dataset: number): this {
    this.#row = row
    this.#length = length
    if (length < KEYS || checksum(row.subarray(4, length), dataset) !== row.readUInt32LE(0)) {
      throw broken(`the latest version of an id of dataset number ${dataset}`, { dataset })
    }
    return this
  }

  get deleted(): boolean {
    return ((this.#row[4] as number) & DELETED) !== 0
  }

  get sequence(): number {
    return this.#row.readUIntLE(5, 6)
  }

  /** Key of the block that holds the version. */
  get block(): number {
    return this.sequence - this.#row.readUInt16LE(11)
  }

  get hash(): string {
    return this.#row.toString('hex', HASH, HASH + 16)
  }

  /** The hash as bytes: a copy. */
  hashBytes(): Buffer {
    return Buffer.from(this.#row.subarray(HASH, HASH + 16))
  }

  hasHash(bytes: Buffer, at: number): boolean {
    const row = this.#row
    for (let i = 0; i < 16; i++) if (row[HASH + i] !== bytes[at + i]) return false
    return true
  }

  /** A 32-bit lane of the hash, 0 to 3. */
  lane(lane: number): number {
    return this.#row.readUInt32LE(HASH + 4 * lane)
  }

  /** The key of its id is shortened. */
  get isLong(): boolean {
    return ((this.#row[4] as number) & LONG) !== 0
  }

  /** Whether it is this id's: a shortened key may, against all odds, be another's. */
  isOf(id: Uint8Array): boolean {
    const full = this.#longId()
    return full === undefined ? !isLong(id) : full.equals(id)
  }

  #longId(): Buffer | undefined {
    if (((this.#row[4] as number) & LONG) === 0) return undefined
    return this.#row.subarray(KEYS + 4, KEYS + 4 + this.#row.readUInt32LE(KEYS))
  }

  get hasKeys(): boolean {
    return this.#keysStart < this.#length
  }

  get #keysStart(): number {
    return ((this.#row[4] as number) & LONG) === 0 ? KEYS : KEYS + 4 + this.#row.readUInt32LE(KEYS)
  }

  /** Whether it holds a key; `value` is a `valuePart`. */
  holds(index: number, value: Buffer): boolean {
    for (let at = this.#keysStart; at < this.#length; ) {
      const end = at + 4 + valuePartLength(this.#row, at + 4)
      if (this.#row.readUInt32LE(at) === index && value.equals(this.#row.subarray(at + 4, end))) return true
      at = end
    }
    return false
  }

  /** The index keys it holds: copies. */
  keys(): HeldKey[] {
    const keys: HeldKey[] = []
    for (let at = this.#keysStart; at < this.#length; ) {
      const index = this.#row.readUInt32LE(at)
      const end = at + 4 + valuePartLength(this.#row, at + 4)
      keys.push({ index, value: Buffer.from(this.#row.subarray(at + 4, end)) })
      at = end
    }
    return keys
  }
}

/** Writes rows into one buffer, lent until the next one. */
export class LatestWriter {
  #row = Buffer.allocUnsafeSlow(4096)

  write(
    dataset: number,
    id: Buffer,
    version: {
      readonly sequence: number
      readonly block: number
      readonly deleted: boolean
      readonly hash: Buffer
      readonly hashStart: number
    },
    keys: readonly HeldKey[],
  ): Buffer {
    const long = isLong(id)
    let length = KEYS + (long ? 4 + id.length : 0)
    for (const { value } of keys) length += 4 + value.length
    if (this.#row.length < length) this.#row = Buffer.allocUnsafeSlow(2 * length)
    const row = this.#row
    row[4] = (version.deleted ? DELETED : 0) | (long ? LONG : 0)
    row.writeUIntLE(version.sequence, 5, 6)
    row.writeUInt16LE(version.sequence - version.block, 11)
    const { hash, hashStart } = version
    for (let i = 0; i < 16; i++) row[HASH + i] = hash[hashStart + i] as number
    let at = KEYS
    if (long) {
      row.writeUInt32LE(id.length, at)
      row.set(id, at + 4)
      at += 4 + id.length
    }
    for (const { index, value } of keys) {
      row.writeUInt32LE(index, at)
      row.set(value, at + 4)
      at += 4 + value.length
    }
    const bytes = row.subarray(0, length)
    row.writeUInt32LE(checksum(row.subarray(4, length), dataset), 0)
    return bytes
  }
}
