/** Where those who read a dataset are, so that nothing goes from it that one of them still needs. */

import type { ReaderPositions } from '../log/compaction.ts'
import type { Snapshot } from '../log/contract.ts'
import { get } from '../model/dict.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import { neededByRescan } from '../pipes/beside/remains.ts'
import { sourceOffset } from '../pipes/full-run.ts'
import { SeenStore } from '../pipes/seen-store.ts'
import { readUpTo } from '../pipes/sources/bookmarks.ts'
import { trackersOf } from '../pipes/tracking/offsets.ts'
import type { DeployedPipe } from './deployment.ts'

const NOTHING_YET = -1

export interface Readers {
  readonly pipes: ReadonlyMap<string, DeployedPipe>
  isRunning(pipe: string): boolean
  /** For each dataset that the graph holds, the last sequence it has taken in. */
  readonly projected: Readonly<Record<string, number>>
}

export function readerPositions(snapshot: Snapshot, dataset: string, readers: Readers): ReaderPositions {
  const rescans = [...readers.pipes.values()].flatMap(({ pipe }) =>
    pipe === null ? [] : [neededByRescan(pipe, dataset, snapshot)],
  )
  const trackers = [...trackersOf(dataset, snapshot), ...rescans.flatMap(({ followed }) => followed ?? [])]
  const sources = [...readers.pipes].flatMap(([id, deployed]) =>
    sourcePosition(snapshot, dataset, id, deployed, readers),
  )
  const projected = readers.projected[dataset]
  return {
    tracked: least(trackers),
    history: least(sources.filter(({ readsAll }) => readsAll).map(({ at }) => at)),
    passed: least([
      ...trackers,
      ...rescans.flatMap(({ read }) => read ?? []),
      ...sources.map(({ at }) => at),
      ...(projected === undefined ? [] : [projected]),
    ]),
  }
}

interface SourcePosition {
  readonly at: number
  /** Every version, not only the newest. */
  readonly readsAll: boolean
}

/** A pipe that has read nothing yet, nor is about to, misses nothing: it finds the dataset as it is. */
function sourcePosition(
  snapshot: Snapshot,
  dataset: string,
  id: string,
  { pipe, effective }: DeployedPipe,
  { isRunning }: Readers,
): SourcePosition[] {
  const offset = snapshot.offset(sourceOffset(id))
  const hasBegun = isRunning(id) || new SeenStore(id).head(snapshot) !== undefined
  if (offset === undefined && !hasBegun) return []
  // Nobody knows where a pipe with errors will go on once it is repaired.
  if (pipe === null)
    return mentions(get(effective, 'source') ?? null, dataset) ? [{ at: NOTHING_YET, readsAll: false }] : []
  const { inputs, config } = pipe.source
  if (!inputs.includes(dataset)) return []
  const readsAll = config.include_previous_versions === true
  return [{ at: readUpTo(id, inputs, snapshot)(dataset) ?? NOTHING_YET, readsAll }]
}

/** In the names of a source's datasets, which may be followed by an alias. */
function mentions(source: Value, dataset: string): boolean {
  if (!isDict(source)) return false
  const named = [get(source, 'dataset'), get(source, 'datasets')].flatMap((one) => (isList(one ?? null) ? one : [one]))
  return (named as readonly (Value | undefined)[]).some(
    (one) => typeof one === 'string' && one.split(' ')[0] === dataset,
  )
}

const least = (positions: readonly number[]): number | null => (positions.length === 0 ? null : Math.min(...positions))
