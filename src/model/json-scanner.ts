/** Reads JSON character by character and forgets nothing: for texts that the engine's own parser would get wrong. */

import { parseDecimal } from './decimal.ts'
import { type Dict, newDict, set } from './dict.ts'
import { JsonError } from './errors.ts'
import { decodeTransit } from './transit.ts'
import { float, integer, type Value } from './value.ts'

/** Lists and dicts within one another at most, in texts that are read or written. */
export const MAX_DEPTH = 512

/** What numbers and tagged strings become. */
export interface Reading {
  readonly transit: boolean
  /** What a number spelled with a fraction or an exponent becomes. */
  readonly fractions: 'float' | 'decimal'
  /** `integer`: such a number becomes an Integer when its value is whole. */
  readonly whole: 'float' | 'integer'
  /** A number behind a single space is a bare Decimal: in texts that we wrote ourselves. */
  readonly stored: boolean
}

/** The value of a whole text. `offset` is where it begins. Throws JsonError. */
export function scanJson(text: string, reading: Reading, offset = 0): Value {
  return new Scanner(text, reading, offset).document()
}

class Scanner {
  readonly #text: string
  readonly #reading: Reading
  #at: number

  constructor(text: string, reading: Reading, offset: number) {
    this.#text = text
    this.#reading = reading
    this.#at = offset
  }

  document(): Value {
    this.#skipSpace()
    const value = this.#value(0)
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('the end of the text')
    return value
  }

  #value(depth: number): Value {
    const unit = this.#text.charCodeAt(this.#at)
    if (unit === QUOTE) {
      const text = this.#string()
      return this.#reading.transit ? decodeTransit(text) : text
    }
    if (unit === BRACE) return this.#dict(depth + 1)
    if (unit === BRACKET) return this.#list(depth + 1)
    if (unit === MINUS || (unit >= ZERO && unit <= NINE)) return this.#number()
    if (this.#takesWord('true')) return true
    if (this.#takesWord('false')) return false
    if (this.#takesWord('null')) return null
    return this.#fail('a value')
  }

  #dict(depth: number): Dict {
    if (depth > MAX_DEPTH) this.#failDepth()
    const dict = newDict()
    this.#at++
    if (this.#skipSpace() === BRACE_END) {
      this.#at++
      return dict
    }
    for (;;) {
      if (this.#text.charCodeAt(this.#at) !== QUOTE) this.#fail('a name in double quotes')
      const name = this.#string()
      if (this.#skipSpace() !== COLON) this.#fail("':'")
      this.#at++
      this.#skipSpace()
      // Of equal names the last wins, in the place of the first: as with the engine's parser.
      set(dict, name, this.#value(depth))
      const unit = this.#skipSpace()
      if (unit === COMMA) {
        this.#at++
        this.#skipSpace()
      } else if (unit === BRACE_END) {
        this.#at++
        return dict
      } else this.#fail("',' or '}'")
    }
  }

  #list(depth: number): Value[] {
    if (depth > MAX_DEPTH) this.#failDepth()
    const list: Value[] = []
    this.#at++
    if (this.#skipSpace() === BRACKET_END) {
      this.#at++
      return list
    }
    for (;;) {
      list.push(this.#value(depth))
      const unit = this.#skipSpace()
      if (unit === COMMA) {
        this.#at++
        this.#skipSpace()
      } else if (unit === BRACKET_END) {
        this.#at++
        return list
      } else this.#fail("',' or ']'")
    }
  }

  #string(): string {
    const start = this.#at
    const text = this.#text
    let end = text.indexOf('"', start + 1)
    while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
    if (end < 0) {
      this.#at = text.length
      this.#fail('the closing quote of a string')
    }
    const content = text.slice(start + 1, end)
    if (NEEDS_PARSING.test(content)) {
      const control = content.search(CONTROL)
      if (control >= 0) this.#fail('an escape in place of a control character', start + 1 + control)
      for (const { 0: sequence, index } of content.matchAll(ESCAPE)) {
        if (sequence === '\\') this.#fail('one of the escapes that JSON knows', start + 1 + index)
      }
    }
    this.#at = end + 1
    return content.includes('\\') ? (JSON.parse(text.slice(start, end + 1)) as string) : content
  }

  #number(): Value {
    NUMBER.lastIndex = this.#at
    const text = NUMBER.exec(this.#text)?.[0]
    if (text === undefined) return this.#fail('a digit', this.#at + 1)
    this.#at += text.length
    const unit = this.#text.charCodeAt(this.#at)
    if (unit >= ZERO && unit <= NINE) this.#fail('a number without a leading zero')
    if (this.#reading.stored && MARKED.test(this.#text.slice(this.#at - text.length - 2, this.#at - text.length))) {
      return parseDecimal(text, true) ?? this.#fail('a number with a smaller exponent', this.#at - text.length)
    }
    if (!FRACTION.test(text)) return text.length < 16 ? Number(text) + 0 : integer(BigInt(text))
    return this.#fraction(text)
  }

  #fraction(text: string): Value {
    const { fractions, whole } = this.#reading
    if (fractions === 'float' && whole === 'float') return float(Number(text))
    const decimal = parseDecimal(text, true)
    if (decimal === null) return this.#fail('a number with a smaller exponent', this.#at - text.length)
    const one = 10n ** BigInt(decimal.scale)
    if (whole === 'integer' && decimal.unscaled % one === 0n) return integer(decimal.unscaled / one)
    return fractions === 'decimal' ? decimal : float(Number(text))
  }

  #takesWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  /** The first unit that is not space; NaN at the end. */
  #skipSpace(): number {
    const text = this.#text
    let unit = text.charCodeAt(this.#at)
    while (unit === 32 || unit === 10 || unit === 13 || unit === 9) unit = text.charCodeAt(++this.#at)
    return unit
  }

  #fail(expected: string, at = this.#at): never {
    const found = this.#text.codePointAt(at)
    const what = found === undefined ? 'the end of the text' : JSON.stringify(String.fromCodePoint(found))
    throw new JsonError(`expected ${expected}, found ${what}`, this.#text, at)
  }

  #failDepth(): never {
    throw new JsonError(`lists and dicts within one another more than ${MAX_DEPTH} deep`, this.#text, this.#at)
  }
}

const QUOTE = 34
const COMMA = 44
const MINUS = 45
const ZERO = 48
const NINE = 57
const COLON = 58
const BRACKET = 91
const BRACKET_END = 93
const BRACE = 123
const BRACE_END = 125

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const FRACTION = /[.eE]/
/** What stands before a bare Decimal of a text that we wrote. */
const MARKED = /^[[:,] $/
// biome-ignore-start lint/suspicious/noControlCharactersInRegex: they are what JSON forbids in strings
const NEEDS_PARSING = /[\\\u0000-\u001f]/
const CONTROL = /[\u0000-\u001f]/
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: they are what JSON forbids in strings
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?/g

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote
  while (text.charCodeAt(first - 1) === 92) first--
  return (quote - first) % 2 === 1
}
