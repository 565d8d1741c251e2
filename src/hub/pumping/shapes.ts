/** The inferred shapes of datasets, kept on a pump thread and folded on from where they were. */

import type { LogReader } from '../../log/reader.ts'
import { writeJson } from '../../model/json.ts'
import { type DocumentOptions, typeDocument } from '../../pipes/schema/type-document.ts'
import type { DatasetShape } from '../contract.ts'
import { ShapeFold } from '../shape.ts'

export class Shapes {
  readonly #log: LogReader
  readonly #folds = new Map<string, ShapeFold>()

  constructor(log: LogReader) {
    this.#log = log
  }

  /** Something of it was erased: it is folded anew. */
  forget(dataset: string): void {
    this.#folds.delete(dataset)
  }

  of(dataset: string): Promise<DatasetShape | null> {
    return this.#followed(dataset, (fold, count) => fold.shape(count))
  }

  /** As JSON text, in the form of the types of pipes. */
  typeOf(dataset: string, options: DocumentOptions): Promise<string | null> {
    return this.#followed(dataset, ({ type }) => writeJson(typeDocument(type, options), { transit: false }))
  }

  async #followed<T>(dataset: string, give: (fold: ShapeFold, count: number) => T): Promise<T | null> {
    const snapshot = this.#log.snapshot()
    try {
      const view = snapshot.dataset(dataset)
      if (view === undefined) return null
      let fold = this.#folds.get(dataset)
      if (fold === undefined || fold.generation !== view.document.generation) {
        fold = new ShapeFold(view.document.generation)
        this.#folds.set(dataset, fold)
      }
      await fold.follow(view)
      return give(fold, view.counts().existing)
    } finally {
      snapshot.close()
    }
  }
}
