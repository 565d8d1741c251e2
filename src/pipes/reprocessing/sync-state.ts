/** What is remembered of a pipe: the facts its output was made from, and why it is out of sync. Among the log's state, with the pipe's offset. */

import type { Snapshot } from '../../log/contract.ts'
import { textOf } from '../../merge/table.ts'
import { type StateChanges, statePrefix } from '../state.ts'
import type { Facts } from './facts.ts'
import type { Reason } from './reasons.ts'

export interface SyncState {
  /** Null: it never ran. */
  readonly facts: Facts | null
  readonly reasons: readonly NotedReason[]
  /** A full run saves its offset batch by batch: who goes on from there finishes it. */
  readonly isLoading: boolean
}

export interface NotedReason extends Reason {
  /** Milliseconds since 1970; null: it is not noted yet. */
  readonly at: number | null
  /** A full run that was begun since then heals it. */
  readonly isHealing: boolean
  /** It was rewound. */
  readonly isDone?: boolean
}

const NEVER: SyncState = { facts: null, reasons: [], isLoading: false }

const keyOf = (pipe: string): Uint8Array => Buffer.from(`${statePrefix(pipe)}sync`)

export function syncStateAt(pipe: string, snapshot: Snapshot): SyncState {
  const bytes = snapshot.state(keyOf(pipe))
  return bytes === undefined ? NEVER : (JSON.parse(textOf(bytes)) as SyncState)
}

export const syncStateSaved = (pipe: string, state: SyncState): StateChanges => [
  [keyOf(pipe), Buffer.from(JSON.stringify(state))],
]

/** With reasons that are found now; one of a kind for each dataset, as it was found last. */
export function withReasons(state: SyncState, found: readonly Reason[], at: number | null): SyncState {
  if (found.length === 0) return state
  const isFound = ({ code, dataset }: Reason) => found.some((one) => one.code === code && one.dataset === dataset)
  const noted = found.map((reason) => ({ ...reason, at, isHealing: false }))
  return { ...state, reasons: [...state.reasons.filter((one) => !isFound(one)), ...noted] }
}

/** A full run begins that reads everything as it is now. */
export const healing = (state: SyncState, isLoading: boolean): SyncState => ({
  ...state,
  reasons: state.reasons.map((reason) => ({ ...reason, isHealing: true })),
  isLoading,
})

/** Nothing that was begun is going on. */
export const notHealing = (state: SyncState): SyncState => ({
  ...state,
  reasons: state.reasons.map((reason) => ({ ...reason, isHealing: false })),
  isLoading: false,
})

/** The run is complete: what it healed is no reason any more. */
export const healed = (state: SyncState): SyncState => ({
  ...state,
  reasons: state.reasons.filter(({ isHealing }) => !isHealing),
  isLoading: false,
})

/** Notes a reason that somebody else found; to be committed by whoever did. */
export const noteReason = (pipe: string, snapshot: Snapshot, reason: Reason, at: number): StateChanges =>
  syncStateSaved(pipe, withReasons(syncStateAt(pipe, snapshot), [reason], at))

/** Somebody set the offset: forward is a reason, and whatever was going on does not go on. */
export function noteOffset(
  pipe: string,
  snapshot: Snapshot,
  { from, to }: { readonly from: string | null; readonly to: string | null },
  at: number,
): StateChanges {
  const state = notHealing(syncStateAt(pipe, snapshot))
  if (state.facts === null && to === null) return []
  const reasons = to === null || isBehind(to, from) ? [] : [offsetSet(to)]
  return syncStateSaved(pipe, withReasons(state, reasons, at))
}

const offsetSet = (to: string): Reason => ({
  code: 'offset-set',
  dataset: null,
  message: `Its offset was set to ${to}: what lies before that may not have been read.`,
  action: 'none',
})

/** All places of the one lie at or before those of the other. */
function isBehind(to: string, from: string | null): boolean {
  const [places, former] = [to.split(','), from?.split(',') ?? []]
  return (
    places.length === former.length &&
    places.every((place, at) => place === '' || Number(place) <= Number(former[at] || Number.NaN))
  )
}

/** A rescan that made another state of its source left what nobody goes on with. */
export const RESCAN_GIVEN_UP: Reason = {
  code: 'rescan-given-up',
  dataset: null,
  message: 'A rescan in the background for another configuration was given up: what it had made may be there.',
  action: 'reset',
}

/** Somebody made it follow the datasets it hops to from their ends. */
export const TRACKING_RESET: Reason = {
  code: 'tracking-reset',
  dataset: null,
  message: 'Its tracking was reset: what had changed in the datasets it hops to was not looked at.',
  action: 'none',
}
