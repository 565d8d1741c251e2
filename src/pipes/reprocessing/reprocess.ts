/** Notices at the begin of a run that its pipe is out of sync, and heals it where the pipe says so (hub.md §12). */

import type { Snapshot } from '../../log/contract.ts'
import { forgetBeside, isGivenUp } from '../beside/remains.ts'
import { eventOf, timeText } from '../execution/event.ts'
import { writeEvents } from '../execution/writer.ts'
import { fullRunForgotten, interruptedRun, type Plan, sourceOffset, voidFullRun } from '../full-run.ts'
import { type Pipe, runsByPump } from '../pipe.ts'
import { forgetRetries } from '../retries/queue.ts'
import type { Run } from '../run.ts'
import { offsetOrder, placesOf, readUpTo } from '../sources/bookmarks.ts'
import type { StateChanges } from '../state.ts'
import { type Facts, factsOf, isSame, remembered } from './facts.ts'
import { type Reason, reasonsBetween } from './reasons.ts'
import {
  healed,
  healing,
  type NotedReason,
  notHealing,
  RESCAN_GIVEN_UP,
  type SyncState,
  syncStateAt,
  syncStateSaved,
  withReasons,
} from './sync-state.ts'

/** At the begin of each run, before it is planned. */
export async function checkSync(run: Run): Promise<void> {
  const { pipe, ports, snapshot } = run
  const state = syncStateAt(pipe.id, snapshot)
  const isLeft = run.beside === null && isGivenUp(pipe, snapshot)
  const found = withReasons(noticed(pipe, snapshot, state, ports.now()), isLeft ? [RESCAN_GIVEN_UP] : [], ports.now())
  if (isLeft) {
    await run.commit({ state: syncStateSaved(pipe.id, found) })
    await forgetBeside(pipe.id, run.present, (changes) => run.commit({ state: changes }))
  }
  // A rescan beside other runs reads everything, and moves nobody's offset.
  const owed = run.isBackground ? [] : owedBy(pipe, found)
  const [first] = owed
  const next = first === undefined ? null : offsetFor(pipe, owed, snapshot)
  if (first === undefined || next === undefined) {
    if (isKnown(state, found)) return
    await run.commit({ state: syncStateSaved(pipe.id, found) })
    run.present()
    return
  }
  const offset = sourceOffset(pipe.id)
  const former = snapshot.offset(offset) ?? null
  if (next === null) {
    const commit = (changes: StateChanges) => run.commit({ state: changes })
    await voidFullRun(pipe.id, run.present, commit)
    // As by hand (hub.md §6.1): what waits comes again with all else, as if for the first time.
    await forgetRetries(pipe.id, run.present, commit)
  }
  await run.commit({
    offsets: [[offset, next]],
    state: [...(next === null ? fullRunForgotten(pipe.id) : []), ...syncStateSaved(pipe.id, asDone(found, owed, next))],
  })
  run.present()
  const what = next === null ? 'is reset' : `goes back to ${next}`
  ports.logger.info(`Pipe '${pipe.id}' ${what}: ${first.message}`, { pipe: pipe.id })
  const event = eventOf(pipe.id, 'pump-offset-set', {
    event_time: timeText(ports.now()),
    pipe_offset: next,
    original_pipe_offset: former,
    is_reset: next === null,
    reasons: owed.map(({ message }) => message),
  })
  await writeEvents(ports, pipe.id, [event])
}

/** The run is planned: what it heals when it is complete is known. Beside a rescan it is that which heals. */
export async function noteHealing(run: Run, plan: Plan): Promise<void> {
  const { pipe, snapshot, beside, isBackground } = run
  if (beside !== null && !isBackground) return
  const state = syncStateAt(pipe.id, snapshot)
  if (state.reasons.length === 0) return
  const isResumed = plan.resumed !== null || (isBackground && beside?.hasBegun === true)
  const next = isResumed ? state : healedBy(plan, state, pipe, snapshot)
  if (JSON.stringify(next) !== JSON.stringify(state)) await run.commit({ state: syncStateSaved(pipe.id, next) })
}

function healedBy({ syncType }: Plan, state: SyncState, pipe: Pipe, snapshot: Snapshot): SyncState {
  if (syncType === 'full') return healing(state, savesProgress(pipe, snapshot))
  return state.isLoading && syncType === 'incremental' ? state : notHealing(state)
}

/** A full run into an empty dataset, where nothing can be gone, saves its offset as it goes. */
function savesProgress({ sink, source }: Pipe, snapshot: Snapshot): boolean {
  const { supportsSince, isChronological } = source.continuation
  if (sink.kind !== 'dataset' || !supportsSince || !isChronological) return false
  return !sink.deletionTracking || (snapshot.dataset(sink.dataset)?.counts().end ?? 0) === 0
}

/** To be committed with the end of a run that is complete. */
export function healedAtEnd(run: Run): StateChanges {
  const { pipe, beside, isBackground } = run
  if (beside !== null && !isBackground) return []
  const state = syncStateAt(pipe.id, run.latest().snapshot)
  const next = healed(state)
  const isNews = next.reasons.length < state.reasons.length || state.isLoading
  return isNews ? syncStateSaved(pipe.id, next) : []
}

/** Why the pipe may differ from what it would make now: what is noted, and what a run would notice at this moment. */
export function outOfSync(pipe: Pipe, snapshot: Snapshot): readonly NotedReason[] {
  if (!runsByPump(pipe)) return []
  const { reasons } = noticed(pipe, snapshot, syncStateAt(pipe.id, snapshot), null, { withDeleted: true })
  return [
    ...reasons,
    ...(goesByFormerState(pipe, snapshot) ? [FORMER_STATE] : []),
    ...(isGivenUp(pipe, snapshot) ? [{ ...RESCAN_GIVEN_UP, at: null, isHealing: false }] : []),
  ]
}

/** Until a rescan in the background has made another. */
function goesByFormerState({ id, source, rescansInBackground, settings }: Pipe, snapshot: Snapshot): boolean {
  const { namespacedIdentifiers, namespaces } = settings
  const identityNamespace = namespaces.identity
  const surroundings = {
    pipe: id,
    snapshot: () => snapshot,
    language: settings,
    namespacedIdentifiers,
    identityNamespace,
  }
  return rescansInBackground && source.beside?.isOther(surroundings) === true
}

const FORMER_STATE: NotedReason = {
  code: 'config-changed',
  dataset: null,
  message: 'Its source goes by the state of its former configuration until a rescan in the background is complete.',
  action: 'none',
  at: null,
  isHealing: false,
}

/** Whether its next run begins by going back. */
export function owesReprocessing(pipe: Pipe, snapshot: Snapshot): boolean {
  if (!runsByPump(pipe)) return false
  if (goesByFormerState(pipe, snapshot)) return true
  if (pipe.reprocessing.policy !== 'automatic') return false
  return owedBy(pipe, noticed(pipe, snapshot, syncStateAt(pipe.id, snapshot), null)).length > 0
}

/** What is not there is noticed when it is there again; until then it can only be said. */
function noticed(
  pipe: Pipe,
  snapshot: Snapshot,
  state: SyncState,
  now: number | null,
  { withDeleted = false } = {},
): SyncState {
  const present = factsOf(pipe, snapshot)
  if (state.facts === null) return { ...state, facts: present }
  const all = reasonsBetween(state.facts, present, reachedOf(pipe, snapshot))
  const found = all.filter((one) => (withDeleted || one.code !== 'dataset-deleted') && !isToldBy(one, state.reasons))
  return { ...withReasons(state, found, now), facts: remembered(state.facts, present) }
}

/** An offset in a dataset that was made again says nothing about the new one. */
const isToldBy = ({ code, dataset }: Reason, noted: readonly Reason[]): boolean =>
  code === 'source-truncated' && noted.some((one) => one.code === 'dataset-recreated' && one.dataset === dataset)

const isKnown = (state: SyncState, found: SyncState): boolean =>
  state.facts !== null && state.reasons === found.reasons && isSame(state.facts, found.facts as Facts)

/** What the pipe is to act on now. */
function owedBy({ reprocessing }: Pipe, { reasons }: SyncState): readonly NotedReason[] {
  if (reprocessing.policy !== 'automatic') return []
  return reasons.filter(
    ({ code, action, isHealing, isDone = false }) =>
      action !== 'none' &&
      !isHealing &&
      !isDone &&
      (code !== 'config-changed' || reprocessing.rescansWhenConfigChanges),
  )
}

/** The offset that heals: null for a reset; undefined: the next run reads everything anyway. */
function offsetFor(pipe: Pipe, owed: readonly Reason[], snapshot: Snapshot): string | null | undefined {
  const stored = snapshot.offset(sourceOffset(pipe.id)) ?? null
  if (stored === null) return interruptedRun(pipe.id, snapshot) === undefined ? undefined : null
  const places = stored.split(',')
  const order = offsetOrder(pipe.id, pipe.source.inputs, snapshot)
  for (const { action, dataset, to = -1 } of owed) {
    const place = dataset === null ? 0 : order.indexOf(dataset)
    if (action !== 'rewind' || to < 0 || place < 0 || place >= places.length) return null
    places[place] = String(to)
  }
  return places.join(',')
}

/** Rewinding does not bring back what was read and is lost now: it stays a reason until a full run. */
function asDone(state: SyncState, owed: readonly NotedReason[], next: string | null): SyncState {
  if (next === null) return state
  return {
    ...state,
    reasons: state.reasons.map((reason) => (owed.includes(reason) ? { ...reason, isDone: true } : reason)),
  }
}

/** The last sequence that the pipe has read of an input, as far as its offset tells; null: of what is outside. */
export function reachedOf({ id, source }: Pipe, snapshot: Snapshot): (dataset: string | null) => number | null {
  const read = readUpTo(id, source.inputs, snapshot)
  const [outside = null] = source.inputs.length > 0 ? [] : placesOf(snapshot.offset(sourceOffset(id)) ?? '')
  return (dataset) => (dataset === null ? outside : read(dataset))
}
