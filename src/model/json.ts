/**
 * JSON text → values, exact: integers of any size, `1.0` told from `1`, names in their order, tagged strings decoded.
 *
 * Most texts need no care, and the engine's own parser is many times faster than any in JavaScript. So a regular
 * expression looks for whatever that parser would get wrong; only a text with such a place is read by our own scanner.
 */

import { parseDecimal } from './decimal.ts'
import type { StoredKey } from './dict.ts'
import { MAX_DEPTH, type Reading, scanJson } from './json-scanner.ts'
import { nameText } from './json-writer.ts'
import { decodeTransit } from './transit.ts'
import type { Decimal, Value } from './value.ts'

export { JsonError } from './errors.ts'
export { quoted, writeJson } from './json-writer.ts'
export { fromPlain, toPlain } from './plain.ts'
export { decodeTransit, encodeTransit } from './transit.ts'

const AS_FLOATS: Reading = { transit: true, fractions: 'float', whole: 'float', stored: false }
const AS_STORED: Reading = { ...AS_FLOATS, stored: true }

/** Reads a text; a byte order mark in front is skipped. Throws JsonError with the place. */
export function parseJson(text: string, options?: Partial<Omit<Reading, 'stored'>>): Value {
  return parse(text, options === undefined ? AS_FLOATS : { ...AS_FLOATS, ...options })
}

/** How a text of `encodeEntity` may be read, which its writer knows. */
export type StoredForm = typeof ANY_FORM | typeof SIMPLE | typeof WITH_DECIMALS
/** It has to be looked at with care. */
export const ANY_FORM = 0
/** The engine's parser gets it right. */
export const SIMPLE = 1
/** It does, but for bare Decimals among the properties of the root. */
export const WITH_DECIMALS = 2

/** Reads the text of `encodeEntity`: every value of the same kind and with the same digits as it was written. */
export function parseStored(text: string, form: StoredForm = ANY_FORM): Value {
  if (form === ANY_FORM) return parse(text, AS_STORED)
  const parsed = JSON.parse(text) as Value
  if (!settle(parsed, text.includes('~'), false, 1)) return scanJson(text, AS_STORED)
  if (form === WITH_DECIMALS) restoreDecimals(parsed as unknown as Record<string, Value>, text)
  return parsed
}

/** A bare Decimal stands behind the only space there is outside of strings; within them quotes are escaped. */
function restoreDecimals(root: Record<string, Value>, text: string): void {
  for (const key in root) {
    if (typeof root[key] !== 'number') continue
    const name = `${nameText(key as StoredKey)} `
    const start = text.indexOf(name)
    if (start < 0) continue
    DECIMAL.lastIndex = start + name.length
    const digits = DECIMAL.exec(text)
    if (digits !== null) root[key] = parseDecimal(digits[0], true) as Decimal
  }
}

const DECIMAL = /-?\d+(?:\.\d+)?/y

function parse(text: string, reading: Reading): Value {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0
  if (!STRUCTURE.test(text) || needsCare(text, reading)) return scanJson(text, reading, start)
  let parsed: Value
  try {
    parsed = JSON.parse(start === 0 ? text : text.slice(1)) as Value
  } catch {
    // The scanner finds the same mistake and says where.
    return scanJson(text, reading, start)
  }
  const decodes = reading.transit && text.includes('~')
  const decimals = reading.fractions === 'decimal'
  return settle(parsed, decodes, decimals, 1) ? parsed : scanJson(text, reading, start)
}

/** A list or a dict: nothing else is worth a fast way. */
const STRUCTURE = /^\uFEFF?\s*[[{]/

/*
 * A number in JSON stands behind one of `[`, `:`, `,` and before one of `,`, `]`, `}`. Strings may look like that, too:
 * what is found in them costs time, not truth.
 */

/** `1.0` and `1e3` would become Integers, more than 15 digits would be rounded, and -0 is no Integer. */
const CARE_AS_FLOAT = /[[:,]\s*-?\d(?:\d*\.0+|\d*(?:\.\d+)?[eE][+-]?\d+|\.?(?:\d\.?){15}[\d.eE+-]*|(?<=-0))\s*[,\]}]/
/** A Decimal keeps the zeros at the end of its fraction, too. */
const CARE_AS_DECIMAL =
  /[[:,]\s*-?\d(?:\d*\.\d*0|\d*(?:\.\d+)?[eE][+-]?\d+|\.?(?:\d\.?){15}[\d.eE+-]*|(?<=-0))\s*[,\]}]/
/** As for floats, and a bare Decimal of a text that we wrote. */
const CARE_AS_STORED =
  /[[:,](?: -?\d[\d.]*|\s*-?\d(?:\d*\.0+|\d*(?:\.\d+)?[eE][+-]?\d+|\.?(?:\d\.?){15}[\d.eE+-]*|(?<=-0)))\s*[,\]}]/
/** Names that `dict.ts` stores with a mark. */
const AWKWARD_NAME =
  /"(?:\d{1,10}|__[a-zA-Z]+__|constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|to(?:Locale)?String|valueOf)"\s*:/
/** Such names spelled with escapes; they hold letters, digits and `_` only, or begin with U+0001. */
const AWKWARD_ESCAPED_NAME = /"(?:\\u0001|\w{0,20}\\u00[2-7][0-9a-fA-F](?:\w|\\u00[2-7][0-9a-fA-F]){0,20}"\s*:)/

const needsCare = (text: string, { fractions, stored }: Reading): boolean =>
  (stored ? CARE_AS_STORED : fractions === 'decimal' ? CARE_AS_DECIMAL : CARE_AS_FLOAT).test(text) ||
  AWKWARD_NAME.test(text) ||
  (text.includes('\\u00') && AWKWARD_ESCAPED_NAME.test(text))

/** Decodes in place what the engine's parser left as it was: nobody else has seen these objects. False: it is too deep. */
function settle(structure: Value, decodes: boolean, decimals: boolean, depth: number): boolean {
  if (depth > MAX_DEPTH) return false
  if (Array.isArray(structure)) {
    const list = structure as Value[]
    for (let place = 0; place < list.length; place++) {
      const value = list[place] as Value
      if (typeof value === 'object') {
        if (value !== null && !settle(value, decodes, decimals, depth + 1)) return false
      } else if (needsDecoding(value, decodes, decimals)) list[place] = decoded(value)
    }
    return true
  }
  const raw = structure as unknown as Record<string, Value>
  for (const key in raw) {
    const value = raw[key] as Value
    if (typeof value === 'object') {
      if (value !== null && !settle(value, decodes, decimals, depth + 1)) return false
    } else if (needsDecoding(value, decodes, decimals)) raw[key] = decoded(value)
  }
  return true
}

const needsDecoding = (value: Value, decodes: boolean, decimals: boolean): value is string | number =>
  typeof value === 'string'
    ? decodes && value.charCodeAt(0) === 126
    : decimals && typeof value === 'number' && !Number.isInteger(value)

const decoded = (value: string | number): Value =>
  typeof value === 'string' ? decodeTransit(value) : (parseDecimal(String(value), true) as Decimal)
