/** Typed scalars as tagged strings, `~:ns:id`, `~t2015-12-31` and the like (dtl.md §2.1). */

import { datetimeText, parseDatetime } from './datetime.ts'
import { decimalText, parseDecimal } from './decimal.ts'
import { Bytes, Datetime, Decimal, Float, LocalDate, NI, type TypedScalar, URI, UUID, type Value } from './value.ts'

const UUID_FORM = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/
const BASE64_FORM = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The value of a string: an unknown tag, or a known one with an unusable payload, is an ordinary string. */
export function decodeTransit(text: string): Value {
  if (text.charCodeAt(0) !== 126) return text
  switch (text.charCodeAt(1)) {
    case 58: // :
      return new NI(text.slice(2))
    case 114: // r
      return new URI(text.slice(2))
    case 116: // t
      return parseDatetime(text.slice(2)) ?? text
    case 117: // u
      return UUID_FORM.test(text.slice(2)) ? new UUID(text.slice(2).toLowerCase()) : text
    case 98: // b
      return BASE64_FORM.test(text.slice(2)) ? new Bytes(Buffer.from(text.slice(2), 'base64')) : text
    case 102: // f
      return parseDecimal(text.slice(2)) ?? text
    default:
      return text
  }
}

/** The tagged string of a typed scalar; a Float has none and gives its digits. */
export function encodeTransit(value: TypedScalar): string {
  if (value instanceof NI) return `~:${value.text}`
  if (value instanceof URI) return `~r${value.text}`
  if (value instanceof Datetime || value instanceof LocalDate) return `~t${datetimeText(value)}`
  if (value instanceof Decimal) return `~f${decimalText(value)}`
  if (value instanceof UUID) return `~u${value.text}`
  if (value instanceof Bytes) return `~b${base64(value.data)}`
  return floatText(value.value)
}

/** A double without a fraction as JSON that reads back as a Float. */
export function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

export const base64 = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
