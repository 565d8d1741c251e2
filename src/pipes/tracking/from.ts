/** From where dependencies are followed once more, when what runs made of them meanwhile does not count (hub.md §6.3). */

import type { Snapshot } from '../../log/contract.ts'
import type { Pipe } from '../pipe.ts'
import { followed, lastOf, type TrackingChanges } from './begin.ts'
import { bookChange, type Followed, readBook, trackedUpTo } from './book.ts'

export interface FollowedFrom {
  /** Last sequences, by dataset. */
  readonly last: Readonly<Record<string, number>>
  readonly with: Readonly<Record<string, Followed>>
}

/** Where the datasets that the pipe hops to are now. */
export function followedFrom({ tracking }: Pipe, snapshot: Snapshot): FollowedFrom {
  const datasets = tracking?.datasets ?? []
  return {
    last: Object.fromEntries(datasets.map((dataset) => [dataset, lastOf(snapshot, dataset)])),
    with: Object.fromEntries(datasets.map((dataset) => [dataset, followed(snapshot, dataset)])),
  }
}

/** To be committed: the next run follows what changed since then, and notices what was made again or erased. */
export function followedAgain(pipe: string, { last, with: then }: FollowedFrom, snapshot: Snapshot): TrackingChanges {
  const ends = Object.entries(last)
  if (ends.length === 0) return { offsets: [], state: [] }
  const book = readBook(pipe, snapshot)
  return {
    offsets: trackedUpTo(pipe, ends),
    state: [bookChange(pipe, { ...book, datasets: { ...book.datasets, ...then } })],
  }
}
