/** The only one that writes a log: it runs in the writer thread (design §4), and in tests by itself. */

import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { Appender } from './appender.ts'
import type { BatchReader } from './batch.ts'
import { claimFolder } from './claim.ts'
import { Committer } from './committer.ts'
import {
  type Commit,
  type Committed,
  type DatasetDocument,
  type DatasetSettings,
  type IndexDocument,
  type IndexSettings,
  type Journal,
  MAX_ENTITY_BYTES,
  type Removal,
  type Removed,
  type RunToken,
} from './contract.ts'
import { nameKey, noCounts, numberKey, readRemnants, removeRemnant, writeText } from './documents.ts'
import { type Environment, openForWriting } from './environment.ts'
import { LogError } from './errors.ts'
import { FeedCounters, MAX_DATASETS, newFeed } from './feed.ts'
import { IndexOrders } from './index-orders.ts'
import { beginLife, endLife } from './life.ts'
import { heldBack, wrongKind } from './refusals.ts'
import { type Dataset, Registry, unknownDataset } from './registry.ts'
import { removeVersions } from './removal.ts'
import { Runs } from './runs.ts'
import { isDecidable, isOpenFor, stagingNumber, writeStaging } from './staging.ts'
import { Stagings } from './stagings.ts'
import { storageFailed } from './storage.ts'
import { orderSweep, sweepSlice } from './sweep.ts'
import { Transactions } from './transactions.ts'

export interface WriterOptions {
  /** Microseconds since 1970; by default those of the clock, and later with each write. */
  readonly now?: () => number
  readonly uuid?: () => string
  /** Greatest entity that is stored, whatever a write allows (hub.md §2.1). */
  readonly maxEntityBytes?: number
  /** This writer cannot write any more; every call is refused from now on. */
  readonly onLost?: (error: LogError) => void
}

export class LogWriter implements Journal {
  /** For those who follow the log: see feed.ts. */
  readonly feed: SharedArrayBuffer = newFeed()
  readonly #path: string
  readonly #environment: Environment
  readonly #release: () => Promise<void>
  readonly #transactions: Transactions
  readonly #appender: Appender
  readonly #registry: Registry
  readonly #stagings: Stagings
  readonly #runs: Runs
  readonly #indexes: IndexOrders
  readonly #committer: Committer
  /** Something was left to be swept away by the transaction under way. */
  #isSweepDue = false
  #sweeping: Promise<void> | null = null
  #isClosed = false
  #lost: LogError | null = null

  /** Makes the folder when it is not there. Rejects `data-in-use` when another hub has it. */
  static async open(path: string, options: WriterOptions = {}): Promise<LogWriter> {
    mkdirSync(path, { recursive: true })
    const release = await claimFolder(path)
    try {
      await beginLife(path)
      const writer = new LogWriter(path, release, options)
      await writer.#undoFormerRuns()
      return writer
    } catch (error) {
      await release()
      throw error
    }
  }

  private constructor(path: string, release: () => Promise<void>, options: WriterOptions) {
    this.#path = path
    this.#release = release
    this.#environment = openForWriting(path)
    this.#appender = new Appender(this.#environment.tables)
    try {
      const { uuid = randomUUID } = options
      const counters = new FeedCounters(this.feed)
      this.#registry = new Registry(this.#environment, counters, { path, writer: randomUUID(), uuid })
      this.#stagings = new Stagings(this.#environment, this.#registry, () => {
        this.#isSweepDue = true
      })
    } catch (error) {
      void this.#environment.close()
      throw error
    }
    const parts = { environment: this.#environment, registry: this.#registry, appender: this.#appender }
    this.#runs = new Runs(this.#environment, this.#stagings)
    this.#indexes = new IndexOrders(parts)
    const { now = commitTime(), maxEntityBytes = MAX_ENTITY_BYTES } = options
    this.#committer = new Committer({ ...parts, stagings: this.#stagings, runs: this.#runs, now, maxEntityBytes })
    this.#transactions = new Transactions(this.#environment, {
      begin: () => this.#registry.checkHouse(),
      end: () => this.#registry.writeChanged(),
      committed: () => {
        this.#registry.announce()
        if (this.#isSweepDue) this.#sweep()
        this.#isSweepDue = false
      },
      aborted: () => {
        this.#appender.reset()
        this.#isSweepDue = false
        this.#registry.load()
        this.#stagings.load()
      },
      failed: (error) => storageFailed(path, error),
      lost: (error) => {
        this.#lost = error
        options.onLost?.(error)
      },
    })
    this.#sweep()
  }

  /** Runs that were under way ended with the writer before this one: what they staged and did not trip on is void. */
  async #undoFormerRuns(): Promise<void> {
    const pipes = this.#stagings.pipes()
    if (pipes.length === 0) return
    await this.#run({
      apply: () => {
        for (const pipe of pipes) this.#stagings.undoOpen(pipe)
      },
    })
  }

  commit(commit: Commit): Promise<Committed> {
    let batches: readonly BatchReader[] = []
    return this.#run({
      check: () => {
        batches = this.#committer.check(commit)
      },
      apply: () => this.#committer.apply(commit, batches),
    })
  }

  assertDataset(id: string, settings: DatasetSettings = {}): Promise<DatasetDocument> {
    return this.#run({
      check: () => {
        nameKey('d', id)
        const there = this.#registry.find(id)
        if (there !== undefined) checkKind(there, settings)
        if (id.includes('/')) {
          throw new LogError('bad-name', `The dataset id '${id}' has a slash.`, { hint: 'Use an id without slashes.' })
        }
        if (there === undefined && this.#registry.house.nextDataset >= MAX_DATASETS) {
          throw new LogError('too-many-datasets', `This log has made ${MAX_DATASETS} datasets and can make no more.`, {
            hint: 'Export the data and import it into a new data folder.',
          })
        }
      },
      apply: () => {
        const before = this.#registry.find(id)?.document ?? this.#registry.add(id)
        const { kind = before.kind, durable = before.durable } = settings
        if (kind !== before.kind || durable !== before.durable) this.#registry.changeDocument(id, { kind, durable })
        return this.#registry.dataset(id).document
      },
    })
  }

  async deleteDataset(id: string): Promise<boolean> {
    const isThere = await this.#run({
      apply: () => {
        const dataset = this.#registry.find(id)
        if (dataset === undefined) return false
        const { meta } = this.#environment.tables
        if (dataset.staged !== null) this.#stagings.unstage(dataset)
        meta.remove(nameKey('d', id))
        meta.remove(numberKey('c', dataset.document.number))
        meta.remove(numberKey('p', dataset.document.number))
        for (const remnant of readRemnants(meta, dataset.document.number)) {
          removeRemnant(meta, dataset.document.number, remnant)
        }
        orderSweep(this.#environment.tables, dataset.document.number)
        this.#registry.delete(dataset)
        return true
      },
    })
    this.#sweep()
    return isThere
  }

  async assertIndex(
    id: string,
    expression: string,
    fingerprint: string,
    { feeds = false }: IndexSettings = {},
  ): Promise<IndexDocument> {
    const index = await this.#run({
      check: () => void this.#registry.dataset(id),
      apply: () => this.#indexes.assert(id, expression, fingerprint, feeds),
    })
    this.#sweep()
    return index
  }

  async deleteIndex(id: string, number: number): Promise<boolean> {
    const isThere = await this.#run({
      check: () => void this.#registry.dataset(id),
      apply: () => this.#indexes.delete(id, number),
    })
    this.#sweep()
    return isThere
  }

  fillIndex(id: string, number: number, entries: ArrayBuffer, filled: number, ready: boolean): Promise<void> {
    let batch: BatchReader
    return this.#run({
      check: () => {
        batch = this.#indexes.checkFill(id, number, entries)
      },
      apply: () => this.#indexes.fill(id, number, batch, filled, ready),
    })
  }

  remove({ dataset: id, generation, blocks, ids, position, settled = [] }: Removal): Promise<Removed> {
    return this.#run({
      check: () => {
        if (this.#registry.dataset(id).document.generation !== generation) throw unknownDataset(id)
      },
      apply: () => {
        const { tables } = this.#environment
        const dataset = this.#registry.dataset(id)
        const { number } = dataset.document
        const before = dataset.counts.existing + dataset.counts.deleted
        const removed = removeVersions(tables, number, dataset.counts, blocks, new Set(ids))
        if (removed.versions > 0) this.#registry.noteCounts(dataset)
        const vanished = before - dataset.counts.existing - dataset.counts.deleted
        if (vanished > 0) this.#registry.changeDocument(id, { vanished: dataset.document.vanished + vanished })
        if (removed.blocks < blocks.length) return removed
        if (position !== undefined) writeText(tables.meta, numberKey('p', number), position)
        for (const remnant of settled) removeRemnant(tables.meta, number, remnant)
        return removed
      },
    })
  }

  beginRun(pipe: string): Promise<number> {
    return this.#run({ check: () => void nameKey('r', pipe), apply: () => this.#runs.begin(pipe) })
  }

  endRun(pipe: string, number: number): Promise<void> {
    return this.#run({ apply: () => this.#runs.end(pipe, number) })
  }

  forgetRuns(pipe: string): Promise<void> {
    return this.#run({ check: () => void nameKey('r', pipe), apply: () => this.#runs.forget(pipe) })
  }

  async beginStaging(id: string, run: RunToken, limit: number): Promise<void> {
    const begin = (): boolean => {
      const dataset = this.#registry.dataset(id)
      const { number } = dataset.document
      const { tables } = this.#environment
      // What a run before left there goes first: it would be taken for this one's.
      if (sweepSlice(tables, stagingNumber(number))) return false
      const staging = { dataset: number, pipe: run.pipe, run: run.number, limit, state: 'open' } as const
      this.#stagings.stage(dataset, staging, { ...noCounts(), end: dataset.counts.end })
      writeStaging(tables.meta, staging)
      return true
    }
    const check = () => {
      this.#runs.check(run)
      const { document, staged } = this.#registry.dataset(id)
      if (document.kind === 'replicated') throw wrongKind(document)
      if (staged !== null) throw heldBack(document, staged.staging)
    }
    while (!(await this.#run({ check, apply: begin })));
  }

  tripStaged(id: string, run: RunToken): Promise<void> {
    return this.#run({
      check: () => {
        this.#runs.check(run)
        const { document, staged } = this.#registry.dataset(id)
        if (staged !== null && !isOpenFor(staged.staging, run)) throw heldBack(document, staged.staging)
      },
      apply: () => {
        const dataset = this.#registry.dataset(id)
        if (dataset.staged !== null) this.#stagings.trip(dataset)
      },
    })
  }

  decideStaged(id: string, run?: RunToken): Promise<boolean> {
    return this.#run({
      check: () => {
        const { document, staged } = this.#registry.dataset(id)
        if (run !== undefined) this.#runs.check(run)
        if (staged !== null && !isDecidable(staged.staging, run)) throw heldBack(document, staged.staging)
      },
      apply: () => {
        const dataset = this.#registry.dataset(id)
        if (dataset.staged === null) return false
        if (dataset.counts.end < dataset.staged.counts.end) {
          this.#stagings.changeState(dataset, 'exposing')
          return true
        }
        this.#stagings.expose(dataset)
        return false
      },
    })
  }

  async discardStaged(id: string): Promise<boolean> {
    const isThere = await this.#run({
      check: () => {
        const { document, staged } = this.#registry.dataset(id)
        const state = staged?.staging.state
        if (staged !== null && state !== 'tripped' && state !== 'undoing') throw heldBack(document, staged.staging)
      },
      apply: () => {
        const dataset = this.#registry.dataset(id)
        if (dataset.staged === null) return false
        this.#stagings.changeState(dataset, 'undoing')
        return true
      },
    })
    while (this.#registry.find(id)?.staged?.staging.state === 'undoing') {
      await this.#run({ apply: () => this.#stagings.undoSlice() })
    }
    return isThere
  }

  /** To be called now and then: see the environment's. */
  checkReaders(): void {
    this.#environment.checkReaders()
  }

  /** Finishes what waits, and gives the folder back. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#transactions.idle()
    await this.#environment.close()
    endLife(this.#path)
    await this.#release()
  }

  #run<T>(task: { check?(): void; apply(): T }): Promise<T> {
    if (this.#lost !== null) return Promise.reject(this.#lost)
    if (this.#isClosed) return Promise.reject(new LogError('closed', 'The log is closed.'))
    return this.#transactions.run(task)
  }

  /** Sweeps while there is something to sweep, slice by slice, behind whatever waits. */
  #sweep(): void {
    const former = this.#sweeping
    const sweeping = (async () => {
      await former
      while (
        !this.#isClosed &&
        (await this.#run({ apply: () => this.#stagings.undoSlice() || sweepSlice(this.#environment.tables) }))
      ) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
      // A failed sweep harms nobody: the order for it stays, and the next start goes on with it.
      .catch(() => {})
    this.#sweeping = sweeping
  }
}

/** Microseconds since 1970, later each time: what was committed first has the earlier time, also within a millisecond. */
function commitTime(): () => number {
  let last = 0
  return () => {
    last = Math.max(last + 1, Date.now() * 1000)
    return last
  }
}

/** A dataset without versions may become one of the other kind. */
function checkKind({ document, counts, staged }: Dataset, { kind = document.kind }: DatasetSettings): void {
  if (kind !== document.kind && (counts.end > 0 || staged !== null)) throw wrongKind(document)
}
