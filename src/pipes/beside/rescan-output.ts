/** A rescan beside incremental runs: what they brought is newer and stays, also when the rescan looks for what is gone. */

import type { DatasetView } from '../../log/contract.ts'
import { type Entity, idOf } from '../../model/entity.ts'
import type { DatasetWriter } from '../dataset-writer.ts'
import { trackDeletions } from '../deletion-tracking.ts'
import { PipeError } from '../errors.ts'
import { sourceOffset } from '../full-run.ts'
import type { Lack, Output, Reached } from '../output.ts'
import { type PipeSink, type PipeState, suppressesFiltered } from '../pipe.ts'
import { healedAtEnd } from '../reprocessing/reprocess.ts'
import type { Run } from '../run.ts'
import { sinkWriter } from '../sink-writer.ts'
import { forgetMergeBeside, rescanOfMerge } from '../sources/merge-lane.ts'
import type { StateChanges } from '../state.ts'
import type { TrackingChanges } from '../tracking/begin.ts'
import { isFiltered } from '../transform-batch.ts'
import type { Beside } from './beside.ts'
import { markWritten } from './written.ts'

type DatasetSink = PipeSink & { kind: 'dataset' }

export class RescanOutput implements Output {
  readonly isTransactional = true
  readonly #run: Run
  readonly #sink: DatasetSink
  readonly #beside: Beside
  readonly #signal: AbortSignal
  readonly #writer: DatasetWriter

  constructor(run: Run, sink: DatasetSink, beside: Beside, signal: AbortSignal) {
    this.#run = run
    this.#sink = sink
    this.#beside = beside
    this.#signal = signal
    this.#writer = sinkWriter(run, sink)
  }

  /** From now on incremental runs know of it, also after a restart. */
  begin(): Promise<void> {
    return this.#beside.turns.with(async () => {
      const state = this.#beside.changes()
      await this.#beside.saving(() => this.#run.commit({ state }))
      this.#run.position.moveToPresent()
      await this.#forgetOthers()
    })
  }

  /** What a rescan left behind that nobody goes on with. */
  async #forgetOthers(): Promise<void> {
    const { pipe, present, snapshot } = this.#run
    const left = this.#beside.makesState ? rescanOfMerge(pipe.id, snapshot) : undefined
    if (left === undefined || left === this.#beside.token) return
    await forgetMergeBeside(pipe.id, present, (state) => this.#run.commit({ state }))
    present()
  }

  async write(entities: readonly Entity[], { read, offset, state }: Reached): Promise<void> {
    const stored = this.#run.snapshot.offset(this.#offset) ?? null
    const isMoving = offset !== null && !this.#beside.makesState && this.#beside.passes(offset, stored)
    await this.#store(entities, { state, offsets: isMoving ? [[this.#offset, offset]] : [] })
    this.#beside.passed(read, offset)
  }

  /** It follows no dependencies: incremental runs do. */
  writeAgain(entities: readonly Entity[]): Promise<void> {
    return this.put(entities)
  }

  put(entities: readonly Entity[]): Promise<void> {
    return this.#store(entities, { state: [], offsets: [] })
  }

  misses(entities: readonly Entity[]): void {
    for (const entity of entities) this.#see(entity)
  }

  async flush(): Promise<void> {}

  async settle(): Promise<void> {}

  pause(): Promise<void> {
    return this.#beside.turns.with(async () => {
      const state = [...this.#beside.changes(), ...this.#run.takeNotes()]
      await this.#beside.saving(() => this.#run.commit({ state }))
    })
  }

  async end(reached: string | null, _tracked: TrackingChanges, lack: Lack): Promise<void> {
    if (lack === 'unknown') throw this.#incomplete()
    if (this.#beside.makesState && !this.#beside.isExchanged) await this.#exchange()
    if (this.#sink.deletionTracking) await this.#deleteWhatIsGone()
    if (this.#signal.aborted) return this.pause()
    await this.#beside.turns.with(async () => {
      const { limit, makesState } = this.#beside
      // Without a run beside it nobody else has come as far.
      const isOwn = limit === null && !makesState && reached !== null
      const offsets = isOwn ? ([[this.#offset, reached]] as const) : []
      const state = [...this.#beside.forgotten(), ...healedAtEnd(this.#run), ...this.#run.takeNotes()]
      await this.#run.commit({ offsets, state })
      this.#beside.finish()
    })
  }

  /** No run goes on beside it now; from here on they go by the new state, while what is gone is being deleted. */
  async #exchange(): Promise<void> {
    const { pipe } = this.#run
    await this.#beside.turns.with(async () => {
      const snapshot = this.#run.present()
      const { offset, state } = (pipe.source.beside as PipeState).exchange(this.#run.surroundings())
      const own = this.#beside.exchanged(snapshot, pipe.id)
      const offsets = [[this.#offset, offset] as const, ...own.offsets]
      await this.#beside.saving(() => this.#run.commit({ offsets, state: [...state, ...own.state] }))
    })
    this.#beside.open()
  }

  /** What could not be made may be there from before: whether it is gone shows when it was made. */
  #incomplete(): PipeError {
    const { id } = this.#run.pipe
    return new PipeError('rescan-incomplete', `Not everything could be made in the rescan of pipe '${id}'.`, {
      hint: 'Nothing was deleted. The rescan goes on when the pump is due.',
    })
  }

  async #store(
    entities: readonly Entity[],
    more: { readonly state: StateChanges; readonly offsets: readonly (readonly [string, string])[] },
  ): Promise<void> {
    const { token, tally, pipe } = this.#run
    const own = this.#own(entities, suppressesFiltered(pipe, true))
    const from = this.#view.counts().end
    for (const entity of own) this.#see(entity)
    const { makesState } = this.#beside
    const isMoving = more.offsets.length > 0
    // Asked for once: what is given counts as saved.
    const due = isMoving ? this.#beside.changes() : makesState ? [] : this.#due(from)
    const turn = own.length > 0 && due.length === 0 && !makesState ? this.#beside.turnOf('rescan', from) : due
    // Its source keeps its place with each batch, so what was seen is saved with each, too.
    const saved = makesState && own.length + more.state.length > 0 ? this.#beside.savedWith(from) : turn
    const state = [...more.state, ...saved]
    if (own.length + state.length + more.offsets.length === 0) return
    try {
      const { changes } = await this.#beside.saving(() =>
        this.#writer.write(own, { run: token, offsets: more.offsets, state: [...state, ...this.#run.takeNotes()] }),
      )
      tally.changes += changes
      tally.written += own.length
    } finally {
      const stored = this.#run.stored(this.#sink.dataset)
      if (makesState) markWritten(this.#beside.seen, own, from, stored)
      else this.#beside.wrote('rescan', from, stored.counts().end)
    }
  }

  #due(from: number): StateChanges {
    return this.#beside.due(this.#sink.bitsetCommitInterval, this.#run.ports.now(), from)
  }

  /** What no incremental run has brought, unless that may be wrong. */
  #own(entities: readonly Entity[], isSuppressing: boolean): readonly Entity[] {
    const view = this.#view
    return entities.filter((entity) => {
      const head = view.head(idOf(entity))
      // As in any full run: deletion tracking leaves alone what is newer than the rescan, and what it saw before it changed.
      const isSpared = head !== undefined && (head.sequence >= this.#beside.end || this.#beside.seen.has(head.sequence))
      if (isSuppressing && isFiltered(entity) && !isSpared) return false
      return head === undefined || this.#beside.isDoubtful || !this.#beside.touched.has(head.sequence)
    })
  }

  /** The version that is there counts as brought; one that is filtered is not present. */
  #see(entity: Entity): void {
    const head = isFiltered(entity) ? undefined : this.#view.head(idOf(entity))
    if (head !== undefined) this.#beside.seen.mark(head.sequence)
  }

  async #deleteWhatIsGone(): Promise<void> {
    const { position, token, tally, ports } = this.#run
    const { generation, turns } = this.#beside
    const seen = { generation, has: (sequence: number) => this.#beside.isThere(sequence) }
    const write = (gone: readonly Entity[]) => this.#writer.write(gone, { run: token }, { isOfHub: true })
    const inTurn = <T>(work: () => Promise<T>) => turns.with(work)
    const deleted = await trackDeletions(position, this.#sink, seen, write, {
      signal: this.#signal,
      inTurn,
      batchBytes: ports.batchBytes,
    })
    tally.changes += deleted
    tally.deletionTracked += deleted
  }

  get #view(): DatasetView {
    return this.#run.view(this.#sink.dataset)
  }

  get #offset(): string {
    return sourceOffset(this.#run.pipe.id)
  }
}
