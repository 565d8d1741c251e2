/** The offset behind all that datasets hold: for who wants to skip what is there. */

import type { Snapshot } from '../../log/contract.ts'
import type { Offset } from '../contract.ts'

/** One part for each dataset, empty where it holds nothing; null when none holds anything. */
export function endOf(datasets: readonly string[], snapshot: Snapshot): Offset | null {
  const ends = datasets.map((dataset) => snapshot.dataset(dataset)?.counts().end ?? 0)
  return ends.every((end) => end === 0) ? null : ends.map((end) => (end === 0 ? '' : String(end - 1))).join(',')
}
