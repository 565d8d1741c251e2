/** What a pipe keeps about the datasets that it follows, beside how far it is with each (`offsets.ts`). */

import type { Snapshot } from '../../log/contract.ts'
import { textOf } from '../../merge/table.ts'
import { type StateChange, statePrefix } from '../state.ts'
import { trackingOffset } from './offsets.ts'

export interface Followed {
  /** Of the dataset: the sequences of another one are others. */
  readonly generation: string
  /** Entities erased in it so far: of those that came since nobody knows what they were. */
  readonly erased: number
}

export interface TrackingBook {
  readonly datasets: Readonly<Record<string, Followed>>
  /** The last sequence of each dataset when the full run that was begun last did so; null: it is complete. */
  readonly begun: Readonly<Record<string, number>> | null
  /** What the datasets were then. */
  readonly begunWith: Readonly<Record<string, Followed>>
}

const NOTHING: TrackingBook = { datasets: {}, begun: null, begunWith: {} }

const keyOf = (pipe: string): Uint8Array => Buffer.from(`${statePrefix(pipe)}tracking`)

export function readBook(pipe: string, snapshot: Pick<Snapshot, 'state'>): TrackingBook {
  const bytes = snapshot.state(keyOf(pipe))
  return bytes === undefined ? NOTHING : (JSON.parse(textOf(bytes)) as TrackingBook)
}

/** Null: it goes. */
export const bookChange = (pipe: string, book: TrackingBook | null): StateChange => [
  keyOf(pipe),
  book === null ? null : Buffer.from(JSON.stringify(book)),
]

/** Rows of offsets as they are committed. */
export type OffsetChanges = readonly (readonly [name: string, value: string | null])[]

export const trackedUpTo = (pipe: string, ends: Iterable<readonly [dataset: string, last: number]>): OffsetChanges =>
  [...ends].map(([dataset, last]) => [trackingOffset(pipe, dataset), String(last)] as const)
