/**
 * Values → transit+json, the cached wire form: dicts are lists that begin with `"^ "`, typed values are tagged strings, and
 * a name or keyword that comes again is a short code. The codes of one writer go on from value to value, so the elements of
 * a long list can be written one after the other.
 */

import { getStored, nameOf, storedKeys } from './dict.ts'
import { quoted } from './json-writer.ts'
import { encodeTransit, floatText } from './transit.ts'
import { Float, isList, NI, Typed, type TypedScalar, type Value } from './value.ts'

/** Codes of two digits to this base, which begin at this character. */
export const CODE_DIGITS = 44
export const CODE_START = 48
export const MAX_CODES = CODE_DIGITS * CODE_DIGITS
/** What is as short as a code is not given one. */
export const LONGEST_PLAIN = 3

const LONG_MIN = -(2n ** 63n)
const LONG_MAX = 2n ** 63n - 1n

export class TransitWriter {
  /** JSON texts of codes by what they stand for. */
  readonly #codes = new Map<string, string>()

  write(value: Value): string {
    if (typeof value === 'string') return quoted(escaped(value))
    if (typeof value === 'number') return String(value)
    if (value === null || typeof value === 'boolean') return String(value)
    if (typeof value === 'bigint') return `"~${value >= LONG_MIN && value <= LONG_MAX ? 'i' : 'n'}${value}"`
    if (value instanceof Typed) return this.#typed(value as TypedScalar)
    if (isList(value)) {
      let text = '['
      for (let place = 0; place < value.length; place++) {
        if (place > 0) text += ','
        text += this.write(value[place] as Value)
      }
      return `${text}]`
    }
    let text = '["^ "'
    for (const key of storedKeys(value)) {
      text += `,${this.#cached(escaped(nameOf(key)))},${this.write(getStored(value, key) as Value)}`
    }
    return `${text}]`
  }

  /** Tags are those of our JSON; a number needs one where a reader would take it for another kind, or round it. */
  #typed(value: TypedScalar): string {
    if (value instanceof NI) return this.#cached(`~:${value.text}`)
    if (value instanceof Float) return `"~d${floatText(value.value)}"`
    return quoted(encodeTransit(value))
  }

  #cached(text: string): string {
    if (text.length <= LONGEST_PLAIN) return quoted(text)
    const code = this.#codes.get(text)
    if (code !== undefined) return code
    // The reader begins anew at the same place.
    if (this.#codes.size === MAX_CODES) this.#codes.clear()
    this.#codes.set(text, CODES[this.#codes.size] as string)
    return quoted(text)
  }
}

/** A string that begins as a tag or a code would. */
const escaped = (text: string): string => {
  const first = text.charCodeAt(0)
  return first === TILDE || first === CARET || first === BACKQUOTE ? `~${text}` : text
}

const TILDE = 0x7e
const CARET = 0x5e
const BACKQUOTE = 0x60

const digit = (value: number): string => String.fromCharCode(CODE_START + value)

/** JSON texts. */
const CODES = Array.from({ length: MAX_CODES }, (_, index) => {
  const high = Math.floor(index / CODE_DIGITS)
  return JSON.stringify(`^${high === 0 ? '' : digit(high)}${digit(index % CODE_DIGITS)}`)
})
