/** One run while it goes on: its number, where in time it reads, what it counts, and what its parts are given. */

import type { RunContext } from '../dtl/contract.ts'
import type { Commit, Committed, DatasetView, RunToken, Snapshot } from '../log/contract.ts'
import type { Entity } from '../model/entity.ts'
import { masked } from '../model/masked.ts'
import { type Beside, besideRun } from './beside/beside.ts'
import { type Found, inherited, withOutside } from './completeness.ts'
import type { Surroundings } from './contract.ts'
import { PipeError } from './errors.ts'
import { RunLog } from './execution/run-log.ts'
import { RunHopsMeter } from './hops-meter.ts'
import { OutputTrace } from './output-trace.ts'
import type { Pipe } from './pipe.ts'
import { ReadPosition } from './position.ts'
import { syncStateAt } from './reprocessing/sync-state.ts'
import { runContext } from './run-context.ts'
import type { RunPorts } from './run-ports.ts'
import { newTally, type RunReport, reportOf, type Tally } from './run-report.ts'
import { type RunOrder, signalsOf } from './schedule.ts'
import type { PipeSchema } from './schema/pipe-schema.ts'
import { noSecrets } from './secrets.ts'
import type { StateChanges } from './state.ts'

export class Run {
  readonly pipe: Pipe
  readonly ports: RunPorts
  readonly position: ReadPosition
  /** What programs are given. */
  readonly context: RunContext
  readonly tally: Tally = newTally()
  readonly log: RunLog
  /** What it reads: known once it is planned. */
  syncType: RunReport['syncType'] = 'full'
  /** Microseconds since 1970 after which its source holds entities back; null: it does not. */
  heldTo: number | null = null
  /** What its dataset inherits, as of its begin. */
  #inherited: Found = {}
  /** What its source says of its own completeness, if it is outside of the hub. */
  outside: number | null = null
  /** Hears what its source says of itself. */
  hear: NonNullable<Surroundings['hear']> | null = null
  /** Entities that wait to be retried. */
  pending = 0
  /** Why it did not go on after an error, where that is not the error itself. */
  whyStopped: string | null = null
  /** For what must be compared with the newest that is stored: moved while the source reads at its own position. */
  #latest: ReadPosition | null = null
  readonly #startedAt: number
  readonly #inputEnds: Record<string, number> = {}
  readonly #meter: RunHopsMeter
  #number: number | null = null
  /** Where it remembers what it made of each source entity, if it does. */
  trace: OutputTrace | null = null
  /** Where it counts what entities look like, if it does. */
  schema: PipeSchema | null = null
  #toNote: { readonly read: readonly Entity[]; readonly made: readonly Entity[] } | null = null

  /** What it shares with another run of its pipe. */
  beside: Beside | null = null
  /** It is a rescan beside incremental runs. */
  readonly isBackground: boolean

  constructor(pipe: Pipe, ports: RunPorts, order: Partial<RunOrder> = {}) {
    this.pipe = pipe
    this.isBackground = order.isBackground === true
    this.ports = ports
    this.#startedAt = ports.now()
    this.log = new RunLog(pipe, ports, this.#startedAt, order)
    this.position = new ReadPosition(ports.log.snapshot())
    this.#noteInputs()
    this.#meter = new RunHopsMeter(pipe.hopsThresholds, ports.logger)
    const { traces } = this.tally
    this.context = runContext(pipe, this.position, {
      meter: this.#meter,
      found: ports.found,
      now: ports.now,
      uuid: ports.uuid,
      ...(ports.secrets === undefined ? {} : { secrets: ports.secrets }),
      cardinality: (trace, rows) => {
        traces[trace] = Math.max(rows, traces[trace] ?? 0)
      },
    })
  }

  /** From now on it is the pipe's only run that may commit. */
  async begin(): Promise<void> {
    this.#number = await this.ports.journal.beginRun(this.#name)
    if (this.pipe.tracesOutput) this.trace = new OutputTrace(this.pipe.id, this.#number)
    this.position.moveToPresent()
    this.#noteInputs()
    this.#inherited = inherited(this.pipe, this.snapshot, this.heldTo)
    this.schema = this.ports.schemas?.open(this.pipe.id) ?? null
  }

  /** What is about to be handed to the sink, and of what it was made: counted in the commit that stores it. */
  toNote(read: readonly Entity[], made: readonly Entity[]): void {
    if (this.schema !== null) this.#toNote = { read, made }
  }

  /** It is written: counted with what is committed next, unless it was already. */
  note(): void {
    if (this.#toNote === null) return
    const { read, made } = this.#toNote
    this.#toNote = null
    this.schema?.note(read, made, this.ports.now())
  }

  /** To be stored in the commit that stores what was to be noted. */
  takeNotes(): StateChanges {
    if (this.schema === null) return []
    this.note()
    return this.schema.take()
  }

  /** What was to be noted could not be written. In a dataset it would have been stored together with it. */
  dropNotes(): void {
    this.#toNote = null
    if (this.pipe.sink.kind === 'dataset') this.schema?.restore(this.latest().snapshot)
  }

  /** How complete the dataset is that it writes, once it has ended well. */
  get inherited(): Found {
    return withOutside(this.pipe, this.#inherited, this.outside)
  }

  /** Whether it reads everything. */
  get isFull(): boolean {
    return this.syncType === 'full'
  }

  get snapshot(): Snapshot {
    return this.position.snapshot
  }

  get token(): RunToken {
    return { pipe: this.#name, number: this.#number as number }
  }

  /** A commit of this run, of anything but entities. */
  commit(commit: Omit<Commit, 'run'>): Promise<Committed> {
    return this.ports.journal.commit({ run: this.token, ...commit })
  }

  readonly present = (): Snapshot => {
    this.position.moveToPresent()
    return this.position.snapshot
  }

  /** The dataset as the run sees it. */
  view(dataset: string): DatasetView {
    return this.#viewAt(this.position, dataset)
  }

  /** The dataset with all that is stored by now, whatever is being read meanwhile. */
  stored(dataset: string): DatasetView {
    return this.#viewAt(this.latest(), dataset)
  }

  /** All that is stored by now, without moving where the run reads. */
  latest(): ReadPosition {
    this.#latest ??= new ReadPosition(this.ports.log.snapshot())
    this.#latest.moveToPresent()
    return this.#latest
  }

  surroundings(): Surroundings {
    const { pipe, ports } = this
    return {
      pipe: pipe.id,
      batchSize: pipe.batchSize,
      ...(ports.batchBytes === undefined ? {} : { batchBytes: ports.batchBytes }),
      system: (id) => ports.system(id),
      snapshot: () => this.position.snapshot,
      heldTo: this.heldTo,
      ...this.#lane(),
      ...(this.hear === null ? {} : { hear: this.hear }),
      namespacedIdentifiers: pipe.settings.namespacedIdentifiers,
      identityNamespace: pipe.settings.namespaces.identity,
      language: pipe.settings,
      naming: ports.naming,
      log: ports.logger,
      now: ports.now,
    }
  }

  /** Which state of its source it goes by, where a rescan may make another beside it. */
  #lane(): Pick<Surroundings, 'lane'> {
    const { pipe, beside, isBackground, isFull } = this
    if (pipe.source.beside === null || !pipe.rescansInBackground) return {}
    if (isBackground) return beside === null ? {} : { lane: { kind: 'beside', rescan: beside.token } }
    return isFull ? {} : { lane: { kind: 'former' } }
  }

  /** What is to follow it: a rescan, where it went by what its configuration is no more, or a run, after such a rescan. */
  #owes(outcome: RunReport['outcome']): RunReport['owes'] {
    const { pipe, beside, isBackground } = this
    if (outcome !== 'completed' || pipe.source.beside === null || !pipe.rescansInBackground) return null
    if (isBackground) return beside?.makesState === true ? 'run' : null
    const { snapshot } = this.latest()
    const isLeft = syncStateAt(pipe.id, snapshot).reasons.some(({ code }) => code === 'rescan-given-up')
    const isOther = pipe.source.beside.isOther({ ...this.surroundings(), snapshot: () => snapshot })
    return beside === null && (isOther || isLeft) ? 'rescan' : null
  }

  /** It is over: `why` is the error it failed with, or what it waits for. */
  async end(outcome: RunReport['outcome'], why: Error | string | null): Promise<RunReport> {
    const { syncType, tally, pending, whyStopped } = this
    const seconds = (this.ports.now() - this.#startedAt) / 1000
    const about = { syncType, seconds, inputEnds: this.#inputEnds, pending, tally, meter: this.#meter } as const
    const told = masked(reportOf(outcome, about, why), (this.ports.secrets ?? noSecrets).mask)
    const report = { ...told, heldTo: this.heldTo, owes: this.#owes(outcome) }
    const error = why instanceof Error ? why : null
    const isLogged = await this.log
      .end({ report, tally, error, whyStopped, hasPending: pending > 0 }, this.snapshot)
      .catch((cause: Error) => {
        // What it did is done, whatever the log tells of it.
        this.ports.logger.error(`The execution log could not be written: ${cause.message}`)
        return false
      })
    return { ...report, isLogged }
  }

  async close(): Promise<void> {
    this.position.close()
    this.#latest?.close()
    if (this.schema !== null) this.ports.schemas?.close(this.schema)
    if (this.#number !== null) await this.ports.journal.endRun(this.#name, this.#number)
  }

  #viewAt({ snapshot }: ReadPosition, dataset: string): DatasetView {
    const view = snapshot.dataset(dataset)
    if (view !== undefined) return view
    throw new PipeError('dataset-gone', `The dataset '${dataset}' of pipe '${this.pipe.id}' was deleted.`)
  }

  /** Under which the journal knows its runs, of which one may commit. */
  get #name(): string {
    return this.isBackground ? besideRun(this.pipe.id) : this.pipe.id
  }

  #noteInputs(): void {
    for (const input of signalsOf(this.pipe)) {
      this.#inputEnds[input] = this.snapshot.dataset(input)?.counts().end ?? 0
    }
  }
}
