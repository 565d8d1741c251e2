/** Versions as the bytes of a list in transit+json: as JsonChunks of the log, but each is read and written anew. */

import type { Version } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { TransitWriter } from '../model/transit-writer.ts'

/** Gathers versions in chunks of about `characters`, which are taken while it goes on. */
export class TransitChunks {
  readonly #characters: number
  readonly #writer = new TransitWriter()
  #text = '['
  #isEmpty = true

  constructor(characters: number) {
    this.#characters = characters
  }

  add(version: Version): void {
    const text = this.#writer.write(entityOf(version, { internal: true }))
    this.#text += this.#isEmpty ? text : `,${text}`
    this.#isEmpty = false
  }

  /** The chunk that is full by now. */
  take(): readonly Buffer[] {
    if (this.#text.length < this.#characters) return []
    const chunk = Buffer.from(this.#text)
    this.#text = ''
    return [chunk]
  }

  /** The rest, and the end of the list. */
  end(): Buffer {
    return Buffer.from(`${this.#text}]`)
  }
}
