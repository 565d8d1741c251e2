/** Versions as the bytes of a JSON array (rest-api.md §5.2): stored bytes are copied, nothing is decoded or encoded. */

import type { Block } from './block.ts'
import type { Version } from './contract.ts'
import { storedTail } from './stored.ts'

const OPEN = 0x5b
const CLOSE = 0x5d
const COMMA = 0x2c
/** More than the longest tail. */
const TAIL = 256

/** Gathers versions in chunks of about `bytes`, which are taken while it goes on. */
export class JsonChunks {
  readonly #bytes: number
  #chunk: Buffer
  #at = 1
  #isEmpty = true
  #full: Buffer[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
    this.#chunk = Buffer.allocUnsafeSlow(bytes + TAIL)
    this.#chunk[0] = OPEN
  }

  add(version: Version): void {
    const { body } = version
    // Without the bracket at its end.
    const length = body.length - 1
    if (this.#at + 1 + length + TAIL > this.#chunk.length) this.#next(length)
    const chunk = this.#chunk
    if (!this.#isEmpty) chunk[this.#at++] = COMMA
    this.#isEmpty = false
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length)
    this.#at += bytes.copy(chunk, this.#at, 0, length)
    this.#at += chunk.write(storedTail(version), this.#at, 'latin1')
  }

  /** As {@link add}, straight from where it is stored: nothing is made of it but its text. */
  addFrom(block: Block, entry: number): void {
    const length = block.lengthAt(entry)
    if (this.#at + 1 + length + TAIL > this.#chunk.length) this.#next(length)
    const chunk = this.#chunk
    if (!this.#isEmpty) chunk[this.#at++] = COMMA
    this.#isEmpty = false
    this.#at = block.putJson(entry, chunk, this.#at)
  }

  /** The chunks that are full by now. */
  take(): readonly Buffer[] {
    const full = this.#full
    this.#full = []
    return full
  }

  /** The rest, and the end of the array. */
  end(): Buffer {
    if (this.#at === this.#chunk.length) this.#next(0)
    this.#chunk[this.#at++] = CLOSE
    return this.#chunk.subarray(0, this.#at)
  }

  #next(needed: number): void {
    if (this.#at > 0) this.#full.push(this.#chunk.subarray(0, this.#at))
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(this.#bytes, needed + 1) + TAIL)
    this.#at = 0
  }
}
