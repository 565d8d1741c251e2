/** Keeps a seen-set among a pipe's state: a head that says what it belongs to, and pages of bits. */

import type { Snapshot } from '../log/contract.ts'
import { PipeError } from './errors.ts'
import { SeenSet } from './seen-set.ts'
import { forgetState, type StateChanges, statePrefix } from './state.ts'

/** What every head says. */
export interface SeenHead {
  /** Names the pages: those of another read, left behind, are never mistaken for its own. */
  readonly token: string
  readonly dataset: string
  /** Of the dataset: with another one the bits mean nothing. */
  readonly generation: string
  /** Next sequence of the dataset when the read began. */
  readonly end: number
}

const FORMAT = 1

export class SeenStore<Head extends SeenHead> {
  readonly #prefix: string

  /** `name`: of the kind of read, where a pipe has several. */
  constructor(pipe: string, name = 'seen') {
    this.#prefix = `${statePrefix(pipe)}${name}\u0000`
  }

  head(snapshot: Snapshot): Head | undefined {
    const bytes = snapshot.state(this.#headKey())
    if (bytes === undefined) return undefined
    const { format, ...head } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { format: number }
    if (format === FORMAT) return head as unknown as Head
    throw new PipeError('state-format', `The state of this full read has the format ${format}, not ${FORMAT}.`, {
      hint: 'Use the version that wrote it, or reset the pipe.',
    })
  }

  /** The set that was saved with the head. */
  load(snapshot: Snapshot, { token, generation, end }: Head): SeenSet {
    const seen = new SeenSet(generation, end)
    const below = Buffer.from(this.#pages(token))
    for (const [key, bytes] of snapshot.states(below)) {
      seen.restore(Number.parseInt(Buffer.from(key.subarray(below.length)).toString('utf8'), 16), bytes)
    }
    return seen
  }

  /** The head, and the pages that changed since they were saved last: to be committed together. */
  save(head: Head, seen: SeenSet): StateChanges {
    return [...this.saveHead(head), ...this.savePages(head.token, seen)]
  }

  /** The pages that changed alone, where the head is as it was. */
  savePages(token: string, seen: SeenSet): StateChanges {
    const below = this.#pages(token)
    return seen.takeChanged().map(([page, bytes]) => [Buffer.from(below + page.toString(16)), bytes] as const)
  }

  /** The head alone: what its pages say is void when it is another one. */
  saveHead(head: Head): StateChanges {
    return [[this.#headKey(), Buffer.from(JSON.stringify({ format: FORMAT, ...head }))]]
  }

  /** Takes the head away, and the pages of the set. */
  forget(set?: { readonly head: SeenHead; readonly seen: SeenSet }): StateChanges {
    return [[this.#headKey(), null], ...(set === undefined ? [] : this.forgetPages(set.head, set.seen))]
  }

  forgetPages({ token }: SeenHead, seen: SeenSet): StateChanges {
    const below = this.#pages(token)
    return [...seen.pages()].map((page) => [Buffer.from(below + page.toString(16)), null] as const)
  }

  /** Deletes all pages, in bounded steps; only while no head says that they mean anything. */
  sweep(present: () => Snapshot, commit: (state: StateChanges) => Promise<unknown>): Promise<void> {
    return forgetState(`${this.#prefix}page\u0000`, present, commit)
  }

  #headKey(): Uint8Array {
    return Buffer.from(`${this.#prefix}head`)
  }

  #pages(token: string): string {
    return `${this.#prefix}page\u0000${token}\u0000`
  }
}
