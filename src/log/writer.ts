/** The only one that writes a log: it runs in the writer thread (design §4), and in tests by itself. */

import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { Appender, type AppendOptions } from './appender.ts'
import { BatchReader } from './batch.ts'
import { seal } from './checksum.ts'
import { claimFolder } from './claim.ts'
import {
  type Commit,
  type Committed,
  type Completeness,
  type DatasetDocument,
  type DatasetSettings,
  type IndexDocument,
  type IndexSettings,
  type Journal,
  MAX_ENTITY_BYTES,
  type Removal,
  type Removed,
  type RunToken,
  type Write,
} from './contract.ts'
import {
  nameKey,
  noCounts,
  numberKey,
  putRemnant,
  readRemnants,
  readText,
  removeRemnant,
  writeCounts,
  writeText,
} from './documents.ts'
import { type Environment, openForWriting } from './environment.ts'
import { LogError } from './errors.ts'
import { Expectations, hasExpectations } from './expectations.ts'
import { FeedCounters, MAX_DATASETS, newFeed } from './feed.ts'
import { MAX_KEY } from './keys.ts'
import { beginLife, endLife } from './life.ts'
import { heldBack, tooLarge, wrongKind } from './refusals.ts'
import { type Dataset, Registry, type Staged, unknownDataset } from './registry.ts'
import { removeVersions } from './removal.ts'
import { isDecidable, isOpenFor, stagingNumber, writeStaging } from './staging.ts'
import { Stagings } from './stagings.ts'
import { checkStampedAlone, checkStamps } from './stamps.ts'
import { storageFailed } from './storage.ts'
import { orderSweep, sweepSlice } from './sweep.ts'
import { Transactions } from './transactions.ts'

export interface WriterOptions {
  /** Microseconds since 1970. */
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
  readonly #now: () => number
  readonly #maxEntityBytes: number
  readonly #runs = new Map<string, number>()
  readonly #registry: Registry
  readonly #stagings: Stagings
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
    this.#now = options.now ?? (() => Date.now() * 1000)
    this.#maxEntityBytes = options.maxEntityBytes ?? MAX_ENTITY_BYTES
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
        this.#checkRun(commit)
        this.#stagings.checkNotTripped(commit)
        batches = (commit.writes ?? []).map((write) => this.#checkWrite(write, commit.run))
        checkStampedAlone(commit.writes ?? [])
        this.#checkExpectations(commit.writes ?? [], batches)
        this.#checkRest(commit)
      },
      apply: () => {
        this.#stagings.noteFormer(commit)
        const writes = (commit.writes ?? []).map((write, i) => this.#write(write, batches[i] as BatchReader))
        this.#writeRest(commit)
        if (writes.some(({ written }) => written > 0) || hasRest(commit)) this.#registry.noteChange()
        return { writes }
      },
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
      apply: () => {
        const { document, counts } = this.#registry.dataset(id)
        const former = document.indexes.find((one) => one.expression === expression)
        if (former?.fingerprint === fingerprint) {
          if (!feeds || former.feedsSince !== null) return former
          return this.#changeIndex(id, former.number, { feedsSince: counts.end })
        }
        if (former !== undefined) orderSweep(this.#environment.tables, document.number, former.number)
        const until = counts.end
        const made: IndexDocument = {
          number: document.nextIndex,
          expression,
          fingerprint,
          state: until === 0 ? 'ready' : 'filling',
          filled: 0,
          until,
          indexed: 0,
          feedsSince: feeds ? until : null,
        }
        this.#registry.changeDocument(id, {
          nextIndex: document.nextIndex + 1,
          indexSet: document.indexSet + 1,
          indexes: [...document.indexes.filter((one) => one !== former), made],
        })
        return made
      },
    })
    this.#sweep()
    return index
  }

  async deleteIndex(id: string, number: number): Promise<boolean> {
    const isThere = await this.#run({
      check: () => void this.#registry.dataset(id),
      apply: () => {
        const { document } = this.#registry.dataset(id)
        const indexes = document.indexes.filter((one) => one.number !== number)
        if (indexes.length === document.indexes.length) return false
        orderSweep(this.#environment.tables, document.number, number)
        this.#registry.changeDocument(id, { indexSet: document.indexSet + 1, indexes })
        return true
      },
    })
    this.#sweep()
    return isThere
  }

  fillIndex(id: string, number: number, entries: ArrayBuffer, filled: number, ready: boolean): Promise<void> {
    let batch: BatchReader
    return this.#run({
      check: () => {
        const { document } = this.#registry.dataset(id)
        indexOf(document, number)
        batch = new BatchReader(entries, 'fill')
        this.#appender.checkLongIds(document.number, batch)
      },
      apply: () => {
        const { document, counts } = this.#registry.dataset(id)
        this.#appender.fill(document.number, number, batch)
        const { state, filled: before, indexed, feedsSince } = indexOf(document, number)
        const after = Math.max(before, filled)
        if (after === before && !ready) return
        const isFinished = ready && state === 'filling'
        this.#changeIndex(id, number, {
          filled: after,
          indexed: indexed + (after > before ? batch.count : 0),
          state: ready ? 'ready' : state,
          // An id that changed before the fill came to it lost what nobody knew it had.
          feedsSince: isFinished && feedsSince !== null ? counts.end : feedsSince,
        })
      },
    })
  }

  #changeIndex(id: string, number: number, change: Partial<IndexDocument>): IndexDocument {
    const { document } = this.#registry.dataset(id)
    const changed = { ...indexOf(document, number), ...change }
    this.#registry.changeDocument(id, {
      indexes: document.indexes.map((one) => (one.number === number ? changed : one)),
    })
    return changed
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
    const key = () => nameKey('r', pipe)
    return this.#run({
      check: () => void key(),
      apply: () => {
        this.#stagings.undoOpen(pipe)
        const { meta } = this.#environment.tables
        const number = Number(readText(meta, key()) ?? 0) + 1
        writeText(meta, key(), String(number))
        this.#runs.set(pipe, number)
        return number
      },
    })
  }

  endRun(pipe: string, number: number): Promise<void> {
    return this.#run({
      apply: () => {
        if (this.#runs.get(pipe) !== number) return
        this.#stagings.undoOpen(pipe)
        this.#runs.delete(pipe)
      },
    })
  }

  forgetRuns(pipe: string): Promise<void> {
    return this.#run({
      check: () => void nameKey('r', pipe),
      apply: () => {
        this.#stagings.undoOpen(pipe)
        this.#runs.delete(pipe)
        this.#environment.tables.meta.remove(nameKey('r', pipe))
      },
    })
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
      this.#checkRun({ run })
      const { document, staged } = this.#registry.dataset(id)
      if (document.kind === 'replicated') throw wrongKind(document)
      if (staged !== null) throw heldBack(document, staged.staging)
    }
    while (!(await this.#run({ check, apply: begin })));
  }

  tripStaged(id: string, run: RunToken): Promise<void> {
    return this.#run({
      check: () => {
        this.#checkRun({ run })
        const { document, staged } = this.#registry.dataset(id)
        if (staged !== null && !isOpenFor(staged.staging, run)) throw heldBack(document, staged.staging)
      },
      apply: () => {
        const dataset = this.#registry.dataset(id)
        if (dataset.staged !== null) this.#trip(dataset)
      },
    })
  }

  decideStaged(id: string, run?: RunToken): Promise<boolean> {
    return this.#run({
      check: () => {
        const { document, staged } = this.#registry.dataset(id)
        if (run !== undefined) this.#checkRun({ run })
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

  #checkRun({ run }: Commit): void {
    if (run === undefined || this.#runs.get(run.pipe) === run.number) return
    throw new LogError('stale-run', `Run ${run.number} of pipe '${run.pipe}' was ended or replaced by another one.`, {
      details: { ...run, current: this.#runs.get(run.pipe) ?? null },
    })
  }

  #checkWrite({ dataset: id, entities, indexSet, maxEntityBytes, stamps }: Write, run?: RunToken): BatchReader {
    const dataset = this.#registry.dataset(id)
    const { document, counts, staged } = dataset
    const isExposed = stamps !== undefined && staged?.staging.state === 'exposing'
    if (!isExposed) {
      if (staged !== null && !isOpenFor(staged.staging, run)) throw heldBack(document, staged.staging)
      if ((document.kind === 'replicated') !== (stamps !== undefined)) throw wrongKind(document)
    }
    if (document.indexSet !== indexSet) {
      throw new LogError('index-set-changed', `The indexes of dataset '${id}' changed while the batch was made.`, {
        details: { dataset: id, given: indexSet, current: document.indexSet },
        hint: 'Compute the index keys again, for the set of indexes that the dataset has now.',
      })
    }
    const batch = new BatchReader(entities, 'entities')
    const limit = Math.min(maxEntityBytes ?? this.#maxEntityBytes, this.#maxEntityBytes)
    if (batch.greatest > limit) throw tooLarge(id, batch, limit)
    this.#appender.checkLongIds(document.number, batch)
    if (stamps !== undefined) {
      const place = { id, number: document.number, end: counts.end }
      checkStamps(this.#environment.tables, place, batch, stamps, (one) => this.#appender.head(place.number, one))
    }
    return batch
  }

  /** One walk for each dataset, over all that the commit brings it. */
  #checkExpectations(writes: readonly Write[], batches: readonly BatchReader[]): void {
    if (!writes.some(hasExpectations)) return
    const byDataset = new Map<string, Expectations>()
    writes.forEach((write, i) => {
      let expectations = byDataset.get(write.dataset)
      if (expectations === undefined) {
        const { document, staged } = this.#registry.dataset(write.dataset)
        const { number } = document
        expectations = new Expectations(
          (id) =>
            (staged === null ? undefined : this.#appender.head(stagingNumber(number), id)) ??
            this.#appender.head(number, id),
        )
        byDataset.set(write.dataset, expectations)
      }
      expectations.check(write, batches[i] as BatchReader)
    })
  }

  #checkRest({ offsets = [], meta = [], state = [], populated = [], completeness = [] }: Commit): void {
    for (const [name] of offsets) nameKey('', name)
    for (const [name] of meta) nameKey('m', name)
    for (const [key] of state) {
      if (key.length === 0 || key.length > MAX_KEY) {
        throw new LogError('key-too-long', `A state key has ${key.length} bytes.`, {
          details: { bytes: key.length, limit: MAX_KEY },
          hint: `Use keys of 1 to ${MAX_KEY} bytes; store what is longer by its hash.`,
        })
      }
    }
    for (const [dataset] of populated) this.#registry.dataset(dataset)
    for (const { dataset } of completeness) this.#registry.dataset(dataset)
  }

  #write({ dataset: id, stamps, ...write }: Write, batch: BatchReader): Committed['writes'][number] {
    const dataset = this.#registry.dataset(id)
    const { document, counts, staged } = dataset
    const { number } = document
    if (staged !== null && stamps === undefined) return this.#writeStaged(dataset, staged, write, batch)
    if (write.erases === true) this.#appender.forgetLeft(number, batch)
    const written =
      stamps === undefined
        ? this.#appender.append(number, counts, batch, this.#now(), optionsOf(write, fedOf(document)))
        : this.#appender.appendStamped(number, counts, batch, stamps, fedOf(document))
    if (written > 0) this.#registry.noteCounts(dataset)
    if (write.erases === true) this.#noteErased(id, counts.end - written, counts.end)
    // The last of what was held back is there.
    if (staged !== null && counts.end >= staged.counts.end) this.#stagings.expose(dataset)
    return { written, seen: batch.count, end: counts.end }
  }

  #writeStaged(
    dataset: Dataset,
    { staging, counts }: Staged,
    write: Omit<Write, 'dataset' | 'stamps'>,
    batch: BatchReader,
  ): Committed['writes'][number] {
    const number = stagingNumber(staging.dataset)
    const options = optionsOf(write, NONE_FED, staging.dataset)
    const written = this.#appender.append(number, counts, batch, this.#now(), options)
    if (written > 0) writeCounts(this.#environment.tables.meta, number, counts)
    const result = { written, seen: batch.count, end: counts.end }
    if (counts.versions <= staging.limit) return result
    // Above it already, when this is not the first write of its commit.
    this.#trip(dataset)
    return { ...result, tripped: true }
  }

  #trip(dataset: Dataset): void {
    this.#stagings.changeState(dataset, 'tripped')
    this.#registry.changeDocument(dataset.document.id, { isTripped: true })
  }

  #noteErased(id: string, from: number, end: number): void {
    const { number, erased } = this.#registry.dataset(id).document
    for (let sequence = from; sequence < end; sequence++) putRemnant(this.#environment.tables.meta, number, sequence)
    this.#registry.changeDocument(id, { erased: erased + end - from })
  }

  #writeRest({ offsets = [], meta = [], state = [], populated = [], completeness = [] }: Commit): void {
    const { tables } = this.#environment
    for (const [name, value] of offsets) {
      if (value === null) tables.offset.remove(nameKey('', name))
      else writeText(tables.offset, nameKey('', name), value)
    }
    for (const [name, value] of meta) {
      if (value === null) tables.meta.remove(nameKey('m', name))
      else writeText(tables.meta, nameKey('m', name), value)
    }
    for (const [key, value] of state) {
      if (value === null) tables.state.remove(key)
      else tables.state.put(key, seal(value))
    }
    for (const [id, isPopulated] of populated) {
      if (this.#registry.dataset(id).document.populated !== isPopulated)
        this.#registry.changeDocument(id, { populated: isPopulated })
    }
    for (const learned of completeness) this.#learn(learned)
  }

  #learn({ dataset: id, value, upstream }: Completeness): void {
    const dataset = this.#registry.dataset(id)
    const learned = {
      ...(value === undefined ? {} : { completeness: value === 'now' ? this.#now() : value }),
      ...(upstream === undefined ? {} : { upstream }),
    }
    if (dataset.staged !== null) this.#stagings.learn(dataset, learned)
    else this.#registry.changeDocument(id, learned)
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

const hasRest = ({ offsets = [], meta = [], state = [], populated = [], completeness = [] }: Commit): boolean =>
  offsets.length + meta.length + state.length + populated.length + completeness.length > 0

const optionsOf = (
  { force = false, erases = false, deletesOnlyExisting = false, secondVersions }: Omit<Write, 'dataset'>,
  fed: ReadonlySet<number>,
  beside: number | null = null,
): AppendOptions => ({
  force: force || erases,
  deletesOnlyExisting,
  ignoresSecond: secondVersions === 'ignore',
  beside,
  fed,
})

const NONE_FED: ReadonlySet<number> = new Set()

/** The indexes that subsets are read from as feeds. */
function fedOf({ indexes }: DatasetDocument): ReadonlySet<number> {
  const fed = indexes.filter(({ feedsSince }) => feedsSince !== null)
  return fed.length === 0 ? NONE_FED : new Set(fed.map(({ number }) => number))
}

/** A dataset without versions may become one of the other kind. */
function checkKind({ document, counts, staged }: Dataset, { kind = document.kind }: DatasetSettings): void {
  if (kind !== document.kind && (counts.end > 0 || staged !== null)) throw wrongKind(document)
}

function indexOf(document: DatasetDocument, number: number): IndexDocument {
  const index = document.indexes.find((one) => one.number === number)
  if (index !== undefined) return index
  throw new LogError('unknown-index', `Dataset '${document.id}' has no index ${number}.`, {
    details: { dataset: document.id, index: number },
  })
}
