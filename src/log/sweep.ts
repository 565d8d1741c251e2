/** Takes away the rows of deleted datasets and indexes: in slices, so that commits go between. */

import { numberKey } from './documents.ts'
import { keysIn, type Tables } from './environment.ts'
import { datasetKey, indexPrefix, prefixEnd } from './keys.ts'
import { sweepLeft } from './left.ts'

/** Rows of one slice. */
const SLICE = 2_000

/** Takes away one slice, `of` one dataset if it is named; false when there was nothing left. Only inside a write transaction. */
export function sweepSlice(tables: Tables, of?: number): boolean {
  const start = of === undefined ? Buffer.from('x') : numberKey('x', of)
  const end = of === undefined ? Buffer.from('y') : (prefixEnd(start) as Buffer)
  const [order] = keysIn(tables.meta, { start, end, limit: 1 })
  if (order === undefined) return false
  const dataset = order.readUInt32BE(1)
  const isIndex = order.length > 5
  let left = SLICE
  const ranges = isIndex
    ? [false, true].map((deleted) => ({
        table: tables.index,
        prefix: indexPrefix(dataset, order.readUInt32BE(5), deleted),
      }))
    : [
        ...[tables.index, tables.left, tables.latest, tables.log].map((table) => ({
          table,
          prefix: datasetKey(dataset),
        })),
        { table: tables.meta, prefix: numberKey('u', dataset) },
      ]
  for (const { table, prefix } of ranges) {
    const keys = keysIn(table, { start: prefix, end: prefixEnd(prefix), limit: left })
    for (const key of keys) table.remove(key)
    left -= keys.length
    if (left <= 0) return true
  }
  if (isIndex && sweepLeft(tables.left, dataset, order.readUInt32BE(5), left) === left) return true
  tables.meta.remove(order)
  return true
}

/** Notes that a dataset's rows, or those of one index of it, are to be swept away. */
export function orderSweep(tables: Tables, dataset: number, index?: number): void {
  tables.meta.put(index === undefined ? numberKey('x', dataset) : numberKey('x', dataset, index), ORDER)
}

const ORDER = Buffer.from([1])
