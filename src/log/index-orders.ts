/** What is asked of the indexes of a dataset: to be there, to be filled, to go. All of it within a transaction. */

import type { Appender } from './appender.ts'
import { BatchReader } from './batch.ts'
import type { DatasetDocument, IndexDocument } from './contract.ts'
import type { Environment } from './environment.ts'
import { LogError } from './errors.ts'
import type { Registry } from './registry.ts'
import { orderSweep } from './sweep.ts'

interface Parts {
  readonly environment: Environment
  readonly registry: Registry
  readonly appender: Appender
}

export class IndexOrders {
  readonly #environment: Environment
  readonly #registry: Registry
  readonly #appender: Appender

  constructor({ environment, registry, appender }: Parts) {
    this.#environment = environment
    this.#registry = registry
    this.#appender = appender
  }

  /** One of another fingerprint takes the place of the one that is there; one that is to feed notes from now on who leaves. */
  assert(id: string, expression: string, fingerprint: string, feeds: boolean): IndexDocument {
    const { document, counts } = this.#registry.dataset(id)
    const former = document.indexes.find((one) => one.expression === expression)
    if (former?.fingerprint === fingerprint) {
      if (!feeds || former.feedsSince !== null) return former
      return this.#change(id, former.number, { feedsSince: counts.end })
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
  }

  delete(id: string, number: number): boolean {
    const { document } = this.#registry.dataset(id)
    const indexes = document.indexes.filter((one) => one.number !== number)
    if (indexes.length === document.indexes.length) return false
    orderSweep(this.#environment.tables, document.number, number)
    this.#registry.changeDocument(id, { indexSet: document.indexSet + 1, indexes })
    return true
  }

  checkFill(id: string, number: number, entries: ArrayBuffer): BatchReader {
    const { document } = this.#registry.dataset(id)
    indexOf(document, number)
    const batch = new BatchReader(entries, 'fill')
    this.#appender.checkLongIds(document.number, batch)
    return batch
  }

  fill(id: string, number: number, batch: BatchReader, filled: number, ready: boolean): void {
    const { document, counts } = this.#registry.dataset(id)
    this.#appender.fill(document.number, number, batch)
    const { state, filled: before, indexed, feedsSince } = indexOf(document, number)
    const after = Math.max(before, filled)
    if (after === before && !ready) return
    const isFinished = ready && state === 'filling'
    this.#change(id, number, {
      filled: after,
      indexed: indexed + (after > before ? batch.count : 0),
      state: ready ? 'ready' : state,
      // An id that changed before the fill came to it lost what nobody knew it had.
      feedsSince: isFinished && feedsSince !== null ? counts.end : feedsSince,
    })
  }

  #change(id: string, number: number, change: Partial<IndexDocument>): IndexDocument {
    const { document } = this.#registry.dataset(id)
    const changed = { ...indexOf(document, number), ...change }
    this.#registry.changeDocument(id, {
      indexes: document.indexes.map((one) => (one.number === number ? changed : one)),
    })
    return changed
  }
}

function indexOf(document: DatasetDocument, number: number): IndexDocument {
  const index = document.indexes.find((one) => one.number === number)
  if (index !== undefined) return index
  throw new LogError('unknown-index', `Dataset '${document.id}' has no index ${number}.`, {
    details: { dataset: document.id, index: number },
  })
}
