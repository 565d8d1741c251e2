/**
 * How far a pipe has followed the changes of the datasets that it hops to, as it stands among the offsets of the log.
 *
 * The rows hold back compaction, each by its last sequence that was taken in: of every entity that changed after it, the
 * state before is still there.
 */

import type { Snapshot } from '../../log/contract.ts'
import { hash128 } from '../../model/canonical.ts'

const PREFIX = 'tracking:'

/** Bytes of an id that stands in the name as it is: names of offsets are short. */
const MAX_ID_BYTES = 200

const bound = (id: string): string => (Buffer.byteLength(id) <= MAX_ID_BYTES ? id : `#${hash128(id)}`)

/** A colon in the id of the pipe would make one name of two. */
const prefixOf = (pipe: string): string => `${PREFIX}${bound(pipe).replaceAll('%', '%25').replaceAll(':', '%3A')}:`

/** Nothing of a dataset was taken in. */
export const BEFORE_ALL = -1

/** The name of the row. */
export const trackingOffset = (pipe: string, dataset: string): string => prefixOf(pipe) + bound(dataset)

/** The last sequence of the dataset that the pipe has taken in; undefined: it does not follow it yet. */
export function trackedTo(pipe: string, dataset: string, snapshot: Pick<Snapshot, 'offset'>): number | undefined {
  const value = snapshot.offset(trackingOffset(pipe, dataset))
  return value === undefined ? undefined : Number(value)
}

/** Of one dataset, of all pipes that ever followed it. */
export const trackersOf = (dataset: string, snapshot: Pick<Snapshot, 'offsets'>): readonly number[] =>
  snapshot
    .offsets(PREFIX)
    .filter(([name]) => name.slice(name.indexOf(':', PREFIX.length) + 1) === bound(dataset))
    .map(([, value]) => Number(value))

/** All rows of a pipe, to be committed as gone. */
export const trackingForgotten = (
  pipe: string,
  snapshot: Pick<Snapshot, 'offsets'>,
): readonly (readonly [name: string, value: null])[] =>
  snapshot.offsets(prefixOf(pipe)).map(([name]) => [name, null] as const)
