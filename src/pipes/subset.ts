/** Reads a subset of a dataset as a feed over several snapshots (hub.md §2.6): its newest versions, or all there were. */

import { compileIndex } from '../dtl/compile.ts'
import type { CompiledIndex } from '../dtl/contract.ts'
import type { DatasetView, SubsetKey, Version } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { indexKey, keyOf } from '../model/canonical.ts'
import type { Value } from '../model/value.ts'
import { PipeError } from './errors.ts'

export interface Direction {
  /** All versions that were in it, and of each id those with which it left; otherwise the newest only. */
  readonly history: boolean
  readonly reverse?: boolean
}

export class SubsetFeed {
  readonly #expression: string
  readonly #value: Value
  readonly #history: boolean
  readonly #reverse: boolean
  readonly #compiled: CompiledIndex
  /** As of the first snapshot: what is newer is in what the next reader reads. */
  #members: Float64Array | null | undefined

  constructor(expression: string, value: Value, { history, reverse = false }: Direction) {
    this.#expression = expression
    this.#value = value
    this.#history = history
    this.#reverse = reverse
    this.#compiled = compileIndex(expression)
  }

  /**
   * What follows `since` in its direction, not beyond `to`. All calls must go on where the one before ended, and stop at the end that the
   * dataset had at the first. Throws `index-not-ready`.
   */
  after(view: DatasetView, since: number | null, to: number): Iterable<Version> {
    const part = this.#part(view)
    if (this.#history) return this.#versions(view, part, since, to)
    const reverse = this.#reverse
    if (this.#members === undefined) this.#members = view.subsetMembers(part, since, { reverse })
    return view.subset(part, since, { reverse, members: this.#members, to })
  }

  /** Whether a version is in the subset. */
  holds(version: Version): boolean {
    if (version.deleted) return false
    const wanted = keyOf(this.#value)
    return this.#compiled.keys(entityOf(version, { internal: false })).some((value) => keyOf(value) === wanted)
  }

  *#versions(view: DatasetView, part: SubsetKey, since: number | null, to: number): Generator<Version> {
    for (const version of view.changes(since, { reverse: this.#reverse, to })) {
      if (this.holds(version)) yield version
      else if (this.#hasLeft(view, part, version)) yield { ...version, deleted: true }
    }
  }

  /** Whether the id left the subset with this version. */
  #hasLeft(view: DatasetView, part: SubsetKey, { id, sequence, previous }: Version): boolean {
    if (previous === null) return false
    const before = view.version(previous)
    if (before?.id === id) return this.holds(before)
    // Compaction took the version before; the index knows of the last time at least.
    const [left] = view.subset(part, sequence - 1, { members: NOBODY })
    return left?.sequence === sequence
  }

  #part({ document }: DatasetView): SubsetKey {
    const index = document.indexes.find(({ expression }) => expression === this.#expression)
    if (index?.state !== 'ready') {
      throw new PipeError(
        'index-not-ready',
        `The index ${this.#expression} of dataset '${document.id}' is not complete.`,
        { hint: 'It is being filled in the background: try again a little later.' },
      )
    }
    return { index: index.number, key: indexKey(this.#value) as Uint8Array }
  }
}

const NOBODY = new Float64Array(0)
