/** Where in time a run reads: one snapshot of the log, moved to the present between batches. */

import type { Snapshot } from '../log/contract.ts'

export class ReadPosition {
  readonly #snapshot: Snapshot
  #moved = 0

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Grows with each move: what was read of datasets before is void. */
  get moved(): number {
    return this.#moved
  }

  moveToPresent(): void {
    this.#snapshot.renew()
    this.#moved++
  }

  close(): void {
    this.#snapshot.close()
  }
}
