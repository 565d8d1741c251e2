/** A run's entities on their way into a dataset: each batch one commit with the offset it reaches, and after a full read what is gone. */

import type { DatasetView } from '../log/contract.ts'
import { type Entity, idOf } from '../model/entity.ts'
import { armBreaker, settleStaging } from './breaker.ts'
import { learned } from './completeness.ts'
import type { DatasetWriter } from './dataset-writer.ts'
import { trackDeletions } from './deletion-tracking.ts'
import { FullRun, sourceOffset } from './full-run.ts'
import type { Lack, Output, Reached } from './output.ts'
import { forgetTrace, type Traced } from './output-trace.ts'
import { type PipeSink, suppressesFiltered } from './pipe.ts'
import { healedAtEnd } from './reprocessing/reprocess.ts'
import type { Run } from './run.ts'
import { sinkWriter } from './sink-writer.ts'
import type { StateChanges } from './state.ts'
import type { TrackingChanges } from './tracking/begin.ts'
import type { OffsetChanges } from './tracking/book.ts'
import { isFiltered } from './transform-batch.ts'

type DatasetSink = PipeSink & { kind: 'dataset' }

const NOTHING_TRACED: Traced = { gone: [], state: [] }

export class DatasetOutput implements Output {
  readonly isTransactional = true
  readonly #run: Run
  readonly #sink: DatasetSink
  readonly #signal: AbortSignal
  readonly #writer: DatasetWriter
  readonly #isSuppressing: boolean
  readonly #hopsToItself: boolean
  /** The full run that it is part of, which remembers what it saw. */
  #fullRun: FullRun | null
  #isSourcePopulated = false
  #savesProgress: boolean
  #batches = 0
  #unsaved: string | null = null
  /** One commit is on its way while the next batch is read and transformed; never two, so that order and offsets hold. */
  #inFlight: Promise<void> = Promise.resolve()

  constructor(run: Run, sink: DatasetSink, resumed: FullRun | null, signal: AbortSignal) {
    const { pipe } = run
    const { isChronological, supportsSince } = pipe.source.continuation
    this.#run = run
    this.#sink = sink
    this.#signal = signal
    this.#fullRun = resumed
    this.#isSuppressing = suppressesFiltered(pipe, run.isFull)
    this.#hopsToItself = pipe.reads.includes(sink.dataset)
    this.#savesProgress = supportsSince && isChronological
    this.#writer = sinkWriter(run, sink)
  }

  async begin(): Promise<void> {
    const { pipe, ports, position, token, isFull } = this.#run
    const sink = this.#sink
    // Mostly it is there as it should be, and a transaction is saved before each change goes on.
    const there = this.#run.snapshot.dataset(sink.dataset)?.document
    if (there?.durable !== pipe.isDurable) {
      await ports.journal.assertDataset(sink.dataset, { durable: pipe.isDurable })
    }
    for (const expression of sink.indexes) await ports.keepIndex(sink.dataset, expression)
    await settleStaging(ports, sink.dataset)
    position.moveToPresent()
    await armBreaker(ports, sink, this.#view, token)
    if (sink.populatedWhen === 'initially') await this.#run.commit({ populated: [[sink.dataset, true]] })
    await this.#beginTrace()
    // Into an empty dataset there is nothing to delete: what it saw need not be remembered, and each batch saves its offset.
    if (this.#fullRun === null && isFull && sink.deletionTracking && this.#view.counts().end > 0) {
      this.#fullRun = FullRun.begin(pipe, sink, position.snapshot, ports.uuid())
    }
    if (this.#fullRun !== null) this.#savesProgress = false
    this.#isSourcePopulated = pipe.source.populated(position.snapshot)
  }

  async write(entities: readonly Entity[], { read, offset, state }: Reached): Promise<void> {
    const { token, tally, ports } = this.#run
    const fullRun = this.#fullRun
    const sequences = this.#sequencesOf(entities)
    await this.#inFlight
    const due = fullRun?.due(this.#sink.bitsetCommitInterval, ports.now()) ?? []
    if (due.length > 0) await this.#run.commit({ state: due })
    const traced = this.#traced(entities)
    const handed = [...this.#handed(entities), ...traced.gone]
    const states = [...state, ...traced.state]
    const { offsets, unsaved } = this.#offsetsAfter(offset, state)
    const passed = () => {
      fullRun?.passed(read, sequences, offset)
      this.#unsaved = unsaved
      tally.written += handed.length
    }
    if (handed.length === 0 && offsets.length === 0 && states.length === 0) return passed()
    const noted = [...states, ...this.#run.takeNotes()]
    this.#inFlight = this.#writer.write(handed, { run: token, offsets, state: noted }).then(({ changes }) => {
      tally.changes += changes
      passed()
    })
    this.#inFlight.catch(() => {})
    if (this.#hopsToItself) await this.#inFlight
  }

  async writeAgain(entities: readonly Entity[], offsets: OffsetChanges): Promise<void> {
    const { token, tally } = this.#run
    await this.#inFlight
    const { gone, state } = this.#traced(entities)
    const handed = [...entities, ...gone]
    if (handed.length === 0 && offsets.length === 0 && state.length === 0) return
    const noted = [...state, ...this.#run.takeNotes()]
    this.#inFlight = this.#writer.write(handed, { run: token, offsets, state: noted }).then(({ changes }) => {
      tally.changes += changes
      tally.written += handed.length
    })
    this.#inFlight.catch(() => {})
    if (this.#hopsToItself) await this.#inFlight
  }

  async put(entities: readonly Entity[]): Promise<void> {
    const { token, tally } = this.#run
    const sequences = this.#sequencesOf(entities)
    await this.flush()
    const { gone, state } = this.#traced(entities)
    const handed = [...this.#handed(entities), ...gone]
    if (handed.length + state.length > 0) {
      tally.changes += (await this.#writer.write(handed, { run: token, state })).changes
    }
    tally.written += handed.length
    for (const sequence of sequences) this.#fullRun?.seen.mark(sequence)
    this.#run.position.moveToPresent()
  }

  misses(entities: readonly Entity[]): void {
    for (const sequence of this.#sequencesOf(entities)) this.#fullRun?.seen.mark(sequence)
  }

  /** What of the batch is no longer made, and what is remembered of it; all before it is stored. */
  #traced(made: readonly Entity[]): Traced {
    const { trace } = this.#run
    if (trace === null) return NOTHING_TRACED
    return trace.take(made, this.#run.latest().snapshot, this.#run.stored(this.#sink.dataset))
  }

  async #beginTrace(): Promise<void> {
    const { pipe, trace, isFull } = this.#run
    if (trace === null) return forgetTrace(pipe.id, this.#access)
    await trace.begin(this.#view.document.generation, isFull, this.#fullRun !== null, this.#access)
  }

  get #access() {
    return {
      present: () => this.#run.latest().snapshot,
      commit: (state: StateChanges) => this.#run.commit({ state }),
    }
  }

  async flush(): Promise<void> {
    const inFlight = this.#inFlight
    // Who is told that it failed goes on without it.
    this.#inFlight = Promise.resolve()
    await inFlight
  }

  async settle(): Promise<void> {
    await this.#inFlight
    if (this.#unsaved !== null) {
      await this.#run.commit({ offsets: [[this.#offset, this.#unsaved]], state: this.#run.takeNotes() })
    }
    this.#unsaved = null
  }

  async pause(): Promise<void> {
    const state = [...(this.#fullRun?.changes() ?? []), ...this.#run.takeNotes()]
    if (state.length > 0) await this.#run.commit({ state })
  }

  async end(reached: string | null, tracked: TrackingChanges, lack: Lack): Promise<void> {
    // What could not be made may be there from before: whether it is gone shows when it was made, so the full run goes on.
    if (this.#fullRun !== null && lack === 'unknown') return this.pause()
    if (this.#fullRun !== null) {
      await this.#deleteWhatIsGone(this.#fullRun)
      if (this.#signal.aborted) return this.pause()
      // Of what could not be written, what it was made of still counts.
      if (lack === 'nothing') await this.#run.trace?.endFullRun(this.#access)
    }
    this.#run.position.moveToPresent()
    const populated = this.#isPopulated() ? ([[this.#sink.dataset, true]] as const) : []
    const { supportsSince } = this.#run.pipe.source.continuation
    // Mostly it was saved with the last batch, and a transaction of its own would hold up who reads what was written.
    const isNews = supportsSince && reached !== null && this.#run.snapshot.offset(this.#offset) !== reached
    const own = isNews ? ([[this.#offset, reached as string]] as const) : []
    const offsets = [...own, ...tracked.offsets]
    const state = [
      ...(this.#fullRun?.forgotten() ?? []),
      ...tracked.state,
      ...healedAtEnd(this.#run),
      ...this.#run.takeNotes(),
    ]
    // What waits to be retried is not in it.
    const completeness = lack === 'nothing' ? learned(this.#run.snapshot, this.#sink.dataset, this.#run.inherited) : []
    if (populated.length + offsets.length + state.length + completeness.length === 0) return
    await this.#run.commit({ populated, offsets, state, completeness })
  }

  /** The bookmark to be saved with a batch: at checkpoints, of a source that can be continued from it. */
  #offsetsAfter(
    reached: string | null,
    state: StateChanges,
  ): { readonly offsets: readonly (readonly [string, string])[]; readonly unsaved: string | null } {
    this.#batches++
    // What a source keeps of its own belongs to its offset: they are never stored apart.
    const isCheckpoint = this.#batches % this.#run.pipe.checkpointInterval === 0 || state.length > 0
    if (!this.#savesProgress) return { offsets: [], unsaved: null }
    if (!isCheckpoint) return { offsets: [], unsaved: reached }
    return { offsets: reached === null ? [] : [[this.#offset, reached]], unsaved: null }
  }

  /**
   * Without what is filtered, where that is left to deletion tracking: which leaves alone what is newer than the beginning
   * of the run and what it saw, so what it wrote or saw itself before the source changed is deleted here.
   */
  #handed(entities: readonly Entity[]): readonly Entity[] {
    if (!this.#isSuppressing) return entities
    if (!entities.some(isFiltered)) return entities
    if (this.#sink.suppressesFiltered === true) return entities.filter((entity) => !isFiltered(entity))
    const stored = this.#run.stored(this.#sink.dataset)
    return entities.filter((entity) => !isFiltered(entity) || this.#isSpared(stored.head(idOf(entity))))
  }

  /** By deletion tracking. */
  #isSpared(head: { readonly sequence: number } | undefined): boolean {
    if (head === undefined) return false
    const seen = this.#fullRun?.seen
    return seen === undefined || head.sequence >= seen.end || seen.has(head.sequence)
  }

  /** Of what is there: the versions by which these entities count as seen. */
  #sequencesOf(entities: readonly Entity[]): readonly number[] {
    return this.#fullRun?.sequencesOf(entities, this.#run.snapshot) ?? []
  }

  async #deleteWhatIsGone({ seen }: FullRun): Promise<void> {
    const { position, token, tally, ports } = this.#run
    const write = (gone: readonly Entity[]) => this.#writer.write(gone, { run: token }, { isOfHub: true })
    const tracked = await trackDeletions(position, this.#sink, seen, write, {
      signal: this.#signal,
      batchBytes: ports.batchBytes,
    })
    tally.changes += tracked
    tally.deletionTracked += tracked
  }

  #isPopulated(): boolean {
    const { populatedWhen } = this.#sink
    if (this.#view.document.populated) return false
    // What came after the source was populated is only sure to be read if it was so when the run fixed its end.
    return populatedWhen === 'always' || (populatedWhen === 'if-source-populated' && this.#isSourcePopulated)
  }

  get #view(): DatasetView {
    return this.#run.view(this.#sink.dataset)
  }

  get #offset(): string {
    return sourceOffset(this.#run.pipe.id)
  }
}
