/** Values of entities as GraphQL results and back: nothing rounded, nothing guessed. */

import { parseDatetime } from '../../model/datetime.ts'
import { decimalText, parseDecimal, toDecimal } from '../../model/decimal.ts'
import { entries } from '../../model/dict.ts'
import { decodeTransit, encodeTransit } from '../../model/transit.ts'
import {
  Bytes,
  Datetime,
  Decimal,
  Float,
  integer,
  isInteger,
  LocalDate,
  NI,
  Typed,
  type TypedScalar,
  URI,
  UUID,
  type Value,
} from '../../model/value.ts'
import type { ScalarName } from './plan.ts'

export type Output = string | number | boolean | null | readonly Output[] | { readonly [name: string]: Output }

/** How a scalar of the schema is written. A value of another kind means that the schema is older than the data. */
export const OUTPUT: Readonly<Record<ScalarName, (value: Value) => Output>> = {
  Boolean: (value) => (typeof value === 'boolean' ? value : mismatch('a boolean')),
  Integer: (value) => (isInteger(value) ? wholeOutput(value) : mismatch('an integer')),
  Float: (value) => (value instanceof Float ? value.value : typeof value === 'number' ? value : mismatch('a float')),
  Decimal: (value) => (isNumeric(value) ? decimalText(toDecimal(value)) : mismatch('a decimal')),
  Date: (value) => (isTime(value) ? timeText(value) : mismatch('a date')),
  DateTime: (value) => (isTime(value) ? timeText(value) : mismatch('a datetime')),
  String: (value) => textOutput(value),
  JSON: (value) => jsonOutput(value),
}

/** Any value as JSON: typed ones as tagged strings (`~:ns:id`), integers beyond 2^53 as strings of digits. */
export function jsonOutput(value: Value): Output {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Float) return value.value
  if (value instanceof Typed) return encodeTransit(value as TypedScalar)
  if (Array.isArray(value)) return (value as readonly Value[]).map(jsonOutput)
  const output: Record<string, Output> = Object.create(null)
  for (const [name, property] of entries(value as Exclude<typeof value, readonly Value[]>))
    output[name] = jsonOutput(property)
  return output
}

/** What a filter's operand means for a property of this kind; a list since one text may be written in several kinds. */
export function operandsOf(scalar: ScalarName, kinds: readonly string[], input: unknown): readonly Value[] {
  if (input === null || input === undefined) return [null]
  switch (scalar) {
    case 'Integer':
      return [typeof input === 'string' ? integer(BigInt(input)) : (input as number | bigint)]
    case 'Decimal':
      return [parseDecimal(String(input)) ?? null]
    case 'Date':
    case 'DateTime':
      return [parseDatetime(String(input))]
    case 'String':
      return kinds.map((kind) => typedText(kind, String(input)))
    case 'JSON':
      return [jsonInput(input)]
    default:
      return [input as Value]
  }
}

function jsonInput(input: unknown): Value {
  if (typeof input === 'string') return decodeTransit(input)
  if (Array.isArray(input)) return input.map(jsonInput)
  return typeof input === 'number' || typeof input === 'boolean' ? input : null
}

/** The text of a value that is compared as text. */
export function plainText(value: Value): string | null {
  if (typeof value === 'string') return value
  if (value instanceof NI || value instanceof URI || value instanceof UUID) return value.text
  return value instanceof Bytes ? Buffer.from(value.data).toString('base64') : null
}

const textOutput = (value: Value): Output => plainText(value) ?? mismatch('text')
const wholeOutput = (value: number | bigint): Output => (typeof value === 'bigint' ? String(value) : value)
const timeText = (value: Datetime | LocalDate): string => encodeTransit(value).slice(2)

function typedText(kind: string, text: string): Value {
  switch (kind) {
    case 'ni':
      return new NI(text.startsWith('~:') ? text.slice(2) : text)
    case 'uri':
      return new URI(text)
    case 'uuid':
      return new UUID(text.toLowerCase())
    case 'bytes':
      return new Bytes(Buffer.from(text, 'base64'))
    default:
      return text
  }
}

const isTime = (value: Value): value is Datetime | LocalDate => value instanceof Datetime || value instanceof LocalDate

const isNumeric = (value: Value): value is number | bigint | Float | Decimal =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Float || value instanceof Decimal

function mismatch(wanted: string): never {
  throw new Error(`The value is not ${wanted}: the data changed a moment ago and the schema follows; ask again.`)
}
