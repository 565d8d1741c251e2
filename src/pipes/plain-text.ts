/** Values as plain text, for formats that have no types: CSV, XML, spreadsheets (rest-api.md §10.2). */

import { datetimeText } from '../model/datetime.ts'
import { decimalText } from '../model/decimal.ts'
import { writeJson } from '../model/json.ts'
import { Bytes, Datetime, Decimal, LocalDate, NI, URI, UUID, type Value } from '../model/value.ts'

/** Nothing for what is missing or null; text for what has one, without its type tag; JSON for the rest. */
export function plainText(value: Value | undefined): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (value instanceof Decimal) return decimalText(value)
  if (value instanceof NI || value instanceof URI || value instanceof UUID) return value.text
  if (value instanceof Datetime || value instanceof LocalDate) return datetimeText(value)
  if (value instanceof Bytes) return Buffer.from(value.data).toString('base64')
  return writeJson(value)
}
