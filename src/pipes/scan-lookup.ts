/** Answers hops for a preview, which may write nothing, an index least of all: where one is missing, the dataset is read through. */

import { compileIndex } from '../dtl/compile.ts'
import type { IndexSpec, Lookup } from '../dtl/contract.ts'
import { DtlError } from '../dtl/errors.ts'
import type { DatasetView } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { keyOf } from '../model/canonical.ts'
import { compareText } from '../model/order.ts'
import type { Value } from '../model/value.ts'
import { FoundBefore, lookupAt } from './lookup.ts'
import type { ReadPosition } from './position.ts'

/** Entities that are read for the indexes that are missing, at most. */
const MAX_SCANNED = 200_000
/** Entities between two pauses, in which others of the thread get their turn. */
const AT_ONCE = 500

/** What an index would hold: key → ids, in order. */
type Scanned = ReadonlyMap<string, readonly string[]>

export async function scanLookup(
  position: ReadPosition,
  indexes: readonly IndexSpec[],
  signal: AbortSignal,
): Promise<Lookup> {
  const lookup = lookupAt(position, new FoundBefore())
  const scanned = new Map<string, Scanned | null>()
  let left = MAX_SCANNED
  for (const index of indexes) {
    const view = position.snapshot.dataset(index.dataset)
    if (view === undefined || isReady(view, index)) continue
    left -= view.counts().existing
    scanned.set(nameOf(index), left < 0 ? null : await scan(view, index, signal))
  }
  return {
    joined(index, keys) {
      const found = scanned.get(nameOf(index))
      if (found === undefined) return lookup.joined(index, keys)
      if (found === null) throw tooLarge(index)
      return idsOf(found, keys).flatMap((id) => lookup.entity(index.dataset, id) ?? [])
    },
    entity: (dataset, id) => lookup.entity(dataset, id),
  }
}

const nameOf = ({ dataset, expression }: IndexSpec): string => `${dataset} ${expression}`

const isReady = ({ document }: DatasetView, { expression }: IndexSpec): boolean =>
  document.indexes.some((one) => one.expression === expression && one.state === 'ready')

async function scan(view: DatasetView, { expression }: IndexSpec, signal: AbortSignal): Promise<Scanned> {
  const { keys } = compileIndex(expression)
  const found = new Map<string, string[]>()
  let read = 0
  for (const version of view.entities({ deleted: false })) {
    for (const value of keys(entityOf(version, { internal: true }))) {
      const ids = found.get(keyOf(value))
      if (ids === undefined) found.set(keyOf(value), [version.id])
      else ids.push(version.id)
    }
    if (++read % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
    signal.throwIfAborted()
  }
  return found
}

function idsOf(found: Scanned, keys: readonly Value[]): readonly string[] {
  const lists = keys.map((key) => found.get(keyOf(key)) ?? [])
  return lists.length === 1 ? (lists[0] as readonly string[]) : [...new Set(lists.flat())].sort(compareText)
}

const tooLarge = ({ dataset }: IndexSpec): DtlError =>
  new DtlError(
    'too-much-work',
    `The dataset '${dataset}' has no index for this join yet, and too many entities to read.`,
    {
      hint: `Run the pipe once: it makes the index. A preview reads ${MAX_SCANNED} entities at most instead.`,
    },
  )
