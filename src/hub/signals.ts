/** Whether there is news for a pipe in the datasets it reads (hub.md §5.5). */

import type { Pipe } from '../pipes/pipe.ts'
import type { RunReport } from '../pipes/run-report.ts'
import { signalsOf } from '../pipes/schedule.ts'
import type { PumpState } from './pump-state.ts'

/** As the engine calls it: the end of the rescan makes the pump due. */
export const WAITS_FOR_RESCAN = 'waits-for-rescan'

/** What a dataset looks like to the scheduler. */
export interface InputState {
  readonly end: number
  readonly populated: boolean
  /** Its circuit breaker tripped: no pipe may write it. */
  readonly isTripped?: boolean
}

/** Up to when a pipe's source would let entities through now; see `releasedNow`. */
export type Released = (pipe: Pipe) => number | null | undefined

/**
 * An input grew since the run that saw it last, or became so complete that more of it may come; or all it reads is populated
 * by now and its own dataset is not yet.
 */
export function isSignalled(
  pipe: Pipe,
  state: PumpState,
  inputs: ReadonlyMap<string, InputState>,
  released: Released = () => undefined,
): boolean {
  const { last } = state
  if (pipe.sink.kind === 'dataset' && inputs.get(pipe.sink.dataset)?.isTripped) return false
  if (last === null) return true
  for (const input of signalsOf(pipe)) {
    const known = inputs.get(input)
    if (known !== undefined && known.end > (last.inputEnds[input] ?? 0) && last.outcome !== 'waiting') return true
  }
  if (isReleased(last, released(pipe))) return true
  if (last.outcome === 'waiting') {
    // Of what it waits for here no signal tells.
    if (last.code === 'waits-for-completeness' || last.code === WAITS_FOR_RESCAN) return false
    return [...pipe.reads, ...pipe.source.inputs].every((dataset) => inputs.get(dataset)?.populated === true)
  }
  const { sink } = pipe
  return (
    last.outcome === 'completed' &&
    sink.kind === 'dataset' &&
    sink.populatedWhen === 'if-source-populated' &&
    inputs.get(sink.dataset)?.populated === false &&
    pipe.source.inputs.length > 0 &&
    pipe.source.inputs.every((dataset) => inputs.get(dataset)?.populated === true)
  )
}

/** More is let through than in the run. */
function isReleased({ outcome, code, heldTo }: RunReport, now: number | null | undefined): boolean {
  if (now === undefined || now === null) return false
  if (outcome === 'waiting') return code === 'waits-for-completeness'
  return now > (heldTo ?? Number.POSITIVE_INFINITY)
}
