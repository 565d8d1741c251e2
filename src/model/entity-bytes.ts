/**
 * Entities taken over from the bytes of a JSON text, without a value being built: for each one what `encodeEntity` of the
 * parsed entity would give. Most entities that are sent to a hub are plain (no escapes, no nested dicts, numbers as we would
 * write them) and have the names of the one before; of those only bytes are moved. What is not plain is said to be so, with
 * the place where it stands, and its reader parses it.
 */

import { isUtf8 } from 'node:buffer'
import { BARE_DECIMAL, EntityText, makeShape, NO_SHAPE, PLAIN, type Shape } from './entity-text.ts'
import { ANY_FORM, SIMPLE, type StoredForm, WITH_DECIMALS } from './json.ts'

export interface BytesReading {
  /** Numbers with a point are Decimals, digit by digit; otherwise an entity that holds one is not plain. */
  readonly decimals: boolean
}

/** What was found: `plain` is described by the reader's `entity`; `other` lies in the text from `start` to `end`. */
export type Found = 'plain' | 'other' | 'end'

/** The text is not what it should be, somewhere: whoever parses it from the start will find out where. */
export class NotEntities extends Error {}

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const LIST = 0x5b
const BACKSLASH = 0x5c
const LIST_END = 0x5d
const DICT = 0x7b
const DICT_END = 0x7d
const TILDE = 0x7e
const SPACE = 0x20
const LETTER_R = 0x72
const LETTER_T = 0x74

/** Digits that the engine's parser never rounds. */
const EXACT = 15
/** Entities longer than this are not worth a scratch buffer. */
const MAX_BYTES = 1 << 20
const MAX_NAMES = 1_000
const SHAPES_KEPT = 1_000

const NOTHING = new Uint8Array(0)

/** Walks the entities of a JSON array, or the one entity that a text is. */
export class EntityBytes {
  readonly #bytes: Uint8Array
  readonly #decimals: boolean
  #at = 0
  #isList = false
  #isFirst = true
  /** Of each name and value, by place: where they lie in the source. */
  #nameStarts: number[] = []
  #starts: number[] = []
  #ends: number[] = []
  #shape: Shape = NO_SHAPE
  readonly #shapes = new Map<string, Shape>()

  /** Where the entity that was found begins and ends in the text. */
  start = 0
  end = 0
  /** A plain one; the next one takes its place. */
  readonly entity = new EntityText()

  /** Throws {@link NotEntities} when the text begins as neither an array nor an entity. */
  constructor(bytes: Uint8Array, { decimals }: BytesReading) {
    this.#bytes = bytes
    this.#decimals = decimals
    if (!isUtf8(bytes)) throw new NotEntities()
    const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
    this.#at = this.#skipSpace(hasMark ? 3 : 0)
    const first = bytes[this.#at]
    if (first === LIST) {
      this.#isList = true
      this.#at++
    } else if (first !== DICT) throw new NotEntities()
  }

  /** Finds the next entity. Throws {@link NotEntities}. */
  next(): Found {
    const bytes = this.#bytes
    let at = this.#skipSpace(this.#at)
    if (this.#isFirst) {
      this.#isFirst = false
      if (this.#isList && bytes[at] === LIST_END) return this.#finish(at + 1)
    } else if (!this.#isList) return this.#finish(at)
    else if (bytes[at] === LIST_END) return this.#finish(at + 1)
    else if (bytes[at] === COMMA) at = this.#skipSpace(at + 1)
    else throw new NotEntities()
    if (bytes[at] !== DICT) throw new NotEntities()
    this.start = at
    const end = this.#scan(at)
    this.end = end > 0 ? end : endOfDict(bytes, at)
    this.#at = this.end
    return end > 0 && this.#encode() ? 'plain' : 'other'
  }

  #finish(at: number): Found {
    if (this.#skipSpace(at) !== this.#bytes.length) throw new NotEntities()
    return 'end'
  }

  #skipSpace(at: number): number {
    const bytes = this.#bytes
    while (isSpace(bytes[at] as number)) at++
    return at
  }

  /** Notes where the values of an entity lie; gives its end, or 0 when it is not plain. */
  #scan(from: number): number {
    const bytes = this.#bytes
    const { names } = this.#shape
    let known = names.length
    let count = 0
    let at = from + 1
    let found: Uint8Array[] | null = null
    for (;;) {
      while (bytes[at] === SPACE) at++
      this.#nameStarts[count] = at
      const name = count < known ? (names[count] as Uint8Array) : NOTHING
      const { length } = name
      let same = 0
      while (same < length && bytes[at + same] === name[same]) same++
      if (same === length && length > 0) {
        at += length
      } else {
        if (count === 0 && bytes[at] === DICT_END) return 0
        const colon = endOfName(bytes, at)
        if (colon === 0) return 0
        if (found === null) found = names.slice(0, count)
        found.push(bytes.slice(at, colon + 1))
        // From here on it has other names than the one before.
        known = 0
        at = colon + 1
      }
      while (bytes[at] === SPACE) at++
      this.#starts[count] = at
      const end = this.#value(at, count)
      if (end === 0 || ++count > MAX_NAMES) return 0
      this.#ends[count - 1] = end
      at = end
      while (bytes[at] === SPACE) at++
      const separator = bytes[at++]
      if (separator === COMMA) continue
      if (separator !== DICT_END) return 0
      if (found !== null || count !== names.length) this.#shape = this.#shapeOf(found ?? names.slice(0, count))
      return at - from > MAX_BYTES ? 0 : at
    }
  }

  /** The end of a value whose kind is noted; 0 when it is not plain. */
  #value(start: number, place: number): number {
    const bytes = this.#bytes
    const first = bytes[start] as number
    this.entity.pieces[place] = PLAIN
    if (first === QUOTE) return endOfString(bytes, start)
    if ((first >= ZERO && first <= NINE) || first === MINUS) {
      let at = first === MINUS ? start + 1 : start
      const digits = at
      while (isDigit(bytes[at] as number)) at++
      if (at === digits || at > digits + EXACT || (bytes[digits] === ZERO && at > digits + 1)) return 0
      if (bytes[at] === POINT) {
        if (!this.#decimals) return 0
        const fraction = ++at
        while (isDigit(bytes[at] as number)) at++
        // Zeros at the end are kept in one form and left out in the other.
        if (at === fraction || bytes[at - 1] === ZERO) return 0
        this.entity.pieces[place] = BARE_DECIMAL
      } else if (first === MINUS && bytes[digits] === ZERO) return 0
      return isEndOfNumber(bytes[at] as number) ? at : 0
    }
    if (first === LIST) return endOfPlainList(bytes, start, 0)
    return endOfLiteral(bytes, start)
  }

  #shapeOf(names: readonly Uint8Array[]): Shape {
    let key = ''
    for (const name of names) key += Buffer.from(name).toString('latin1')
    let shape = this.#shapes.get(key)
    if (shape === undefined) {
      const texts = names.map((name) => Buffer.from(name).toString('utf8').slice(1, -2))
      // One name twice, or an entity that is filtered and so not stored: not for us.
      const isFit = new Set(texts).size === texts.length && !texts.includes('_filtered')
      shape = isFit ? makeShape(texts, names) : { ...NO_SHAPE, names }
      if (this.#shapes.size >= SHAPES_KEPT) this.#shapes.clear()
      this.#shapes.set(key, shape)
    }
    return shape
  }

  /** Puts the text and the hash together; false when the entity is not plain after all. */
  #encode(): boolean {
    const { id, deleted, names } = this.#shape
    const bytes = this.#bytes
    const idStart = id < 0 ? -1 : (this.#starts[id] as number)
    // A tag would make it something else than a string.
    if (bytes[idStart] !== QUOTE || bytes[idStart + 1] === TILDE) return false
    this.entity.reserve(this.end - this.start + 16 * names.length + 64)
    this.#write(idStart, this.#ends[id] as number, deleted >= 0 && bytes[this.#starts[deleted] as number] === LETTER_T)
    return true
  }

  /** What stands together in the source as it should in the text is copied together. */
  #write(idStart: number, idEnd: number, deleted: boolean): void {
    const source = this.#bytes
    const { entity } = this
    const { kept, names, isSimple } = this.#shape
    const { text, starts, ends, pieces } = entity
    let form: StoredForm = isSimple ? SIMPLE : ANY_FORM
    let at = entity.begin()
    // What is to be copied next, and how far the text is behind the source there.
    let from = idStart
    let to = idEnd
    let shift = idStart - at
    for (let n = 0; n < kept.length; n++) {
      const place = kept[n] as number
      const start = this.#starts[place] as number
      const end = this.#ends[place] as number
      const name = names[place] as Uint8Array
      const nameStart = start - name.length
      const isBare = pieces[place] === BARE_DECIMAL
      // The comma stands right before the name, and the name right before the value.
      if (nameStart !== to + 1 || this.#nameStarts[place] !== nameStart || isBare) {
        at = copy(text, at, source, from, to)
        text[at++] = COMMA
        starts[place] = at
        at = copy(text, at, name, 0, name.length)
        if (isBare) {
          text[at++] = SPACE
          if (isSimple) form = WITH_DECIMALS
        }
        from = start
        shift = start - at
      } else starts[place] = nameStart - shift
      to = end
      ends[place] = end - shift
    }
    at = copy(text, at, source, from, to)
    entity.end(at, HEAD_END + idEnd - idStart, this.#shape, deleted, form)
  }
}

/** Where the id begins in a text. */
const HEAD_END = 7

function copy(to: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  if (end - start > LONG) to.set(from.subarray(start, end), at)
  else for (let i = start, j = at; i < end; i++, j++) to[j] = from[i] as number
  return at + end - start
}

/** Below, a call into the engine takes longer than a loop. */
const LONG = 64

const isSpace = (byte: number): boolean => byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE
const isEndOfNumber = (byte: number): boolean =>
  byte === COMMA || byte === DICT_END || byte === LIST_END || byte === SPACE

/** Where the colon behind a name stands; 0 when the name is not plain. */
function endOfName(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== QUOTE) return 0
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) return bytes[at + 1] === COLON ? at + 1 : 0
    if (byte === BACKSLASH || byte < SPACE) return 0
  }
  return 0
}

/** Behind the quote that ends a string; 0 when it holds escapes, or a tag whose text may be spelled in several ways. */
function endOfString(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  let at = start + 1
  for (; at < length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) break
    if (byte === BACKSLASH || byte < SPACE) return 0
  }
  if (at >= length) return 0
  if (bytes[start + 1] === TILDE && at > start + 2) {
    const tag = bytes[start + 2]
    if (tag !== COLON && tag !== LETTER_R && !(tag === LETTER_T && isWholeSecond(at - start))) return 0
  }
  return at + 1
}

/** `"~t` and a date, or a datetime without a fraction: what is one of them has no other spelling, what is none is text. */
const isWholeSecond = (length: number): boolean => length === 13 || length === 23

function endOfLiteral(bytes: Uint8Array, start: number): number {
  for (const literal of LITERALS) {
    let same = 0
    while (same < literal.length && bytes[start + same] === literal[same]) same++
    if (same === literal.length) return start + same
  }
  return 0
}

const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text))

/** Lists within lists up to this deep. */
const MAX_LISTS = 16

/** Behind a list of plain values without any space; 0 when it is none. */
function endOfPlainList(bytes: Uint8Array, start: number, depth: number): number {
  if (bytes[start + 1] === LIST_END) return start + 2
  for (let at = start; ; ) {
    const first = bytes[++at] as number
    if (first === QUOTE) at = endOfString(bytes, at)
    else if (first === LIST) at = depth < MAX_LISTS ? endOfPlainList(bytes, at, depth + 1) : 0
    else if (isDigit(first) || first === MINUS) at = endOfInteger(bytes, at)
    else at = endOfLiteral(bytes, at)
    if (at === 0) return 0
    if (bytes[at] === LIST_END) return at + 1
    if (bytes[at] !== COMMA) return 0
  }
}

function endOfInteger(bytes: Uint8Array, start: number): number {
  const isNegative = bytes[start] === MINUS
  const digits = isNegative ? start + 1 : start
  let at = digits
  while (isDigit(bytes[at] as number)) at++
  if (at === digits || at > digits + EXACT || (bytes[digits] === ZERO && (isNegative || at > digits + 1))) return 0
  return isEndOfNumber(bytes[at] as number) ? at : 0
}

/** Behind the bracket that ends a dict, by brackets and quotes alone. Throws {@link NotEntities} when there is none. */
function endOfDict(bytes: Uint8Array, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) at = endOfAnyString(bytes, at)
    else if (byte === DICT || byte === LIST) depth++
    else if ((byte === DICT_END || byte === LIST_END) && --depth === 0) return at + 1
  }
  throw new NotEntities()
}

/** At the quote that ends a string. */
function endOfAnyString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === BACKSLASH) at++
    else if (byte === QUOTE) return at
  }
  throw new NotEntities()
}
