/**
 * Rows of the `left` table: which ids once had a key in an index and have it no more, and with which version they lost
 * it. The feed of a subset tells from them what went away, also when the versions before are compacted. They are written
 * for those indexes only that subsets are read from (`IndexDocument.feedsSince`): what an entity was replaced by ever and
 * again would leave a row each time, which no compaction takes away.
 *
 *     dataset u32 · 0 u8 · id (its length u16, its bytes) · index u32 · value     sequence u48
 *     dataset u32 · 1 u8 · index u32 · value · sequence u48                       the id
 *
 * The first kind has one row for each id and key, so the second has, too: losing a key again moves both. A row whose id
 * has the key again stays, and is passed over by those who read it: getting a key is frequent and would pay for it.
 */

import { seal, unseal } from './checksum.ts'
import { get, type ReadTransaction, rowsOf, type Table } from './environment.ts'
import { prefixEnd, valuePart, valuePartLength } from './keys.ts'

/** Rows read in one go. */
const ROWS = 256

/** Notes that the id lost the key with that version. `value` is a `valuePart`. Only inside a write transaction. */
export function noteLeft(
  table: Table,
  dataset: number,
  index: number,
  value: Uint8Array,
  id: Buffer,
  sequence: number,
): void {
  const byId = idKey(dataset, index, value, id)
  const former = get(table, byId)
  if (former !== undefined) table.remove(leftKey(dataset, index, value, sequenceIn(former)))
  table.put(byId, seal(sequenceBytes(sequence)))
  table.put(leftKey(dataset, index, value, sequence), seal(id))
}

/** The rows, of the second kind, of what was lost from a sequence on. */
export function* leftSince(
  table: Table,
  transaction: ReadTransaction,
  dataset: number,
  since: number,
): Generator<{ readonly key: Buffer; readonly value: Buffer }> {
  let start: Buffer = head(dataset, BY_SEQUENCE)
  const end = prefixEnd(start)
  for (;;) {
    const rows = rowsOf(table, { start, end, limit: ROWS, transaction })
    for (const row of rows) if (row.key.readUIntBE(row.key.length - 6, 6) >= since) yield row
    const last = rows.at(-1)
    if (last === undefined || rows.length < ROWS) return
    start = Buffer.concat([last.key, Buffer.from([0])])
  }
}

/** The key of the other row that there must be with a row of either kind. Throws `broken-row` when it is damaged. */
export function partnerOf(key: Buffer, row: Buffer): Buffer {
  const dataset = key.readUInt32BE(0)
  if (key[4] === BY_ID) {
    const index = 5 + valuePartLength(key, 5)
    return leftKey(dataset, key.readUInt32BE(index), key.subarray(index + 4), sequenceIn(row))
  }
  const id = Buffer.from(unseal(row, row.length, 'an id that left a subset'))
  return idKey(dataset, key.readUInt32BE(5), key.subarray(9, -6), id)
}

/** Notes again what a row of {@link leftSince} says. Only inside a write transaction. */
export function putLeft(table: Table, key: Buffer, row: Buffer): void {
  const value = key.subarray(9, -6)
  const id = Buffer.from(unseal(row, row.length, 'an id that left a subset'))
  noteLeft(table, key.readUInt32BE(0), key.readUInt32BE(5), value, id, key.readUIntBE(key.length - 6, 6))
}

/** Takes away what is noted of an id that is gone for good. Only inside a write transaction. */
export function forgetLeft(table: Table, dataset: number, id: Buffer): void {
  const prefix = idPrefix(dataset, id)
  for (const { key, value } of rowsOf(table, { start: prefix, end: prefixEnd(prefix) })) {
    const index = key.readUInt32BE(prefix.length)
    table.remove(leftKey(dataset, index, key.subarray(prefix.length + 4), sequenceIn(value)))
    table.remove(key)
  }
}

/** Takes away what is noted of an index that is gone, `most` ids of it; gives how many. Only inside a write transaction. */
export function sweepLeft(table: Table, dataset: number, index: number, most: number): number {
  const prefix = indexPart(dataset, index)
  const rows = rowsOf(table, { start: prefix, end: prefixEnd(prefix), limit: most })
  for (const { key, value: row } of rows) {
    const id = unseal(row, row.length, 'an id that left a subset')
    table.remove(idKey(dataset, index, key.subarray(prefix.length, -6), id))
    table.remove(key)
  }
  return rows.length
}

/** Who lost the key after `since` (exclusive; with `reverse`: before), in the order in which they did. */
export function* leftAfter(
  table: Table,
  transaction: ReadTransaction,
  { dataset, index, value }: { readonly dataset: number; readonly index: number; readonly value: Buffer },
  since: number | null,
  reverse: boolean,
): Generator<{ readonly sequence: number; readonly id: Buffer }> {
  const last = 2 ** 48 - 1
  const at = (sequence: number) => leftKey(dataset, index, value, Math.max(0, Math.min(last, sequence)))
  if (reverse && since !== null && since <= 0) return
  let start = reverse ? at(since === null ? last : since - 1) : at(since === null ? 0 : since + 1)
  // Backwards the end is exclusive, too: the key of sequence 0 less its last bytes stands below all of them.
  const end = reverse ? at(0).subarray(0, -6) : Buffer.concat([at(last), Buffer.from([0])])
  for (;;) {
    const rows = rowsOf(table, { start, end, limit: ROWS, reverse, transaction })
    for (const { key, value: row } of rows) {
      yield { sequence: key.readUIntBE(key.length - 6, 6), id: unseal(row, row.length, 'an id that left a subset') }
    }
    const furthest = rows.at(-1)?.key
    if (furthest === undefined || rows.length < ROWS) return
    const reached = furthest.readUIntBE(furthest.length - 6, 6)
    if (reverse && reached === 0) return
    start = at(reverse ? reached - 1 : reached + 1)
  }
}

const BY_ID = 0
const BY_SEQUENCE = 1

const idPrefix = (dataset: number, id: Buffer): Buffer => Buffer.concat([head(dataset, BY_ID), valuePart(id)])

const idKey = (dataset: number, index: number, value: Uint8Array, id: Buffer): Buffer =>
  Buffer.concat([idPrefix(dataset, id), number(index), value])

const indexPart = (dataset: number, index: number): Buffer => Buffer.concat([head(dataset, BY_SEQUENCE), number(index)])

const leftKey = (dataset: number, index: number, value: Uint8Array, sequence: number): Buffer =>
  Buffer.concat([indexPart(dataset, index), value, sequenceBytes(sequence)])

const head = (dataset: number, kind: number): Buffer => Buffer.concat([number(dataset), Buffer.from([kind])])

function number(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value, 0)
  return bytes
}

function sequenceBytes(sequence: number): Buffer {
  const bytes = Buffer.allocUnsafe(6)
  bytes.writeUIntBE(sequence, 0, 6)
  return bytes
}

const sequenceIn = (row: Buffer): number => unseal(row, row.length, 'a sequence').readUIntBE(0, 6)
