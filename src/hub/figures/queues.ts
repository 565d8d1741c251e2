/** How much a pipe has not taken in yet, by counters in memory: nothing is read but its offsets. */

import type { Feed, Snapshot } from '../../log/contract.ts'
import { sourceOffset } from '../../pipes/full-run.ts'
import { type Pipe, runsByPump } from '../../pipes/pipe.ts'
import { trackedTo } from '../../pipes/tracking/offsets.ts'

type Ends = Pick<Feed, 'end'>

/** Changes that it has not read; null where nobody can know. */
export function sourceQueue(pipe: Pipe, snapshot: Snapshot, feed: Ends): number | null {
  const { id, source } = pipe
  // Who publishes takes nothing in by itself.
  if (!runsByPump(pipe) || source.inputs.length === 0) return null
  const offsets = (snapshot.offset(sourceOffset(id)) ?? '').split(',')
  return source.inputs.reduce((sum, input, place) => {
    const offset = offsets[place] ?? ''
    return sum + behind(input, offset === '' ? -1 : Number(offset), snapshot, feed)
  }, 0)
}

/** Changes of what it hops to that are not followed back yet; null: it follows none. */
export function trackingQueue(pipe: Pipe, snapshot: Snapshot, feed: Ends): number | null {
  const { id, tracking } = pipe
  if (!runsByPump(pipe) || tracking === null) return null
  return tracking.datasets.reduce((sum, dataset) => {
    const at = trackedTo(id, dataset, snapshot)
    return at === undefined ? sum : sum + behind(dataset, at, snapshot, feed)
  }, 0)
}

function behind(dataset: string, at: number, snapshot: Snapshot, feed: Ends): number {
  const number = snapshot.dataset(dataset)?.document.number
  const end = number === undefined ? 0 : feed.end(number)
  return Number.isNaN(at) ? 0 : Math.max(0, end - 1 - at)
}
