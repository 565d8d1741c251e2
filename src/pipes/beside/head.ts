/** What is kept of a rescan beside other runs, apart from its sets: what it belongs to, and how far it is. */

import type { DatasetView, Snapshot } from '../../log/contract.ts'
import { sourceOffset } from '../full-run.ts'
import type { Pipe } from '../pipe.ts'
import { type SeenHead, SeenStore } from '../seen-store.ts'
import type { FollowedFrom } from '../tracking/from.ts'

/** Whose turn it is, and whose a version is. */
export type Lane = 'rescan' | 'incremental'

export interface Head extends SeenHead {
  /** Of what the pipe does: with another configuration the rescan begins anew. */
  readonly fingerprint: string
  /** Generations of the datasets it reads; null for one that does not exist. */
  readonly inputs: Readonly<Record<string, string | null>>
  /** How far the rescan came, and how much it read. */
  readonly reached: string | null
  readonly read: number
  /** Where the first incremental run beside it began: the rescan need not read further. */
  readonly limit: string | null
  /** The rescan is behind the pipe's offset, and moves it: nobody else may. */
  readonly hasPassed: boolean
  readonly by: Lane
  readonly from: number
  /** Of a source that keeps a state, of which the rescan makes another; absent: it keeps none. */
  readonly making?: Making
}

/** Of the state that a rescan makes. */
export interface Making {
  /** The state that runs go on with was made with another configuration: what they bring may be wrong. */
  readonly isDoubtful: boolean
  /** The new state has taken its place; only what is gone is left to be deleted. */
  readonly isExchanged: boolean
  /** How far the datasets were that the pipe hops to, when the rescan began. */
  readonly followed: FollowedFrom
}

/** Where it is kept. */
export const storeOf = (pipe: string): SeenStore<Head> => new SeenStore<Head>(pipe, 'beside')

/** Generations of what a pipe reads, as they are now. */
export const inputsOf = (pipe: Pipe, snapshot: Snapshot): Record<string, string | null> =>
  Object.fromEntries(pipe.source.inputs.map((id) => [id, snapshot.dataset(id)?.document.generation ?? null]))

/** Whether what was handed over means the same by now. Without an offset the pipe reads all by itself. */
export function isSame(head: Head, pipe: Pipe, view: DatasetView, snapshot: Snapshot): boolean {
  if (head.fingerprint !== pipe.fingerprint || view.document.generation !== head.generation) return false
  if (snapshot.offset(sourceOffset(pipe.id)) === undefined) return false
  if ((head.making === undefined) !== (pipe.source.beside === null)) return false
  return Object.entries(inputsOf(pipe, snapshot)).every(([input, generation]) => head.inputs[input] === generation)
}
