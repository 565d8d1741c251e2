/** Lets something that a pipe kept in its state be forgotten, in slices. */

import type { Snapshot } from '../../log/contract.ts'
import type { StateChanges } from '../../pipes/state.ts'
import type { TenantCore } from './core.ts'

/** `forget` is given the present and a way to store what it changes, as often as it asks. */
export async function forgetting(
  core: TenantCore,
  forget: (present: () => Snapshot, commit: (state: StateChanges) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const snapshot = core.snapshot()
  const present = () => {
    snapshot.renew()
    return snapshot
  }
  try {
    await forget(present, (state) => core.writer.journal.commit({ state }))
  } finally {
    snapshot.close()
  }
}
