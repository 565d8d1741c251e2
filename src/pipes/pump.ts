/** One run of one pipe: read what is new, transform it, write it, and remember how far it came (hub.md §5.3). */

import type { RunContext } from '../dtl/contract.ts'
import type { Commit, Committed, DatasetView, Journal, Snapshot } from '../log/contract.ts'
import type { LogReader } from '../log/reader.ts'
import type { Entity } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import { armBreaker, exposeRun, isTrip, settleStaging, tripBreaker, trippedMessage } from './breaker.ts'
import type { NeededIndex, Surroundings } from './contract.ts'
import { DatasetWriter, type IndexCompiler } from './dataset-writer.ts'
import { trackDeletions } from './deletion-tracking.ts'
import { PipeError } from './errors.ts'
import { FullRun, fullRunForgotten, planRun, sourceOffset, voidFullRun } from './full-run.ts'
import { RunHopsMeter } from './hops-meter.ts'
import type { Logger } from './logger.ts'
import type { FoundBefore } from './lookup.ts'
import { type Pipe, type PipeSink, suppressesFiltered } from './pipe.ts'
import { ReadPosition } from './position.ts'
import { runContext } from './run-context.ts'
import { signalsOf } from './schedule.ts'
import type { StateChanges } from './state.ts'
import type { SystemPort } from './systems/contract.ts'
import { isFiltered, transformBatch } from './transform-batch.ts'

/** What a run works with; given by the thread it runs on. */
export interface RunPorts {
  readonly journal: Journal
  readonly log: LogReader
  readonly found: FoundBefore
  readonly indexes: IndexCompiler
  readonly logger: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly uuid: () => string
  readonly naming: Naming
  system(id: string | undefined): SystemPort
  /** Resolves when the dataset has the index and it is complete. */
  assertIndex(index: NeededIndex): Promise<void>
  /** Declares an index, which is filled in the background. */
  keepIndex(dataset: string, expression: string): Promise<void>
  /** Resolves when the dataset of the pipe may go on growing: compaction must not fall far behind. */
  relieve?(pipe: Pipe): Promise<void>
  /** Called now and then with what has been read so far. */
  progress?(read: number): void
}

export interface RunReport {
  /** `waiting`: it may not run yet, and `message` says for what. */
  readonly outcome: 'completed' | 'failed' | 'interrupted' | 'waiting'
  readonly syncType: 'full' | 'incremental'
  readonly read: number
  /** Entities handed to the sink. */
  readonly written: number
  /** Versions appended, or entities an external system was sent. */
  readonly changes: number
  readonly deletionTracked: number
  /** Versions that compaction took from its dataset after it. */
  readonly compacted: number
  readonly seconds: number
  readonly message: string | null
  readonly code: string | null
  readonly hint: string | null
  /** Most rows that a hops spec found for one entity, by its `trace` (dtl.md §10.1). */
  readonly traces: Readonly<Record<string, number>>
  /** Entities that hops looked up: most for one source entity, and in all (dtl.md §10.7). */
  readonly hops: { readonly maxCardinality: number; readonly totalRows: number }
  /** Next sequence of each dataset that signals the pipe, when the run started: what a signal is compared with. */
  readonly inputEnds: Readonly<Record<string, number>>
}

export async function runPipe(
  pipe: Pipe,
  ports: RunPorts,
  options: { readonly rescan: boolean },
  signal: AbortSignal,
): Promise<RunReport> {
  const startedAt = ports.now()
  const run = new Run(pipe, ports)
  try {
    const waiting = await run.prepare(signal)
    if (waiting !== null) return run.report('waiting', startedAt, waiting)
    await run.begin()
    try {
      await run.readAll(options.rescan, signal)
    } catch (error) {
      if (isTrip(error)) await run.trip()
      throw error
    } finally {
      await run.expose()
    }
    return run.report(signal.aborted ? 'interrupted' : 'completed', startedAt, null)
  } catch (error) {
    if (signal.aborted) return run.report('interrupted', startedAt, null)
    return run.report('failed', startedAt, error as Error)
  } finally {
    await run.close()
  }
}

class Run {
  readonly #pipe: Pipe
  readonly #ports: RunPorts
  readonly #position: ReadPosition
  readonly #context: RunContext
  /** For what must be compared with the newest that is stored: moved while the source reads at its own position. */
  #latest: ReadPosition | null = null
  readonly #inputEnds: Record<string, number> = {}
  #number: number | null = null
  #full = true
  #read = 0
  #written = 0
  #changes = 0
  #deletionTracked = 0
  readonly #traces: Record<string, number> = {}
  readonly #meter: RunHopsMeter

  constructor(pipe: Pipe, ports: RunPorts) {
    this.#pipe = pipe
    this.#ports = ports
    this.#position = new ReadPosition(ports.log.snapshot())
    this.#noteInputs()
    this.#meter = new RunHopsMeter(pipe.hopsThresholds, ports.logger)
    this.#context = runContext(pipe, this.#position, {
      meter: this.#meter,
      found: ports.found,
      now: ports.now,
      uuid: ports.uuid,
      cardinality: (trace, rows) => {
        this.#traces[trace] = Math.max(rows, this.#traces[trace] ?? 0)
      },
    })
  }

  /** Why the pipe may not run yet, or null: what it hops to must be populated and indexed (hub.md §2.4). */
  async prepare(signal: AbortSignal): Promise<string | null> {
    const { pipe, snapshot } = this.#here()
    const tripped = trippedMessage(pipe.sink, snapshot)
    if (tripped !== null) return tripped
    await this.#assertSink()
    for (const id of pipe.reads) {
      const dataset = snapshot.dataset(id)
      if (dataset === undefined) return `waits for dataset '${id}', which does not exist yet`
      if (!dataset.document.populated)
        return `waits for dataset '${id}', which has not been populated by a complete run yet`
    }
    if (pipe.source.requiresPopulatedInput && !pipe.source.populated(snapshot)) {
      return `waits for its input (${pipe.source.inputs.join(', ')}) to be populated`
    }
    for (const index of pipe.indexes) {
      // A source may read a dataset that is not there yet: it is empty.
      if (snapshot.dataset(index.dataset) === undefined) continue
      await unlessAborted(this.#ports.assertIndex(index), signal)
    }
    this.#position.moveToPresent()
    return null
  }

  /** A dataset that was deleted since the pipe was loaded is made again, as at load: the pipe may hop to it. */
  async #assertSink(): Promise<void> {
    const { sink } = this.#pipe
    if (sink.kind !== 'dataset' || this.#position.snapshot.dataset(sink.dataset) !== undefined) return
    await this.#ports.journal.assertDataset(sink.dataset)
    if (sink.populatedWhen === 'onload') await this.#ports.journal.commit({ populated: [[sink.dataset, true]] })
    this.#position.moveToPresent()
  }

  async begin(): Promise<void> {
    this.#number = await this.#ports.journal.beginRun(this.#pipe.id)
    this.#position.moveToPresent()
    this.#noteInputs()
  }

  /** However the run ended: what it wrote becomes visible, unless its circuit breaker tripped. */
  async expose(): Promise<void> {
    const { sink } = this.#pipe
    if (sink.kind === 'dataset') await exposeRun(this.#ports, sink, this.#token)
  }

  /** Its program says that what it wrote must not become visible before somebody has looked at it. */
  async trip(): Promise<void> {
    const { sink } = this.#pipe
    if (sink.kind === 'dataset') await tripBreaker(this.#ports, sink, this.#token)
  }

  async readAll(rescan: boolean, signal: AbortSignal): Promise<void> {
    const { pipe, snapshot } = this.#here()
    const plan = planRun(pipe, snapshot, rescan)
    this.#full = plan.isFull
    if (plan.hasRemains) await voidFullRun(pipe.id, this.#present, (state) => this.#commit({ state }))
    const source = pipe.source.open(this.#surroundings())
    const output = this.#output(plan.resumed, signal)
    await output.begin()
    let reached: string | null = null
    try {
      for await (const batch of source.read(plan.since, signal)) {
        if (signal.aborted) break
        this.#read += batch.entities.length
        reached = batch.offset ?? reached
        const read = batch.entities.length
        const made = await transformBatch(pipe, batch.entities, this.#context, { signal })
        await output.write(made, read, reached, batch.state ?? [])
        this.#ports.progress?.(this.#read)
        this.#position.moveToPresent()
        await this.#ports.relieve?.(pipe)
      }
      await output.settle()
    } catch (error) {
      // What was handed over before is being stored all the same, and counts.
      await output.settle().catch(() => {})
      await output.pause().catch(() => {})
      throw error
    }
    if (signal.aborted) return output.pause()
    if (this.#full && this.#read + (plan.resumed?.read ?? 0) === 0 && pipe.source.failsWhenEmpty) {
      throw new PipeError(
        'source-empty',
        `The source of pipe '${pipe.id}' returned nothing, and if_source_empty is 'fail'.`,
        {
          hint: 'Nothing was deleted. Check the source, or set if_source_empty to accept.',
        },
      )
    }
    await output.end(reached ?? (plan.resumed === null ? null : plan.since))
    if (plan.hasRemains && !signal.aborted) await this.#commit({ state: fullRunForgotten(pipe.id) })
  }

  report(outcome: RunReport['outcome'], startedAt: number, why: Error | string | null): RunReport {
    const error = why instanceof Error ? (why as Error & { code?: string; hint?: string }) : null
    return {
      outcome,
      syncType: this.#full ? 'full' : 'incremental',
      read: this.#read,
      written: this.#written,
      changes: this.#changes,
      deletionTracked: this.#deletionTracked,
      compacted: 0,
      seconds: (this.#ports.now() - startedAt) / 1000,
      message: error === null ? (why as string | null) : messageOf(error),
      code: error === null ? null : (error.code ?? 'unexpected'),
      hint: error?.hint ?? null,
      traces: this.#traces,
      hops: { maxCardinality: this.#meter.maxCardinality, totalRows: this.#meter.total },
      inputEnds: this.#inputEnds,
    }
  }

  async close(): Promise<void> {
    this.#position.close()
    this.#latest?.close()
    if (this.#number !== null) await this.#ports.journal.endRun(this.#pipe.id, this.#number)
  }

  #noteInputs(): void {
    for (const input of signalsOf(this.#pipe)) {
      this.#inputEnds[input] = this.#position.snapshot.dataset(input)?.counts().end ?? 0
    }
  }

  #here(): { readonly pipe: Pipe; readonly snapshot: Snapshot } {
    return { pipe: this.#pipe, snapshot: this.#position.snapshot }
  }

  readonly #present = (): Snapshot => {
    this.#position.moveToPresent()
    return this.#position.snapshot
  }

  /** The dataset with all that is stored by now, whatever is being read meanwhile. */
  #stored(dataset: string): DatasetView {
    this.#latest ??= new ReadPosition(this.#ports.log.snapshot())
    this.#latest.moveToPresent()
    const view = this.#latest.snapshot.dataset(dataset)
    if (view === undefined) throw datasetGone(this.#pipe.id, dataset)
    return view
  }

  /** A commit of this run, of anything but entities. */
  #commit(commit: Omit<Commit, 'run'>): Promise<Committed> {
    return this.#ports.journal.commit({ run: this.#token, ...commit })
  }

  get #token(): { readonly pipe: string; readonly number: number } {
    return { pipe: this.#pipe.id, number: this.#number as number }
  }

  #surroundings(): Surroundings {
    const { pipe } = this.#here()
    return {
      pipe: pipe.id,
      batchSize: pipe.batchSize,
      system: (id) => this.#ports.system(id),
      snapshot: () => this.#position.snapshot,
      namespacedIdentifiers: pipe.settings.namespacedIdentifiers,
      identityNamespace: pipe.settings.namespaces.identity,
      language: pipe.settings,
      naming: this.#ports.naming,
      log: this.#ports.logger,
      now: this.#ports.now,
    }
  }

  #output(resumed: FullRun | null, signal: AbortSignal): Output {
    const { sink } = this.#pipe
    if (sink.kind === 'dataset') return this.#datasetOutput(sink, resumed, signal)
    if (sink.kind === 'external') return this.#externalOutput(sink, signal)
    throw new PipeError('nothing-to-run', `Pipe '${this.#pipe.id}' is a publisher: it runs when it is asked.`)
  }

  #datasetOutput(sink: PipeSink & { kind: 'dataset' }, resumed: FullRun | null, signal: AbortSignal): Output {
    const { pipe, journal } = { pipe: this.#pipe, journal: this.#ports.journal }
    const view = () => {
      const found = this.#position.snapshot.dataset(sink.dataset)
      if (found === undefined) throw datasetGone(pipe.id, sink.dataset)
      return found
    }
    const writer = new DatasetWriter(
      journal,
      this.#ports.indexes,
      sink.dataset,
      () => view().document,
      () => this.#position.moveToPresent(),
      sink.tracksChildren ? () => this.#stored(sink.dataset) : null,
      sink.rules,
    )
    const isSuppressing = suppressesFiltered(pipe, this.#full)
    const offset = sourceOffset(pipe.id)
    const { isChronological, supportsSince } = pipe.source.continuation
    const hopsToItself = pipe.reads.includes(sink.dataset)
    let fullRun: FullRun | null = resumed
    let isSourcePopulated = false
    let savesProgress = supportsSince && isChronological
    let batches = 0
    let unsaved: string | null = null
    // One commit is on its way while the next batch is read and transformed; never two, so that order and offsets hold.
    let inFlight: Promise<void> = Promise.resolve()
    const pause = async () => {
      const state = fullRun?.changes() ?? []
      if (state.length > 0) await this.#commit({ state })
    }
    return {
      begin: async () => {
        await journal.assertDataset(sink.dataset, { durable: pipe.isDurable })
        for (const expression of sink.indexes) await this.#ports.keepIndex(sink.dataset, expression)
        await settleStaging(this.#ports, sink.dataset)
        this.#position.moveToPresent()
        await armBreaker(this.#ports, sink, view(), this.#token)
        if (sink.populatedWhen === 'initially') {
          await journal.commit({ run: this.#token, populated: [[sink.dataset, true]] })
        }
        // Into an empty dataset there is nothing to delete: what it saw need not be remembered, and each batch saves its offset.
        if (fullRun === null && this.#full && sink.deletionTracking && view().counts().end > 0) {
          fullRun = FullRun.begin(pipe, sink, this.#position.snapshot, this.#ports.uuid())
        }
        if (fullRun !== null) savesProgress = false
        isSourcePopulated = pipe.source.populated(this.#position.snapshot)
      },
      write: async (entities, read, reached, state) => {
        const sequences = fullRun?.sequencesOf(entities, this.#position.snapshot) ?? []
        await inFlight
        const due = fullRun?.due(sink.bitsetCommitInterval, this.#ports.now()) ?? []
        if (due.length > 0) await this.#commit({ state: due })
        if (isSuppressing) entities = entities.filter((entity) => !isFiltered(entity))
        this.#written += entities.length
        batches++
        // What a source keeps of its own belongs to its offset: they are never stored apart.
        const isCheckpoint = batches % pipe.checkpointInterval === 0 || state.length > 0
        const offsets = savesProgress && isCheckpoint && reached !== null ? ([[offset, reached]] as const) : []
        if (savesProgress) unsaved = isCheckpoint ? null : reached
        if (entities.length === 0 && offsets.length === 0 && state.length === 0) {
          fullRun?.passed(read, sequences, reached)
          return
        }
        inFlight = writer.write(entities, { run: this.#token, offsets, state }).then(({ changes }) => {
          this.#changes += changes
          fullRun?.passed(read, sequences, reached)
        })
        inFlight.catch(() => {})
        if (hopsToItself) await inFlight
      },
      settle: async () => {
        await inFlight
        if (unsaved !== null) await this.#commit({ offsets: [[offset, unsaved]] })
        unsaved = null
      },
      pause,
      end: async (reached) => {
        if (fullRun !== null) {
          const write = (gone: readonly Entity[]) => writer.write(gone, { run: this.#token }, { isOfHub: true })
          const tracked = await trackDeletions(this.#position, sink, fullRun.seen, write, signal)
          this.#changes += tracked
          this.#deletionTracked += tracked
          if (signal.aborted) return pause()
        }
        this.#position.moveToPresent()
        const { populatedWhen } = sink
        const isPopulated =
          populatedWhen === 'always' ||
          // What came after the source was populated is only sure to be read if it was so when the run fixed its end.
          (populatedWhen === 'if-source-populated' && isSourcePopulated)
        const populated = isPopulated && !view().document.populated ? ([[sink.dataset, true]] as const) : []
        const offsets = supportsSince && reached !== null ? ([[offset, reached]] as const) : []
        const state = fullRun?.forgotten() ?? []
        if (populated.length + offsets.length + state.length > 0) await this.#commit({ populated, offsets, state })
      },
    }
  }

  #externalOutput(sink: PipeSink & { kind: 'external' }, signal: AbortSignal): Output {
    const { journal } = this.#ports
    const offset = sourceOffset(this.#pipe.id)
    const { isChronological, supportsSince } = this.#pipe.source.continuation
    const open = sink.open(this.#surroundings(), { full: this.#full })
    const save = async (reached: string | null, state: StateChanges) => {
      const offsets = supportsSince && reached !== null ? ([[offset, reached]] as const) : []
      if (offsets.length > 0 || state.length > 0) await journal.commit({ run: this.#token, offsets, state })
    }
    return {
      begin: async () => {},
      // At least once: confirmed outside first, the offset saved after (design: towards external systems).
      write: async (entities, _read, reached, state) => {
        if (entities.length > 0) await open.write(entities, signal)
        this.#written += entities.length
        this.#changes += entities.length
        await save(isChronological && !this.#full ? reached : null, state)
      },
      settle: async () => {},
      pause: async () => {},
      end: async (reached) => {
        await open.end?.(signal)
        await save(reached, [])
      },
    }
  }
}

const datasetGone = (pipe: string, dataset: string): PipeError =>
  new PipeError('dataset-gone', `The dataset '${dataset}' of pipe '${pipe}' was deleted.`)

/** A run that is stopped does not wait for an index: others may need it, so it is filled all the same. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
  })
  await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop))
}

/** With the entity and the place in the program, where the error knows them. */
function messageOf(error: Error & { readonly details?: Readonly<Record<string, unknown>> }): string {
  const { entity, pointer, values } = error.details ?? {}
  const of = typeof entity === 'string' ? `Entity '${entity}'` : null
  const at = typeof pointer === 'string' && pointer !== '' ? `at ${pointer}` : null
  const place = [of, at].filter((part) => part !== null).join(' ')
  const given = Array.isArray(values) ? ` It was given ${values.join(', ')}.` : ''
  return place === '' ? error.message : `${place}: ${error.message}${given}`
}

/** Where a run's entities go. */
interface Output {
  begin(): Promise<void>
  /** What was made of `read` entities of the source. */
  write(entities: readonly Entity[], read: number, reached: string | null, state: StateChanges): Promise<void>
  /** All that was handed over is stored. */
  settle(): Promise<void>
  /** The run ends before its end: what it needs to be continued is kept. */
  pause(): Promise<void>
  /** The source gave everything. */
  end(reached: string | null): Promise<void>
}
