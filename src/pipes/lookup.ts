/** Answers the language's questions about other datasets from a snapshot of the log, through join indexes. */

import type { IndexSpec, Lookup } from '../dtl/contract.ts'
import type { DatasetView } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { indexKey, keyOf } from '../model/canonical.ts'
import type { Entity } from '../model/entity.ts'
import { compareText } from '../model/order.ts'
import type { Value } from '../model/value.ts'
import { PipeError } from './errors.ts'
import type { ReadPosition } from './position.ts'

/** Entries kept for each dataset at most, of each kind. When it is full it is emptied: cheaper than knowing what was used last. */
const KEPT = 50_000

/**
 * What was found in datasets, kept as long as it holds. A version never changes, so a parsed one is kept by its sequence;
 * what an index said is kept until the dataset grows, since only a new version can change that. All lookups of a thread
 * share one; the entities in it are never changed by anybody.
 */
export class FoundBefore {
  readonly #datasets = new Map<number, Found>()

  /** Forgets all: something was erased. */
  forget(): void {
    this.#datasets.clear()
  }

  of({ document: { number } }: DatasetView): Found {
    let found = this.#datasets.get(number)
    if (found === undefined) {
      found = new Found()
      this.#datasets.set(number, found)
    }
    return found
  }
}

class Found {
  readonly #entities = new Map<number, Entity>()
  /** By expression, then by key: putting both into one text for each question would cost as much as the answer. */
  readonly #joined = new Map<string, Map<string, readonly Entity[]>>()
  #state = ''
  /** Several hops of a program begin with the same question. */
  #last: { readonly expression: string; readonly value: Value; readonly answer: readonly Entity[] } | null = null

  entity(view: DatasetView, id: string): Entity | undefined {
    const head = view.head(id)
    if (head === undefined || head.deleted) return undefined
    const known = this.#entities.get(head.sequence)
    if (known !== undefined) return known
    const version = view.latest(id)
    if (version === undefined) return undefined
    const entity = entityOf(version, { internal: true })
    if (this.#entities.size >= KEPT) this.#entities.clear()
    this.#entities.set(head.sequence, entity)
    return entity
  }

  /** `state` says which state of the dataset the view shows: runs at different moments do not hear each other's answers. */
  joined(view: DatasetView, state: string, index: IndexSpec, value: Value): readonly Entity[] {
    if (state !== this.#state) {
      this.#state = state
      this.#joined.clear()
      this.#last = null
    }
    const { expression } = index
    if (this.#last?.value === value && this.#last.expression === expression) return this.#last.answer
    const answer = this.#answer(view, index, value)
    this.#last = { expression, value, answer }
    return answer
  }

  #answer(view: DatasetView, index: IndexSpec, value: Value): readonly Entity[] {
    let answers = this.#joined.get(index.expression)
    if (answers === undefined) {
      answers = new Map()
      this.#joined.set(index.expression, answers)
    }
    const key = keyOf(value)
    const known = answers.get(key)
    if (known !== undefined) return known
    const entities = joinedIds(view, index, [value]).flatMap((id) => this.entity(view, id) ?? [])
    if (answers.size >= KEPT) answers.clear()
    answers.set(key, entities)
    return entities
  }
}

interface Opened {
  readonly view: DatasetView
  readonly found: Found
  readonly state: string
}

/** The same as long as nothing was appended and no index came or went. */
const stateOf = (view: DatasetView): string => `${view.counts().end} ${view.document.indexSet}`

/** A lookup as of where the position is at the moment of each question. */
export function lookupAt(position: ReadPosition, before: FoundBefore): Lookup {
  let moved = position.moved
  const opened = new Map<string, Opened | undefined>()
  const open = (dataset: string) => {
    if (moved !== position.moved) {
      moved = position.moved
      opened.clear()
    }
    if (!opened.has(dataset)) {
      const view = position.snapshot.dataset(dataset)
      opened.set(dataset, view && { view, found: before.of(view), state: stateOf(view) })
    }
    return opened.get(dataset)
  }
  return {
    joined(index: IndexSpec, keys: readonly Value[]): readonly Entity[] {
      const dataset = open(index.dataset)
      if (dataset === undefined) return []
      const { view, found, state } = dataset
      if (keys.length === 1) return found.joined(view, state, index, keys[0] as Value)
      return joinedIds(view, index, keys).flatMap((id) => found.entity(view, id) ?? [])
    },
    entity(dataset, id) {
      const there = open(dataset)
      return there?.found.entity(there.view, id)
    },
  }
}

function joinedIds(dataset: DatasetView, index: IndexSpec, keys: readonly Value[]): readonly string[] {
  const document = dataset.document.indexes.find((one) => one.expression === index.expression)
  if (document?.state !== 'ready') {
    throw new PipeError(
      'index-not-ready',
      `The index ${index.expression} of dataset '${index.dataset}' is not complete.`,
      { hint: 'Run the pipe again: its indexes are filled before it runs.' },
    )
  }
  const found = keys.flatMap((value) => {
    const key = indexKey(value)
    return key === null ? [] : [dataset.lookup(document.number, key)]
  })
  if (found.length === 1) return found[0] as readonly string[]
  return [...new Set(found.flat())].sort(compareText)
}
