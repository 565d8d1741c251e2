/** Scalars as lexical forms with a datatype, and back. */

import { datetimeText, parseDatetime } from '../model/datetime.ts'
import { decimalText, parseDecimal } from '../model/decimal.ts'
import { Bytes, Datetime, Decimal, Float, float, integer, LocalDate, URI, UUID, type Value } from '../model/value.ts'
import type { Emit } from './emit.ts'
import { isIri } from './iri.ts'
import { xsd } from './vocabulary.ts'

export type StatedScalar =
  | string
  | number
  | bigint
  | boolean
  | Float
  | Decimal
  | URI
  | UUID
  | Bytes
  | LocalDate
  | Datetime

/** States a scalar that is neither null nor an NI. Exact, but for a lone surrogate, which becomes U+FFFD. */
export function stateScalar(subject: string, predicate: string, value: StatedScalar, emit: Emit): void {
  if (typeof value === 'string') emit(subject, predicate, wellFormed(value), xsd.string)
  else if (typeof value === 'number') {
    if (Number.isInteger(value)) emit(subject, predicate, String(value), xsd.integer)
    else emit(subject, predicate, doubleText(value), xsd.double)
  } else if (typeof value === 'bigint') emit(subject, predicate, String(value), xsd.integer)
  else if (typeof value === 'boolean') emit(subject, predicate, value ? 'true' : 'false', xsd.boolean)
  else if (value instanceof URI) {
    if (isIri(value.text)) emit(subject, predicate, value.text, '')
    else emit(subject, predicate, wellFormed(value.text), xsd.anyURI)
  } else if (value instanceof Datetime) emit(subject, predicate, datetimeText(value), xsd.dateTime)
  else if (value instanceof LocalDate) emit(subject, predicate, datetimeText(value), xsd.date)
  else if (value instanceof Decimal) emit(subject, predicate, decimalText(value), xsd.decimal)
  else if (value instanceof Float) emit(subject, predicate, doubleText(value.value), xsd.double)
  else if (value instanceof UUID) emit(subject, predicate, `urn:uuid:${value.text}`, '')
  else emit(subject, predicate, base64(value.data), xsd.base64Binary)
}

/** Statements are UTF-8, which has no lone surrogates. */
const wellFormed = (text: string): string => (text.isWellFormed() ? text : text.toWellFormed())

/** The canonical form of XML Schema: `1.5E0`. */
function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0.0E0'
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`
}

/**
 * The value of a literal. A form the datatype does not allow, and a datatype the hub has no type for, give the text;
 * language tags are dropped (hub.md §26 has none).
 */
export function literalValue(text: string, datatype: string): Value {
  const known = datatype.startsWith(xsd.namespace) ? READERS[datatype.slice(xsd.namespace.length)] : undefined
  return known?.(text) ?? text
}

type Reader = (text: string) => Value

const readInteger: Reader = (text) => (/^[+-]?\d+$/.test(text) ? integer(BigInt(text.replace('+', ''))) : null)
const readDouble: Reader = (text) =>
  /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? float(Number(text)) : null

/** By the local name of the XML Schema datatype; null: not a form of it. */
const READERS: Readonly<Record<string, Reader>> = {
  boolean: (text) => (text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : null),
  decimal: (text) => (/[eE]/.test(text) ? null : parseDecimal(text)),
  double: readDouble,
  float: readDouble,
  integer: readInteger,
  long: readInteger,
  int: readInteger,
  short: readInteger,
  byte: readInteger,
  nonNegativeInteger: readInteger,
  positiveInteger: readInteger,
  nonPositiveInteger: readInteger,
  negativeInteger: readInteger,
  unsignedLong: readInteger,
  unsignedInt: readInteger,
  unsignedShort: readInteger,
  unsignedByte: readInteger,
  // Without a zone a datetime is no instant, and the hub guesses none: the text stays.
  dateTime: readDateTime,
  dateTimeStamp: readDateTime,
  date: (text) => {
    const date = parseDatetime(text)
    return date instanceof LocalDate ? date : null
  },
  anyURI: (text) => new URI(text),
  base64Binary: (text) => {
    const compact = text.replace(/[ \t\r\n]/g, '')
    const data = Buffer.from(compact, 'base64')
    return base64(data) === compact ? new Bytes(data) : null
  },
  hexBinary: (text) => (/^(?:[0-9A-Fa-f]{2})*$/.test(text) ? new Bytes(Buffer.from(text, 'hex')) : null),
}

const ZONE = /^(.*)(?:Z|([+-])(\d\d):(\d\d))$/s
const MINUTE_NS = 60_000_000_000n
const FIRST = (parseDatetime('0001-01-01T00:00:00Z') as Datetime).nanoseconds
const LAST = (parseDatetime('9999-12-31T23:59:59.999999999Z') as Datetime).nanoseconds

function readDateTime(text: string): Value {
  const [, local, sign, hours, minutes] = ZONE.exec(text) ?? []
  if (local === undefined) return null
  const instant = parseDatetime(`${local}Z`)
  if (!(instant instanceof Datetime)) return null
  if (sign === undefined) return instant
  const offset = BigInt(Number(hours) * 60 + Number(minutes)) * MINUTE_NS
  const nanoseconds = sign === '+' ? instant.nanoseconds - offset : instant.nanoseconds + offset
  return nanoseconds < FIRST || nanoseconds > LAST ? null : new Datetime(nanoseconds)
}

const base64 = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
