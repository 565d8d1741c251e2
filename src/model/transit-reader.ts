/**
 * transit+json → values, in the cached wire form and in the verbose one. It says the type of everything, so no number is
 * taken for another kind. The codes of one reader go on from text to text, so a long list can be read in groups.
 */

import { dictOf, entries, newDict, set } from './dict.ts'
import { ValueError } from './errors.ts'
import { parseJson } from './json.ts'
import { decodeTransit } from './transit.ts'
import { CODE_DIGITS, CODE_START, LONGEST_PLAIN, MAX_CODES } from './transit-writer.ts'
import { Datetime, float, integer, isDict, isList, type Value } from './value.ts'

const MAP = '^ '

export class TransitReader {
  /** Raw texts by their code. */
  #known: string[] = []

  /** Throws JsonError, and ValueError `bad-transit`. */
  read(text: string): Value {
    return this.decode(parseJson(text, { transit: false }))
  }

  /** Of a value as JSON has it. */
  decode(raw: Value): Value {
    if (typeof raw === 'string') return decoded(this.#text(raw, false))
    if (isList(raw)) return this.#list(raw)
    return isDict(raw) ? this.#object(entries(raw)) : raw
  }

  #list(raw: readonly Value[]): Value {
    if (raw[0] === MAP) return this.#map(raw)
    const tag = raw.length === 2 && typeof raw[0] === 'string' ? this.#tagOf(raw[0]) : null
    return tag === null ? raw.map((one) => this.decode(one)) : tagged(tag, () => this.decode(raw[1] as Value))
  }

  #map(raw: readonly Value[]): Value {
    if (raw.length % 2 === 0) throw bad('a map has a name without a value')
    const dict = newDict()
    for (let place = 1; place < raw.length; place += 2) {
      const name = raw[place] as Value
      if (typeof name !== 'string') throw bad('a name in a map is no string')
      set(dict, nameOf(this.#text(name, true)), this.decode(raw[place + 1] as Value))
    }
    return dict
  }

  /** The verbose form of a map, or of a tagged value. */
  #object(properties: readonly (readonly [string, Value])[]): Value {
    const [first] = properties
    const tag = properties.length === 1 && first !== undefined ? this.#tagOf(first[0]) : null
    if (tag !== null) return tagged(tag, () => this.decode((first as readonly [string, Value])[1]))
    return dictOf(properties.map(([name, value]) => [nameOf(this.#text(name, true)), this.decode(value)] as const))
  }

  /** The tag that the first element of a list is; it is only then taken note of. */
  #tagOf(raw: string): string | null {
    const text = isCode(raw) ? this.#known[indexOf(raw)] : raw
    return text?.startsWith('~#') ? this.#text(raw, false).slice(2) : null
  }

  /** The text behind a code; another one that may be given a code is taken note of. */
  #text(raw: string, isName: boolean): string {
    if (isCode(raw)) {
      const text = this.#known[indexOf(raw)]
      if (text === undefined) throw bad(`the code "${raw}" stands for nothing`)
      return text
    }
    if (raw.length > LONGEST_PLAIN && (isName || /^~[:$#]/.test(raw))) {
      if (this.#known.length === MAX_CODES) this.#known = []
      this.#known.push(raw)
    }
    return raw
  }
}

const isCode = (raw: string): boolean => raw.charCodeAt(0) === CARET && raw !== MAP

const indexOf = (code: string): number =>
  code.length === 2
    ? code.charCodeAt(1) - CODE_START
    : (code.charCodeAt(1) - CODE_START) * CODE_DIGITS + code.charCodeAt(2) - CODE_START

const CARET = 0x5e

/** A string, or what its tag says. */
function decoded(text: string): Value {
  if (text.charCodeAt(0) !== 0x7e) return text
  const rest = text.slice(2)
  switch (text[1]) {
    case '~':
    case '^':
    case '`':
      return text.slice(1)
    case '_':
      return null
    case '?':
      return rest === 't'
    case 'i':
    case 'n':
      if (!/^[+-]?\d+$/.test(rest)) throw bad(`"${text}" is no integer`)
      return integer(BigInt(rest))
    case 'd':
      return floatOf(text, rest)
    // Numbers that JSON cannot say have no value here either.
    case 'z':
      return null
    case 'm':
      return moment(text, Number(rest))
    case '$':
    case 'c':
      return rest
    case ':':
    case 'r':
    case 't':
    case 'u':
    case 'b':
    case 'f':
      return decodeTransit(text)
    default:
      throw bad(`the tag of "${text.slice(0, 40)}" is not known`)
  }
}

function floatOf(text: string, digits: string): Value {
  const value = digits.trim() === '' ? Number.NaN : Number(digits)
  if (Number.isNaN(value)) throw bad(`"${text}" is no number`)
  return float(value)
}

/** Milliseconds since 1970, as other writers say a moment. */
function moment(text: string, ms: number): Datetime {
  if (!Number.isSafeInteger(ms) || ms < EARLIEST_MS || ms > LATEST_MS) throw bad(`"${text}" is no moment`)
  return new Datetime(BigInt(ms) * 1_000_000n)
}

const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z')
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z')

/** A name of a map: a string, or the text of a keyword, symbol or number. */
function nameOf(text: string): string {
  if (text.charCodeAt(0) !== 0x7e) return text
  return /^~[~^`]/.test(text) ? text.slice(1) : text.slice(2)
}

function tagged(tag: string, value: () => Value): Value {
  switch (tag) {
    case "'":
      return value()
    case 'set':
    case 'list': {
      const list = value()
      if (isList(list)) return list
      throw bad(`what is tagged "${tag}" is no list`)
    }
    case 'm': {
      const ms = value()
      return moment(`~#m ${String(ms)}`, typeof ms === 'number' ? ms : Number.NaN)
    }
    default:
      throw bad(`the tag "${tag}" is not known`)
  }
}

const bad = (what: string): ValueError =>
  new ValueError(
    'bad-transit',
    `Not transit: ${what}.`,
    {},
    'Send maps with names, lists, and the scalar types of transit+json.',
  )
