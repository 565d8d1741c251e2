/** Where a source is in each of its datasets: its offset is a list with commas, in the order of the datasets (hub.md §6.2). */

import type { Snapshot } from '../../log/contract.ts'
import { textOf } from '../../merge/table.ts'
import type { Offset } from '../contract.ts'
import { sourceOffset } from '../full-run.ts'
import { type StateChange, statePrefix } from '../state.ts'

/**
 * Which datasets the places of the stored offset belong to. While the list of datasets is another one than before,
 * the former is kept beside its last offset, until a newer offset is stored.
 */
interface Layout {
  readonly datasets: readonly string[]
  readonly former?: { readonly offset: Offset; readonly datasets: readonly string[] }
}

export class Bookmarks {
  /** Last sequence that was read, by place of the dataset; null: nothing was. */
  readonly at: (number | null)[]
  readonly #key: Uint8Array
  readonly #layout: Layout
  #isNoted: boolean

  constructor(datasets: readonly string[], pipe: string, snapshot: Snapshot, since: Offset | null) {
    this.#key = layoutKey(pipe)
    const stored = snapshot.offset(sourceOffset(pipe)) ?? null
    const noted = layoutAt(this.#key, snapshot)
    const of = since === null ? datasets : (ordered(noted, since) ?? datasets)
    const places = since === null ? [] : placesOf(since)
    this.at = datasets.map((dataset) => places[of.indexOf(dataset)] ?? null)
    const before = stored === null ? undefined : ordered(noted, stored)
    const former =
      before === undefined || isSame(before, datasets) ? undefined : { offset: stored as string, datasets: before }
    this.#layout = { datasets, ...(former === undefined ? {} : { former }) }
    this.#isNoted = JSON.stringify(noted) === JSON.stringify(this.#layout)
  }

  offset(): Offset {
    return this.at.map((sequence) => sequence ?? '').join(',')
  }

  /** What is to be stored with the next batch, which is nothing as long as the datasets are the same. */
  notes(): { readonly state?: readonly StateChange[] } {
    if (this.#isNoted) return {}
    this.#isNoted = true
    return { state: [[this.#key, Buffer.from(JSON.stringify(this.#layout))]] }
  }
}

/** The datasets that the places of a pipe's stored offset are of: those that it reads, unless it read others at that time. */
export function offsetOrder(pipe: string, inputs: readonly string[], snapshot: Snapshot): readonly string[] {
  const stored = snapshot.offset(sourceOffset(pipe))
  // A source of one dataset notes nothing, and what is noted may be of another source.
  if (stored === undefined || !stored.includes(',')) return inputs
  return ordered(layoutAt(layoutKey(pipe), snapshot), stored) ?? inputs
}

/** The last sequence of each dataset that a pipe has read, as its offset says; null: none, or nobody knows. */
export function readUpTo(
  pipe: string,
  inputs: readonly string[],
  snapshot: Snapshot,
): (dataset: string) => number | null {
  const order = offsetOrder(pipe, inputs, snapshot)
  const places = placesOf(snapshot.offset(sourceOffset(pipe)) ?? '')
  return (dataset) => (places.length === order.length ? (places[order.indexOf(dataset)] ?? null) : null)
}

/** That from now on the places of the offset are these datasets. */
export const layoutNoted = (datasets: readonly string[], pipe: string): StateChange => [
  layoutKey(pipe),
  Buffer.from(JSON.stringify({ datasets } satisfies Layout)),
]

const layoutKey = (pipe: string): Uint8Array => Buffer.from(`${statePrefix(pipe)}datasets`)

/** The places of an offset; what is no number is the start, so that the worst is to read again. */
export const placesOf = (offset: Offset): (number | null)[] =>
  offset.split(',').map((place) => (/^\d+$/.test(place) ? Number(place) : null))

function layoutAt(key: Uint8Array, snapshot: Snapshot): Layout | undefined {
  const bytes = snapshot.state(key)
  return bytes === undefined ? undefined : (JSON.parse(textOf(bytes)) as Layout)
}

/** The order of datasets that an offset goes by. */
const ordered = (noted: Layout | undefined, offset: Offset): readonly string[] | undefined =>
  noted?.former?.offset === offset ? noted.former.datasets : noted?.datasets

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.join('\u0000') === other.join('\u0000')
