/** Compacts the datasets of a tenant, on one of the pump threads: each by one at a time, whoever asks. */

import { type CompactionRules, compactDataset, settleRemnants } from '../log/compaction.ts'
import { readPosition } from '../log/compaction-position.ts'
import type { DatasetView, Journal } from '../log/contract.ts'
import type { LogReader } from '../log/reader.ts'
import type { CompactionSettings } from '../pipes/compaction-settings.ts'
import { ttlDeletesChanged } from '../pipes/execution/ttl-deletes.ts'
import type { Pipe } from '../pipes/pipe.ts'
import { type Readers, readerPositions } from './readers.ts'

/** `sink`: after a run of the pipe; `daily`: the scheduled one. */
export type CompactionOccasion = 'sink' | 'daily'

/** The log of a pipe's runs (hub.md §2.10). */
const executionDataset = (pipe: string): string => `system:pump_execution:${pipe}`

/** Of the hub's own datasets, which have no setting for it. */
const TRIM_BUDGET_MS = 60_000

/** Versions that were not looked at yet, before a writer waits: this many, or this share of the ids. */
const BEHIND = 20_000
const BEHIND_SHARE = 0.25

const isCompacted = ({ document }: DatasetView): boolean => document.populated && !document.isTripped

function isBehind(view: DatasetView): boolean {
  const { end, existing, deleted } = view.counts()
  const behind = end - 1 - readPosition(view.compacted()).pushed
  return behind > Math.max(BEHIND, BEHIND_SHARE * (existing + deleted)) && isCompacted(view)
}

export class Compactor {
  readonly #journal: Journal
  readonly #log: LogReader
  readonly #now: () => number
  readonly #signal: AbortSignal
  /** The last compaction of each dataset. */
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(journal: Journal, log: LogReader, now: () => number, signal: AbortSignal) {
    this.#journal = journal
    this.#log = log
    this.#now = now
    this.#signal = signal
  }

  /** What a pipe's settings ask for on this occasion. Gives how many versions went from its dataset. */
  async compactFor(
    { id, sink, compaction }: Pick<Pipe, 'id' | 'sink' | 'compaction'>,
    occasion: CompactionOccasion,
    readers: Readers,
    signal: AbortSignal,
  ): Promise<number> {
    if (occasion === 'daily') {
      await this.trim(executionDataset(id), compaction.executionHours, readers, signal)
    }
    if (sink.kind !== 'dataset') return 0
    const settled = await this.settle(sink.dataset, readers, signal)
    if (!this.#isDue(sink.dataset, compaction, occasion)) return settled
    return settled + (await this.#compact(sink.dataset, compaction.rules, readers, signal, id))
  }

  /** Takes away what is older in one of the hub's own datasets, whatever it is. Gives how many versions went. */
  trim(dataset: string, hours: number, readers: Readers, signal: AbortSignal): Promise<number> {
    const forget = { which: 'all', hours, budgetMs: TRIM_BUDGET_MS } as const
    return this.#compact(dataset, { keepVersions: 1, thresholdHours: hours, forget, retract: null }, readers, signal)
  }

  /** Whether who writes to the dataset is to wait for {@link relieve}. */
  isNeeded({ sink, compaction }: Pick<Pipe, 'sink' | 'compaction'>): boolean {
    if (sink.kind !== 'dataset' || !compaction.isBySink || compaction.intervalMs > 0) return false
    return this.#reading(sink.dataset, isBehind)
  }

  /**
   * Holds up who writes to a dataset that has grown far beyond what was compacted: the file keeps the size that it once
   * had, and nobody is to fill it with what was replaced.
   */
  async relieve(pipe: Pick<Pipe, 'sink' | 'compaction'>, readers: Readers): Promise<void> {
    const { sink, compaction } = pipe
    if (sink.kind !== 'dataset' || !this.isNeeded(pipe)) return
    const { dataset } = sink
    // What waits for readers outside of this thread is left to the compaction that is asked for.
    const rules = { ...compaction.rules, forget: null, retract: null }
    await this.#alone(dataset, async () => {
      if (this.#reading(dataset, isBehind)) await compactDataset(this.#ports(readers), dataset, rules, this.#signal)
    })
  }

  /** Takes away what is left of erased entities, as far as everybody knows of it. */
  settle(dataset: string, readers: Readers, signal: AbortSignal): Promise<number> {
    return this.#alone(dataset, () =>
      settleRemnants(this.#ports(readers), dataset, AbortSignal.any([signal, this.#signal])),
    )
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay.values())
  }

  /** `pipe`: whose log is to tell of it. */
  #compact(
    dataset: string,
    rules: CompactionRules,
    readers: Readers,
    signal: AbortSignal,
    pipe: string | null = null,
  ): Promise<number> {
    const either = AbortSignal.any([signal, this.#signal])
    const ports = {
      ...this.#ports(readers),
      forgot: async (entities: number) => {
        if (pipe !== null) await this.#noteForgotten(pipe, entities)
      },
    }
    return this.#alone(dataset, () => compactDataset(ports, dataset, rules, either))
  }

  async #noteForgotten(pipe: string, entities: number): Promise<void> {
    const snapshot = this.#log.snapshot()
    try {
      await this.#journal.commit({ state: ttlDeletesChanged(pipe, snapshot, entities) })
    } finally {
      snapshot.close()
    }
  }

  #isDue(dataset: string, settings: CompactionSettings, occasion: CompactionOccasion): boolean {
    return this.#reading(dataset, (view) => {
      // Compaction is inactive on datasets that are not populated, or whose circuit breaker tripped (hub.md §2.4).
      if (!isCompacted(view)) return false
      if (occasion === 'sink') return settings.isBySink
      if (settings.isBySink || !settings.isAutomatic) return false
      return view.counts().end >= settings.growth * (readPosition(view.compacted()).pushed + 1)
    })
  }

  #reading(dataset: string, ask: (view: DatasetView) => boolean): boolean {
    const snapshot = this.#log.snapshot()
    try {
      const view = snapshot.dataset(dataset)
      return view !== undefined && ask(view)
    } finally {
      snapshot.close()
    }
  }

  #ports(readers: Readers) {
    return {
      journal: this.#journal,
      log: this.#log,
      now: this.#now,
      readers: (snapshot: Parameters<typeof readerPositions>[0], dataset: string) =>
        readerPositions(snapshot, dataset, readers),
    }
  }

  #alone<T>(dataset: string, work: () => Promise<T>): Promise<T> {
    const former = this.#underWay.get(dataset) ?? Promise.resolve()
    const next = former.catch(() => {}).then(work)
    const forget = () => {
      if (this.#underWay.get(dataset) === next) this.#underWay.delete(dataset)
    }
    this.#underWay.set(dataset, next)
    next.then(forget, forget)
    return next
  }
}
