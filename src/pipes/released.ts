/** What of a dataset is let through while what was written after a moment is held back (hub.md §11). */

import type { DatasetView, Version } from '../log/contract.ts'

/** Versions looked at before others have their turn. */
const SLICE = 50_000
/** Ids of which it is kept where their newest released version lies. */
const KEPT = 10_000

/**
 * The place before which all may go: that of the first version after `since` that was written later than `heldTo`, or the
 * end. Whatever follows it waits, too, should the clock have gone back: so an offset never passes what is held back.
 */
export async function endOfReleased(
  view: () => DatasetView | undefined,
  since: number,
  heldTo: number,
): Promise<number> {
  const end = view()?.counts().end ?? 0
  for (let at = since; at < end - 1; await turn()) {
    let looked = 0
    const before = at
    for (const { sequence, ts } of view()?.places(at < 0 ? null : at) ?? []) {
      if (sequence >= end) return end
      if (ts > heldTo) return sequence
      at = sequence
      if (++looked === SLICE) break
    }
    if (at === before || looked < SLICE) return end
  }
  return end
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The newest version of an id that was not written later; undefined when there is none, or compaction took it. */
export function newestReleased(view: DatasetView, id: string, heldTo: number | null): Version | undefined {
  let version = view.latest(id)
  while (heldTo !== null && version !== undefined && version.ts > heldTo) {
    version = version.previous === null ? undefined : view.version(version.previous)
  }
  return version
}

/** The dataset as if it ended there: of each id the newest version before it, so that what changes all the time comes too. */
export class ReleasedVersions {
  readonly #end: number
  readonly #newest = new Map<string, number | null>()

  constructor(end: number) {
    this.#end = end
  }

  *after(view: DatasetView, since: number | null, to: number): Iterable<Version> {
    for (const version of view.changes(since, { history: true, to: Math.min(to, this.#end - 1) })) {
      if (this.#newestOf(view, version.id) === version.sequence) yield version
    }
  }

  /** An id whose versions before the end were all compacted away has none: it comes when its time has come. */
  #newestOf(view: DatasetView, id: string): number | null {
    const latest = view.head(id)?.sequence ?? null
    if (latest === null || latest < this.#end) return latest
    let newest = this.#newest.get(id)
    if (newest === undefined) {
      newest = this.#before(view, latest)
      if (this.#newest.size >= KEPT) this.#newest.clear()
      this.#newest.set(id, newest)
    }
    return newest
  }

  #before(view: DatasetView, latest: number): number | null {
    let sequence: number | null = latest
    while (sequence !== null && sequence >= this.#end) {
      const [place] = view.placesAt([sequence])
      sequence = place?.previous ?? null
    }
    return sequence
  }
}
