/** Where the log keeps what belongs to a pipe, and how it is forgotten. */

import type { Commit, Snapshot } from '../log/contract.ts'
import { boundKey } from '../merge/keys.ts'

/** Rows of state as they are committed. */
export type StateChanges = NonNullable<Commit['state']>
export type StateChange = StateChanges[number]

/** State rows deleted in one transaction. */
const PAGE = 5_000

/** All state of a pipe has keys that start with this. */
export const statePrefix = (pipe: string): string => `${boundKey(pipe)}\u0000`

/** Deletes all state whose key starts with the prefix, in bounded steps. */
export async function forgetState(
  prefix: string,
  present: () => Snapshot,
  commit: (state: StateChanges) => Promise<unknown>,
): Promise<void> {
  for (;;) {
    const keys = keysBelow(present(), Buffer.from(prefix))
    if (keys.length > 0) await commit(keys.map((key) => [key, null] as const))
    if (keys.length < PAGE) return
  }
}

function keysBelow(snapshot: Snapshot, prefix: Uint8Array): Uint8Array[] {
  const keys: Uint8Array[] = []
  for (const [key] of snapshot.states(prefix)) {
    keys.push(Uint8Array.from(key))
    if (keys.length === PAGE) break
  }
  return keys
}
