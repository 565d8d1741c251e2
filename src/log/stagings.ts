/** What circuit breakers hold back, as the writer keeps it: staged, exposed, undone (hub.md §13). */

import type { Commit, Staging } from './contract.ts'
import { type Counts, nameKey, numberKey, readCounts } from './documents.ts'
import type { Environment, ReadTransaction } from './environment.ts'
import { heldBack } from './refusals.ts'
import type { Dataset, Registry } from './registry.ts'
import {
  isOpenFor,
  isRunOf,
  type Learned,
  readStagings,
  removeStaging,
  type StoredStaging,
  stagingNumber,
  writeStaging,
} from './staging.ts'
import { orderSweep } from './sweep.ts'
import { noteFormer, undoSlice } from './undo.ts'

/** Changes put back in one transaction when a run is undone. */
const UNDO_SLICE = 1_000

export class Stagings {
  readonly #environment: Environment
  readonly #registry: Registry
  /** Something is left to be undone or swept away after the transaction under way. */
  readonly #onRest: () => void
  /** Datasets with something staged. */
  readonly #held = new Set<Dataset>()

  constructor(environment: Environment, registry: Registry, onRest: () => void) {
    this.#environment = environment
    this.#registry = registry
    this.#onRest = onRest
    this.load()
  }

  /** Whose runs wrote what is held back. */
  pipes(): readonly string[] {
    return [...this.#held].flatMap(({ staged }) => staged?.staging.pipe ?? [])
  }

  /** A run whose writes are not committed yet must be undone with all that it stored. */
  noteFormer({ run, offsets = [], state = [] }: Commit): void {
    if (this.#held.size === 0) return
    const { tables } = this.#environment
    for (const { staged } of this.#held) {
      if (staged === null || !isOpenFor(staged.staging, run)) continue
      const number = stagingNumber(staged.staging.dataset)
      for (const [name] of offsets) noteFormer(tables, number, 'offset', nameKey('', name))
      for (const [key] of state) noteFormer(tables, number, 'state', Buffer.from(key))
    }
  }

  stage(dataset: Dataset, staging: StoredStaging, counts: Counts): void {
    dataset.staged = { staging, counts }
    this.#held.add(dataset)
  }

  changeState({ staged }: Dataset, state: Staging['state']): void {
    if (staged === null || staged.staging.state === state) return
    staged.staging = { ...staged.staging, state }
    writeStaging(this.#environment.tables.meta, staged.staging)
  }

  /** Kept with what is held back. */
  learn({ staged }: Dataset, learned: Learned): void {
    if (staged === null) return
    staged.staging = { ...staged.staging, learned: { ...staged.staging.learned, ...learned } }
    writeStaging(this.#environment.tables.meta, staged.staging)
  }

  /** All that was held back is part of the dataset. */
  expose(dataset: Dataset): void {
    const learned = dataset.staged?.staging.learned
    this.unstage(dataset)
    if (learned !== undefined) this.#registry.changeDocument(dataset.document.id, learned)
  }

  /** Its breaker tripped: what is staged stays hidden until somebody decides. */
  trip(dataset: Dataset): void {
    this.changeState(dataset, 'tripped')
    this.#registry.changeDocument(dataset.document.id, { isTripped: true })
  }

  /** Nothing is held back any more: what lies in the hidden dataset is swept away. */
  unstage(dataset: Dataset): void {
    const { staged, document } = dataset
    if (staged === null) return
    const { tables } = this.#environment
    const number = stagingNumber(document.number)
    removeStaging(tables.meta, document.number)
    tables.meta.remove(numberKey('c', number))
    orderSweep(tables, number)
    dataset.staged = null
    this.#held.delete(dataset)
    if (document.isTripped) this.#registry.changeDocument(document.id, { isTripped: false })
    this.#onRest()
  }

  /** What the pipe's run staged and neither tripped on nor exposed. */
  undoOpen(pipe: string): void {
    for (const dataset of this.#held) {
      const staging = dataset.staged?.staging
      if (staging?.pipe !== pipe || staging.state !== 'open') continue
      this.changeState(dataset, 'undoing')
      this.#onRest()
    }
  }

  /** Undoes a part of one staging; false when there was nothing to undo. */
  undoSlice(): boolean {
    for (const dataset of this.#held) {
      if (dataset.staged?.staging.state !== 'undoing') continue
      const { tables } = this.#environment
      if (!undoSlice(tables, stagingNumber(dataset.document.number), UNDO_SLICE)) this.unstage(dataset)
      this.#registry.noteChange()
      return true
    }
    return false
  }

  /** A run that tripped is over: an offset or a state that it stored now would not be undone with what it wrote. */
  checkNotTripped({ run }: Commit): void {
    if (run === undefined) return
    for (const { document, staged } of this.#held) {
      if (staged?.staging.state === 'tripped' && isRunOf(staged.staging, run)) throw heldBack(document, staged.staging)
    }
  }

  /** Once the registry was loaded. */
  load(): void {
    this.#held.clear()
    const transaction = this.#environment.read()
    try {
      this.#loadAll(transaction)
    } finally {
      this.#environment.release(transaction)
    }
  }

  #loadAll(transaction: ReadTransaction): void {
    const { meta } = this.#environment.tables
    const stagings = readStagings(meta, transaction)
    if (stagings.length === 0) return
    const byNumber = new Map([...this.#registry.all()].map((dataset) => [dataset.document.number, dataset]))
    for (const staging of stagings) {
      const dataset = byNumber.get(staging.dataset)
      if (dataset === undefined) continue
      const counts = readCounts(meta, stagingNumber(staging.dataset), transaction)
      // Nothing was written to it yet.
      if (counts.versions === 0) counts.end = dataset.counts.end
      this.stage(dataset, staging, counts)
    }
  }
}
