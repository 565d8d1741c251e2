/** Compares what a source outside of the hub says of itself with what it said before, ere anything of its answer is used (hub.md §12). */

import type { SaidOutside } from '../contract.ts'
import { PipeError } from '../errors.ts'
import type { Run } from '../run.ts'
import { type Facts, isSame, remembered } from './facts.ts'
import { type Reason, reasonsBetween } from './reasons.ts'
import { checkSync, reachedOf } from './reprocess.ts'
import { syncStateAt, syncStateSaved, withReasons } from './sync-state.ts'

/** What was asked for goes on from a place in something else: the pipe is put right, and reads anew. */
export class SourceChanged extends PipeError {
  constructor(pipe: string, reason: Reason) {
    super('source-changed', `The source of pipe '${pipe}' is another one than before. ${reason.message}`)
  }
}

/** `since`: what was asked for follows it. Throws {@link SourceChanged} where the pipe is to act on what changed. */
export async function heard(run: Run, { facts, completeness }: SaidOutside, since: string | null): Promise<void> {
  if (completeness !== null) run.outside = Math.min(completeness, run.outside ?? completeness)
  if (facts === null) return
  const { pipe, ports } = run
  const { snapshot } = run.latest()
  const state = syncStateAt(pipe.id, snapshot)
  if (state.facts === null) return
  const present: Facts = { ...state.facts, outside: facts }
  // Who reads from the start reads it as it is now.
  const reasons = since === null ? [] : reasonsBetween(state.facts, present, reachedOf(pipe, snapshot))
  const [first] = reasons
  if (first === undefined && isSame(state.facts, present)) return
  const noted = { ...withReasons(state, reasons, ports.now()), facts: remembered(state.facts, present) }
  await run.commit({ state: syncStateSaved(pipe.id, noted) })
  if (first !== undefined && pipe.reprocessing.policy === 'automatic') throw new SourceChanged(pipe.id, first)
}

/** Puts the pipe right after its source turned out to be another one. */
export async function followChange(run: Run): Promise<void> {
  run.present()
  await checkSync(run)
}
