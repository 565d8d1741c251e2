/**
 * The file of an increment: rows of tables, in the order in which they are to be put.
 *
 *     'SBI1', then records: u8 kind, u32 bytes of the key, u32 bytes of the value, the key, the value
 *     the last one has the kind 0, and the number of the others as its value (f64)
 *
 * Numbers are little-endian. The manifest has the hash of the file.
 */

import { createHash, type Hash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { LogError } from '../errors.ts'

/** What a record is. */
export const KIND = { end: 0, dataset: 1, log: 2, latest: 3, index: 4, left: 5, offset: 6, state: 7, meta: 8 } as const
export type Kind = (typeof KIND)[keyof typeof KIND]

export interface BackupRecord {
  readonly kind: Kind
  readonly key: Buffer
  readonly value: Buffer
}

const MAGIC = Buffer.from('SBI1')
const HEAD = 9
const BUFFER = 1 << 20

export class RecordWriter {
  readonly #file: number
  readonly #hash: Hash = createHash('sha256')
  #parts: Uint8Array[] = []
  #waiting = 0
  #bytes = 0
  #count = 0

  constructor(path: string) {
    this.#file = openSync(path, 'wx')
    this.#add(MAGIC)
  }

  add(kind: Kind, key: Uint8Array, value: Uint8Array): void {
    const head = Buffer.allocUnsafe(HEAD)
    head[0] = kind
    head.writeUInt32LE(key.length, 1)
    head.writeUInt32LE(value.length, 5)
    this.#add(head)
    this.#add(Buffer.from(key))
    // It may be memory that the next read overwrites.
    this.#add(Buffer.from(value))
    this.#count++
    if (this.#waiting >= BUFFER) this.#flush()
  }

  /** Everything is on disk when it returns. */
  finish(): { readonly bytes: number; readonly sha256: string } {
    const count = Buffer.allocUnsafe(8)
    count.writeDoubleLE(this.#count)
    this.add(KIND.end, Buffer.alloc(0), count)
    this.#flush()
    fsyncSync(this.#file)
    closeSync(this.#file)
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  #add(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#waiting += bytes.length
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#parts)
    this.#parts = []
    this.#waiting = 0
    this.#hash.update(bytes)
    this.#bytes += bytes.length
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at)
  }
}

/** All records but the last one, which says that nothing is missing. Throws `bad-backup`. */
export function* readRecords(path: string): Generator<BackupRecord> {
  const file = openSync(path, 'r')
  try {
    const read = reading(file, path)
    if (!read(MAGIC.length).equals(MAGIC)) throw bad(path, 'it does not begin as one')
    for (let count = 0; ; count++) {
      const head = read(HEAD)
      const kind = head[0] as Kind
      const keyLength = head.readUInt32LE(1)
      const valueLength = head.readUInt32LE(5)
      const key = read(keyLength)
      const value = read(valueLength)
      if (kind === KIND.end) {
        if (value.readDoubleLE() !== count) throw bad(path, 'records are missing')
        return
      }
      yield { kind, key, value }
    }
  } finally {
    closeSync(file)
  }
}

/** Gives as many bytes as asked for, in memory of their own. */
function reading(file: number, path: string): (length: number) => Buffer {
  let buffer = Buffer.alloc(0)
  let at = 0
  return (length) => {
    while (buffer.length - at < length) {
      const more = Buffer.allocUnsafe(Math.max(BUFFER, length))
      const got = readSync(file, more)
      if (got === 0) throw bad(path, 'it ends too early')
      buffer = Buffer.concat([buffer.subarray(at), more.subarray(0, got)])
      at = 0
    }
    at += length
    return buffer.subarray(at - length, at)
  }
}

const bad = (path: string, why: string): LogError =>
  new LogError('bad-backup', `${path} is not a whole increment of a backup: ${why}.`, {
    details: { path },
    hint: 'Restore an earlier backup.',
  })
