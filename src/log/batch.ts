/**
 * Batches: entities and index entries in one buffer that is transferred to the writer, so that bytes cross and no objects.
 *
 *     0   u32  'SB01' for entities, 'SF01' for an index fill
 *     4   u32  number of records
 *     8   the records, each
 *         0   u32  length of the record
 *         4   u8   1: deleted; from bit 1: how its text may be read
 *         5   u24  bytes of the id
 *         8   16   hash            (fill: u48 sequence of the version the keys were computed from)
 *         24  u32  checksum of id and body
 *         28  u32  bytes of the body
 *         32  u32  number of index keys
 *         36  the id, the body, and for each key: u32 the index, the value as it stands in keys, and when it was
 *             shortened, u32 its full length and its bytes
 */

import type { EntityText } from '../model/entity-text.ts'
import { ANY_FORM, type StoredForm } from '../model/json.ts'
import { DELETED, flagsOf, MAX_ID } from './block.ts'
import { checksum } from './checksum.ts'
import { LogError } from './errors.ts'
import { encodeId, isWellFormed } from './ids.ts'
import { isLong, isShortenedValue, valuePart, valuePartLength } from './keys.ts'

const ENTITIES = 0x31304253
const FILL = 0x31304653
const START = 8
const RECORD = 36
const NO_KEYS: EntityKeys = []

/** What `encodeEntity` of the model gives. */
export interface PackedEntity {
  readonly id: string
  readonly deleted: boolean
  /** JSON of `_id` and the content. */
  readonly text: string
  /** 32 hex characters. */
  readonly hash: string
  /** How the text may be read; 0, which is always right, when absent. */
  readonly form?: StoredForm
}

/** For each index its number and the entity's keys in it. */
export type EntityKeys = readonly (readonly [index: number, keys: readonly Uint8Array[]])[]

/** Bytes that grow. */
class Packing {
  #buffer: Buffer
  #end = START
  #count = 0

  constructor(kind: number, bytes: number) {
    this.#buffer = Buffer.from(new ArrayBuffer(Math.max(bytes, 1024)))
    this.#buffer.writeUInt32LE(kind, 0)
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#end
  }

  add(id: string, text: string, keys: EntityKeys, head: (record: Buffer, at: number) => void): void {
    const at = this.#end
    this.#reserve(RECORD + 3 * (id.length + text.length))
    const idStart = at + RECORD
    const idLength = isWellFormed(id) ? this.#buffer.write(id, idStart) : encodeId(id).copy(this.#buffer, idStart)
    checkId(idLength)
    const bodyStart = idStart + idLength
    const bodyLength = text === '' ? 0 : this.#buffer.write(text, bodyStart)
    this.#end = bodyStart + bodyLength
    let keyCount = 0
    for (const [index, values] of keys) keyCount += this.#addKeys(index, values)
    this.#writeHead(at, idLength, bodyLength, keyCount)
    head(this.#buffer, at)
    this.#count++
  }

  /** As {@link add}, of bytes. */
  addText(entity: EntityText, keys: EntityKeys, head: (record: Buffer, at: number) => void): void {
    const { text, length, idStart, escapedId } = entity
    const id = escapedId === null ? null : encodeId(escapedId)
    const idLength = id === null ? entity.idLength : id.length
    checkId(idLength)
    const at = this.#end
    this.#reserve(RECORD + idLength + length)
    const start = at + RECORD
    if (id === null) text.copy(this.#buffer, start, idStart, idStart + idLength)
    else id.copy(this.#buffer, start)
    text.copy(this.#buffer, start + idLength, 0, length)
    this.#end = start + idLength + length
    let keyCount = 0
    for (const [index, values] of keys) keyCount += this.#addKeys(index, values)
    this.#writeHead(at, idLength, length, keyCount)
    head(this.#buffer, at)
    this.#count++
  }

  #writeHead(at: number, idLength: number, bodyLength: number, keyCount: number): void {
    const buffer = this.#buffer
    const start = at + RECORD
    buffer.writeUInt32LE(this.#end - at, at)
    buffer[at + 4] = 0
    buffer.writeUIntLE(idLength, at + 5, 3)
    buffer.writeUInt32LE(checksum(buffer.subarray(start, start + idLength + bodyLength)), at + 24)
    buffer.writeUInt32LE(bodyLength, at + 28)
    buffer.writeUInt32LE(keyCount, at + 32)
  }

  #addKeys(index: number, values: readonly Uint8Array[]): number {
    if (values.length > 1) values = distinct(values)
    for (const value of values) {
      const part = valuePart(value)
      const long = isLong(value)
      this.#reserve(8 + part.length + (long ? value.length : 0))
      this.#end = this.#buffer.writeUInt32LE(index, this.#end)
      this.#buffer.set(part, this.#end)
      this.#end += part.length
      if (!long) continue
      this.#end = this.#buffer.writeUInt32LE(value.length, this.#end)
      this.#buffer.set(value, this.#end)
      this.#end += value.length
    }
    return values.length
  }

  finish(): ArrayBuffer {
    this.#buffer.writeUInt32LE(this.#count, 4)
    return (this.#buffer.buffer as ArrayBuffer).slice(0, this.#end)
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.from(new ArrayBuffer(Math.max(2 * this.#buffer.length, needed)))
    this.#buffer.copy(grown, 0, 0, this.#end)
    this.#buffer = grown
  }
}

/** Packs entities with their index keys for one {@link Write} of a commit. */
export class EntityPacker {
  readonly #packing: Packing

  /** `bytes`: about how many it will be, if known. */
  constructor(bytes = 0x10000) {
    this.#packing = new Packing(ENTITIES, bytes)
  }

  get count(): number {
    return this.#packing.count
  }

  get bytes(): number {
    return this.#packing.bytes
  }

  /** `keys` also of a deleted entity: indexes hold the deleted, marked. */
  add({ id, deleted, text, hash, form = ANY_FORM }: PackedEntity, keys: EntityKeys = NO_KEYS): void {
    const flags = flagsOf(deleted, form)
    this.#packing.add(id, text, keys, (record, at) => writeEntityHead(record, at, flags, hash))
  }

  /** The same, from bytes that are copied. */
  addText(entity: EntityText, keys: EntityKeys = NO_KEYS): void {
    const { deleted, form, hash } = entity
    const flags = flagsOf(deleted, form)
    this.#packing.addText(entity, keys, (record, at) => writeEntityHead(record, at, flags, hash))
  }

  /** The batch; the packer is spent. */
  finish(): ArrayBuffer {
    return this.#packing.finish()
  }
}

function writeEntityHead(record: Buffer, at: number, flags: number, hash: string): void {
  record[at + 4] = flags
  if (record.write(hash, at + 8, 16, 'hex') !== 16) {
    throw new LogError('bad-batch', `The hash '${hash}' of an entity is not 32 hexadecimal digits.`)
  }
}

/** Packs the index keys of versions that were there before their index. */
export class IndexFillPacker {
  readonly #packing = new Packing(FILL, 0x10000)

  get count(): number {
    return this.#packing.count
  }

  get bytes(): number {
    return this.#packing.bytes
  }

  /** `sequence`: of the version that the keys were computed from. */
  add(id: string, sequence: number, index: number, keys: readonly Uint8Array[]): void {
    this.#packing.add(id, '', [[index, keys]], (record, at) => {
      record.writeUIntLE(sequence, at + 8, 6)
    })
  }

  finish(): ArrayBuffer {
    return this.#packing.finish()
  }
}

/** One index key of a record. */
export interface RecordKey {
  readonly index: number
  /** A `valuePart`. */
  readonly value: Buffer
  /** The full value when it was shortened. */
  readonly full: Buffer | null
}

/** Walks the records of a batch; between two calls of {@link next} it shows one of them. All that it gives are views. */
export class BatchReader {
  readonly source: Buffer
  readonly count: number
  /** Bytes of the greatest body. */
  readonly greatest: number
  /** Bytes of the longest id. */
  readonly longestId: number
  #at = START
  #left: number
  #record = 0
  idStart = 0
  idLength = 0
  /** Bytes of id and body together. */
  length = 0

  constructor(batch: ArrayBuffer, kind: 'entities' | 'fill') {
    this.source = Buffer.from(batch)
    const { greatest, longestId } = check(this.source, kind === 'entities' ? ENTITIES : FILL)
    this.greatest = greatest
    this.longestId = longestId
    this.count = this.source.readUInt32LE(4)
    this.#left = this.count
  }

  next(): boolean {
    if (this.#left === 0) return false
    this.#left--
    const at = this.#at
    this.#record = at
    this.#at = at + this.source.readUInt32LE(at)
    this.idStart = at + RECORD
    this.idLength = this.source.readUIntLE(at + 5, 3)
    this.length = this.idLength + this.source.readUInt32LE(at + 28)
    return true
  }

  /** Back to the first record. */
  rewind(): void {
    this.#at = START
    this.#left = this.count
  }

  get deleted(): boolean {
    return (this.flags & DELETED) !== 0
  }

  get flags(): number {
    return this.source[this.#record + 4] as number
  }

  get hashStart(): number {
    return this.#record + 8
  }

  /** 32 hex characters. */
  get hash(): string {
    return this.source.toString('hex', this.#record + 8, this.#record + 24)
  }

  /** Of a fill. */
  get sequence(): number {
    return this.source.readUIntLE(this.#record + 8, 6)
  }

  get checksum(): number {
    return this.source.readUInt32LE(this.#record + 24)
  }

  get id(): Buffer {
    return this.source.subarray(this.idStart, this.idStart + this.idLength)
  }

  get bodyLength(): number {
    return this.source.readUInt32LE(this.#record + 28)
  }

  get keyCount(): number {
    return this.source.readUInt32LE(this.#record + 32)
  }

  keys(): RecordKey[] {
    const keys: RecordKey[] = []
    let at = this.idStart + this.length
    for (let left = this.keyCount; left > 0; left--) {
      const end = at + 4 + valuePartLength(this.source, at + 4)
      const index = this.source.readUInt32LE(at)
      const value = this.source.subarray(at + 4, end)
      at = end
      let full: Buffer | null = null
      if (isShortenedValue(value)) {
        at = end + 4 + this.source.readUInt32LE(end)
        full = this.source.subarray(end + 4, at)
      }
      keys.push({ index, value, full })
    }
    return keys
  }
}

/** That all lengths lie within the batch, so that reading it cannot fail half-way. */
function check(source: Buffer, kind: number): { readonly greatest: number; readonly longestId: number } {
  if (source.length < START || source.readUInt32LE(0) !== kind) throw badBatch('it does not begin as one')
  let at = START
  let greatest = 0
  let longestId = 0
  for (let left = source.readUInt32LE(4); left > 0; left--) {
    if (at + RECORD > source.length) throw badBatch('it ends too early')
    const end = at + source.readUInt32LE(at)
    const idLength = source.readUIntLE(at + 5, 3)
    const bodyLength = source.readUInt32LE(at + 28)
    let key = at + RECORD + idLength + bodyLength
    if (end > source.length || key > end) throw badBatch('a record is longer than the batch')
    for (let keys = source.readUInt32LE(at + 32); keys > 0; keys--) {
      if (key + 6 > end) throw badBatch('an index key is longer than its record')
      const value = key + 4
      key = value + valuePartLength(source, value)
      if (key > end) throw badBatch('an index key is longer than its record')
      if (!isShortenedValue(source.subarray(value, value + 2))) continue
      if (key + 4 > end) throw badBatch('an index key is longer than its record')
      key += 4 + source.readUInt32LE(key)
    }
    if (key !== end) throw badBatch('a record has another length than it says')
    if (bodyLength > greatest) greatest = bodyLength
    if (idLength > longestId) longestId = idLength
    at = end
  }
  if (at !== source.length) throw badBatch('something follows the last record')
  return { greatest, longestId }
}

function distinct(values: readonly Uint8Array[]): Uint8Array[] {
  const byText = new Map<string, Uint8Array>()
  for (const value of values)
    byText.set(Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1'), value)
  return [...byText.values()]
}

const badBatch = (why: string): LogError => new LogError('bad-batch', `A batch for the log is malformed: ${why}.`)

const emptyId = (): LogError =>
  new LogError('bad-id', 'An entity has an empty _id.', { hint: 'Give each entity an _id of 1 byte or more.' })

function checkId(bytes: number): void {
  if (bytes === 0) throw emptyId()
  if (bytes > MAX_ID) throw tooLongId(bytes)
}

const tooLongId = (bytes: number): LogError =>
  new LogError('entity-too-large', `An entity's _id has ${bytes} bytes; ${MAX_ID} are the most.`, {
    details: { bytes, limit: MAX_ID },
  })
