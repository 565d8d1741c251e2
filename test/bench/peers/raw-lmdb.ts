/** Raw `lmdb` with the tables of a log and nothing else: no blocks, checksums, compression or change of thread. */

import { open } from 'lmdb'
import type { EncodedEntity } from '../../../src/model/entity-encoder.ts'

const CHUNK = 1_000
const binary = { encoding: 'binary', keyEncoding: 'binary' } as const

export class RawLog {
  readonly #root
  readonly #log
  readonly #latest
  readonly #index
  #end = 0

  constructor(path: string) {
    this.#root = open({ ...binary, path, noSubdir: false, mapSize: 64 * 1024 ** 3, overlappingSync: false })
    this.#log = this.#root.openDB<Buffer, Buffer>({ ...binary, name: 'log' })
    this.#latest = this.#root.openDB<Buffer, Buffer>({ ...binary, name: 'latest' })
    this.#index = this.#root.openDB<Buffer, Buffer>({ ...binary, name: 'index' })
  }

  /** For each entity one get and, when it is new or changed, two puts; all on disk at the end. */
  append(entities: readonly EncodedEntity[]): void {
    this.#root.transactionSync(() => {
      for (const { id, text, hash } of entities) {
        const key = Buffer.from(id)
        const row = Buffer.allocUnsafe(22)
        row.write(hash, 0, 16, 'hex')
        const known = this.#latest.getBinaryFast(key)
        if (known !== undefined && row.compare(known, 0, 16, 0, 16) === 0) continue
        row.writeUIntBE(this.#end, 16, 6)
        this.#log.putSync(Buffer.from(row.subarray(16)), Buffer.from(text))
        this.#latest.putSync(key, row)
        this.#end++
      }
    })
  }

  index(entries: Iterable<readonly [value: string, id: string]>): void {
    this.#root.transactionSync(() => {
      for (const [value, id] of entries) this.#index.putSync(Buffer.from(`${value}\u0000${id}`), EMPTY)
    })
  }

  *scan(): Generator<Buffer> {
    let start = Buffer.alloc(6)
    for (;;) {
      // In the library's types it is a promise; it is none.
      const rows = this.#log.getRange({ start, limit: CHUNK }).asArray as unknown as { key: Buffer; value: Buffer }[]
      for (const { value } of rows) yield value
      if (rows.length < CHUNK) return
      start = Buffer.concat([rows.at(-1)?.key as Buffer, EMPTY_NEXT])
    }
  }

  head(id: string): Buffer | undefined {
    return this.#latest.getBinaryFast(Buffer.from(id))
  }

  latest(id: string): Buffer | undefined {
    const row = this.head(id)
    if (row === undefined) return undefined
    const body = this.#log.getBinaryFast(Buffer.from(row.subarray(16, 22)))
    // The memory is longer than the value.
    return body?.subarray(0, body.length)
  }

  lookup(value: string): string[] {
    const start = Buffer.from(`${value}\u0000`)
    const end = Buffer.from(`${value}\u0001`)
    const keys = this.#index.getKeys({ start, end }).asArray as unknown as Buffer[]
    return keys.map((key) => key.toString('utf8', start.length))
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}

const EMPTY = Buffer.alloc(0)
const EMPTY_NEXT = Buffer.from([0])
