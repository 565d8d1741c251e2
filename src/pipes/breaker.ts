/** The circuit breaker of a dataset sink: what a run writes is not committed before the run is known to be no accident (hub.md §13). */

import { DtlError } from '../dtl/errors.ts'
import type { DatasetView, Journal, RunToken, Snapshot } from '../log/contract.ts'
import { type ExposeOptions, exposeStaged } from '../log/expose.ts'
import type { LogReader } from '../log/reader.ts'
import type { IndexCompiler } from './dataset-writer.ts'
import { PipeError } from './errors.ts'
import type { BreakerLimits, PipeSink } from './pipe.ts'

type DatasetSink = PipeSink & { kind: 'dataset' }

export interface BreakerPorts {
  readonly journal: Journal
  readonly log: LogReader
  readonly indexes: IndexCompiler
}

/**
 * Versions above which a run trips, or null when nothing is watched: a dataset that is not populated is being loaded, and
 * an empty one has nothing to protect. Of two limits the larger one counts.
 */
export function breakerLimit(limits: BreakerLimits | null, view: DatasetView): number | null {
  if (limits === null || !view.document.populated) return null
  const { existing, deleted } = view.counts()
  if (existing + deleted === 0) return null
  return Math.max(limits.count ?? 0, (limits.factor ?? 0) * (existing + deleted))
}

/** Why a pipe with this sink may not run, or null. */
export function trippedMessage(sink: PipeSink, snapshot: Snapshot): string | null {
  if (sink.kind !== 'dataset' || snapshot.dataset(sink.dataset)?.document.isTripped !== true) return null
  return `cannot run: the circuit breaker of dataset '${sink.dataset}' tripped; look at what it holds back (uncommitted=true), then commit it or roll it back`
}

/** Brings to its end what a former run left: what was decided is exposed, what was dropped is undone. */
export async function settleStaging(ports: BreakerPorts, dataset: string): Promise<void> {
  const state = stagingOf(ports.log, dataset)?.state
  if (state === 'exposing') await expose(ports, dataset)
  else if (state === 'undoing') await ports.journal.discardStaged(dataset)
}

/** From now on the run writes behind the breaker, if the sink has one that is active. */
export async function armBreaker(
  { journal }: BreakerPorts,
  sink: DatasetSink,
  view: DatasetView,
  run: RunToken,
): Promise<void> {
  const limit = breakerLimit(sink.breaker, view)
  const staging = view.staging()
  // The run begins once more: it is armed already.
  if (staging?.state === 'open' && staging.pipe === run.pipe && staging.run === run.number) return
  if (limit !== null) await journal.beginStaging(sink.dataset, run, limit)
}

/** Whether a run ended with `trip!` in its program (dtl.md §8.2). */
export const isTrip = (error: unknown): boolean => error instanceof DtlError && error.code === 'trip'

/** Trips the breaker of the run: also where none is armed, and then there may be nothing that it holds back. */
export async function tripBreaker({ journal, log }: BreakerPorts, sink: DatasetSink, run: RunToken): Promise<void> {
  if (stagingOf(log, sink.dataset) === undefined) await journal.beginStaging(sink.dataset, run, 0)
  await journal.tripStaged(sink.dataset, run)
}

/** The run is over and did not trip: what it wrote becomes part of the dataset. */
export async function exposeRun(ports: BreakerPorts, sink: DatasetSink, run: RunToken): Promise<void> {
  if (sink.breaker === null) return
  const staging = stagingOf(ports.log, sink.dataset)
  if (staging?.state === 'open' && staging.pipe === run.pipe && staging.run === run.number) {
    await expose(ports, sink.dataset, { run })
  }
}

/** Moves what is staged into the dataset: for the run that wrote it, or once it has tripped or was decided before. */
export const expose = (
  { journal, log, indexes }: BreakerPorts,
  dataset: string,
  options: ExposeOptions = {},
): Promise<void> =>
  exposeStaged(journal, log, dataset, (expression, entity) => indexes.keysOf(expression, entity), options)

/** What a run is told that wrote too much. */
export const trippedError = (dataset: string): PipeError =>
  new PipeError(
    'breaker-tripped',
    `The circuit breaker of dataset '${dataset}' tripped: the run wrote too many versions.`,
    {
      details: { dataset },
      hint: 'Nothing of the run is visible yet. Look at it with uncommitted=true, then post the operation commit-circuit-breaker or rollback-circuit-breaker to the dataset.',
    },
  )

function stagingOf(log: LogReader, dataset: string) {
  const snapshot = log.snapshot()
  try {
    return snapshot.dataset(dataset)?.staging()
  } finally {
    snapshot.close()
  }
}
