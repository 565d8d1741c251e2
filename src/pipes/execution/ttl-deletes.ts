/** Entities that compaction took from the dataset of a pipe because they had been deleted for long (`ttl_deletes_hours`): what the log of its next run tells. */

import type { Snapshot } from '../../log/contract.ts'
import { type StateChanges, statePrefix } from '../state.ts'

const keyOf = (pipe: string): Uint8Array => Buffer.from(`${statePrefix(pipe)}ttl-deletes`)

/** Since it was told last. */
export function ttlDeletes(pipe: string, snapshot: Snapshot): number {
  const bytes = snapshot.state(keyOf(pipe))
  return bytes === undefined ? 0 : Number(Buffer.from(bytes).toString())
}

/** So many more, or fewer once they were told. */
export function ttlDeletesChanged(pipe: string, snapshot: Snapshot, by: number): StateChanges {
  const count = ttlDeletes(pipe, snapshot) + by
  return [[keyOf(pipe), count <= 0 ? null : Buffer.from(String(count))]]
}
