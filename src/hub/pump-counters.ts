/** What the pumps of a tenant did since the hub started, for metrics that only grow (hub.md §25.4). */

import type { RunReport } from '../pipes/run-report.ts'

export interface PumpCounters {
  /** Seconds since 1970 when counting began. */
  readonly created: number
  /** Runs that did nothing are none of these. */
  started: number
  completed: number
  /** Those that were stopped are not among them. */
  failed: number
  interrupted: number
  changes: number
  seen: number
  compacted: number
  deletionTracked: number
  /** When the last run that is counted was completed, seconds since 1970; 0: none was. */
  lastCompleted: number
}

export class PumpsCounters {
  readonly #pumps = new Map<string, PumpCounters>()

  of(pipe: string): PumpCounters {
    let counters = this.#pumps.get(pipe)
    if (counters === undefined) {
      counters = fresh()
      this.#pumps.set(pipe, counters)
    }
    return counters
  }

  /** Once for each run, when all that belongs to it is done. */
  count(pipe: string, { outcome, isLogged, read, changes, compacted, deletionTracked }: RunReport): void {
    const counters = this.of(pipe)
    counters.seen += read
    counters.changes += changes
    counters.compacted += compacted
    counters.deletionTracked += deletionTracked
    if (!isLogged || outcome === 'waiting') return
    counters.started++
    counters[outcome]++
    if (outcome === 'completed') counters.lastCompleted = Date.now() / 1000
  }

  /** A pipe of that name that comes later begins anew. */
  forget(pipe: string): void {
    this.#pumps.delete(pipe)
  }
}

const fresh = (): PumpCounters => ({
  created: Date.now() / 1000,
  started: 0,
  completed: 0,
  failed: 0,
  interrupted: 0,
  changes: 0,
  seen: 0,
  compacted: 0,
  deletionTracked: 0,
  lastCompleted: 0,
})
