/** Takes versions out of a dataset's log: a slice in one transaction, so that commits go between. */

import { uncount } from './appender.ts'
import { Block } from './block.ts'
import type { Removal, Removed } from './contract.ts'
import type { Counts } from './documents.ts'
import { get, type Tables } from './environment.ts'
import { LogError } from './errors.ts'
import { bounded, indexKey, latestKey, logKey } from './keys.ts'
import { LatestRow } from './latest.ts'
import { forgetLeft } from './left.ts'

/** Milliseconds after which a slice ends, so that commits do not wait for the rest. */
const SLICE_MS = 10

/**
 * `going`: versions that may be the newest of their id. Ends early when the time is over: gives how many versions went and
 * how many blocks are done; those that were gone already are passed over. Only inside a write transaction.
 */
export function removeVersions(
  tables: Tables,
  dataset: number,
  counts: Counts,
  blocks: Removal['blocks'],
  going: ReadonlySet<number>,
): Removed {
  const until = performance.now() + SLICE_MS
  const row = new LatestRow()
  let removed = 0
  let done = 0
  for (const [first, sequences] of blocks) {
    if (done > 0 && performance.now() > until) break
    done++
    const key = logKey(dataset, first)
    const found = get(tables.log, key)
    if (found === undefined) continue
    // The next read would overwrite it.
    const bytes = Buffer.from(found.subarray(0, found.length))
    const block = new Block(bytes, bytes.length, dataset, first)
    const dropped = new Set<number>()
    for (const sequence of sequences) {
      const entry = block.find(sequence)
      if (entry < 0) continue
      dropped.add(entry)
      takeFromLatest(tables, dataset, counts, row, block.idBytesAt(entry), sequence, going)
    }
    if (dropped.size === 0) continue
    const rest = block.without(dropped)
    if (rest === undefined) tables.log.remove(key)
    else tables.log.put(key, rest)
    removed += dropped.size
  }
  counts.versions -= removed
  return { versions: removed, blocks: done }
}

/** When the version is the newest of its id, all of the id goes: allowed only where it was meant. */
function takeFromLatest(
  tables: Tables,
  dataset: number,
  counts: Counts,
  row: LatestRow,
  id: Buffer,
  sequence: number,
  going: ReadonlySet<number>,
): void {
  const key = latestKey(dataset, id)
  const found = get(tables.latest, key)
  if (found === undefined) return
  const latest = row.read(found, found.length, dataset)
  if (latest.sequence !== sequence) return
  if (!going.has(sequence)) {
    throw new LogError('newest-version', `Version ${sequence} of dataset number ${dataset} is the newest of its id.`, {
      details: { dataset, sequence },
      hint: 'Nothing was removed. Plan the removal again.',
    })
  }
  const { deleted } = latest
  const idPart = bounded(id)
  for (const held of latest.keys()) tables.index.remove(indexKey(dataset, held.index, deleted, held.value, idPart))
  uncount(counts, latest)
  tables.latest.remove(key)
  forgetLeft(tables.left, dataset, id)
}
