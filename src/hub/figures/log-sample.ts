/** How large the log of a dataset is, and how much of it tells of deletions: counted when it is short, otherwise from a sample. */

import type { DatasetView, Place } from '../../log/contract.ts'

export interface LogSample {
  readonly bytes: number
  /** Versions that are deletions. */
  readonly deleted: number
}

/** Logs up to here are counted. */
const SHORT = 2_000
const WINDOWS = 16
/** Versions of a window, at least as many as are in a block, at most. */
const WINDOW = 64
const LONGEST_WINDOW = 2_000

export function sampleLog(view: DatasetView): LogSample {
  const { end, versions } = view.counts()
  if (versions <= SHORT) return sumOf(blocksOf(view.places(null)))
  const windows = Array.from({ length: WINDOWS }, (_, place) => Math.floor((end * place) / WINDOWS) - 1)
  const seen = windows.map((since) => sumOf(window(view.places(since < 0 ? null : since))))
  const total = seen.reduce((sum, one) => sum + one.versions, 0)
  if (total === 0) return { bytes: 0, deleted: 0 }
  const share = versions / total
  return {
    bytes: Math.round(seen.reduce((sum, { bytes }) => sum + bytes, 0) * share),
    deleted: Math.round(seen.reduce((sum, { deleted }) => sum + deleted, 0) * share),
  }
}

interface BlockSum {
  readonly bytes: number
  readonly versions: number
  readonly deleted: number
}

/** Whole blocks only: the first may have begun before. */
function* window(places: Iterable<Place>): Generator<BlockSum> {
  let isFirst = true
  let versions = 0
  for (const block of blocksOf(places, LONGEST_WINDOW)) {
    if (isFirst) {
      isFirst = false
      continue
    }
    yield block
    versions += block.versions
    if (versions >= WINDOW) return
  }
}

/** `most`: the last block is left out when it is not over by then. */
function* blocksOf(places: Iterable<Place>, most = Number.POSITIVE_INFINITY): Generator<BlockSum> {
  let at: { block: number; bytes: number; versions: number; deleted: number } | null = null
  let read = 0
  for (const { block, blockBytes, deleted } of places) {
    if (at !== null && at.block !== block) yield at
    if (at === null || at.block !== block) at = { block, bytes: blockBytes, versions: 0, deleted: 0 }
    at.versions++
    if (deleted) at.deleted++
    if (++read > most) return
  }
  if (at !== null) yield at
}

function sumOf(blocks: Iterable<BlockSum>): BlockSum {
  const sum = { bytes: 0, versions: 0, deleted: 0 }
  for (const { bytes, versions, deleted } of blocks) {
    sum.bytes += bytes
    sum.versions += versions
    sum.deleted += deleted
  }
  return sum
}
