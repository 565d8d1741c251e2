/**
 * Compaction of a dataset (hub.md §2.7): plans what goes by reading alone, and hands it to the writer in slices.
 *
 * Three walks, one for each threshold of compaction-position.ts: over the versions appended since the last time, each of
 * which pushes the `keep`-th before it out; over the versions that a tracking offset has passed since, each of which lets
 * its predecessor go; and over those that became old enough since. So the work follows what changed, and what one
 * entity's tracking offset holds back keeps no other entity from being compacted. Each page of a walk stores the position
 * it reached with its last slice: a compaction that was cut short goes on where it was.
 */

import { BEGINNING, type CompactionPosition, lower, readPosition, under, writePosition } from './compaction-position.ts'
import { grownOld, letGo, pushedOut, type Walk } from './compaction-walks.ts'
import type { DatasetView, Journal, Snapshot } from './contract.ts'
import { forgotten, remnantsOf, retracted } from './forgetting.ts'
import type { LogReader } from './reader.ts'
import { removeInSlices, SLICE_VERSIONS } from './removal-slices.ts'
import { cutOff } from './version-chains.ts'

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
  /** Hears how many entities went as a whole because they had been deleted for long. */
  forgot?(entities: number): Promise<void>
  /** Versions of one page of a walk, and of one slice of a removal; small ones where interruptions are tried. */
  readonly sizes?: { readonly page: number; readonly slice: number }
}

/** In larger pages fewer blocks are written twice; but while one is planned, its thread does nothing else. */
const SIZES = { page: 2_000, slice: SLICE_VERSIONS }
const HOUR_US = 3_600_000_000

/** Gives how many versions went. Rejects with the signal's reason, between two slices. */
export async function compactDataset(
  ports: CompactionPorts,
  dataset: string,
  rules: CompactionRules,
  signal: AbortSignal,
): Promise<number> {
  const begun = begin(ports, dataset, signal, (view, readers) => {
    const last = view.counts().end - 1
    const olderThan = (hours: number) => lastOlderThan(view, (ports.now() / 3_600_000 - hours) * HOUR_US)
    const { thresholdHours, forget } = rules
    const passed = Math.min(readers.passed ?? last, last)
    return {
      last,
      passed,
      held: readers.tracked,
      aged: lower(thresholdHours === null ? null : olderThan(thresholdHours), readers.history),
      forgetUpTo: forget === null ? -1 : Math.min(passed, olderThan(forget.hours)),
    }
  })
  if (begun === undefined) return 0
  const { compaction, last, passed, held, aged, forgetUpTo } = begun
  const { keepVersions, forget, retract } = rules
  await compaction.mend()
  compaction.goOn(Math.max(1, keepVersions), aged, held)
  // In this order: see compaction-position.ts.
  await compaction.walk(pushedOut(last))
  await compaction.walk(letGo(held))
  await compaction.walk(grownOld(aged))
  if (forget !== null) {
    const gone = await compaction.walk(forgotten(forget.which, forgetUpTo), forget.budgetMs)
    if (gone > 0) await ports.forgot?.(gone)
  }
  if (retract !== null) await compaction.walk(retracted(passed), retract.budgetMs)
  return compaction.removed
}

/** Takes away what erased entities had, and what is left of them once all readers know. Gives how many versions went. */
export async function settleRemnants(ports: CompactionPorts, dataset: string, signal: AbortSignal): Promise<number> {
  const begun = begin(ports, dataset, signal, (view, readers) => ({
    passed: Math.min(readers.passed ?? Number.POSITIVE_INFINITY, view.counts().end - 1),
  }))
  if (begun === undefined) return 0
  await begun.compaction.mend()
  await begun.compaction.settle(begun.passed)
  return begun.compaction.removed
}

function begin<T>(
  ports: CompactionPorts,
  dataset: string,
  signal: AbortSignal,
  plan: (view: DatasetView, readers: ReaderPositions) => T,
): (T & { readonly compaction: Compaction }) | undefined {
  const snapshot = ports.log.snapshot()
  try {
    const view = snapshot.dataset(dataset)
    if (view === undefined) return undefined
    return { ...plan(view, ports.readers(snapshot, dataset)), compaction: new Compaction(ports, view, signal) }
  } finally {
    snapshot.close()
  }
}

class Compaction {
  readonly #ports: CompactionPorts
  readonly #dataset: { readonly id: string; readonly generation: string }
  readonly #signal: AbortSignal
  readonly #sizes: typeof SIZES
  readonly #restored: string | null
  #position: CompactionPosition
  /** As it is stored. */
  #stored: string | undefined
  removed = 0

  constructor(ports: CompactionPorts, view: DatasetView, signal: AbortSignal) {
    this.#ports = ports
    this.#dataset = view.document
    this.#restored = view.document.restore?.uuid ?? null
    this.#signal = signal
    this.#sizes = ports.sizes ?? SIZES
    this.#stored = view.compacted()
    this.#position = readPosition(this.#stored)
  }

  /** After a restore: so that whoever follows `previous` finds all there is. */
  async mend(): Promise<void> {
    const restored = this.#restored
    if (this.#position.restored === restored) return
    const places = await this.#readingLong(cutOff)
    if (places === undefined) return
    this.#position = { ...BEGINNING, restored }
    const position = writePosition(this.#position)
    await this.#remove(places, { position })
    this.#stored = position
  }

  /** From where it was, under these rules. */
  goOn(keep: number, aged: number | null, held: number | null): void {
    this.#position = under(this.#position, keep, aged, held)
  }

  /** Page by page, to the end of the walk or of the time; gives how many entities went as a whole. */
  async walk(walk: Walk, budgetMs = Number.POSITIVE_INFINITY): Promise<number> {
    const until = this.#ports.now() + budgetMs
    let gone = 0
    do {
      const page = this.#reading((view) => walk(view, this.#position, this.#sizes.page))
      if (!page) return gone
      this.#position = page.position
      const position = writePosition(page.position)
      if (page.places.length === 0 && position === this.#stored) continue
      await this.#remove(page.places, { position, ...(page.ids === undefined ? {} : { ids: page.ids }) })
      this.#stored = position
      gone += page.ids?.size ?? 0
    } while (this.#ports.now() < until)
    return gone
  }

  async settle(passed: number): Promise<void> {
    const found = this.#reading((view) => (view.remnants().length === 0 ? null : remnantsOf(view, passed)))
    if (!found || (found.places.length === 0 && found.settled.length === 0)) return
    const { places, ids, settled } = found
    await this.#remove(places, { ids, settled })
  }

  async #remove(
    places: Parameters<typeof removeInSlices>[2],
    what: Parameters<typeof removeInSlices>[3],
  ): Promise<void> {
    const { journal } = this.#ports
    this.removed += await removeInSlices(journal, this.#dataset, places, what, this.#signal, this.#sizes.slice)
  }

  /**
   * Asks the dataset as it is now; undefined when it is another one by now, or may not be compacted any more. The
   * snapshot is given back before anything is removed: as long as it is open, no room that is freed can be used.
   */
  #reading<T>(ask: (view: DatasetView) => T): T | undefined {
    this.#signal.throwIfAborted()
    const snapshot = this.#ports.log.snapshot()
    try {
      const view = this.#open(snapshot)
      return view && ask(view)
    } finally {
      snapshot.close()
    }
  }

  async #readingLong<T>(ask: (view: DatasetView) => Promise<T>): Promise<T | undefined> {
    this.#signal.throwIfAborted()
    const snapshot = this.#ports.log.snapshot()
    try {
      const view = this.#open(snapshot)
      return view && (await ask(view))
    } finally {
      snapshot.close()
    }
  }

  #open(snapshot: Snapshot): DatasetView | undefined {
    const view = snapshot.dataset(this.#dataset.id)
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
