/** The only one that writes a log: it runs in the writer thread (design §4), and in tests by itself. */

import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { Appender, type AppendOptions } from './appender.ts'
import { BatchReader } from './batch.ts'
import { seal } from './checksum.ts'
import { claimFolder, inUse } from './claim.ts'
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
  type Staging,
  type Write,
} from './contract.ts'
import {
  type Counts,
  changeKey,
  HOUSE,
  type House,
  LAYOUT,
  nameKey,
  noCounts,
  numberKey,
  putRemnant,
  readCounts,
  readDocuments,
  readHouse,
  readRemnants,
  readText,
  removeRemnant,
  type StoredDocument,
  writeCounts,
  writeText,
} from './documents.ts'
import { type Environment, openForWriting, type ReadTransaction } from './environment.ts'
import { LogError } from './errors.ts'
import { Expectations, hasExpectations } from './expectations.ts'
import { FeedCounters, MAX_DATASETS, newFeed } from './feed.ts'
import { MAX_KEY } from './keys.ts'
import { beginLife, endLife } from './life.ts'
import { heldBack, tooLarge, wrongKind } from './refusals.ts'
import { removeVersions } from './removal.ts'
import {
  isDecidable,
  isOpenFor,
  isRunOf,
  readStagings,
  removeStaging,
  type StoredStaging,
  stagingNumber,
  writeStaging,
} from './staging.ts'
import { checkStampedAlone, checkStamps } from './stamps.ts'
import { storageFailed } from './storage.ts'
import { orderSweep, sweepSlice } from './sweep.ts'
import { Transactions } from './transactions.ts'
import { noteFormer, undoSlice } from './undo.ts'

export interface WriterOptions {
  /** Microseconds since 1970. */
  readonly now?: () => number
  readonly uuid?: () => string
  /** Greatest entity that is stored, whatever a write allows (hub.md §2.1). */
  readonly maxEntityBytes?: number
  /** This writer cannot write any more; every call is refused from now on. */
  readonly onLost?: (error: LogError) => void
}

interface Dataset {
  document: StoredDocument
  readonly counts: Counts
  /** What a circuit breaker holds back. */
  staged: Staged | null
}

interface Staged {
  staging: StoredStaging
  /** Of the hidden dataset: only its end and its versions mean something. */
  readonly counts: Counts
}

/** Changes put back in one transaction when a run is undone. */
const UNDO_SLICE = 1_000

export class LogWriter implements Journal {
  /** For those who follow the log: see feed.ts. */
  readonly feed: SharedArrayBuffer = newFeed()
  readonly #path: string
  readonly #environment: Environment
  readonly #release: () => Promise<void>
  readonly #transactions: Transactions
  readonly #appender: Appender
  readonly #counters = new FeedCounters(this.feed)
  readonly #now: () => number
  readonly #uuid: () => string
  readonly #maxEntityBytes: number
  readonly #writer: string
  readonly #runs = new Map<string, number>()
  /** Datasets with something staged. */
  readonly #stagings = new Set<Dataset>()
  #datasets = new Map<string, Dataset>()
  #house: House
  #isHouseChanged = false
  /** In the transaction under way. */
  #changes = 0
  readonly #uncounted = new Set<Dataset>()
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
    this.#uuid = options.uuid ?? randomUUID
    this.#maxEntityBytes = options.maxEntityBytes ?? MAX_ENTITY_BYTES
    this.#writer = randomUUID()
    this.#environment = openForWriting(path)
    this.#appender = new Appender(this.#environment.tables)
    try {
      this.#house = this.#moveIn()
      this.#load()
    } catch (error) {
      void this.#environment.close()
      throw error
    }
    this.#transactions = new Transactions(this.#environment, {
      begin: () => this.#checkHouse(),
      end: () => this.#writeChanged(),
      committed: () => this.#announce(),
      aborted: () => {
        this.#appender.reset()
        this.#changes = 0
        this.#uncounted.clear()
        this.#isSweepDue = false
        this.#load()
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
    const pipes = [...this.#stagings].flatMap(({ staged }) => staged?.staging.pipe ?? [])
    if (pipes.length === 0) return
    await this.#run({
      apply: () => {
        for (const pipe of pipes) this.#undoOpen(pipe)
      },
    })
  }

  commit(commit: Commit): Promise<Committed> {
    let batches: readonly BatchReader[] = []
    return this.#run({
      check: () => {
        this.#checkRun(commit)
        this.#checkNotTripped(commit)
        batches = (commit.writes ?? []).map((write) => this.#checkWrite(write, commit.run))
        checkStampedAlone(commit.writes ?? [])
        this.#checkExpectations(commit.writes ?? [], batches)
        this.#checkRest(commit)
      },
      apply: () => {
        this.#noteFormer(commit)
        const writes = (commit.writes ?? []).map((write, i) => this.#write(write, batches[i] as BatchReader))
        this.#writeRest(commit)
        if (writes.some(({ written }) => written > 0) || hasRest(commit)) this.#changes++
        return { writes }
      },
    })
  }

  assertDataset(id: string, settings: DatasetSettings = {}): Promise<DatasetDocument> {
    return this.#run({
      check: () => {
        nameKey('d', id)
        const there = this.#datasets.get(id)
        if (there !== undefined) checkKind(there, settings)
        if (id.includes('/')) {
          throw new LogError('bad-name', `The dataset id '${id}' has a slash.`, { hint: 'Use an id without slashes.' })
        }
        if (!this.#datasets.has(id) && this.#house.nextDataset >= MAX_DATASETS) {
          throw new LogError('too-many-datasets', `This log has made ${MAX_DATASETS} datasets and can make no more.`, {
            hint: 'Export the data and import it into a new data folder.',
          })
        }
      },
      apply: () => {
        const before = this.#datasets.get(id)?.document ?? this.#newDataset(id)
        const { kind = before.kind, durable = before.durable } = settings
        if (kind !== before.kind || durable !== before.durable) this.#changeDocument(id, { kind, durable })
        return this.#dataset(id).document
      },
    })
  }

  async deleteDataset(id: string): Promise<boolean> {
    const isThere = await this.#run({
      apply: () => {
        const dataset = this.#datasets.get(id)
        if (dataset === undefined) return false
        const { meta } = this.#environment.tables
        if (dataset.staged !== null) this.#unstage(dataset)
        meta.remove(nameKey('d', id))
        meta.remove(numberKey('c', dataset.document.number))
        meta.remove(numberKey('p', dataset.document.number))
        for (const remnant of readRemnants(meta, dataset.document.number)) {
          removeRemnant(meta, dataset.document.number, remnant)
        }
        orderSweep(this.#environment.tables, dataset.document.number)
        this.#datasets.delete(id)
        this.#uncounted.delete(dataset)
        this.#noteChange(dataset.document)
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
      check: () => void this.#dataset(id),
      apply: () => {
        const { document, counts } = this.#dataset(id)
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
        this.#changeDocument(id, {
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
      check: () => void this.#dataset(id),
      apply: () => {
        const { document } = this.#dataset(id)
        const indexes = document.indexes.filter((one) => one.number !== number)
        if (indexes.length === document.indexes.length) return false
        orderSweep(this.#environment.tables, document.number, number)
        this.#changeDocument(id, { indexSet: document.indexSet + 1, indexes })
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
        const { document } = this.#dataset(id)
        indexOf(document, number)
        batch = new BatchReader(entries, 'fill')
        this.#appender.checkLongIds(document.number, batch)
      },
      apply: () => {
        const { document, counts } = this.#dataset(id)
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
    const { document } = this.#dataset(id)
    const changed = { ...indexOf(document, number), ...change }
    this.#changeDocument(id, { indexes: document.indexes.map((one) => (one.number === number ? changed : one)) })
    return changed
  }

  remove({ dataset: id, generation, blocks, ids, position, settled = [] }: Removal): Promise<Removed> {
    return this.#run({
      check: () => {
        if (this.#dataset(id).document.generation !== generation) throw unknownDataset(id)
      },
      apply: () => {
        const { tables } = this.#environment
        const dataset = this.#dataset(id)
        const { number } = dataset.document
        const before = dataset.counts.existing + dataset.counts.deleted
        const removed = removeVersions(tables, number, dataset.counts, blocks, new Set(ids))
        if (removed.versions > 0) this.#uncounted.add(dataset)
        const vanished = before - dataset.counts.existing - dataset.counts.deleted
        if (vanished > 0) this.#changeDocument(id, { vanished: dataset.document.vanished + vanished })
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
        this.#undoOpen(pipe)
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
        this.#undoOpen(pipe)
        this.#runs.delete(pipe)
      },
    })
  }

  forgetRuns(pipe: string): Promise<void> {
    return this.#run({
      check: () => void nameKey('r', pipe),
      apply: () => {
        this.#undoOpen(pipe)
        this.#runs.delete(pipe)
        this.#environment.tables.meta.remove(nameKey('r', pipe))
      },
    })
  }

  async beginStaging(id: string, run: RunToken, limit: number): Promise<void> {
    const begin = (): boolean => {
      const dataset = this.#dataset(id)
      const { number } = dataset.document
      const { tables } = this.#environment
      // What a run before left there goes first: it would be taken for this one's.
      if (sweepSlice(tables, stagingNumber(number))) return false
      const staging = { dataset: number, pipe: run.pipe, run: run.number, limit, state: 'open' } as const
      this.#stage(dataset, staging, { ...noCounts(), end: dataset.counts.end })
      writeStaging(tables.meta, staging)
      return true
    }
    const check = () => {
      this.#checkRun({ run })
      const { document, staged } = this.#dataset(id)
      if (document.kind === 'replicated') throw wrongKind(document)
      if (staged !== null) throw heldBack(document, staged.staging)
    }
    while (!(await this.#run({ check, apply: begin })));
  }

  tripStaged(id: string, run: RunToken): Promise<void> {
    return this.#run({
      check: () => {
        this.#checkRun({ run })
        const { document, staged } = this.#dataset(id)
        if (staged !== null && !isOpenFor(staged.staging, run)) throw heldBack(document, staged.staging)
      },
      apply: () => {
        const dataset = this.#dataset(id)
        if (dataset.staged !== null) this.#trip(dataset)
      },
    })
  }

  decideStaged(id: string, run?: RunToken): Promise<boolean> {
    return this.#run({
      check: () => {
        const { document, staged } = this.#dataset(id)
        if (run !== undefined) this.#checkRun({ run })
        if (staged !== null && !isDecidable(staged.staging, run)) throw heldBack(document, staged.staging)
      },
      apply: () => {
        const dataset = this.#dataset(id)
        if (dataset.staged === null) return false
        if (dataset.counts.end < dataset.staged.counts.end) {
          this.#changeStaging(dataset, 'exposing')
          return true
        }
        this.#unstage(dataset)
        return false
      },
    })
  }

  async discardStaged(id: string): Promise<boolean> {
    const isThere = await this.#run({
      check: () => {
        const { document, staged } = this.#dataset(id)
        const state = staged?.staging.state
        if (staged !== null && state !== 'tripped' && state !== 'undoing') throw heldBack(document, staged.staging)
      },
      apply: () => {
        const dataset = this.#dataset(id)
        if (dataset.staged === null) return false
        this.#changeStaging(dataset, 'undoing')
        return true
      },
    })
    while (this.#datasets.get(id)?.staged?.staging.state === 'undoing') {
      await this.#run({ apply: () => this.#undoSlice() })
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

  /** A run that tripped is over: an offset or a state that it stored now would not be undone with what it wrote. */
  #checkNotTripped({ run }: Commit): void {
    if (run === undefined) return
    for (const { document, staged } of this.#stagings) {
      if (staged?.staging.state === 'tripped' && isRunOf(staged.staging, run)) throw heldBack(document, staged.staging)
    }
  }

  #checkWrite({ dataset: id, entities, indexSet, maxEntityBytes, stamps }: Write, run?: RunToken): BatchReader {
    const dataset = this.#dataset(id)
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
        const { document, staged } = this.#dataset(write.dataset)
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
    for (const [dataset] of [...populated, ...completeness]) this.#dataset(dataset)
  }

  #write({ dataset: id, stamps, ...write }: Write, batch: BatchReader): Committed['writes'][number] {
    const dataset = this.#dataset(id)
    const { document, counts, staged } = dataset
    const { number } = document
    if (staged !== null && stamps === undefined) return this.#writeStaged(dataset, staged, write, batch)
    if (write.erases === true) this.#appender.forgetLeft(number, batch)
    const written =
      stamps === undefined
        ? this.#appender.append(number, counts, batch, this.#now(), optionsOf(write, fedOf(document)))
        : this.#appender.appendStamped(number, counts, batch, stamps, fedOf(document))
    if (written > 0) this.#uncounted.add(dataset)
    if (write.erases === true) this.#noteErased(id, counts.end - written, counts.end)
    // The last of what was held back is there.
    if (staged !== null && counts.end >= staged.counts.end) this.#unstage(dataset)
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
    this.#changeStaging(dataset, 'tripped')
    this.#changeDocument(dataset.document.id, { isTripped: true })
  }

  /** A run whose writes are not committed yet must be undone with all that it stored. */
  #noteFormer({ run, offsets = [], state = [] }: Commit): void {
    if (this.#stagings.size === 0) return
    const { tables } = this.#environment
    for (const { staged } of this.#stagings) {
      if (staged === null || !isOpenFor(staged.staging, run)) continue
      const number = stagingNumber(staged.staging.dataset)
      for (const [name] of offsets) noteFormer(tables, number, 'offset', nameKey('', name))
      for (const [key] of state) noteFormer(tables, number, 'state', Buffer.from(key))
    }
  }

  #stage(dataset: Dataset, staging: StoredStaging, counts: Counts): void {
    dataset.staged = { staging, counts }
    this.#stagings.add(dataset)
  }

  #changeStaging({ staged }: Dataset, state: Staging['state']): void {
    if (staged === null || staged.staging.state === state) return
    staged.staging = { ...staged.staging, state }
    writeStaging(this.#environment.tables.meta, staged.staging)
  }

  /** Nothing is held back any more: what lies in the hidden dataset is swept away. */
  #unstage(dataset: Dataset): void {
    const { staged, document } = dataset
    if (staged === null) return
    const { tables } = this.#environment
    const number = stagingNumber(document.number)
    removeStaging(tables.meta, document.number)
    tables.meta.remove(numberKey('c', number))
    orderSweep(tables, number)
    dataset.staged = null
    this.#stagings.delete(dataset)
    if (document.isTripped) this.#changeDocument(document.id, { isTripped: false })
    this.#isSweepDue = true
  }

  /** What the pipe's run staged and neither tripped on nor exposed. */
  #undoOpen(pipe: string): void {
    for (const dataset of this.#stagings) {
      const staging = dataset.staged?.staging
      if (staging?.pipe !== pipe || staging.state !== 'open') continue
      this.#changeStaging(dataset, 'undoing')
      this.#isSweepDue = true
    }
  }

  /** Undoes a part of one staging; false when there was nothing to undo. */
  #undoSlice(): boolean {
    for (const dataset of this.#stagings) {
      if (dataset.staged?.staging.state !== 'undoing') continue
      const { tables } = this.#environment
      if (!undoSlice(tables, stagingNumber(dataset.document.number), UNDO_SLICE)) this.#unstage(dataset)
      this.#changes++
      return true
    }
    return false
  }

  #noteErased(id: string, from: number, end: number): void {
    const { number, erased } = this.#dataset(id).document
    for (let sequence = from; sequence < end; sequence++) putRemnant(this.#environment.tables.meta, number, sequence)
    this.#changeDocument(id, { erased: erased + end - from })
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
      if (this.#dataset(id).document.populated !== isPopulated) this.#changeDocument(id, { populated: isPopulated })
    }
    for (const [id, microseconds] of completeness) this.#changeDocument(id, { completeness: microseconds })
  }

  #dataset(id: string): Dataset {
    const dataset = this.#datasets.get(id)
    if (dataset !== undefined) return dataset
    throw unknownDataset(id)
  }

  #newDataset(id: string): StoredDocument {
    const document: StoredDocument = {
      id,
      number: this.#house.nextDataset,
      generation: this.#uuid(),
      populated: false,
      kind: 'normal',
      durable: false,
      isTripped: false,
      indexSet: 0,
      indexes: [],
      completeness: null,
      erased: 0,
      vanished: 0,
      restore: null,
      nextIndex: 0,
      changed: 0,
    }
    this.#datasets.set(id, { document, counts: noCounts(), staged: null })
    this.#changeHouse({ nextDataset: document.number + 1 })
    this.#changeDocument(id, {})
    return document
  }

  #changeDocument(id: string, change: Partial<StoredDocument>): void {
    const dataset = this.#dataset(id)
    dataset.document = { ...dataset.document, ...change, changed: this.#noteChange(dataset.document) }
    writeText(this.#environment.tables.meta, nameKey('d', id), JSON.stringify(dataset.document))
  }

  /** So that readers find what changed without looking at what did not; gives the number of the change. */
  #noteChange({ id, changed }: StoredDocument): number {
    const { meta } = this.#environment.tables
    const change = this.#house.documents + 1
    meta.remove(changeKey(changed))
    writeText(meta, changeKey(change), id)
    this.#changeHouse({ documents: change })
    return change
  }

  #changeHouse(change: Partial<House>): void {
    this.#house = { ...this.#house, ...change }
    this.#isHouseChanged = true
    this.#changes++
  }

  /** Takes the log over from the writer before, which is gone. */
  #moveIn(): House {
    const { tables } = this.#environment
    return this.#environment.write(() => {
      const former = readHouse(this.#environment) ?? { layout: LAYOUT, nextDataset: 1, documents: 0, writer: '' }
      if (former.rebuilding !== undefined) throw unfinished(this.#path, former.rebuilding)
      const house: House = { ...former, writer: this.#writer }
      writeText(tables.meta, HOUSE, JSON.stringify(house))
      return house
    })
  }

  /** A second guard beside the claim, for folders that are shared between machines or containers. */
  #checkHouse(): void {
    if (readHouse(this.#environment)?.writer !== this.#writer) throw inUse(this.#path)
  }

  #load(): void {
    const { meta } = this.#environment.tables
    const transaction = this.#environment.read()
    try {
      this.#house = readHouse(this.#environment, transaction) ?? this.#house
      this.#isHouseChanged = false
      this.#datasets = new Map(
        readDocuments(this.#environment, transaction).map((document) => [
          document.id,
          { document, counts: readCounts(meta, document.number, transaction), staged: null },
        ]),
      )
      this.#loadStagings(transaction)
    } finally {
      this.#environment.release(transaction)
    }
    for (const { document, counts } of this.#datasets.values()) this.#counters.setEnd(document.number, counts.end)
  }

  #loadStagings(transaction: ReadTransaction): void {
    this.#stagings.clear()
    const { meta } = this.#environment.tables
    const stagings = readStagings(meta, transaction)
    if (stagings.length === 0) return
    const byNumber = new Map([...this.#datasets.values()].map((dataset) => [dataset.document.number, dataset]))
    for (const staging of stagings) {
      const dataset = byNumber.get(staging.dataset)
      if (dataset === undefined) continue
      const counts = readCounts(meta, stagingNumber(staging.dataset), transaction)
      // Nothing was written to it yet.
      if (counts.versions === 0) counts.end = dataset.counts.end
      this.#stage(dataset, staging, counts)
    }
  }

  #writeChanged(): void {
    const { meta } = this.#environment.tables
    for (const { document, counts } of this.#uncounted) writeCounts(meta, document.number, counts)
    if (this.#isHouseChanged) writeText(meta, HOUSE, JSON.stringify(this.#house))
  }

  #announce(): void {
    this.#isHouseChanged = false
    for (const { document, counts } of this.#uncounted) this.#counters.setEnd(document.number, counts.end)
    this.#uncounted.clear()
    if (this.#changes > 0) this.#counters.committed(this.#changes)
    this.#changes = 0
    if (this.#isSweepDue) this.#sweep()
    this.#isSweepDue = false
  }

  /** Sweeps while there is something to sweep, slice by slice, behind whatever waits. */
  #sweep(): void {
    const former = this.#sweeping
    const sweeping = (async () => {
      await former
      while (
        !this.#isClosed &&
        (await this.#run({ apply: () => this.#undoSlice() || sweepSlice(this.#environment.tables) }))
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

const unknownDataset = (id: string): LogError =>
  new LogError('unknown-dataset', `There is no dataset '${id}'.`, { details: { dataset: id } })

const unfinished = (path: string, datasets: readonly string[]): LogError =>
  new LogError('rebuild-unfinished', `The log in ${path} is being rebuilt, or its rebuilding was cut short.`, {
    details: { path, datasets },
    hint: 'Run `samtale verify --rebuild` on this data folder to its end.',
  })

function indexOf(document: DatasetDocument, number: number): IndexDocument {
  const index = document.indexes.find((one) => one.number === number)
  if (index !== undefined) return index
  throw new LogError('unknown-index', `Dataset '${document.id}' has no index ${number}.`, {
    details: { dataset: document.id, index: number },
  })
}
