/** A reason why a pipe is not exact, and where it stands in its configuration. */

import type { Pipe } from '../pipe.ts'

export type InexactKind =
  /** What is discarded or no longer created stays. */
  | 'discard'
  /** The id of what an entity becomes may be another one later. */
  | 'id'
  /** Several entities may be given one id. */
  | 'shared-id'
  /** Something living may come of a deleted entity. */
  | 'deleted'
  | 'time'
  | 'chance'
  | 'history'
  /** Fields that the hub keeps. */
  | 'internal'
  /** A dataset that it reads, of which no change is followed back. */
  | 'hop'
  | 'cycle'
  | 'unpopulated'
  /** Entities that fail are given up. */
  | 'failure'
  | 'source'
  /** Receivers, and sinks of other systems: there is nothing to compare with. */
  | 'outside'
  | 'sink'

/** Why a pipe is not exact. */
export interface Inexact {
  readonly kind: InexactKind
  /** Below the pipe. */
  readonly pointer: string
  readonly message: string
  /** What makes it exact, where something does. */
  readonly hint?: string
}

export const reason = (kind: InexactKind, pointer: string, message: string, hint?: string): Inexact => ({
  kind,
  pointer,
  message,
  ...(hint === undefined ? {} : { hint }),
})

/** Where a transform stands. */
export const at = ({ transformPointers }: Pipe, place: number): string => transformPointers[place] as string
