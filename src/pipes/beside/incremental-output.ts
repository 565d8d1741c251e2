/** An incremental run beside a rescan: what it hands to the dataset is noted, so that the rescan leaves it alone. */

import { type Entity, idOf } from '../../model/entity.ts'
import type { DatasetOutput } from '../dataset-output.ts'
import type { Lack, Output, Reached } from '../output.ts'
import type { Run } from '../run.ts'
import type { TrackingChanges } from '../tracking/begin.ts'
import type { OffsetChanges } from '../tracking/book.ts'
import type { Beside } from './beside.ts'

export class IncrementalOutput implements Output {
  readonly isTransactional = true
  readonly #run: Run
  readonly #inner: DatasetOutput
  readonly #beside: Beside
  readonly #dataset: string

  constructor(run: Run, dataset: string, inner: DatasetOutput, beside: Beside) {
    this.#run = run
    this.#dataset = dataset
    this.#inner = inner
    this.#beside = beside
  }

  begin(): Promise<void> {
    return this.#beside.turns.with(() => this.#inner.begin())
  }

  write(entities: readonly Entity[], reached: Reached): Promise<void> {
    return this.#noted(entities, () => this.#inner.write(entities, reached))
  }

  writeAgain(entities: readonly Entity[], offsets: OffsetChanges): Promise<void> {
    return this.#noted(entities, () => this.#inner.writeAgain(entities, offsets))
  }

  put(entities: readonly Entity[]): Promise<void> {
    return this.#noted(entities, () => this.#inner.put(entities))
  }

  misses(entities: readonly Entity[]): void {
    this.#inner.misses(entities)
  }

  flush(): Promise<void> {
    return this.#inner.flush()
  }

  settle(): Promise<void> {
    return this.#inner.settle()
  }

  pause(): Promise<void> {
    return this.#inner.pause()
  }

  end(reached: string | null, tracked: TrackingChanges, lack: Lack): Promise<void> {
    return this.#beside.turns.with(() => this.#inner.end(reached, tracked, lack))
  }

  /** Noted before it is written: what is noted and not written is brought again by the next run. */
  async #noted(entities: readonly Entity[], write: () => Promise<void>): Promise<void> {
    const { touched, isOver } = this.#beside
    if (isOver) return write()
    const view = this.#run.view(this.#dataset)
    const from = view.counts().end
    for (const entity of entities) {
      const head = view.head(idOf(entity))
      if (head !== undefined) touched.mark(head.sequence)
    }
    const switched = entities.length > 0 ? this.#beside.turnOf('incremental', from) : []
    const state = switched.length > 0 ? switched : this.#beside.touchedChanges()
    if (state.length > 0) await this.#beside.saving(() => this.#run.commit({ state }))
    try {
      await write()
      await this.#inner.flush()
    } finally {
      this.#beside.wrote('incremental', from, this.#run.stored(this.#dataset).counts().end)
    }
  }
}
