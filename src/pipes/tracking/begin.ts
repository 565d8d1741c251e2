/** Where the tracking of a pipe begins and goes on: its offsets at the start and the end of full runs, and what voids them. */

import type { Snapshot } from '../../log/contract.ts'
import type { NeededIndex } from '../contract.ts'
import { unlessAborted } from '../readiness.ts'
import type { Run } from '../run.ts'
import type { StateChanges } from '../state.ts'
import { bookChange, type Followed, type OffsetChanges, readBook, type TrackingBook, trackedUpTo } from './book.ts'
import { BEFORE_ALL, trackedTo, trackingForgotten, trackingOffset } from './offsets.ts'

/** To be committed together. */
export interface TrackingChanges {
  readonly offsets: OffsetChanges
  readonly state: StateChanges
}

export const NOTHING_TRACKED: TrackingChanges = { offsets: [], state: [] }

/** Why tracking cannot go on, and all must be read again instead; null: it can, or there is none. */
export function whyNotTracked({ pipe, snapshot }: Run): string | null {
  const { tracking, trackingLimits } = pipe
  if (tracking === null) return null
  const { datasets } = readBook(pipe.id, snapshot)
  let behind = 0
  for (const dataset of tracking.datasets) {
    const at = trackedTo(pipe.id, dataset, snapshot)
    const known = datasets[dataset]
    const now = followed(snapshot, dataset)
    if (at === undefined || known?.generation !== now.generation) continue
    if (now.erased > known.erased) {
      return `something was erased from dataset '${dataset}', and nobody knows any more what depended on it`
    }
    behind += lastOf(snapshot, dataset) - at
  }
  const { behind: most } = trackingLimits
  if (most === null || behind <= most) return null
  return `${behind} changes of what it hops to wait to be followed back, more than dependency_tracking.dependency_reset_threshold, ${most}`
}

/** A run begins that will read all, or go on: offsets that are missing are set, and those nobody needs any more go. */
export async function beginTracking(
  run: Run,
  { isFull, isResumed }: { readonly isFull: boolean; readonly isResumed: boolean },
): Promise<void> {
  const { pipe, snapshot } = run
  if (pipe.tracking === null) return forgetTracking(run)
  await keepIndexes(run)
  const { datasets } = pipe.tracking
  const book = readBook(pipe.id, snapshot)
  const isKnown = (dataset: string) =>
    trackedTo(pipe.id, dataset, snapshot) !== undefined &&
    book.datasets[dataset]?.generation === followed(snapshot, dataset).generation
  const now = Object.fromEntries(datasets.map((dataset) => [dataset, followed(snapshot, dataset)]))
  const kept = Object.fromEntries(
    datasets.filter(isKnown).map((dataset) => [dataset, book.datasets[dataset] as Followed]),
  )
  const begins = isFull && !isResumed
  const last = datasets.map((dataset) => [dataset, lastOf(snapshot, dataset)] as const)
  const next: TrackingBook = {
    datasets: { ...now, ...kept },
    begun: begins ? Object.fromEntries(last) : book.begun,
    begunWith: begins ? now : book.begunWith,
  }
  const offsets = [
    ...trackingForgotten(pipe.id, snapshot).filter(
      ([name]) => !datasets.some((one) => trackingOffset(pipe.id, one) === name),
    ),
    ...trackedUpTo(
      pipe.id,
      last
        .filter(([dataset]) => !isKnown(dataset))
        .map(([dataset, at]) => [dataset, isRemade(run, dataset, isFull) ? BEFORE_ALL : at]),
    ),
  ]
  const state = JSON.stringify(next) === JSON.stringify(book) ? [] : [bookChange(pipe.id, next)]
  if (offsets.length + state.length === 0) return
  await run.commit({ offsets, state })
  run.position.moveToPresent()
}

/** Of a dataset that was made again everything is new to who goes on; who reads all begins with it as it is. */
function isRemade({ pipe, ports, snapshot }: Run, dataset: string, isFull: boolean): boolean {
  if (isFull || trackedTo(pipe.id, dataset, snapshot) === undefined) return false
  const message = `Dataset '${dataset}', which pipe '${pipe.id}' hops to, was made again: all of it counts as changed.`
  ports.logger.warn(message, { pipe: pipe.id, dataset })
  return true
}

/** The pipe hops to nothing any more. */
async function forgetTracking(run: Run): Promise<void> {
  const { pipe, snapshot } = run
  const offsets = trackingForgotten(pipe.id, snapshot)
  if (offsets.length > 0) await run.commit({ offsets, state: [bookChange(pipe.id, null)] })
}

const indexesOf = ({ pipe, snapshot }: Run): readonly NeededIndex[] =>
  (pipe.tracking?.indexes ?? []).filter(({ dataset }) => snapshot.dataset(dataset) !== undefined)

/** A full run does not wait for what only later runs will read through. */
async function keepIndexes(run: Run): Promise<void> {
  for (const { dataset, expression } of indexesOf(run)) await run.ports.keepIndex(dataset, expression)
}

/** What the ways back lead through is complete. */
export async function assertTracked(run: Run, signal: AbortSignal): Promise<void> {
  for (const index of indexesOf(run)) await unlessAborted(run.ports.assertIndex(index), signal)
  run.position.moveToPresent()
}

/** A full run is complete: it has seen all that there was when it began. To be committed with its offset. */
export function trackedByFullRun({ pipe, snapshot }: Run): TrackingChanges {
  const { begun, begunWith } = readBook(pipe.id, snapshot)
  if (pipe.tracking === null || begun === null) return NOTHING_TRACKED
  return {
    offsets: trackedUpTo(pipe.id, Object.entries(begun)),
    state: [bookChange(pipe.id, { datasets: begunWith, begun: null, begunWith: {} })],
  }
}

export const lastOf = (snapshot: Snapshot, dataset: string): number =>
  (snapshot.dataset(dataset)?.counts().end ?? 0) - 1

export function followed(snapshot: Snapshot, dataset: string): Followed {
  const document = snapshot.dataset(dataset)?.document
  return { generation: document?.generation ?? '', erased: document?.erased ?? 0 }
}
