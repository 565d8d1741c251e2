/** A run's entities on their way to an external system: confirmed there first, the offset saved after. */

import type { Entity } from '../model/entity.ts'
import { type Claims, claimSaved, claimsOf } from './claims.ts'
import type { OpenSink } from './contract.ts'
import { sourceOffset } from './full-run.ts'
import type { Lack, Output, Reached } from './output.ts'
import type { PipeSink } from './pipe.ts'
import { healedAtEnd } from './reprocessing/reprocess.ts'
import type { Run } from './run.ts'
import type { StateChanges } from './state.ts'
import type { TrackingChanges } from './tracking/begin.ts'
import type { OffsetChanges } from './tracking/book.ts'

export class ExternalOutput implements Output {
  readonly isTransactional = false
  readonly #run: Run
  readonly #sink: OpenSink
  readonly #claims: Claims
  readonly #signal: AbortSignal

  constructor(run: Run, sink: PipeSink & { kind: 'external' }, signal: AbortSignal) {
    this.#run = run
    this.#claims = claimsOf(run.pipe.id, run.snapshot, run.inherited.value)
    this.#sink = sink.open(run.surroundings(), { full: run.isFull, claims: this.#claims })
    this.#signal = signal
  }

  async begin(): Promise<void> {}

  async write(entities: readonly Entity[], { offset, state }: Reached): Promise<void> {
    const { pipe, isFull } = this.#run
    await this.put(entities)
    await this.#save(pipe.source.continuation.isChronological && !isFull ? offset : null, state)
  }

  async put(entities: readonly Entity[]): Promise<void> {
    const { tally } = this.#run
    if (entities.length > 0) await this.#sink.write(entities, this.#signal)
    tally.written += entities.length
    tally.changes += entities.length
  }

  async writeAgain(entities: readonly Entity[], offsets: OffsetChanges): Promise<void> {
    await this.put(entities)
    if (offsets.length > 0) await this.#run.commit({ offsets, state: this.#run.takeNotes() })
  }

  misses(): void {}

  async flush(): Promise<void> {}

  async settle(): Promise<void> {}

  /** What the other system has taken is counted, though it may be sent again. */
  async pause(): Promise<void> {
    const state = this.#run.takeNotes()
    if (state.length > 0) await this.#run.commit({ state })
  }

  async end(reached: string | null, tracked: TrackingChanges, lack: Lack): Promise<void> {
    await this.#sink.end?.(this.#signal, { isComplete: lack === 'nothing' })
    const claimed = lack === 'nothing' ? claimSaved(this.#run.pipe.id, this.#claims) : []
    const state = [...tracked.state, ...healedAtEnd(this.#run), ...this.#run.takeNotes(), ...claimed]
    await this.#save(reached, state, tracked.offsets)
  }

  async #save(reached: string | null, state: StateChanges, more: OffsetChanges = []): Promise<void> {
    const { id, source } = this.#run.pipe
    const isSaved = source.continuation.supportsSince && reached !== null
    const offsets = [...(isSaved ? ([[sourceOffset(id), reached]] as const) : []), ...more]
    if (offsets.length === 0 && state.length === 0) return
    await this.#run.commit({ offsets, state: [...state, ...this.#run.takeNotes()] })
  }
}
