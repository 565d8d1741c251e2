/** The indexes of a dataset as people see them, and who needs them (hub.md §2.5, rest-api.md §2.3). */

import { shownExpression } from '../dtl/compile.ts'
import type { DatasetView, IndexDocument } from '../log/contract.ts'
import type { Deployment } from './deployment.ts'

/** Pipes that read through an index, or whose sink says that it is to be there. */
export function pipesUsing({ pipes }: Deployment, dataset: string, expression: string): readonly string[] {
  return [...pipes].flatMap(([id, { pipe }]) => {
    if (pipe === null) return []
    const read = [...pipe.indexes, ...(pipe.tracking?.indexes ?? [])]
    const isRead = read.some((index) => index.dataset === dataset && index.expression === expression)
    const { sink } = pipe
    const isKept = sink.kind === 'dataset' && sink.dataset === dataset && sink.indexes.includes(expression)
    return isRead || isKept ? [id] : []
  })
}

/** Indexes that doors of the hub look entities up in: kept, since a door needs them again whenever it is asked. */
export class DoorIndexes {
  readonly #expressions = new Map<string, Set<string>>()

  /** Of the text that {@link text} gave. */
  static of(text: string | undefined): DoorIndexes {
    const made = new DoorIndexes()
    const all = JSON.parse(text ?? '[]') as readonly (readonly [dataset: string, expressions: readonly string[]])[]
    for (const [dataset, expressions] of all) made.#expressions.set(dataset, new Set(expressions))
    return made
  }

  text(): string {
    return JSON.stringify([...this.#expressions].map(([dataset, expressions]) => [dataset, [...expressions]]))
  }

  has(dataset: string, expression: string): boolean {
    return this.#expressions.get(dataset)?.has(expression) ?? false
  }

  /** False when it was known. */
  add(dataset: string, expression: string): boolean {
    if (this.has(dataset, expression)) return false
    const expressions = this.#expressions.get(dataset) ?? new Set()
    this.#expressions.set(dataset, expressions.add(expression))
    return true
  }

  /** One index of a dataset, or all; false when nothing was known. */
  delete(dataset: string, expression?: string): boolean {
    const expressions = this.#expressions.get(dataset)
    if (expressions === undefined) return false
    if (expression === undefined || expressions.size === 1) {
      return (expression === undefined || expressions.has(expression)) && this.#expressions.delete(dataset)
    }
    return expressions.delete(expression)
  }
}

export interface IndexUse {
  readonly pipes: readonly string[]
  readonly isOfDoor: boolean
}

export function indexDocument(view: DatasetView, index: IndexDocument, { pipes, isOfDoor }: IndexUse): object {
  const { existing, deleted } = view.counts()
  const total = existing + deleted
  const isReady = index.state === 'ready'
  const isOrphaned = pipes.length === 0 && !isOfDoor
  return {
    _id: `${view.document.id}:${index.number}`,
    dataset: view.document.id,
    number: index.number,
    expression: shownExpression(index.expression),
    // Nobody goes on filling an index that nobody needs.
    status: isOrphaned ? 'orphaned' : isReady ? 'up-to-date' : 'filling',
    progress: { indexed: isReady ? total : Math.min(index.indexed, total), total },
    version: 2,
    'used-by': { pipes, doors: isOfDoor },
  }
}
