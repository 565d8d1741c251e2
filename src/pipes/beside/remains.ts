/** What a rescan beside other runs leaves when it is interrupted or given up: what is to be known of it, and how it goes. */

import type { Snapshot } from '../../log/contract.ts'
import type { Pipe } from '../pipe.ts'
import { placesOf } from '../sources/bookmarks.ts'
import { forgetMergeBeside } from '../sources/merge-lane.ts'
import type { StateChanges } from '../state.ts'
import { type Head, isSame, storeOf } from './head.ts'

/** What an interrupted background rescan kept goes: in bounded steps, its head first. */
export async function forgetBeside(
  pipe: string,
  present: () => Snapshot,
  commit: (state: StateChanges) => Promise<unknown>,
): Promise<void> {
  const store = storeOf(pipe)
  if (store.head(present()) !== undefined) {
    await commit(store.forget())
    await store.sweep(present, commit)
  }
  await forgetMergeBeside(pipe, present, commit)
}

/** What a rescan had made of another configuration, and left when nobody could go on with it, is not what the pipe makes. */
export function isGivenUp(pipe: Pipe, snapshot: Snapshot): boolean {
  const head = storeOf(pipe.id).head(snapshot)
  if (head?.making?.isDoubtful !== true) return false
  const view = snapshot.dataset(head.dataset)
  return view === undefined || !isSame(head, pipe, view, snapshot)
}

/** The same of one that somebody gives up. */
export const leavesDoubt = (pipe: string, snapshot: Snapshot): boolean =>
  storeOf(pipe).head(snapshot)?.making?.isDoubtful === true

/** How far back a rescan still needs a dataset: what it reads, and what the pipe hops to. Null: not at all. */
export function neededByRescan(
  { id, source }: Pipe,
  dataset: string,
  snapshot: Snapshot,
): { readonly read: number | null; readonly followed: number | null } {
  const head = storeOf(id).head(snapshot)
  if (head?.making === undefined || head.making.isExchanged) return { read: null, followed: null }
  const place = source.inputs.indexOf(dataset)
  const read = place < 0 ? null : ((head.reached === null ? null : placesOf(head.reached)[place]) ?? NOTHING_YET)
  return { read, followed: head.making.followed.last[dataset] ?? null }
}

const NOTHING_YET = -1

/** How far an interrupted background rescan came; undefined when there is none. */
export function interruptedBeside(pipe: string, snapshot: Snapshot): Pick<Head, 'reached' | 'read'> | undefined {
  const head = storeOf(pipe).head(snapshot)
  return head === undefined ? undefined : { reached: head.reached, read: head.read }
}
