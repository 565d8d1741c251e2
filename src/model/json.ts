/**
 * JSON text ⇄ values, exact: integers of any size, `1.0` told from `1`, the order of names kept, transit tags decoded.
 *
 * Most texts need no such care, and the engine's own parser is several times faster than any in JavaScript. So a regular
 * expression looks for whatever that parser would get wrong; only a text with such a place is read by our own scanner.
 */

import { decimalText, parseDecimal } from './decimal.ts'
import {
  type Dict,
  entries,
  getStored,
  nameOf,
  newDict,
  type StoredKey,
  set,
  setStored,
  storedKey,
  storedKeys,
} from './dict.ts'
import { decodeTransit, encodeTransit, floatText } from './transit.ts'
import { Decimal, Float, float, integer, Typed, type Value } from './value.ts'

export { decodeTransit, encodeTransit } from './transit.ts'

export interface ParseOptions {
  /** Decode tagged strings; true when absent. */
  readonly transit?: boolean
  /** What a number with a fraction becomes. */
  readonly fractions?: 'float' | 'decimal'
  /** What a number with a fraction of zeros only becomes. */
  readonly whole?: 'float' | 'integer'
}

/** The text is not JSON. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly code = 'bad-json'
  readonly line: number
  readonly column: number
  readonly details: Readonly<Record<string, unknown>>
  readonly hint = 'Correct the text at that place.'

  constructor(what: string, text: string, at: number) {
    const line = text.slice(0, at).split('\n').length
    const column = at - text.lastIndexOf('\n', at - 1)
    super(`Not JSON: ${what} at line ${line}, column ${column}.`)
    this.line = line
    this.column = column
    this.details = { line, column, offset: at }
  }
}

/** Lists and dicts within one another at most. */
const MAX_DEPTH = 512

/**
 * Places where `JSON.parse` would lose something: a number with an exponent, with a fraction that ends in zero, or of 16
 * digits or more; a name that is integer-like, one of `Object.prototype`'s, or spelled with escapes. What it finds within
 * strings costs time, not truth.
 */
const NAMES =
  '"(?:\\d+|__\\w+__|constructor|has\\w+|is\\w+Of|propertyIsEnumerable|to\\w*String|valueOf)"\\s*:|\\\\u[0-9a-fA-F]{4}[^"\\n]*"\\s*:'
const NEEDS_CARE = new RegExp(`[[:,]\\s*-?(?:\\d{16}|\\d+\\.\\d*0(?!\\d)|\\d+(?:\\.\\d+)?[eE])|${NAMES}`)
/** The same where fractions must be exact decimals: a double gives back 15 digits, no more. */
const DECIMALS_NEED_CARE = new RegExp(
  `[[:,]\\s*-?(?:\\d{16}|(?=[\\d.]{17})\\d+\\.|\\d+\\.\\d*0(?!\\d)|\\d+(?:\\.\\d+)?[eE])|${NAMES}`,
)

export function parseJson(given: string, options: ParseOptions = {}): Value {
  const text = given.charCodeAt(0) === 0xfeff ? given.slice(1) : given
  const transit = options.transit !== false
  const decimals = options.fractions === 'decimal'
  const first = text.charCodeAt(0)
  // A number alone, and text that may nest too deep, is for the scanner.
  if ((first === 91 || first === 123) && !(decimals ? DECIMALS_NEED_CARE : NEEDS_CARE).test(text)) {
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch {
      return new Scanner(text, transit, decimals, options.whole === 'integer').document()
    }
    if ((!transit || !text.includes('"~')) && !decimals) {
      checkDepth(text)
      return parsed as Value
    }
    return settle(parsed as Value, transit, decimals, 0, text)
  }
  return new Scanner(text, transit, decimals, options.whole === 'integer').document()
}

/** Decodes in place what the engine's parser left as it was: nobody else has seen these objects. */
function settle(value: Value, transit: boolean, decimals: boolean, depth: number, text: string): Value {
  if (typeof value === 'string') return transit && value.charCodeAt(0) === 126 ? decodeTransit(value) : value
  if (typeof value === 'number') {
    return decimals && !Number.isInteger(value) ? (parseDecimal(String(value), true) as Decimal) : value
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) throw tooDeep(text)
  if (Array.isArray(value)) {
    const list = value as Value[]
    for (let place = 0; place < list.length; place++) {
      const element = list[place] as Value
      if (needsSettling(element)) list[place] = settle(element, transit, decimals, depth + 1, text)
    }
    return list
  }
  const dict = value as Dict
  for (const key of storedKeys(dict)) {
    const property = getStored(dict, key) as Value
    if (needsSettling(property)) {
      const settled = settle(property, transit, decimals, depth + 1, text)
      if (settled !== property) setStored(dict, key, settled)
    }
  }
  return dict
}

const needsSettling = (value: Value): boolean =>
  typeof value === 'string'
    ? value.charCodeAt(0) === 126
    : typeof value === 'number'
      ? !Number.isInteger(value)
      : typeof value === 'object' && value !== null

function checkDepth(text: string): void {
  // Only a text with that many brackets can nest that deep.
  if (text.length < MAX_DEPTH * 2) return
  let depth = 0
  let isString = false
  if (
    !text.includes('[[') &&
    !text.includes(':{') &&
    !text.includes(': {') &&
    !text.includes(':[') &&
    !text.includes(': [')
  )
    return
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (isString) {
      if (char === 92) at++
      else if (char === 34) isString = false
    } else if (char === 34) isString = true
    else if (char === 91 || char === 123) {
      if (++depth > MAX_DEPTH) throw new JsonError(`lists and dicts nested more than ${MAX_DEPTH} deep`, text, at)
    } else if (char === 93 || char === 125) depth--
  }
}

const tooDeep = (text: string): JsonError =>
  new JsonError(`lists and dicts nested more than ${MAX_DEPTH} deep`, text, text.length)

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\n\r]*/y

/** Reads JSON one character after the other, and forgets nothing. */
class Scanner {
  readonly #text: string
  readonly #transit: boolean
  readonly #decimals: boolean
  readonly #wholeAsInteger: boolean
  #at = 0

  constructor(text: string, transit: boolean, decimals: boolean, wholeAsInteger: boolean) {
    this.#text = text
    this.#transit = transit
    this.#decimals = decimals
    this.#wholeAsInteger = wholeAsInteger
  }

  document(): Value {
    this.#space()
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length) this.#fail('something follows the end of the value')
    return value
  }

  #value(depth: number): Value {
    const char = this.#text.charCodeAt(this.#at)
    if (char === 34) {
      const text = this.#string()
      return this.#transit ? decodeTransit(text) : text
    }
    if (char === 123) return this.#dict(depth + 1)
    if (char === 91) return this.#list(depth + 1)
    if (char === 45 || (char >= 48 && char <= 57)) return this.#number()
    if (this.#word('true')) return true
    if (this.#word('false')) return false
    if (this.#word('null')) return null
    return this.#fail(
      this.#at >= this.#text.length ? 'it ends too early' : `unexpected ${JSON.stringify(this.#text[this.#at])}`,
    )
  }

  #dict(depth: number): Dict {
    if (depth > MAX_DEPTH) this.#fail(`lists and dicts nested more than ${MAX_DEPTH} deep`)
    const dict = newDict()
    this.#at++
    this.#space()
    if (this.#take(125)) return dict
    for (;;) {
      if (this.#text.charCodeAt(this.#at) !== 34) this.#fail('a name in double quotes was expected')
      const name = this.#string()
      this.#space()
      if (!this.#take(58)) this.#fail("':' was expected")
      this.#space()
      set(dict, name, this.#value(depth))
      this.#space()
      if (this.#take(125)) return dict
      if (!this.#take(44)) this.#fail("',' or '}' was expected")
      this.#space()
    }
  }

  #list(depth: number): Value[] {
    if (depth > MAX_DEPTH) this.#fail(`lists and dicts nested more than ${MAX_DEPTH} deep`)
    const list: Value[] = []
    this.#at++
    this.#space()
    if (this.#take(93)) return list
    for (;;) {
      list.push(this.#value(depth))
      this.#space()
      if (this.#take(93)) return list
      if (!this.#take(44)) this.#fail("',' or ']' was expected")
      this.#space()
    }
  }

  #string(): string {
    STRING.lastIndex = this.#at
    const found = STRING.exec(this.#text)
    if (found === null) return this.#fail('a string is not ended or holds a character that must be escaped')
    this.#at = STRING.lastIndex
    const [quoted] = found
    return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  }

  #number(): Value {
    NUMBER.lastIndex = this.#at
    const found = NUMBER.exec(this.#text)
    if (found === null) return this.#fail('a number is not well formed')
    const [text] = found
    this.#at = NUMBER.lastIndex
    if (/^-?\d+$/.test(text)) return integer(BigInt(text))
    if (!this.#decimals) return float(Number(text))
    const decimal = parseDecimal(text, true)
    if (decimal === null) return this.#fail('the exponent of a number is too large')
    if (this.#wholeAsInteger && decimal.unscaled % 10n ** BigInt(decimal.scale) === 0n) {
      return integer(decimal.unscaled / 10n ** BigInt(decimal.scale))
    }
    return decimal
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #take(char: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== char) return false
    this.#at++
    return true
  }

  #space(): void {
    SPACE.lastIndex = this.#at
    SPACE.exec(this.#text)
    this.#at = SPACE.lastIndex
  }

  #fail(what: string): never {
    throw new JsonError(what, this.#text, this.#at)
  }
}

export interface WriteOptions {
  /** Typed scalars as tagged strings; otherwise as their plain text. True when absent. */
  readonly transit?: boolean
}

/** Compact JSON, names in their order, every number as exact as it is. */
export function writeJson(value: Value, options: WriteOptions = {}): string {
  return write(value, options.transit !== false)
}

function write(value: Value, transit: boolean): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
    case 'bigint':
    case 'boolean':
      return Number.isNaN(value) || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY
        ? 'null'
        : String(value)
    default:
      if (value === null) return 'null'
      if (value instanceof Typed) return writeTyped(value as Exclude<Value, Dict> & Typed, transit)
      return Array.isArray(value) ? writeList(value as readonly Value[], transit) : writeDict(value as Dict, transit)
  }
}

function writeTyped(value: Typed, transit: boolean): string {
  if (value instanceof Decimal) return value.bare || !transit ? decimalText(value) : `"~f${decimalText(value)}"`
  if (value instanceof Float) return floatText(value.value)
  const text = encodeTransit(value as Exclude<Parameters<typeof encodeTransit>[0], Float>)
  return quoted(transit ? text : text.slice(2))
}

function writeList(list: readonly Value[], transit: boolean): string {
  let text = '['
  for (let place = 0; place < list.length; place++) {
    text += place === 0 ? write(list[place] as Value, transit) : `,${write(list[place] as Value, transit)}`
  }
  return `${text}]`
}

function writeDict(dict: Dict, transit: boolean): string {
  let text = '{'
  for (const key of storedKeys(dict)) {
    text += (text.length === 1 ? '' : ',') + nameText(key) + write(getStored(dict, key) as Value, transit)
  }
  return `${text}}`
}

const AWKWARD = /["\\\u0000-\u001f\ud800-\udfff]/

/** A string as JSON; nearly all need no escapes. */
export const quoted = (text: string): string => (AWKWARD.test(text) ? JSON.stringify(text) : `"${text}"`)

const NAMES_KEPT = 10_000
const nameTexts = new Map<StoredKey, string>()

/** `"name":`, kept for names that come again and again. */
export function nameText(key: StoredKey): string {
  const known = nameTexts.get(key)
  if (known !== undefined) return known
  const text = `${quoted(nameOf(key))}:`
  if (nameTexts.size >= NAMES_KEPT) nameTexts.clear()
  nameTexts.set(key, text)
  return text
}

/** Ordinary JavaScript data, for schema checks: typed scalars as tagged strings, every number a double. */
export function toPlain(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Float) return value.value
  if (value instanceof Decimal && value.bare) return Number(decimalText(value))
  if (value instanceof Typed) return encodeTransit(value as Parameters<typeof encodeTransit>[0])
  if (Array.isArray(value)) return (value as readonly Value[]).map(toPlain)
  const plain: Record<string, unknown> = {}
  for (const [name, property] of entries(value as Dict)) {
    Object.defineProperty(plain, name, {
      value: toPlain(property),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return plain
}

/** Values of ordinary JavaScript data; strings stay strings. */
export function fromPlain(plain: unknown): Value {
  if (typeof plain === 'number')
    return Number.isInteger(plain) && !Number.isSafeInteger(plain)
      ? float(plain)
      : Number.isFinite(plain)
        ? plain
        : null
  if (typeof plain === 'string' || typeof plain === 'boolean' || typeof plain === 'bigint') return plain
  if (typeof plain !== 'object' || plain === null) return null
  if (plain instanceof Typed) return plain as Value
  if (Array.isArray(plain)) return plain.map(fromPlain)
  const dict = newDict()
  for (const [name, property] of Object.entries(plain)) {
    if (property !== undefined) setStored(dict, storedKey(name), fromPlain(property))
  }
  return dict
}
