/** How far a pipe has taken in each dataset that it reads. */

import type { Snapshot } from '../../log/contract.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { readUpTo } from '../../pipes/sources/bookmarks.ts'
import { trackedTo } from '../../pipes/tracking/offsets.ts'

export const NOTHING_YET = -1

export interface Consumed {
  readonly dataset: string
  readonly as: 'source' | 'hop'
  /** The last sequence taken in. */
  readonly at: number
  /** The last there is. */
  readonly last: number
}

/** Of its source, and of what its hops follow. */
export function consumedBy(pipe: Pipe, snapshot: Snapshot): readonly Consumed[] {
  const read = readUpTo(pipe.id, pipe.source.inputs, snapshot)
  const sources = pipe.source.inputs.map(
    (dataset): Consumed => ({
      dataset,
      as: 'source',
      at: read(dataset) ?? NOTHING_YET,
      last: lastOf(dataset, snapshot),
    }),
  )
  const hops = (pipe.tracking?.datasets ?? []).flatMap((dataset): Consumed[] => {
    const at = trackedTo(pipe.id, dataset, snapshot)
    return at === undefined ? [] : [{ dataset, as: 'hop', at, last: lastOf(dataset, snapshot) }]
  })
  return [...sources, ...hops]
}

const lastOf = (dataset: string, snapshot: Snapshot): number => (snapshot.dataset(dataset)?.counts().end ?? 0) - 1

/** When the first version after the sequence was stored, in milliseconds since 1970; null when there is none. */
export function firstStoredAfter(dataset: string, at: number, snapshot: Snapshot): number | null {
  for (const { ts } of snapshot.dataset(dataset)?.places(at < 0 ? null : at) ?? []) return ts / 1000
  return null
}
