/** What the writer keeps in memory of its log: the house, the datasets with their counts, and what followers are to hear. */

import { inUse } from './claim.ts'
import {
  type Counts,
  changeKey,
  HOUSE,
  type House,
  LAYOUT,
  nameKey,
  noCounts,
  readCounts,
  readDocuments,
  readHouse,
  type StoredDocument,
  writeCounts,
  writeText,
} from './documents.ts'
import type { Environment } from './environment.ts'
import { LogError } from './errors.ts'
import type { FeedCounters } from './feed.ts'
import type { StoredStaging } from './staging.ts'

export interface Dataset {
  document: StoredDocument
  readonly counts: Counts
  /** What a circuit breaker holds back. */
  staged: Staged | null
}

export interface Staged {
  staging: StoredStaging
  /** Of the hidden dataset: only its end and its versions mean something. */
  readonly counts: Counts
}

export interface RegistryOptions {
  readonly path: string
  /** Of the writer that has the log now. */
  readonly writer: string
  readonly uuid: () => string
}

export class Registry {
  readonly #environment: Environment
  readonly #counters: FeedCounters
  readonly #path: string
  readonly #writer: string
  readonly #uuid: () => string
  #datasets = new Map<string, Dataset>()
  #house: House
  #isHouseChanged = false
  /** In the transaction under way. */
  #changes = 0
  readonly #uncounted = new Set<Dataset>()

  constructor(environment: Environment, counters: FeedCounters, { path, writer, uuid }: RegistryOptions) {
    this.#environment = environment
    this.#counters = counters
    this.#path = path
    this.#writer = writer
    this.#uuid = uuid
    this.#house = this.#moveIn()
    this.load()
  }

  get house(): House {
    return this.#house
  }

  all(): Iterable<Dataset> {
    return this.#datasets.values()
  }

  find(id: string): Dataset | undefined {
    return this.#datasets.get(id)
  }

  /** Its rows are for the caller to take away. */
  delete({ document }: Dataset): void {
    this.#uncounted.delete(this.dataset(document.id))
    this.#datasets.delete(document.id)
    this.noteDocument(document)
  }

  /** Its counts changed. */
  noteCounts(dataset: Dataset): void {
    this.#uncounted.add(dataset)
  }

  /** Something changed that is neither a document nor a count. */
  noteChange(): void {
    this.#changes++
  }

  /** Throws `unknown-dataset`. */
  dataset(id: string): Dataset {
    const dataset = this.#datasets.get(id)
    if (dataset !== undefined) return dataset
    throw unknownDataset(id)
  }

  /** A dataset that is not there. */
  add(id: string): StoredDocument {
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
      upstream: {},
      erased: 0,
      vanished: 0,
      restore: null,
      nextIndex: 0,
      changed: 0,
    }
    this.#datasets.set(id, { document, counts: noCounts(), staged: null })
    this.#changeHouse({ nextDataset: document.number + 1 })
    this.changeDocument(id, {})
    return document
  }

  /** Only inside a write transaction, as all that changes something. */
  changeDocument(id: string, change: Partial<StoredDocument>): void {
    const dataset = this.dataset(id)
    dataset.document = { ...dataset.document, ...change, changed: this.noteDocument(dataset.document) }
    writeText(this.#environment.tables.meta, nameKey('d', id), JSON.stringify(dataset.document))
  }

  /** So that readers find what changed without looking at what did not; gives the number of the change. */
  noteDocument({ id, changed }: StoredDocument): number {
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
  checkHouse(): void {
    if (readHouse(this.#environment)?.writer !== this.#writer) throw inUse(this.#path)
  }

  /** Reads all that was committed, and forgets the rest. */
  load(): void {
    this.#changes = 0
    this.#uncounted.clear()
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
    } finally {
      this.#environment.release(transaction)
    }
    for (const { document, counts } of this.#datasets.values()) this.#counters.setEnd(document.number, counts.end)
  }

  /** Before the commit. */
  writeChanged(): void {
    const { meta } = this.#environment.tables
    for (const { document, counts } of this.#uncounted) writeCounts(meta, document.number, counts)
    if (this.#isHouseChanged) writeText(meta, HOUSE, JSON.stringify(this.#house))
  }

  /** After the commit: followers hear of it. */
  announce(): void {
    this.#isHouseChanged = false
    for (const { document, counts } of this.#uncounted) this.#counters.setEnd(document.number, counts.end)
    this.#uncounted.clear()
    if (this.#changes > 0) this.#counters.committed(this.#changes)
    this.#changes = 0
  }
}

export const unknownDataset = (id: string): LogError =>
  new LogError('unknown-dataset', `There is no dataset '${id}'.`, { details: { dataset: id } })

const unfinished = (path: string, datasets: readonly string[]): LogError =>
  new LogError('rebuild-unfinished', `The log in ${path} is being rebuilt, or its rebuilding was cut short.`, {
    details: { path, datasets },
    hint: 'Run `samtale verify --rebuild` on this data folder to its end.',
  })
