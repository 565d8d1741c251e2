/** How busy the threads of the pool are, and which of them gets what is new. */

/** A thread as the choice sees it. */
export interface Load {
  /** Otherwise it has to be started, or is just starting: what comes to it waits. */
  readonly isReady: boolean
  /** Runs, requests and streams under way on it. */
  readonly underWay: number
  /** Of them, those that came since it was measured. */
  readonly fresh: number
  /** Share of its time it was busy of late: 0 to 1. */
  readonly busy: number
}

/** Starting a thread costs something, and takes a while. */
const START = 0.3
/** What is new is expected to take half of a thread, until it is measured. */
const EXPECTED = 0.5
/** What is under way counts a little even when it waits for others. */
const WAITING = 0.02
/** So much busier may the one be that is preferred: it has in memory what it needs again. */
const PREFERENCE = 0.15

export function weightOf({ isReady, underWay, fresh, busy }: Load): number {
  if (!isReady) return START + underWay * EXPECTED
  // What it did before is over.
  if (underWay === 0) return busy * 0.1
  return busy + fresh * EXPECTED + underWay * WAITING
}

/** The place of the least busy; `preferred` when it is hardly busier. */
export function leastBusy(loads: readonly Load[], preferred: number | undefined): number {
  const weights = loads.map(weightOf)
  let least = 0
  for (const [place, weight] of weights.entries()) if (weight < (weights[least] as number)) least = place
  if (preferred === undefined || !loads[preferred]?.isReady) return least
  return (weights[preferred] as number) <= (weights[least] as number) + PREFERENCE ? preferred : least
}
