/** Entities → what the log keeps of them: their text in bytes, and the hash that says whether they changed. */

import { canonicalText } from './canonical.ts'
import { decimalText, numberText } from './decimal.ts'
import { getStored, nameOf, type StoredKey, storedKeys } from './dict.ts'
import { type Entity, idOf, isDeleted } from './entity.ts'
import { BARE_DECIMAL, copyShort, EntityText, makeShape, OTHER, PLAIN, type Shape } from './entity-text.ts'
import { ANY_FORM, SIMPLE, type StoredForm, WITH_DECIMALS } from './json.ts'
import { nameText, quoted, write } from './json-writer.ts'
import { encodeTransit } from './transit.ts'
import { Decimal, Float, Typed, type TypedScalar, type Value } from './value.ts'

export interface EncodedEntity {
  readonly id: string
  readonly deleted: boolean
  /** JSON of `_id` and the content, for `parseStored`: in the order of the entity, no other root property that starts with `_`. */
  readonly text: string
  /** 32 hex characters, over the canonical form of `_id`, `_deleted` and the content: blind to the order of names. */
  readonly hash: string
  /** How the text may be read. */
  readonly form: StoredForm
}

/** What the log keeps of an entity. Throws ValueError when it nests too deep. */
export function encodeEntity(entity: Entity): EncodedEntity {
  const { id, deleted, text, length, hash, form } = shared.encode(entity)
  return { id, deleted, text: text.toString('utf8', 0, length), hash, form }
}

/** Entities of a few shapes, one after the other. */
export class EntityEncoder {
  readonly #entity = new EntityText()
  #shape: KeyShape = { ...makeShape([], []), keys: [] }
  #form: StoredForm = SIMPLE

  /** What is given is overwritten by the next. Throws ValueError when it nests too deep. */
  encode(entity: Entity): EntityText {
    const out = this.#entity
    const id = idOf(entity)
    this.#shape = shapeOf(entity, this.#shape)
    const { keys, kept, names, heads, isSimple } = this.#shape
    this.#form = isSimple ? SIMPLE : ANY_FORM
    out.reserve(3 * id.length + 64)
    const idEnd = this.#string(id, out.begin())
    // Bytes tell escapes only of what is not beyond ASCII.
    if (idEnd !== out.idStart + id.length + 1 && quoted(id).length !== id.length + 2) out.escapedId = id
    let at = idEnd
    for (let n = 0; n < kept.length; n++) {
      const place = kept[n] as number
      const nameEnd = at + 1 + (names[place] as Uint8Array).length
      out.reserve(nameEnd + 64, at)
      copyShort(out.view, at, heads[place] as DataView, 0, nameEnd - at)
      out.starts[place] = at + 1
      at = this.#value(getStored(entity, keys[place] as StoredKey) as Value, nameEnd, place)
      out.ends[place] = at
    }
    out.reserve(at + 8, at)
    out.end(at, idEnd, this.#shape, isDeleted(entity), this.#form)
    return out
  }

  #value(value: Value, at: number, place: number): number {
    const out = this.#entity
    out.pieces[place] = PLAIN
    if (typeof value === 'string') return this.#string(value, at)
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'bigint') this.#form = ANY_FORM
      return this.#text(write(value, 'stored', 1), at)
    }
    if (value instanceof Decimal) return this.#decimal(value, at, place)
    if (value instanceof Typed && !(value instanceof Float))
      return this.#string(encodeTransit(value as TypedScalar), at)
    // Most values read the same in both forms, and are written once.
    if (!isPlain(value)) {
      out.pieces[place] = OTHER
      out.canonical[place] = canonicalText(value)
      this.#form = ANY_FORM
    } else if (holdsBigInteger(value)) this.#form = ANY_FORM
    return this.#text(write(value, 'stored', 1), at)
  }

  #decimal(value: Decimal, at: number, place: number): number {
    const out = this.#entity
    if (this.#form !== ANY_FORM) this.#form = WITH_DECIMALS
    if (value.bare && decimalText(value) === numberText(value)) out.pieces[place] = BARE_DECIMAL
    else {
      out.pieces[place] = OTHER
      out.canonical[place] = canonicalText(value)
    }
    return this.#text(write(value, 'stored', 1), at)
  }

  /** A string with its quotes; most are short, and need no escapes. */
  #string(value: string, at: number): number {
    const { length } = value
    if (length > SHORT) return this.#text(quoted(value), at)
    const out = this.#entity
    out.reserve(at + length + 8, at)
    const { text } = out
    text[at] = QUOTE
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code >= 0x80 || code < 0x20 || code === QUOTE || code === BACKSLASH) return this.#text(quoted(value), at)
      text[at + 1 + i] = code
    }
    text[at + 1 + length] = QUOTE
    return at + length + 2
  }

  #text(value: string, at: number): number {
    const out = this.#entity
    const { length } = value
    out.reserve(at + 3 * length + 8, at)
    const { text } = out
    if (length > SHORT) return at + text.write(value, at)
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code >= 0x80) return at + text.write(value, at)
      text[at + i] = code
    }
    return at + length
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Below, a call into the engine takes longer than a loop. */
const SHORT = 100

/** Its JSON is its canonical text: no names to sort, no zeros to leave out. */
function isPlain(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (value instanceof Typed) return !(value instanceof Decimal || value instanceof Float)
  return Array.isArray(value) && (value as readonly Value[]).every(isPlain)
}

const holdsBigInteger = (value: Value): boolean =>
  typeof value === 'bigint' || (Array.isArray(value) && (value as readonly Value[]).some(holdsBigInteger))

interface KeyShape extends Shape {
  readonly keys: readonly StoredKey[]
}

const SHAPES_KEPT = 5_000
const shapes = new Map<string, KeyShape>()

/** `former`: that of the entity before. */
function shapeOf(entity: Entity, former: KeyShape): KeyShape {
  const keys = storedKeys(entity)
  // Neighbours mostly have the same names, which the engine tells by their address.
  if (isSame(keys, former.keys)) return former
  const joined = keys.join('\u0000')
  const known = shapes.get(joined)
  // A name may hold the separator, so the names decide.
  if (known !== undefined && isSame(keys, known.keys)) return known
  const shape: KeyShape = {
    ...makeShape(
      keys.map(nameOf),
      keys.map((key) => Buffer.from(nameText(key))),
    ),
    keys,
  }
  if (shapes.size >= SHAPES_KEPT) shapes.clear()
  shapes.set(joined, shape)
  return shape
}

function isSame(a: readonly StoredKey[], b: readonly StoredKey[]): boolean {
  if (a.length !== b.length) return false
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return false
  return true
}

const shared = new EntityEncoder()
