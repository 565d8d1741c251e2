/** Where a merge keeps its state: among the log's state rows, below the pipe's prefix, each beginning of it under a name of its own. */

import type { Snapshot } from '../../log/contract.ts'
import type { ClassStore, RowChange } from '../../merge/contract.ts'
import { textOf } from '../../merge/table.ts'
import { PipeError } from '../errors.ts'
import { statePrefix } from '../state.ts'
import type { Memo } from './merge-memo.ts'

/** A row as it is committed. */
export type StateChange = readonly [key: Uint8Array, value: Uint8Array | null]

const FORMAT = 2

export class MergeStore {
  readonly #snapshot: () => Snapshot
  readonly #prefix: string
  readonly #token: string
  /** The one that was handed over with a page. */
  #setup: Memo['setup'] | undefined

  /** `token` tells this run from any other. */
  constructor(snapshot: () => Snapshot, pipe: string, token: string) {
    this.#snapshot = snapshot
    this.#prefix = `${statePrefix(pipe)}merge\u0000`
    this.#token = token
  }

  memo(): Memo | undefined {
    const bytes = this.#snapshot().state(this.#key('memo'))
    if (bytes === undefined) return undefined
    const { format, ...memo } = JSON.parse(textOf(bytes)) as Omit<Memo, 'setup'> & { format: number }
    const setup = this.#snapshot().state(this.#key('setup'))
    if (format === FORMAT && setup !== undefined) return { ...memo, setup: JSON.parse(textOf(setup)) as Memo['setup'] }
    throw new PipeError(
      'state-format',
      `The state of this merge has the format ${format}, and this version knows ${FORMAT}.`,
      {
        hint: 'Use the version that wrote it, or a newer one.',
      },
    )
  }

  /** Rows of one beginning, with the keys that the merge room gives them. */
  rows(epoch: string): ClassStore {
    const below = `${this.#prefix}${epoch}\u0000`
    const { length } = Buffer.from(below)
    const snapshot = this.#snapshot
    return {
      get: (key) => snapshot().state(Buffer.from(below + key)),
      *range(prefix, after) {
        const from = after === undefined ? undefined : Buffer.from(below + after)
        for (const [key, value] of snapshot().states(Buffer.from(below + prefix), from)) {
          yield [textOf(key.subarray(length)), value]
        }
      },
    }
  }

  /** A page of changes with the memo as it is then, to be committed with a batch. */
  page(
    number: number,
    memo: Memo,
    changes: readonly (readonly [epoch: string, changes: readonly RowChange[]])[],
  ): StateChange[] {
    const { setup, ...rest } = memo
    const page: StateChange[] = [
      [this.#key('memo'), Buffer.from(JSON.stringify({ format: FORMAT, ...rest }))],
      [this.#key('page'), Buffer.from(`${this.#token} ${number}`)],
    ]
    // It may be long, and mostly stays as it is.
    if (setup !== this.#setup) page.push([this.#key('setup'), Buffer.from(JSON.stringify(setup))])
    this.#setup = setup
    for (const [epoch, rows] of changes) {
      const below = `${this.#prefix}${epoch}\u0000`
      for (const [key, value] of rows) page.push([Buffer.from(below + key), value])
    }
    return page
  }

  /** Newest page of this run that is in the store, 0 when none is. */
  committedPage(): number {
    const bytes = this.#snapshot().state(this.#key('page'))
    if (bytes === undefined) return 0
    const [token, number] = textOf(bytes).split(' ')
    return token === this.#token ? Number(number) : 0
  }

  #key(name: string): Uint8Array {
    return Buffer.from(this.#prefix + name)
  }
}
