/** When datasets are compacted: during and after runs of their pipes, soon after what receivers took in, and once a day. */

import type { Logger } from '../pipes/logger.ts'
import type { Pipe } from '../pipes/pipe.ts'
import type { CompactionOccasion } from './compactor.ts'

export interface HousekeepingPorts {
  /** Milliseconds since 1970. */
  now(): number
  pipes(): Iterable<Pipe>
  /** Gives how many versions went. */
  compact(pipe: string, occasion: CompactionOccasion): Promise<number>
  /** Datasets in which something of an erased entity is left. */
  withRemnants(): readonly string[]
  settle(dataset: string): Promise<void>
  /** Datasets of the hub's own of which nothing is kept that is older. */
  trimmed(): readonly { readonly dataset: string; readonly hours: number }[]
  trim(dataset: string, hours: number): Promise<unknown>
  /** When the daily compaction was last; kept over a restart. */
  lastDaily(): number | null
  saveDaily(at: number): Promise<void>
  readonly logger: Logger
}

const DAY_MS = 86_400_000
const LOOK_MS = 60_000
/** Batches are many and small: what they push out is taken away together. */
const WRITTEN_MS = 250

export class Housekeeping {
  readonly #ports: HousekeepingPorts
  /** When each pipe's dataset was last compacted. */
  readonly #last = new Map<string, number>()
  /** Versions that went since the last run of each pipe ended. */
  readonly #removed = new Map<string, number>()
  readonly #soon = new Map<string, NodeJS.Timeout>()
  #timer: NodeJS.Timeout | null = null
  #isLooking = false
  #isClosed = false

  constructor(ports: HousekeepingPorts) {
    this.#ports = ports
  }

  start(): void {
    if (this.#timer !== null || this.#isClosed) return
    this.#timer = setInterval(() => void this.look(), LOOK_MS)
    this.#timer.unref()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    for (const timer of this.#soon.values()) clearTimeout(timer)
    this.#soon.clear()
  }

  /** Gives how many versions went since the last time. What goes wrong here is told, and is no failure of the run. */
  async afterRun(pipe: Pipe): Promise<number> {
    await this.#bySink(pipe)
    const removed = this.#removed.get(pipe.id) ?? 0
    this.#removed.delete(pipe.id)
    return removed
  }

  /** A receiver took something in, or a run is under way: a long one must not fill the disk with what it replaces. */
  written(pipe: Pipe): void {
    if (this.#isClosed || !this.#isWanted(pipe) || this.#soon.has(pipe.id)) return
    const timer = setTimeout(
      () => {
        this.#soon.delete(pipe.id)
        void this.#bySink(pipe)
      },
      Math.max(WRITTEN_MS, this.#dueInMs(pipe)),
    )
    timer.unref()
    this.#soon.set(pipe.id, timer)
  }

  /** What is due now and then. */
  async look(): Promise<void> {
    if (this.#isLooking || this.#isClosed) return
    this.#isLooking = true
    try {
      for (const dataset of this.#ports.withRemnants()) await this.#ports.settle(dataset)
      const now = this.#ports.now()
      if (now - (this.#ports.lastDaily() ?? Number.NEGATIVE_INFINITY) < DAY_MS) return
      await this.daily()
      for (const { dataset, hours } of this.#ports.trimmed()) await this.#ports.trim(dataset, hours)
      if (!this.#isClosed) await this.#ports.saveDaily(now)
    } catch (error) {
      this.#report('Housekeeping', error)
    } finally {
      this.#isLooking = false
    }
  }

  /** What is due once a day, for all pipes: execution logs are trimmed. */
  async daily(): Promise<void> {
    for (const { id } of this.#ports.pipes()) if (!this.#isClosed) await this.#compact(id, 'daily')
  }

  async #bySink(pipe: Pipe): Promise<void> {
    if (this.#isClosed || !this.#isWanted(pipe) || this.#dueInMs(pipe) > 0) return
    this.#last.set(pipe.id, this.#ports.now())
    const removed = await this.#compact(pipe.id, 'sink')
    this.#removed.set(pipe.id, (this.#removed.get(pipe.id) ?? 0) + removed)
  }

  #isWanted({ sink, compaction }: Pipe): boolean {
    return sink.kind === 'dataset' && compaction.isBySink
  }

  #dueInMs({ id, compaction }: Pipe): number {
    const last = this.#last.get(id)
    return last === undefined ? 0 : last + compaction.intervalMs - this.#ports.now()
  }

  async #compact(pipe: string, occasion: CompactionOccasion): Promise<number> {
    try {
      return await this.#ports.compact(pipe, occasion)
    } catch (error) {
      this.#report(`The compaction of the dataset of pipe '${pipe}'`, error)
      return 0
    }
  }

  #report(what: string, error: unknown): void {
    if (this.#isClosed) return
    const { message, code } = error as Error & { code?: string }
    this.#ports.logger.error(`${what} failed: ${message}`, { code })
  }
}
