/**
 * A rescan of a source that keeps a state: it makes another beside that which runs go on with, takes in what changed
 * meanwhile, and at last, with no run beside it, what is left (hub.md §6.3).
 */

import type { Run } from '../run.ts'
import type { Beside } from './beside.ts'

export interface ReadSoFar {
  readonly reached: string | null
  readonly batches: number
}

/** Where changes come faster than they are taken in, runs are held up for longer. */
const MAX_ROUNDS = 100

/** Batches of a round that has little to do, beside one for each input: the phases of a merge. */
const FEW = 4

export async function readBesideState(
  { pipe }: Run,
  beside: Beside,
  read: (since: string | null) => Promise<ReadSoFar>,
  signal: AbortSignal,
): Promise<string | null> {
  if (beside.isExchanged) return beside.reached
  for (let round = 0; round < MAX_ROUNDS && !signal.aborted; round++) {
    const { batches } = await read(beside.reached)
    if (batches <= pipe.source.inputs.length + FEW) break
  }
  if (signal.aborted) return beside.reached
  await beside.close()
  await read(beside.reached)
  return beside.reached
}
