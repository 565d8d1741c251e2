/** Canonical forms: the hash that says whether an entity changed, and keys that are equal when values are. */

import { hash } from 'node:crypto'
import { numberText } from './decimal.ts'
import { type Dict, getStored, nameOf, type StoredKey, storedKeys } from './dict.ts'
import { type Entity, idOf, isDeleted } from './entity.ts'
import { ANY_FORM, SIMPLE, type StoredForm, WITH_DECIMALS } from './json.ts'
import { nameText, quoted, write } from './json-writer.ts'
import { compareText, instantOf } from './order.ts'
import { encodeTransit, floatText } from './transit.ts'
import { Datetime, Decimal, Float, LocalDate, Typed, type TypedScalar, type Value } from './value.ts'

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
  const id = idOf(entity)
  const deleted = isDeleted(entity)
  const { keys, texts, sorted, isSimple } = layoutOf(entity)
  let form: StoredForm = isSimple ? SIMPLE : ANY_FORM
  const idText = quoted(id)
  const fragments: string[] = new Array(keys.length)
  let text = `{"_id":${idText}`
  for (let place = 0; place < keys.length; place++) {
    const value = getStored(entity, keys[place] as StoredKey) as Value
    const fragment = (texts[place] as string) + write(value, 'stored', 1)
    text += `,${fragment}`
    // Most values read the same in both forms, and are written once.
    if (isPlain(value)) fragments[place] = fragment
    else {
      fragments[place] = (texts[place] as string) + canonicalText(value)
      form = form !== ANY_FORM && value instanceof Decimal ? WITH_DECIMALS : ANY_FORM
    }
    if (holdsBigInteger(value)) form = ANY_FORM
  }
  let hashed = deleted ? `-${idText}` : `+${idText}`
  for (let place = 0; place < sorted.length; place++) hashed += fragments[sorted[place] as number]
  return { id, deleted, text: `${text}}`, hash: hash128(hashed), form }
}

/** Its JSON is its canonical text: no names to sort, no zeros to leave out. */
function isPlain(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (value instanceof Typed) return !(value instanceof Decimal || value instanceof Float)
  return Array.isArray(value) && (value as readonly Value[]).every(isPlain)
}

const holdsBigInteger = (value: Value): boolean =>
  typeof value === 'bigint' || (Array.isArray(value) && (value as readonly Value[]).some(holdsBigInteger))

/** How the content of one shape is written, and in which order the hash takes it. */
interface Layout {
  /** All names of the entity. */
  readonly all: readonly StoredKey[]
  /** Those of its content. */
  readonly keys: readonly StoredKey[]
  readonly texts: readonly string[]
  /** Places in `keys`, by name. */
  readonly sorted: readonly number[]
  /** The engine's parser keeps the names and their order. */
  readonly isSimple: boolean
}

const LAYOUTS_KEPT = 5_000
const layouts = new Map<string, Layout>()
let latest: Layout = { all: [], keys: [], texts: [], sorted: [], isSimple: true }

function layoutOf(entity: Entity): Layout {
  const all = storedKeys(entity)
  // Neighbours mostly have the same names, which the engine tells by their address.
  if (isSame(all, latest.all)) return latest
  const shape = all.join('\u0000')
  const known = layouts.get(shape)
  // A name may hold the separator, so the names decide.
  if (known !== undefined && isSame(all, known.all)) {
    latest = known
    return known
  }
  // Of the root's reserved properties only `_id` and `_deleted` are kept, each in a place of its own (dtl.md §2.2).
  const keys = all.filter((key) => !nameOf(key).startsWith('_'))
  const sorted = keys.map((_, place) => place).sort((a, b) => compareKeys(keys[a] as StoredKey, keys[b] as StoredKey))
  const isSimple = keys.every((key) => key === nameOf(key))
  latest = { all, keys, texts: keys.map(nameText), sorted, isSimple }
  if (layouts.size >= LAYOUTS_KEPT) layouts.clear()
  layouts.set(shape, latest)
  return latest
}

function isSame(a: readonly StoredKey[], b: readonly StoredKey[]): boolean {
  if (a.length !== b.length) return false
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return false
  return true
}

/** One text for each value of a type: names sorted, decimals without superfluous zeros; `1`, `1.0` and `~f1` differ. */
export function canonicalText(value: Value): string {
  if (typeof value !== 'object' || value === null) return write(value, 'transit', 0)
  if (value instanceof Decimal) return `"~f${numberText(value)}"`
  // -0.0 is equal to 0.0.
  if (value instanceof Float) return floatText(value.value + 0)
  if (value instanceof Typed) return write(value as TypedScalar, 'transit', 0)
  if (Array.isArray(value)) {
    const list = value as readonly Value[]
    let text = '['
    for (let place = 0; place < list.length; place++) {
      text += (place === 0 ? '' : ',') + canonicalText(list[place] as Value)
    }
    return `${text}]`
  }
  let text = '{'
  for (const key of sortedKeys(value as Dict)) {
    text += (text.length === 1 ? '' : ',') + nameText(key) + canonicalText(getStored(value as Dict, key) as Value)
  }
  return `${text}}`
}

const compareKeys = (a: StoredKey, b: StoredKey): number => compareText(nameOf(a), nameOf(b))
const sortedKeys = (dict: Dict): StoredKey[] => storedKeys(dict).sort(compareKeys)

/** One text for all equal values, whatever their type: values are equal ⇔ their keys are (dtl.md §2.3). */
export function keyOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return `s${value}`
    case 'number':
    case 'bigint':
      return `#${numberText(value)}`
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      if (value === null) return 'null'
      if (value instanceof Float || value instanceof Decimal) return `#${numberText(value)}`
      if (value instanceof Datetime || value instanceof LocalDate) return `~t${instantOf(value)}`
      if (value instanceof Typed) return encodeTransit(value as TypedScalar)
      return structureKey(value as readonly Value[] | Dict)
  }
}

/** Parts stand behind their lengths, so that no text within them can be taken for structure. */
function structureKey(value: readonly Value[] | Dict): string {
  if (Array.isArray(value)) {
    let key = '['
    for (const element of value as readonly Value[]) key += part(keyOf(element))
    return key
  }
  let key = '{'
  for (const name of sortedKeys(value as Dict)) {
    key += part(nameOf(name)) + part(keyOf(getStored(value as Dict, name) as Value))
  }
  return key
}

const part = (text: string): string => `${text.length}:${text}`

/** The bytes of a value's key for an index; null has none and is never indexed (dtl.md §10.3). */
export const indexKey = (value: Value): Uint8Array | null => (value === null ? null : bytesOf(keyOf(value)))

/** 128 bits as 32 hex characters. */
export const hash128 = (data: string | Uint8Array): string => hash('md5', data, 'hex')

/** UTF-8; where the text holds half a surrogate pair, that half alone in three bytes, so that no two texts share bytes. */
function bytesOf(text: string): Uint8Array {
  if (!HALF.test(text)) return Buffer.from(text, 'utf8')
  const parts: Uint8Array[] = []
  for (const character of text) {
    const code = character.codePointAt(0) as number
    const isHalf = code >= 0xd800 && code <= 0xdfff
    parts.push(isHalf ? Uint8Array.of(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}

const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
