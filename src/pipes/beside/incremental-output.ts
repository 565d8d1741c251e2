/** An incremental run beside a rescan: what it hands to the dataset is noted, so that the rescan leaves it alone. */

import { type Entity, idOf } from '../../model/entity.ts'
import type { DatasetOutput } from '../dataset-output.ts'
import type { Lack, Output, Reached } from '../output.ts'
import type { Run } from '../run.ts'
import type { TrackingChanges } from '../tracking/begin.ts'
import type { OffsetChanges } from '../tracking/book.ts'
import type { Beside } from './beside.ts'
import { markWritten } from './written.ts'

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
    return this.#noted(entities, (own) => this.#inner.write(own, reached))
  }

  writeAgain(entities: readonly Entity[], offsets: OffsetChanges): Promise<void> {
    return this.#noted(entities, (own) => this.#inner.writeAgain(own, offsets))
  }

  put(entities: readonly Entity[]): Promise<void> {
    return this.#noted(entities, (own) => this.#inner.put(own))
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
  async #noted(entities: readonly Entity[], write: Write): Promise<void> {
    const { brought, isOver, isDoubtful } = this.#beside
    if (isOver) return write(entities)
    if (isDoubtful) return this.#doubtful(entities, write)
    const view = this.#run.view(this.#dataset)
    const from = view.counts().end
    for (const entity of entities) {
      const head = view.head(idOf(entity))
      if (head !== undefined) brought.mark(head.sequence)
    }
    await this.#save(entities, from)
    try {
      await write(entities)
      await this.#inner.flush()
    } finally {
      this.#beside.wrote('incremental', from, this.#run.stored(this.#dataset).counts().end)
    }
  }

  /**
   * Made with a state that another will replace: nothing that the rescan made of that is written over, and what is written
   * counts as gone unless the rescan makes the same.
   */
  async #doubtful(entities: readonly Entity[], write: Write): Promise<void> {
    const view = this.#run.view(this.#dataset)
    const from = view.counts().end
    const { seen, touched } = this.#beside
    const isOfRescan = (entity: Entity): boolean => {
      const head = view.head(idOf(entity))
      return head !== undefined && seen.has(head.sequence)
    }
    const own = entities.filter((entity) => !isOfRescan(entity))
    // It is there: a full run that this is part of does not take it for gone.
    this.#inner.misses(entities.filter(isOfRescan))
    await this.#save(own, from)
    try {
      await write(own)
      await this.#inner.flush()
    } finally {
      markWritten(touched, own, from, this.#run.stored(this.#dataset))
    }
  }

  async #save(own: readonly Entity[], from: number): Promise<void> {
    const switched = own.length > 0 ? this.#beside.turnOf('incremental', from) : []
    const state = switched.length > 0 ? switched : this.#beside.broughtChanges()
    if (state.length > 0) await this.#beside.saving(() => this.#run.commit({ state }))
  }
}

type Write = (own: readonly Entity[]) => Promise<void>
