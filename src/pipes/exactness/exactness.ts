/**
 * Whether a pipe is exact: once all has settled, the live entities of its dataset are those that a full run into an empty
 * one would give, whatever happened on the way (design: the law). What cannot be shown from the configuration counts as not
 * so, with the reason.
 */

import type { DtlTransform, Place } from '../../dtl/contract.ts'
import { isPublisher, isReceiver, type Pipe, type PipeSink } from '../pipe.ts'
import { keepsPending } from '../retries/settings.ts'
import { ofEmissions } from './emissions.ts'
import { at, type Inexact, type InexactKind, reason } from './reason.ts'
import { ofSource } from './sources.ts'

export interface Exactness {
  readonly exact: boolean
  readonly reasons: readonly Inexact[]
}

/** What the pipe's own configuration says; cycles and what is not populated show only among other pipes. */
export function inexactnessOf(pipe: Pipe): readonly Inexact[] {
  const computed = pipe.transforms.flatMap((transform, place) => ofPurity(transform, at(pipe, place)))
  // Made anew for whoever asks.
  if (isPublisher(pipe)) return computed
  const { sink } = pipe
  if (sink.kind !== 'dataset') return [reason('outside', '/sink', OUTSIDE), ...computed]
  if (isReceiver(pipe)) return [reason('outside', '/source', RECEIVED), ...computed]
  const lasting = [...ofSink(sink), ...ofOwnSink(pipe, sink), ...ofErrors(pipe), ...computed]
  if (readsAllEachTime(pipe)) {
    const shared = [...ofSource(pipe), ...ofEmissions(pipe, sink)].filter(isOfIds)
    return [...lasting, ...ofDeletions(sink, 'what a full run no longer brings stays'), ...shared]
  }
  return [
    ...ofSource(pipe),
    ...lasting,
    ...ofDeletions(sink, 'what is gone after a full run stays'),
    ...ofHops(pipe),
    ...ofEmissions(pipe, sink),
  ]
}

export const exactnessOf = (reasons: readonly Inexact[]): Exactness => ({ exact: reasons.length === 0, reasons })

/** The last run has read everything, so that nothing of an earlier one is left, given that it deletes what did not come. */
const readsAllEachTime = ({ source, pump }: Pipe): boolean =>
  !source.continuation.supportsSince || pump.rescanRunCount === 1

/** Of two entities with one id each run writes the one over the other, so that it never settles. */
const isOfIds = ({ kind }: Inexact): boolean => kind === 'id' || kind === 'shared-id'

const OUTSIDE = 'Only a dataset can be compared with what a full run would give; what another system holds is its own.'
const RECEIVED = 'What was sent is not kept but in its dataset, so it cannot be computed again.'

function ofPurity({ analysis: { purity } }: DtlTransform, transform: string): readonly Inexact[] {
  const of = (kind: InexactKind, places: readonly Place[], text: (what: string) => string, hint?: string) =>
    places.map(({ pointer, what }) => reason(kind, transform + pointer, text(what), hint))
  return [
    ...of('time', purity.time, (what) => `'${what}' gives another value at another time.`),
    ...of('chance', purity.chance, (what) => `'${what}' gives another value each time.`),
    ...of('history', purity.history, (what) =>
      what === 'ni'
        ? "'ni' names the namespaces of URIs that no prefix covers in the order in which they come."
        : `'${what}' depends on what was there before.`,
    ),
    ...of(
      'internal',
      purity.internal,
      (what) => `'${what}' is a field that the hub keeps: it is another one when all is made anew.`,
    ),
  ]
}

type DatasetSink = PipeSink & { readonly kind: 'dataset' }

function ofSink(sink: DatasetSink): readonly Inexact[] {
  const found: Inexact[] = []
  if (sink.rules.secondVersions !== null) {
    found.push(reason('sink', '/sink/prevent_multiple_versions', 'An entity keeps the version that came first.'))
  }
  if (sink.rules.isLocked) {
    found.push(
      reason('sink', '/sink/enable_optimistic_locking', 'What is written depends on the version that is there.'),
    )
  }
  if (sink.tracksChildren) {
    found.push(
      reason(
        'history',
        '/sink/track_children',
        'Entities keep the children they once had, marked deleted.',
        'Set "track_children": false.',
      ),
    )
  }
  return found
}

/** An entity that fails waits, and is given up: what was made of it before stays. */
function ofErrors({ errors }: Pipe): readonly Inexact[] {
  if (!keepsPending(errors.retries.patience, null)) return []
  const message = 'Of an entity that fails again and again, what was made before stays.'
  return [reason('failure', '/pump/max_write_errors_in_retry_dataset', message)]
}

function ofDeletions({ deletionTracking }: DatasetSink, what: string): readonly Inexact[] {
  if (deletionTracking) return []
  return [
    reason('sink', '/sink/deletion_tracking', `Deletion tracking is off: ${what}.`, 'Leave "deletion_tracking" on.'),
  ]
}

function ofOwnSink({ reads, source }: Pipe, { dataset }: DatasetSink): readonly Inexact[] {
  if (!reads.includes(dataset) && !source.inputs.includes(dataset)) return []
  return [
    reason('cycle', '/transform', `It reads '${dataset}', which it writes: what it makes depends on what it made.`),
  ]
}

/** Where a change of another dataset runs nothing again. */
const ofHops = (pipe: Pipe): readonly Inexact[] => [
  ...pipe.untracked.map(({ dataset, pointer, why }) =>
    reason('hop', pointer, `Not every change of '${dataset}' is followed back to the source: ${why}.`, RESCAN),
  ),
  ...pipe.transforms.flatMap(({ analysis }, place) =>
    analysis.purity.lookups.map(({ pointer, what }) =>
      reason(
        'hop',
        at(pipe, place) + pointer,
        `No change of '${what}', which it looks entities up in, is followed back to the source.`,
        RESCAN,
      ),
    ),
  ),
]

const RESCAN = 'Rescan it each time: "rescan_run_count": 1 in its pump.'
