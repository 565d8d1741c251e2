/** Where a merge keeps its state: among the log's state rows, below the pipe's prefix, each beginning of it under a name of its own. */

import type { Snapshot } from '../../log/contract.ts'
import type { ClassStore, RowChange } from '../../merge/contract.ts'
import { textOf } from '../../merge/table.ts'
import { PipeError } from '../errors.ts'
import { statePrefix } from '../state.ts'
import type { Manner, Memo } from './merge-memo.ts'

/** A row as it is committed. */
export type StateChange = readonly [key: Uint8Array, value: Uint8Array | null]

const FORMAT = 2

export class MergeStore {
  readonly #snapshot: () => Snapshot
  readonly #prefix: string
  readonly #token: string
  readonly #name: string
  /** Those that were handed over with a page. */
  #setup: Memo['setup'] | undefined
  #manner: Memo['manner']

  /** `token` tells this run from any other. `isBeside`: of the state that a rescan makes beside the pipe's own. */
  constructor(snapshot: () => Snapshot, pipe: string, token: string, { isBeside = false } = {}) {
    this.#snapshot = snapshot
    this.#prefix = `${statePrefix(pipe)}merge\u0000`
    this.#token = token
    this.#name = isBeside ? 'beside-' : ''
  }

  memo(): Memo | undefined {
    const bytes = this.#snapshot().state(this.#key('memo'))
    if (bytes === undefined) return undefined
    const { format, ...memo } = JSON.parse(textOf(bytes)) as Omit<Memo, 'setup' | 'manner'> & { format: number }
    const setup = this.#snapshot().state(this.#key('setup'))
    if (format === FORMAT && setup !== undefined) {
      const manner = this.#snapshot().state(this.#key('manner'))
      return {
        ...memo,
        setup: JSON.parse(textOf(setup)) as Memo['setup'],
        ...(manner === undefined ? {} : { manner: JSON.parse(textOf(manner)) as Manner }),
      }
    }
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
    const below = this.prefixOf(epoch)
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
    const page: StateChange[] = [...this.saved(memo), [this.#key('page'), Buffer.from(`${this.#token} ${number}`)]]
    for (const [epoch, rows] of changes) {
      const below = this.prefixOf(epoch)
      for (const [key, value] of rows) page.push([Buffer.from(below + key), value])
    }
    return page
  }

  /** The memo; what may be long, and mostly stays as it is, only where it is another one. */
  saved({ setup, manner, ...rest }: Memo): StateChange[] {
    const rows: StateChange[] = [[this.#key('memo'), Buffer.from(JSON.stringify({ format: FORMAT, ...rest }))]]
    if (setup !== this.#setup) rows.push([this.#key('setup'), Buffer.from(JSON.stringify(setup))])
    if (manner !== this.#manner && manner !== undefined)
      rows.push([this.#key('manner'), Buffer.from(JSON.stringify(manner))])
    this.#setup = setup
    this.#manner = manner
    return rows
  }

  /** All but the rows of its beginnings. */
  forgotten(): StateChange[] {
    return ['memo', 'page', 'setup', 'manner'].map((name) => [this.#key(name), null])
  }

  /** What the keys of a beginning's rows start with. */
  prefixOf(epoch: string): string {
    return `${this.#prefix}${epoch}\u0000`
  }

  /** Newest page of this run that is in the store, 0 when none is. */
  committedPage(): number {
    const bytes = this.#snapshot().state(this.#key('page'))
    if (bytes === undefined) return 0
    const [token, number] = textOf(bytes).split(' ')
    return token === this.#token ? Number(number) : 0
  }

  #key(name: string): Uint8Array {
    return Buffer.from(this.#prefix + this.#name + name)
  }
}
