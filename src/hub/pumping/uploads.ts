/** Long requests to receivers while they come: their bytes go through here in pieces, at the pace at which they are stored. */

import { PipeError } from '../../pipes/errors.ts'
import type { EntityGroup } from '../../pipes/receiver.ts'
import { ElementSplitter } from '../../pipes/sources/json-elements.ts'

/** Entities that are stored together, and their bytes. */
const GROUP = { elements: 2_000, bytes: 4 * 1024 * 1024 }
/** Pieces that wait to be looked at. */
const WAITING = 4

/** A body in pieces: whoever brings them waits while too many are there. */
export class Upload {
  readonly #pieces: Uint8Array[] = []
  #isWhole = false
  #failure: Error | null = null
  #wake = () => {}
  #relieved = () => {}

  /** Resolves when another piece may come. Rejects when nobody wants more. */
  async add(piece: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    this.#pieces.push(piece)
    this.#wake()
    while (this.#pieces.length >= WAITING && this.#failure === null) {
      await new Promise<void>((resolve) => {
        this.#relieved = resolve
      })
    }
  }

  /** All of it was added. */
  end(): void {
    this.#isWhole = true
    this.#wake()
  }

  /** Nothing more comes, and what came was not all; or nobody reads it any more. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#pieces.length = 0
    this.#wake()
    this.#relieved()
  }

  /** The entities in groups; an end that is not the real one is an error. */
  async *groups(entityBytes: number): AsyncGenerator<EntityGroup> {
    const splitter = new ElementSplitter('The body', { ...GROUP, elementBytes: entityBytes })
    for await (const piece of this.#all()) {
      for (const { bytes, count } of splitter.push(piece)) yield { bytes: listOf(bytes), count }
    }
    splitter.finish()
  }

  async *#all(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#relieved()
        yield piece
      } else if (this.#isWhole) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}

const OPEN = Buffer.from('[')
const CLOSE = Buffer.from(']')

const listOf = (elements: Uint8Array): Uint8Array => Buffer.concat([OPEN, elements, CLOSE])

export const brokenOff = (): PipeError =>
  new PipeError('body-broken', 'The body broke off before its end.', {
    hint: 'What came of it may have been kept. Send all of it again.',
  })
