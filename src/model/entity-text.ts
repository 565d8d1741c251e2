/**
 * An entity as the log keeps it, in bytes: the JSON text of its `_id` and content, and the hash of its canonical form. One
 * object serves one entity after the other, since most are copied from here at once.
 */

import { hash } from 'node:crypto'
import { storedKey } from './dict.ts'
import { ANY_FORM, type StoredForm } from './json.ts'
import { compareText } from './order.ts'

/** The names of an entity in their order, and what becomes of each. */
export interface Shape {
  /** `"name":` of each, as JSON. */
  readonly names: readonly Uint8Array[]
  /** `,"name":` of each, with some bytes more, to be copied by {@link copyShort}. */
  readonly heads: readonly DataView[]
  /** Places of the names that are kept, in the order of the entity, and by name. */
  readonly kept: readonly number[]
  readonly sorted: readonly number[]
  /** Places of `_id` and `_deleted`, or -1. */
  readonly id: number
  readonly deleted: number
  /** The engine's parser keeps the names and their order. */
  readonly isSimple: boolean
}

export function makeShape(texts: readonly string[], names: readonly Uint8Array[]): Shape {
  // Of the root's reserved properties only `_id` and `_deleted` are kept, each in a place of its own (dtl.md §2.2).
  const kept = texts.flatMap((text, place) => (text.charCodeAt(0) === UNDERSCORE ? [] : [place]))
  return {
    names,
    heads: names.map(headOf),
    kept,
    sorted: [...kept].sort((a, b) => compareText(texts[a] as string, texts[b] as string)),
    id: texts.indexOf('_id'),
    deleted: texts.indexOf('_deleted'),
    isSimple: kept.every((place) => storedKey(texts[place] as string) === texts[place]),
  }
}

function headOf(name: Uint8Array): DataView {
  const head = new Uint8Array(1 + name.length + 3)
  head[0] = COMMA
  head.set(name, 1)
  return viewOf(head)
}

export const NO_SHAPE: Shape = { names: [], heads: [], kept: [], sorted: [], id: -1, deleted: -1, isSimple: false }

/** How the text of a property relates to its canonical form. */
export type Piece = typeof PLAIN | typeof BARE_DECIMAL | typeof OTHER
/** They are the same. */
export const PLAIN = 0
/** A number behind a space, in place of a tagged string. */
export const BARE_DECIMAL = 1
/** The canonical form stands by itself. */
export const OTHER = 2

export class EntityText {
  /** The first {@link length} bytes are the text. */
  text = Buffer.allocUnsafeSlow(0x1000)
  view = viewOf(this.text)
  length = 0
  /** Where its `_id` stands in the text, without the quotes. */
  idStart = 0
  idLength = 0
  /** The `_id` when it does not stand in the text as it reads. */
  escapedId: string | null = null
  deleted = false
  /** 32 hex characters. */
  hash = ''
  form: StoredForm = ANY_FORM
  /** Of each property, by its place in the shape: where `"name":value` begins and ends, and what it is. */
  readonly starts: number[] = []
  readonly ends: number[] = []
  readonly pieces: Piece[] = []
  /** Canonical forms of the values that are OTHER, by place. */
  readonly canonical: string[] = []
  #hashed = Buffer.allocUnsafeSlow(0x1000)
  #hashedView = viewOf(this.#hashed)

  /** Makes room for so many bytes; what stands in the first `used` stays. */
  reserve(bytes: number, used = 0): void {
    if (this.text.length >= bytes) return
    const grown = Buffer.allocUnsafeSlow(2 * bytes)
    this.text.copy(grown, 0, 0, used)
    this.text = grown
    this.view = viewOf(grown)
  }

  get id(): string {
    return this.escapedId ?? this.text.toString('utf8', this.idStart, this.idStart + this.idLength)
  }

  /** Begins a text; the id, with its quotes, is to be put at the place that this gives. */
  begin(escapedId: string | null = null): number {
    this.text.set(HEAD)
    this.idStart = HEAD.length + 1
    this.escapedId = escapedId
    return HEAD.length
  }

  /** Ends a text at `at`, and makes the hash. */
  end(at: number, idEnd: number, shape: Shape, deleted: boolean, form: StoredForm): void {
    this.text[at] = DICT_END
    this.length = at + 1
    this.idLength = idEnd - this.idStart - 1
    this.deleted = deleted
    this.form = form
    this.hash = this.#hash(shape, idEnd)
  }

  /** The sign, the id, and each property by its name: blind to the order of names. */
  #hash({ sorted, names }: Shape, idEnd: number): string {
    const from = this.view
    let room = 2 * this.length + 8 * sorted.length + 64
    for (let n = 0; n < sorted.length; n++) {
      const place = sorted[n] as number
      if (this.pieces[place] === OTHER) room += 3 * (this.canonical[place] as string).length
    }
    if (this.#hashed.length < room) {
      this.#hashed = Buffer.allocUnsafeSlow(2 * room)
      this.#hashedView = viewOf(this.#hashed)
    }
    const to = this.#hashedView
    const hashed = this.#hashed
    hashed[0] = this.deleted ? MINUS : PLUS
    let at = copyShort(to, 1, from, this.idStart - 1, idEnd)
    for (let n = 0; n < sorted.length; n++) {
      const place = sorted[n] as number
      const start = this.starts[place] as number
      const piece = this.pieces[place]
      if (piece === PLAIN) {
        at = copyShort(to, at, from, start, this.ends[place] as number)
        continue
      }
      const nameEnd = start + (names[place] as Uint8Array).length
      at = copyShort(to, at, from, start, nameEnd)
      if (piece === OTHER) {
        at += hashed.write(this.canonical[place] as string, at)
        continue
      }
      hashed.set(DECIMAL_TAG, at)
      at = copyShort(to, at + DECIMAL_TAG.length, from, nameEnd + 1, this.ends[place] as number)
      hashed[at++] = QUOTE
    }
    return hash('md5', hashed.subarray(0, at), 'hex')
  }
}

const UNDERSCORE = 0x5f
const COMMA = 0x2c
const DICT_END = 0x7d
const MINUS = 0x2d
const PLUS = 0x2b
const QUOTE = 0x22
const HEAD = Buffer.from('{"_id":')
const DECIMAL_TAG = Buffer.from('"~f')

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * Copies a short piece four bytes at a time, up to three too many, which the next piece overwrites: there is room for them.
 * A call into the engine would take longer.
 */
export function copyShort(to: DataView, at: number, from: DataView, start: number, end: number): number {
  const { byteLength } = from
  let i = start
  let j = at
  for (; i < end && i + 4 <= byteLength; i += 4, j += 4) to.setInt32(j, from.getInt32(i))
  for (; i < end; i++, j++) to.setUint8(j, from.getUint8(i))
  return at + end - start
}
