/** The only one that writes a log: it runs in the writer thread (design §4), and in tests by itself. */

import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { Appender } from './appender.ts'
import { BatchReader } from './batch.ts'
import { seal } from './checksum.ts'
import { claimFolder, inUse } from './claim.ts'
import {
  type Commit,
  type Committed,
  type DatasetDocument,
  type IndexDocument,
  type Journal,
  MAX_ENTITY_BYTES,
  type Removal,
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
import { type Environment, openForWriting } from './environment.ts'
import { LogError } from './errors.ts'
import { FeedCounters, MAX_DATASETS, newFeed } from './feed.ts'
import { decodeId } from './ids.ts'
import { MAX_KEY } from './keys.ts'
import { beginLife, endLife } from './life.ts'
import { removeVersions } from './removal.ts'
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

interface Dataset {
  document: StoredDocument
  readonly counts: Counts
}

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
  #datasets = new Map<string, Dataset>()
  #house: House
  #isHouseChanged = false
  /** In the transaction under way. */
  #changes = 0
  readonly #uncounted = new Set<Dataset>()
  #sweeping: Promise<void> | null = null
  #isClosed = false
  #lost: LogError | null = null

  /** Makes the folder when it is not there. Rejects `data-in-use` when another hub has it. */
  static async open(path: string, options: WriterOptions = {}): Promise<LogWriter> {
    mkdirSync(path, { recursive: true })
    const release = await claimFolder(path)
    try {
      await beginLife(path)
      return new LogWriter(path, release, options)
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

  commit(commit: Commit): Promise<Committed> {
    let batches: readonly BatchReader[] = []
    return this.#run({
      check: () => {
        this.#checkRun(commit)
        batches = (commit.writes ?? []).map((write) => this.#checkWrite(write))
        this.#checkRest(commit)
      },
      apply: () => {
        const writes = (commit.writes ?? []).map((write, i) => this.#write(write, batches[i] as BatchReader))
        this.#writeRest(commit)
        if (writes.some(({ written }) => written > 0) || hasRest(commit)) this.#changes++
        return { writes }
      },
    })
  }

  assertDataset(id: string): Promise<DatasetDocument> {
    return this.#run({
      check: () => {
        nameKey('d', id)
        if (id.includes('/')) {
          throw new LogError('bad-name', `The dataset id '${id}' has a slash.`, { hint: 'Use an id without slashes.' })
        }
        if (!this.#datasets.has(id) && this.#house.nextDataset >= MAX_DATASETS) {
          throw new LogError('too-many-datasets', `This log has made ${MAX_DATASETS} datasets and can make no more.`, {
            hint: 'Export the data and import it into a new data folder.',
          })
        }
      },
      apply: () => this.#datasets.get(id)?.document ?? this.#newDataset(id),
    })
  }

  async deleteDataset(id: string): Promise<boolean> {
    const isThere = await this.#run({
      apply: () => {
        const dataset = this.#datasets.get(id)
        if (dataset === undefined) return false
        const { meta } = this.#environment.tables
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

  async assertIndex(id: string, expression: string, fingerprint: string): Promise<IndexDocument> {
    const index = await this.#run({
      check: () => void this.#dataset(id),
      apply: () => {
        const { document, counts } = this.#dataset(id)
        const former = document.indexes.find((one) => one.expression === expression)
        if (former?.fingerprint === fingerprint) return former
        if (former !== undefined) orderSweep(this.#environment.tables, document.number, former.number)
        const isEmpty = counts.end === 0
        const state = isEmpty ? 'ready' : 'filling'
        const made: IndexDocument = { number: document.nextIndex, expression, fingerprint, state, filled: 0 }
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
        const { document } = this.#dataset(id)
        this.#appender.fill(document.number, number, batch)
        const { state, filled: before } = indexOf(document, number)
        const after = Math.max(before, filled)
        if (after === before && !ready) return
        this.#changeDocument(id, {
          indexes: document.indexes.map((one) =>
            one.number === number ? { ...one, filled: after, state: ready ? 'ready' : state } : one,
          ),
        })
      },
    })
  }

  remove({ dataset: id, generation, blocks, ids, position, settled = [] }: Removal): Promise<number> {
    return this.#run({
      check: () => {
        if (this.#dataset(id).document.generation !== generation) throw unknownDataset(id)
      },
      apply: () => {
        const { tables } = this.#environment
        const dataset = this.#dataset(id)
        const { number } = dataset.document
        const removed = removeVersions(tables, number, dataset.counts, blocks, new Set(ids))
        if (removed > 0) this.#uncounted.add(dataset)
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
        if (this.#runs.get(pipe) === number) this.#runs.delete(pipe)
      },
    })
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

  #checkWrite({ dataset: id, entities, indexSet, maxEntityBytes }: Write): BatchReader {
    const { document } = this.#dataset(id)
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
    return batch
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

  #write({ dataset: id, force = false, deletesOnlyExisting = false, erases = false }: Write, batch: BatchReader) {
    const dataset = this.#dataset(id)
    const options = { force: force || erases, deletesOnlyExisting }
    if (erases) this.#appender.forgetLeft(dataset.document.number, batch)
    const written = this.#appender.append(dataset.document.number, dataset.counts, batch, this.#now(), options)
    if (written > 0) this.#uncounted.add(dataset)
    if (erases) this.#noteErased(id, dataset.counts.end - written, dataset.counts.end)
    return { written, seen: batch.count, end: dataset.counts.end }
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
      nextIndex: 0,
      changed: 0,
    }
    this.#datasets.set(id, { document, counts: noCounts() })
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
          { document, counts: readCounts(meta, document.number, transaction) },
        ]),
      )
    } finally {
      this.#environment.release(transaction)
    }
    for (const { document, counts } of this.#datasets.values()) this.#counters.setEnd(document.number, counts.end)
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
  }

  /** Sweeps while there is something to sweep, slice by slice, behind whatever waits. */
  #sweep(): void {
    const former = this.#sweeping
    const sweeping = (async () => {
      await former
      while (!this.#isClosed && (await this.#run({ apply: () => sweepSlice(this.#environment.tables) }))) {
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

/** The first entity of the batch that is greater than the limit, by name. */
function tooLarge(dataset: string, batch: BatchReader, limit: number): LogError {
  batch.rewind()
  while (batch.next() && batch.bodyLength <= limit);
  const [entity, bytes] = [decodeId(batch.id), batch.bodyLength]
  return new LogError('entity-too-large', `Entity '${entity}' for dataset '${dataset}' has ${bytes} bytes.`, {
    details: { dataset, entity, bytes, limit },
    hint: `The most is ${limit} bytes, of the JSON that is stored of it.`,
  })
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
