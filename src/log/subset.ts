/**
 * The part of a dataset that has one key in an index, as a feed (hub.md §2.6): the newest version of each id in it, in
 * the place where that version lies, and each id that left it as deleted, in the place of the version with which it left.
 *
 * What is in it is found in one of two ways. A small part of what is to be read is listed from the index; otherwise the
 * log is walked, and each version's id asked whether it is the newest and has the key. What left it has rows of its own.
 */

import type { Block } from './block.ts'
import type { SubsetKey, Version } from './contract.ts'
import { keysIn, type ReadTransaction, type Tables } from './environment.ts'
import { decodeId, encodeId } from './ids.ts'
import { isShortenedValue, latestKey, prefixEnd, valuePart, valuePrefix } from './keys.ts'
import type { LatestRow } from './latest.ts'
import { leftAfter } from './left.ts'
import { readLongParts } from './long-parts.ts'

/** Listing one member costs as much as walking over so many versions, or less. */
const WORTH = 4

/** From after `since` to `to`, which is part of it, one way or the other. */
export interface SubsetRange {
  readonly since: number | null
  readonly reverse: boolean
  readonly to?: number | undefined
}

/** How the view of a dataset lets its rows be read. */
export interface SubsetRows {
  readonly dataset: number
  /** Next sequence. */
  readonly end: number
  readonly tables: Tables
  readonly transaction: ReadTransaction
  /** The row of `latest` under a key; valid until the next one is read. */
  latestAt(key: Buffer): LatestRow | undefined
  /** Of a full id. */
  latestOf(id: Buffer): LatestRow | undefined
  latest(id: string): Version | undefined
  version(sequence: number): Version | undefined
  versionNear(sequence: number): Version | undefined
  walk(range: SubsetRange, accepts: (block: Block, entry: number, sequence: number) => boolean): Iterable<Version>
}

/** Where the members lie that come after `since`, in order; null when it is quicker to find them by walking. */
export function subsetMembers(
  rows: SubsetRows,
  { index, key }: SubsetKey,
  since: number | null,
  reverse: boolean,
): Float64Array | null {
  const { dataset, end, tables, transaction } = rows
  const span = reverse ? Math.min(since ?? end, end) : end - 1 - (since ?? -1)
  const most = Math.floor(span / WORTH)
  const value = valuePart(key)
  const isLongValue = isShortenedValue(value)
  const prefix = valuePrefix(dataset, index, false, value)
  const range = { start: prefix, end: prefixEnd(prefix), limit: most + 1, transaction }
  const found = keysIn(tables.index, range)
  if (found.length > most) return null
  const sequences: number[] = []
  for (const one of found) {
    if (isLongValue && !isOfValue(rows, one, key)) continue
    const row = rows.latestAt(latestKey(dataset, one.subarray(prefix.length)))
    if (row !== undefined && isAfter(row.sequence, since, reverse)) sequences.push(row.sequence)
  }
  const ordered = Float64Array.from(sequences).sort()
  return reverse ? ordered.reverse() : ordered
}

/** The feed after `since`; with `members` as listed in this or an earlier snapshot, those that are newer than it are left out. */
export function* subsetChanges(
  rows: SubsetRows,
  part: SubsetKey,
  range: SubsetRange,
  members: Float64Array | null,
): Generator<Version> {
  const { reverse } = range
  const value = valuePart(part.key)
  const isMember = (row: LatestRow | undefined): row is LatestRow =>
    row !== undefined && !row.deleted && row.holds(part.index, value)
  const inside =
    members === null
      ? rows.walk(range, (block, entry, sequence) => {
          const row = rows.latestAt(latestKey(rows.dataset, block.idBytesAt(entry)))
          return row?.sequence === sequence && isMember(row)
        })
      : listed(rows, members, range, isMember)
  yield* merged(inside, leavers(rows, part.index, value, range, isMember), reverse)
}

function* listed(
  rows: SubsetRows,
  members: Float64Array,
  range: SubsetRange,
  isMember: (row: LatestRow | undefined) => boolean,
): Generator<Version> {
  for (let place = firstAfter(members, range.since, range.reverse); place < members.length; place++) {
    const sequence = members[place] as number
    if (isBeyond(sequence, range)) return
    const version = rows.versionNear(sequence)
    if (version === undefined) continue
    // It may have got a newer version since it was listed.
    const row = rows.latestOf(encodeId(version.id))
    if (row?.sequence === sequence && isMember(row)) yield version
  }
}

function* leavers(
  rows: SubsetRows,
  index: number,
  value: Buffer,
  range: SubsetRange,
  isMember: (row: LatestRow | undefined) => boolean,
): Generator<Version> {
  const place = { dataset: rows.dataset, index, value }
  for (const { sequence, id } of leftAfter(rows.tables.left, rows.transaction, place, range.since, range.reverse)) {
    if (isBeyond(sequence, range)) return
    const row = rows.latestOf(id)
    if (row === undefined || isMember(row)) continue
    const name = decodeId(id)
    const then = rows.version(sequence)
    // Compaction may have taken the version with which it left; what it is now says as much.
    const version = then?.id === name ? then : rows.latest(name)
    if (version !== undefined) yield { ...version, sequence, deleted: true }
  }
}

/** Two streams in the order of their sequences as one. */
function* merged(one: Iterable<Version>, other: Iterable<Version>, reverse: boolean): Generator<Version> {
  const [a, b] = [one[Symbol.iterator](), other[Symbol.iterator]()]
  let left = a.next()
  let right = b.next()
  while (left.done !== true || right.done !== true) {
    const isLeft = right.done === true || (left.done !== true && left.value.sequence < right.value.sequence !== reverse)
    if (isLeft) {
      yield left.value as Version
      left = a.next()
    } else {
      yield right.value as Version
      right = b.next()
    }
  }
}

const isBeyond = (sequence: number, { reverse, to }: SubsetRange): boolean =>
  to !== undefined && (reverse ? sequence < to : sequence > to)

const isAfter = (sequence: number, since: number | null, reverse: boolean): boolean =>
  since === null || (reverse ? sequence < since : sequence > since)

function firstAfter(members: Float64Array, since: number | null, reverse: boolean): number {
  let [low, high] = [0, members.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isAfter(members[middle] as number, since, reverse)) high = middle
    else low = middle + 1
  }
  return low
}

/** A key of a shortened value may, against all odds, be another's: the full text decides. */
function isOfValue({ tables, transaction, dataset }: SubsetRows, indexKey: Buffer, key: Uint8Array): boolean {
  const row = tables.index.getBinaryFast(indexKey, { transaction })
  if (row === undefined) return false
  return readLongParts(Buffer.from(row.buffer, row.byteOffset, row.length), dataset).value.equals(key)
}
