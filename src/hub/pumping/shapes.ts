/** The inferred shapes of datasets, kept on a pump thread and folded on from where they were. */

import type { LogReader } from '../../log/reader.ts'
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

  async of(dataset: string): Promise<DatasetShape | null> {
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
      return fold.shape(view.counts().existing)
    } finally {
      snapshot.close()
    }
  }
}
