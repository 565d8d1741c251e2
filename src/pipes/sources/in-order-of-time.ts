/** Walks through what changed in several datasets in the order in which it was stored, page after page. */

import type { DatasetView, Snapshot, Version } from '../../log/contract.ts'
import type { Bookmarks } from './bookmarks.ts'

/** Versions of one dataset looked at for one page, at most. */
const SPAN = 100_000

/** The newest version of an id in the dataset at a place. */
export interface Placed {
  readonly place: number
  readonly version: Version
}

interface Lane {
  readonly place: number
  readonly versions: Iterator<Version>
  /** The next of it; null: there is none up to `to`. */
  head: Version | null
  readonly to: number
  readonly isLast: boolean
}

/** Of the same time, the one at the later place is the newer: so of all versions one is the newest. */
export const isNewer = (one: Placed, other: Placed): boolean =>
  one.version.ts > other.version.ts || (one.version.ts === other.version.ts && one.place > other.place)

export class TimeWalk {
  readonly #datasets: readonly string[]
  readonly #bookmarks: Bookmarks
  readonly #ends: readonly number[]

  /** It moves the bookmarks on, up to where the datasets end now, however fast they grow. */
  constructor(datasets: readonly string[], bookmarks: Bookmarks, snapshot: Snapshot) {
    this.#datasets = datasets
    this.#bookmarks = bookmarks
    this.#ends = datasets.map((dataset) => snapshot.dataset(dataset)?.counts().end ?? 0)
  }

  /** The next versions, until `take` says that it is enough; false when there was nothing left to look at. */
  page(views: readonly (DatasetView | undefined)[], take: (placed: Placed) => boolean): boolean {
    const lanes = this.#lanes(views)
    if (lanes.length === 0) return false
    // A dataset of which nobody knows yet what comes next holds up the others.
    while (lanes.every(({ head, isLast }) => head !== null || isLast)) {
      const next = earliest(lanes)
      if (next === undefined) break
      const placed = placedOf(next)
      this.#bookmarks.at[next.place] = placed.version.sequence
      if (!take(placed)) return true
      advance(next)
    }
    // What follows the last of a dataset up to there is superseded.
    for (const { head, place, to } of lanes) if (head === null) this.#bookmarks.at[place] = to
    return true
  }

  #lanes(views: readonly (DatasetView | undefined)[]): Lane[] {
    return this.#datasets.flatMap((_, place) => {
      const since = this.#bookmarks.at[place] ?? null
      const end = this.#ends[place] as number
      const view = views[place]
      if (view === undefined || (since ?? -1) >= end - 1) return []
      const to = Math.min((since ?? -1) + SPAN, end - 1)
      const versions = view.changes(since, { history: false, to })[Symbol.iterator]()
      const lane: Lane = { place, versions, head: null, to, isLast: to === end - 1 }
      advance(lane)
      return [lane]
    })
  }
}

function advance(lane: Lane): void {
  const { done, value } = lane.versions.next()
  lane.head = done === true ? null : value
}

function earliest(lanes: readonly Lane[]): Lane | undefined {
  let first: Lane | undefined
  for (const lane of lanes) {
    if (lane.head === null) continue
    if (first === undefined || isNewer(placedOf(first), placedOf(lane))) first = lane
  }
  return first
}

const placedOf = ({ place, head }: Lane): Placed => ({ place, version: head as Version })
