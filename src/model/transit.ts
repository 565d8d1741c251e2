/** Typed scalars as tagged strings: `~:ns:id`, `~t2015-12-31` and the like (dtl.md §2.1). There is no escape for a string that begins so. */

import { datetimeText, parseDatetime } from './datetime.ts'
import { decimalText, parseDecimal } from './decimal.ts'
import { Bytes, Datetime, Decimal, LocalDate, NI, type TypedScalar, URI, UUID, type Value } from './value.ts'

/** The value of a string. What has no tag, an unknown one, or one with an unusable payload, is the string itself. */
export function decodeTransit(text: string): Value {
  if (text.charCodeAt(0) !== TILDE) return text
  switch (text.charCodeAt(1)) {
    case COLON:
      return new NI(text.slice(2))
    case LETTER_R:
      return new URI(text.slice(2))
    case LETTER_T:
      return parseDatetime(text.slice(2)) ?? text
    case LETTER_U:
      return UUID_FORM.test(text) ? new UUID(text.slice(2).toLowerCase()) : text
    case LETTER_B:
      return parseBase64(text.slice(2)) ?? text
    case LETTER_F:
      return parseDecimal(text.slice(2)) ?? text
    default:
      return text
  }
}

/** The tagged string of a typed scalar; a Float has no tag and gives its digits. */
export function encodeTransit(value: TypedScalar): string {
  if (value instanceof NI) return `~:${value.text}`
  if (value instanceof Datetime || value instanceof LocalDate) return `~t${datetimeText(value)}`
  if (value instanceof Decimal) return `~f${decimalText(value)}`
  if (value instanceof URI) return `~r${value.text}`
  if (value instanceof UUID) return `~u${value.text}`
  if (value instanceof Bytes) return `~b${base64(value.data)}`
  return floatText(value.value)
}

/** A double as JSON that reads back as a Float: never as an Integer. */
export function floatText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const text = String(value)
  return text.includes('.') || text.includes('e') ? text : `${text}.0`
}

/** Standard alphabet, padded. */
const base64 = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')

const TILDE = 126
const COLON = 58
const LETTER_B = 98
const LETTER_F = 102
const LETTER_R = 114
const LETTER_T = 116
const LETTER_U = 117

const UUID_FORM = /^~u[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const NOT_BASE64 = /[^A-Za-z0-9+/]/

function parseBase64(text: string): Bytes | null {
  if (text.length % 4 !== 0) return null
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  // One expression for all of it, groups of four repeated, would overflow the engine's stack on some megabytes.
  if (NOT_BASE64.test(padding === 0 ? text : text.slice(0, -padding))) return null
  return new Bytes(Buffer.from(text, 'base64'))
}
