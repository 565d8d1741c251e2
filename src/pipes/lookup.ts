/** Answers the language's questions about other datasets from a snapshot of the log, through join indexes. */

import type { IndexSpec, Lookup } from '../dtl/contract.ts'
import type { DatasetView } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { indexKey } from '../model/canonical.ts'
import type { Entity } from '../model/entity.ts'
import { compareText } from '../model/order.ts'
import type { Value } from '../model/value.ts'
import { PipeError } from './errors.ts'
import type { ReadPosition } from './position.ts'

/** Parsed versions kept at most. A version never changes, so an entry is never stale; the oldest goes first. */
const CACHED = 20_000

/** Parsed entities by dataset and sequence, shared by all lookups of a thread. */
export class EntityCache {
  readonly #entities = new Map<string, Entity>()

  get(view: DatasetView, id: string): Entity | undefined {
    const head = view.head(id)
    if (head === undefined || head.deleted) return undefined
    const key = `${view.document.number}:${head.sequence}`
    const cached = this.#entities.get(key)
    if (cached !== undefined) return cached
    const version = view.latest(id)
    if (version === undefined) return undefined
    const entity = entityOf(version, { internal: true })
    if (this.#entities.size >= CACHED) this.#entities.delete(this.#entities.keys().next().value as string)
    this.#entities.set(key, entity)
    return entity
  }
}

/** A lookup as of where the position is at the moment of each question. */
export function lookupAt(position: ReadPosition, cache: EntityCache): Lookup {
  let moved = position.moved
  const views = new Map<string, DatasetView | undefined>()
  const view = (dataset: string): DatasetView | undefined => {
    if (moved !== position.moved) {
      moved = position.moved
      views.clear()
    }
    if (!views.has(dataset)) views.set(dataset, position.snapshot.dataset(dataset))
    return views.get(dataset)
  }
  return {
    joined(index: IndexSpec, keys: readonly Value[]): readonly Entity[] {
      const dataset = view(index.dataset)
      if (dataset === undefined) return []
      const ids = joinedIds(dataset, index, keys)
      const entities: Entity[] = []
      for (const id of ids) {
        const entity = cache.get(dataset, id)
        if (entity !== undefined) entities.push(entity)
      }
      return entities
    },
    entity(dataset, id) {
      const found = view(dataset)
      return found === undefined ? undefined : cache.get(found, id)
    },
  }
}

function joinedIds(dataset: DatasetView, index: IndexSpec, keys: readonly Value[]): readonly string[] {
  const document = dataset.document.indexes.find((one) => one.expression === index.expression)
  if (document?.state !== 'ready') {
    throw new PipeError(
      'index-not-ready',
      `The index ${index.expression} of dataset '${index.dataset}' is not complete.`,
      {
        hint: 'Run the pipe again: its indexes are filled before it runs.',
      },
    )
  }
  if (keys.length === 1) {
    const key = indexKey(keys[0] as Value)
    return key === null ? [] : dataset.lookup(document.number, key)
  }
  const ids = new Set<string>()
  for (const value of keys) {
    const key = indexKey(value)
    if (key !== null) for (const id of dataset.lookup(document.number, key)) ids.add(id)
  }
  return [...ids].sort(compareText)
}
