/**
 * Blocks: consecutive new versions of one commit in one row of the `log` table, some kilobytes together.
 *
 *     0   u32  checksum of the rest of the head and of the directory, seeded with the dataset's number
 *     4   u8   layout, 1
 *     5   u8   0
 *     6   u16  number of versions
 *     8   u48  sequence that the block was made for: its key
 *     14  u16  0
 *     16  f64  wall clock, microseconds
 *     24  u32  length of the block
 *     28  u32  0
 *     32  the directory: for each version
 *         0   u16  sequence, from the block's own
 *         2   u8   1: deleted; from bit 1: how its text may be read (model/json.ts)
 *         3   u24  bytes of the id
 *         6   u48  previous sequence + 1, or 0
 *         12  16   hash
 *         28  u32  checksum of id and body
 *         32  u32  where the id begins; the body follows it, up to the next version's id
 *     the ids and bodies
 *
 * Numbers are little-endian. Each version says its sequence, so compaction can take versions out of a block and leave it
 * under its key: `latest` rows, which name the key, stay true.
 */

import type { StoredForm } from '../model/json.ts'
import { broken, checksum } from './checksum.ts'
import type { Version } from './contract.ts'
import { decodeId } from './ids.ts'
import { putBytes, putHex, putNumber } from './put.ts'

const LAYOUT = 1
const HEAD = 32
const ENTRY = 36
/** What LMDB stores beside its trees lies in pages of its own; what is left over of the last one is lost. */
const PAGE = 4_096
const PAGE_HEAD = 16
/**
 * A block is as short as it can be: a single version is read with all of its block, and a free place of one page is
 * found at once. It ends with a page of which so much is used; otherwise it goes on, to this many pages.
 */
const FULL = 0.9
const MOST_PAGES = 4
/** The longest id that the directory can tell. */
export const MAX_ID = 0xff_ffff
export const DELETED = 1

/** The parts of a version's text that are not its own. */
const [IS_DELETED, IS_LIVE, PREVIOUS, NULL, END] = [
  ',"_deleted":true,"_updated":',
  ',"_deleted":false,"_updated":',
  ',"_previous":',
  'null',
  '"}',
].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer, Buffer]

/** What is noted of a version beside its content. */
export const flagsOf = (deleted: boolean, form: StoredForm): number => (deleted ? DELETED : 0) | (form << 1)

/** A block that was read. */
export class Block {
  readonly dataset: number
  readonly first: number
  readonly count: number
  readonly ts: number
  readonly #bytes: Buffer
  /** What the hub adds to the text of each of its versions, between the sequences and the hash. */
  #ts: Buffer | null = null

  /** Checks the directory. `bytes` is not copied. */
  constructor(bytes: Buffer, length: number, dataset: number, first: number) {
    this.dataset = dataset
    this.first = first
    this.#bytes = bytes
    this.count = length < HEAD ? 0 : bytes.readUInt16LE(6)
    const data = HEAD + ENTRY * this.count
    const isSound =
      length >= HEAD &&
      length >= data &&
      bytes.readUInt32LE(24) === length &&
      bytes.readUIntLE(8, 6) === first &&
      checksum(bytes.subarray(4, data), dataset) === bytes.readUInt32LE(0)
    if (!isSound) throw broken(`block ${first} of dataset number ${dataset}`, { dataset, sequence: first })
    this.ts = bytes.readDoubleLE(16)
  }

  /** Bytes of the block. */
  get length(): number {
    return this.#bytes.readUInt32LE(24)
  }

  sequenceAt(entry: number): number {
    return this.first + this.#bytes.readUInt16LE(HEAD + ENTRY * entry)
  }

  /** Which entry has a sequence, or -1. */
  find(sequence: number): number {
    // In a block that was never compacted, the place is the sequence.
    const guess = sequence - this.first
    if (guess >= 0 && guess < this.count && this.sequenceAt(guess) === sequence) return guess
    let low = 0
    let high = this.count - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.sequenceAt(middle)
      if (found === sequence) return middle
      if (found < sequence) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  /** Bytes of the id: a view. */
  idBytesAt(entry: number): Buffer {
    const at = HEAD + ENTRY * entry
    const start = this.#bytes.readUInt32LE(at + 32)
    return this.#bytes.subarray(start, start + this.#bytes.readUIntLE(at + 3, 3))
  }

  deletedAt(entry: number): boolean {
    return ((this.#bytes[HEAD + ENTRY * entry + 2] as number) & DELETED) !== 0
  }

  previousAt(entry: number): number | null {
    const previous = this.#bytes.readUIntLE(HEAD + ENTRY * entry + 6, 6)
    return previous === 0 ? null : previous - 1
  }

  /** This block without some of its entries, for the same key; undefined when none is left. */
  without(dropped: ReadonlySet<number>): Buffer | undefined {
    const kept: number[] = []
    for (let entry = 0; entry < this.count; entry++) if (!dropped.has(entry)) kept.push(entry)
    if (kept.length === 0) return undefined
    const from = this.#bytes
    const data = HEAD + ENTRY * kept.length
    const block = Buffer.allocUnsafe(
      data + kept.reduce((sum, entry) => sum + this.#endOf(entry) - this.#startOf(entry), 0),
    )
    from.copy(block, 0, 0, HEAD)
    let to = data
    kept.forEach((entry, place) => {
      const at = HEAD + ENTRY * entry
      from.copy(block, HEAD + ENTRY * place, at, at + ENTRY)
      block.writeUInt32LE(to, HEAD + ENTRY * place + 32)
      to += from.copy(block, to, this.#startOf(entry), this.#endOf(entry))
    })
    block.writeUInt16LE(kept.length, 6)
    block.writeUInt32LE(to, 24)
    block.writeUInt32LE(checksum(block.subarray(4, data), this.dataset), 0)
    return block
  }

  /** Bytes of id and body. */
  lengthAt(entry: number): number {
    return this.#endOf(entry) - this.#startOf(entry)
  }

  /** Puts the text that `storedJson` would give of the version, which is checked; gives where it ends. */
  putJson(entry: number, to: Buffer, at: number): number {
    const bytes = this.#bytes
    const directory = HEAD + ENTRY * entry
    const start = this.#startOf(entry)
    const end = this.#endOf(entry)
    if (checksum(bytes.subarray(start, end)) !== bytes.readUInt32LE(directory + 28)) throw this.#damaged(entry)
    // Without the bracket at its end.
    let put = at + bytes.copy(to, at, start + bytes.readUIntLE(directory + 3, 3), end - 1)
    put = putBytes(to, put, this.deletedAt(entry) ? IS_DELETED : IS_LIVE)
    put = putNumber(to, put, this.sequenceAt(entry))
    put = putBytes(to, put, PREVIOUS)
    const previous = this.previousAt(entry)
    put = previous === null ? putBytes(to, put, NULL) : putNumber(to, put, previous)
    this.#ts ??= Buffer.from(`,"_ts":${this.ts},"_hash":"`)
    put = putBytes(to, put, this.#ts)
    put = putHex(to, put, bytes, directory + 12, directory + 28)
    return putBytes(to, put, END)
  }

  #damaged(entry: number): Error {
    const sequence = this.sequenceAt(entry)
    const { dataset } = this
    return broken(`version ${sequence} of dataset number ${dataset}`, { dataset, sequence })
  }

  /** Where id and body lie. */
  #startOf(entry: number): number {
    return this.#bytes.readUInt32LE(HEAD + ENTRY * entry + 32)
  }

  #endOf(entry: number): number {
    return entry + 1 < this.count ? this.#startOf(entry + 1) : this.#bytes.readUInt32LE(24)
  }

  /** The version, checked; with `copy` it does not share the block's memory. */
  versionAt(entry: number, copy = false): Version {
    const bytes = this.#bytes
    const at = HEAD + ENTRY * entry
    const start = this.#startOf(entry)
    const end = this.#endOf(entry)
    const stored = copy ? copyOf(bytes, start, end) : bytes.subarray(start, end)
    if (checksum(stored) !== bytes.readUInt32LE(at + 28)) throw this.#damaged(entry)
    const idLength = bytes.readUIntLE(at + 3, 3)
    return {
      id: decodeId(stored, 0, idLength),
      sequence: this.first + bytes.readUInt16LE(at),
      previous: this.previousAt(entry),
      deleted: this.deletedAt(entry),
      ts: this.ts,
      hash: bytes.toString('hex', at + 12, at + 28),
      body: stored.subarray(idLength),
      form: ((bytes[at + 2] as number) >> 1) as StoredForm,
    }
  }
}

/** Small copies share a slab of memory, which is many times quicker than memory of their own. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  bytes.copy(copy, 0, start, end)
  return copy
}

/** Where the versions of a block to be written lie; ids and bodies stay in the batch until the block is put. */
export class BlockBuilder {
  readonly #put: (first: number, block: Buffer) => void
  #block = Buffer.allocUnsafeSlow(2 * MOST_PAGES * PAGE)
  #sources: Buffer[] = []
  #starts: number[] = []
  #lengths: number[] = []
  #directory = Buffer.allocUnsafeSlow(0x10000)
  #count = 0
  #bytes = 0
  #first = 0
  #dataset = 0
  #ts = 0

  /** `block` is only lent to `put`. */
  constructor(put: (first: number, block: Buffer) => void) {
    this.#put = put
  }

  begin(dataset: number, ts: number): void {
    this.#dataset = dataset
    this.#ts = ts
  }

  /** Takes a version: `source` from `start` holds its id and body. Gives the sequence of the block it will be in. */
  add(
    sequence: number,
    previous: number | null,
    version: {
      readonly source: Buffer
      readonly idStart: number
      readonly idLength: number
      readonly length: number
      readonly hashStart: number
      readonly checksum: number
      readonly flags: number
    },
  ): number {
    if (this.#count > 0 && this.#isFullFor(version.length)) this.flush()
    const entry = this.#count++
    if (entry === 0) this.#first = sequence
    const directory = this.#directory
    const at = ENTRY * entry
    directory.writeUInt16LE(sequence - this.#first, at)
    directory[at + 2] = version.flags
    directory.writeUIntLE(version.idLength, at + 3, 3)
    directory.writeUIntLE(previous === null ? 0 : previous + 1, at + 6, 6)
    const { source, hashStart } = version
    for (let i = 0; i < 16; i++) directory[at + 12 + i] = source[hashStart + i] as number
    directory.writeUInt32LE(version.checksum, at + 28)
    // The place within the data; the directory's own length is added when it is known.
    directory.writeUInt32LE(this.#bytes, at + 32)
    this.#sources[entry] = source
    this.#starts[entry] = version.idStart
    this.#lengths[entry] = version.length
    this.#bytes += version.length
    return this.#first
  }

  #isFullFor(more: number): boolean {
    const used = HEAD + ENTRY * this.#count + this.#bytes
    const room = Math.ceil((used + PAGE_HEAD) / PAGE) * PAGE - PAGE_HEAD
    const needed = used + ENTRY + more
    return needed > room && (used >= FULL * room || needed > MOST_PAGES * PAGE - PAGE_HEAD)
  }

  /** Puts what was taken. */
  flush(): void {
    const count = this.#count
    if (count === 0) return
    const data = HEAD + ENTRY * count
    const length = data + this.#bytes
    if (this.#block.length < length) this.#block = Buffer.allocUnsafeSlow(length)
    const block = this.#block
    this.#directory.copy(block, HEAD, 0, ENTRY * count)
    let to = data
    for (let entry = 0; entry < count; entry++) {
      block.writeUInt32LE(to, HEAD + ENTRY * entry + 32)
      const start = this.#starts[entry] as number
      to += (this.#sources[entry] as Buffer).copy(block, to, start, start + (this.#lengths[entry] as number))
    }
    block[4] = LAYOUT
    block[5] = 0
    block.writeUInt16LE(count, 6)
    block.writeUIntLE(this.#first, 8, 6)
    block.writeUInt16LE(0, 14)
    block.writeDoubleLE(this.#ts, 16)
    block.writeUInt32LE(length, 24)
    block.writeUInt32LE(0, 28)
    block.writeUInt32LE(checksum(block.subarray(4, data), this.#dataset), 0)
    this.#put(this.#first, block.subarray(0, length))
    this.drop()
  }

  /** Forgets what was taken. */
  drop(): void {
    this.#count = 0
    this.#bytes = 0
    this.#sources.length = 0
    // A block for one huge version is not kept for ever.
    if (this.#block.length > 0x400000) this.#block = Buffer.allocUnsafeSlow(2 * MOST_PAGES * PAGE)
  }
}
