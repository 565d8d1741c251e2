/** What a run counted, and what it says of itself when it is over. */

import type { RunHopsMeter } from './hops-meter.ts'

export interface RunReport {
  /** `waiting`: it may not run yet, and `message` says for what. */
  readonly outcome: 'completed' | 'failed' | 'interrupted' | 'waiting'
  readonly syncType: 'full' | 'partial' | 'incremental'
  readonly read: number
  /** Entities handed to the sink. */
  readonly written: number
  /** Versions appended, or entities an external system was sent. */
  readonly changes: number
  readonly deletionTracked: number
  /** Versions that compaction took from its dataset after it. */
  readonly compacted: number
  /** Entities that could not be written. */
  readonly failed: number
  /** Entities that are kept to be retried by the next runs. */
  readonly pending: number
  /** Whether the execution log tells of it: of a run that did nothing it does not. */
  readonly isLogged: boolean
  readonly seconds: number
  readonly message: string | null
  readonly code: string | null
  readonly hint: string | null
  /** Most rows that a hops spec found for one entity, by its `trace` (dtl.md §10.1). */
  readonly traces: Readonly<Record<string, number>>
  /** Entities that hops looked up: most for one source entity, and in all (dtl.md §10.7). */
  readonly hops: { readonly maxCardinality: number; readonly totalRows: number }
  /** What dependency tracking did (dtl.md §11). */
  readonly tracking: TrackingTally
  /** Microseconds since 1970 up to which its source let entities through; null: it held nothing back, or everything. */
  readonly heldTo: number | null
  /** What is to be run after it: a rescan in the background, or the pipe once more; null: nothing. */
  readonly owes: 'rescan' | 'run' | null
  /** Next sequence of each dataset that signals the pipe, when the run started: what a signal is compared with. */
  readonly inputEnds: Readonly<Record<string, number>>
}

/** What a run counts while it goes on. */
export interface Tally {
  read: number
  written: number
  changes: number
  deletionTracked: number
  /** Entities of the source that could not be written, and that could: also those that were kept to be retried. */
  failed: number
  succeeded: number
  readErrors: number
  /** Single entities and whole batches. */
  writeErrors: number
  sourceSeconds: number
  transformSeconds: number
  sinkSeconds: number
  /** Most that the heap grew while one batch was worked on. */
  batchBytes: number
  /** Most that was on the heap of the thread, of other runs too, between two batches. */
  peakBytes: number
  readonly traces: Record<string, number>
  readonly tracking: TrackingTally
}

export interface TrackingTally {
  /** Versions in datasets that the pipe hops to, followed back. */
  changes: number
  /** Rows of indexes that were read on the way. */
  rows: number
  /** Source entities that may depend on them, and those that ran again. */
  found: number
  again: number
  /** Values that very many source entities are joined by. */
  readonly hot: { dataset: string; entity: string; value: string; found: number }[]
  /** Why all was read again instead; null: it was not. */
  reset: string | null
}

export const newTally = (): Tally => ({
  read: 0,
  written: 0,
  changes: 0,
  deletionTracked: 0,
  failed: 0,
  succeeded: 0,
  readErrors: 0,
  writeErrors: 0,
  sourceSeconds: 0,
  transformSeconds: 0,
  sinkSeconds: 0,
  batchBytes: 0,
  peakBytes: 0,
  traces: {},
  tracking: newTracking(),
})

const newTracking = (): TrackingTally => ({ changes: 0, rows: 0, found: 0, again: 0, hot: [], reset: null })

/** `why`: the error it failed with, or what it waits for. */
export function reportOf(
  outcome: RunReport['outcome'],
  run: Pick<RunReport, 'syncType' | 'seconds' | 'inputEnds' | 'pending'> & {
    readonly tally: Tally
    readonly meter: Pick<RunHopsMeter, 'maxCardinality' | 'total'>
  },
  why: Error | string | null,
): RunReport {
  const { syncType, seconds, inputEnds, tally, meter } = run
  const error = why instanceof Error ? (why as Error & { code?: string; hint?: string }) : null
  return {
    outcome,
    syncType,
    read: tally.read,
    written: tally.written,
    changes: tally.changes,
    deletionTracked: tally.deletionTracked,
    compacted: 0,
    failed: tally.failed,
    pending: run.pending,
    isLogged: false,
    seconds,
    message: error === null ? (why as string | null) : messageOf(error),
    code: error === null ? null : (error.code ?? 'unexpected'),
    hint: error?.hint ?? null,
    traces: tally.traces,
    hops: { maxCardinality: meter.maxCardinality, totalRows: meter.total },
    tracking: tally.tracking,
    heldTo: null,
    owes: null,
    inputEnds,
  }
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
