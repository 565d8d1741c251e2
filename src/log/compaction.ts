/**
 * Compaction of a dataset (hub.md §2.7): plans what goes by reading alone, and hands it to the writer in slices.
 *
 * Three walks, one for each threshold of compaction-position.ts: over the versions appended since the last time, each of
 * which pushes the `keep`-th before it out; over the versions that a tracking offset has passed since, each of which lets
 * its predecessor go; and over those that became old enough since. So the work follows what changed, and what one
 * entity's tracking offset holds back keeps no other entity from being compacted. Each page of a walk stores the position
 * it reached with its last slice: a compaction that was cut short goes on where it was.
 */

import { type CompactionPosition, lower, readPosition, under, writePosition } from './compaction-position.ts'
import { grownOld, letGo, pushedOut, type Walk } from './compaction-walks.ts'
import type { DatasetView, Journal, Snapshot } from './contract.ts'
import { forgotten, remnantsOf, retracted } from './forgetting.ts'
import type { LogReader } from './reader.ts'
import { removeInSlices, SLICE_VERSIONS } from './removal-slices.ts'

export interface CompactionRules {
  /** Newest versions of each id that stay; 0 is as 1, since the newest always stays. */
  readonly keepVersions: number
  /** Versions younger than this stay. */
  readonly thresholdHours: number | null
  /** Ids whose newest version is older than this go with all they had; `deleted`: only where it is a deleted one. */
  readonly forget: { readonly which: 'deleted' | 'all'; readonly hours: number; readonly budgetMs: number } | null
  /** Versions with `$retract: true` take all earlier ones of their id away. */
  readonly retract: { readonly budgetMs: number } | null
}

/** Where those who read a dataset are: the last sequence that each has taken in, the smallest of all. Null: there is none. */
export interface ReaderPositions {
  /** Of trackers: the newest version at or before it stays, and all after it. */
  readonly tracked: number | null
  /** Of those who read every version, not only the newest. */
  readonly history: number | null
  /** Of all, whatever they read. */
  readonly passed: number | null
}

export interface CompactionPorts {
  readonly journal: Journal
  readonly log: LogReader
  /** Milliseconds since 1970. */
  readonly now: () => number
  readers(snapshot: Snapshot, dataset: string): ReaderPositions
  /** Versions of one page of a walk, and of one slice of a removal; small ones where interruptions are tried. */
  readonly sizes?: { readonly page: number; readonly slice: number }
}

/** In larger pages fewer blocks are written twice; in smaller ones less is held in memory. */
const SIZES = { page: 40_000, slice: SLICE_VERSIONS }
const HOUR_US = 3_600_000_000

/** Gives how many versions went. Rejects with the signal's reason, between two slices. */
export async function compactDataset(
  ports: CompactionPorts,
  dataset: string,
  rules: CompactionRules,
  signal: AbortSignal,
): Promise<number> {
  return within(ports, dataset, signal, async (compaction, view, readers) => {
    const last = view.counts().end - 1
    const olderThan = (hours: number) => lastOlderThan(view, (ports.now() / 3_600_000 - hours) * HOUR_US)
    const { keepVersions, thresholdHours, forget, retract } = rules
    const aged = lower(thresholdHours === null ? null : olderThan(thresholdHours), readers.history)
    compaction.begin(Math.max(1, keepVersions), aged, readers.tracked)
    const passed = Math.min(readers.passed ?? last, last)
    const forgetUpTo = forget === null ? -1 : Math.min(passed, olderThan(forget.hours))
    // In this order: see compaction-position.ts.
    await compaction.walk(pushedOut(last))
    await compaction.walk(letGo(readers.tracked))
    await compaction.walk(grownOld(aged))
    if (forget !== null) await compaction.walk(forgotten(forget.which, forgetUpTo), forget.budgetMs)
    if (retract !== null) await compaction.walk(retracted(passed), retract.budgetMs)
  })
}

/** Takes away what erased entities had, and what is left of them once all readers know. Gives how many versions went. */
export async function settleRemnants(ports: CompactionPorts, dataset: string, signal: AbortSignal): Promise<number> {
  return within(ports, dataset, signal, (compaction, view, readers) =>
    compaction.settle(Math.min(readers.passed ?? Number.POSITIVE_INFINITY, view.counts().end - 1)),
  )
}

async function within(
  ports: CompactionPorts,
  dataset: string,
  signal: AbortSignal,
  use: (compaction: Compaction, view: DatasetView, readers: ReaderPositions) => Promise<void>,
): Promise<number> {
  const snapshot = ports.log.snapshot()
  try {
    const view = snapshot.dataset(dataset)
    if (view === undefined) return 0
    const compaction = new Compaction(ports, snapshot, view, signal)
    await use(compaction, view, ports.readers(snapshot, dataset))
    return compaction.removed
  } finally {
    snapshot.close()
  }
}

class Compaction {
  readonly #ports: CompactionPorts
  readonly #snapshot: Snapshot
  readonly #dataset: { readonly id: string; readonly generation: string }
  readonly #signal: AbortSignal
  readonly #sizes: typeof SIZES
  #position: CompactionPosition
  /** As it is stored. */
  #stored: string | undefined
  removed = 0

  constructor(ports: CompactionPorts, snapshot: Snapshot, view: DatasetView, signal: AbortSignal) {
    this.#ports = ports
    this.#snapshot = snapshot
    this.#dataset = view.document
    this.#signal = signal
    this.#sizes = ports.sizes ?? SIZES
    this.#stored = view.compacted()
    this.#position = readPosition(this.#stored)
  }

  begin(keep: number, aged: number | null, held: number | null): void {
    this.#position = under(this.#position, keep, aged, held)
  }

  /** Page by page, to the end of the walk or of the time. */
  async walk(walk: Walk, budgetMs = Number.POSITIVE_INFINITY): Promise<void> {
    const until = this.#ports.now() + budgetMs
    do {
      const view = this.#present()
      const page = view && walk(view, this.#position, this.#sizes.page)
      if (!page) return
      this.#position = page.position
      const { ids = new Set() } = page
      await this.#remove(page.places, { ids })
    } while (this.#ports.now() < until)
  }

  async settle(passed: number): Promise<void> {
    const view = this.#present()
    if (view === undefined || view.remnants().length === 0) return
    const { places, ids, settled } = remnantsOf(view, passed)
    if (places.length > 0 || settled.length > 0) await this.#remove(places, { ids, settled })
  }

  async #remove(
    places: Parameters<typeof removeInSlices>[2],
    what: { readonly ids: ReadonlySet<number>; readonly settled?: readonly number[] },
  ): Promise<void> {
    const position = writePosition(this.#position)
    const isNews = position !== this.#stored && what.settled === undefined
    if (places.length === 0 && !isNews && what.settled === undefined) return
    const ends = { ...what, ...(isNews ? { position } : {}) }
    this.removed += await removeInSlices(
      this.#ports.journal,
      this.#dataset,
      places,
      ends,
      this.#signal,
      this.#sizes.slice,
    )
    if (isNews) this.#stored = position
  }

  /** The dataset now: each page reads from a snapshot of its own, so that none is held for long. */
  #present(): DatasetView | undefined {
    this.#signal.throwIfAborted()
    this.#snapshot.renew()
    const view = this.#snapshot.dataset(this.#dataset.id)
    return view?.document.generation === this.#dataset.generation && !view.document.isTripped ? view : undefined
  }
}

/** The last version of those that are all this old. The log is in the order of time, so its middle says which half it is in. */
export function lastOlderThan(view: DatasetView, ts: number): number {
  let low = 0
  let high = view.counts().end
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [place] = first(view.places(middle === 0 ? null : middle - 1))
    if (place !== undefined && place.ts <= ts) low = place.sequence + 1
    else high = middle
  }
  return low - 1
}

function first<T>(all: Iterable<T>): [T] | [] {
  for (const one of all) return [one]
  return []
}
