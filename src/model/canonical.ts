/** Canonical forms: the hash that says whether an entity changed, and keys that are equal when values are. */

import { hash } from 'node:crypto'
import { decimalText, type Numeric, normalised, toDecimal } from './decimal.ts'
import { type Dict, getStored, nameOf, type StoredKey, storedKeys } from './dict.ts'
import { type Entity, idOf, isDeleted } from './entity.ts'
import { nameText, quoted, writeJson } from './json.ts'
import { compareText, instantOf } from './order.ts'
import { encodeTransit } from './transit.ts'
import { Datetime, Decimal, Float, LocalDate, Typed, type TypedScalar, type Value } from './value.ts'

export interface EncodedEntity {
  readonly id: string
  readonly deleted: boolean
  /** JSON of `_id` and the content, in the order of the entity; no other root property that starts with `_`. */
  readonly text: string
  /** 32 hex characters, over the canonical form of `_id`, `_deleted` and the content: blind to the order of names. */
  readonly hash: string
}

/** 128 bits as 32 hex characters. */
export const hash128 = (data: string | Uint8Array): string => hash('md5', data, 'hex')

/** How the properties of one shape are written: which are content, and in which order the hash takes them. */
interface Layout {
  readonly keys: readonly StoredKey[]
  readonly texts: readonly string[]
  /** Places in `keys`, by name. */
  readonly sorted: readonly number[]
}

const LAYOUTS_KEPT = 5_000
const layouts = new Map<string, Layout>()

export function encodeEntity(entity: Entity): EncodedEntity {
  const id = idOf(entity)
  const deleted = isDeleted(entity)
  const { keys, texts, sorted } = layoutOf(entity)
  const fragments: string[] = new Array(keys.length)
  // A fragment that reads the same in both forms is written once; the others are kept here.
  let canonical: string[] | null = null
  let text = `{"_id":${quoted(id)}`
  for (let place = 0; place < keys.length; place++) {
    const value = getStored(entity, keys[place] as StoredKey) as Value
    const isSame =
      typeof value !== 'object' || value === null || (value instanceof Typed && !(value instanceof Decimal))
    const written = (texts[place] as string) + writeJson(value)
    fragments[place] = written
    text += `,${written}`
    if (!isSame) {
      canonical ??= fragments.slice()
      canonical[place] = (texts[place] as string) + canonicalText(value)
    } else if (canonical !== null) canonical[place] = written
  }
  const parts = canonical ?? fragments
  let hashed = `${quoted(id)}${deleted ? '-' : '+'}`
  for (let place = 0; place < sorted.length; place++) hashed += parts[sorted[place] as number]
  return { id, deleted, text: `${text}}`, hash: hash128(hashed) }
}

function layoutOf(entity: Entity): Layout {
  const all = storedKeys(entity)
  const shape = all.join('\u0000')
  const known = layouts.get(shape)
  if (known !== undefined) return known
  // Of the root's reserved properties only `_id` and `_deleted` are stored, each in a place of its own (dtl.md §2.2).
  const keys = all.filter((key) => key.charCodeAt(0) !== 95)
  const sorted = keys.map((_, place) => place).sort((a, b) => compareText(nameOf(keys[a]!), nameOf(keys[b]!)))
  const layout = { keys, texts: keys.map(nameText), sorted }
  if (layouts.size >= LAYOUTS_KEPT) layouts.clear()
  layouts.set(shape, layout)
  return layout
}

/** One text for each value and type: names sorted, numbers without superfluous zeros; `1`, `1.0` and `~f1` differ. */
export function canonicalText(value: Value): string {
  if (value instanceof Decimal) return `"~f${decimalText(normalised(value))}"`
  if (typeof value !== 'object' || value === null || value instanceof Typed) return writeJson(value)
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(canonicalText).join(',')}]`
  return `{${sortedKeys(value as Dict)
    .map((key) => nameText(key) + canonicalText(getStored(value as Dict, key) as Value))
    .join(',')}}`
}

const sortedKeys = (dict: Dict): StoredKey[] => storedKeys(dict).sort((a, b) => compareText(nameOf(a), nameOf(b)))

/** One text for all equal values, whatever their type: equal values ⇔ equal keys (dtl.md §2.3). */
export function keyOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return `s${value}`
    case 'number':
      return Number.isSafeInteger(value) ? `#${value === 0 ? 0 : value}` : numberKey(value)
    case 'bigint':
      return `#${value}`
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      if (value === null) return 'null'
      if (value instanceof Float || value instanceof Decimal) return numberKey(value)
      if (value instanceof Datetime || value instanceof LocalDate) return `~t${instantOf(value)}`
      if (value instanceof Typed) return encodeTransit(value as TypedScalar)
      return structureKey(value as readonly Value[] | Dict)
  }
}

const numberKey = (number: Numeric): string => `#${decimalText(normalised(toDecimal(number)))}`

/** Parts stand behind their lengths, so that no text within them can be taken for structure. */
function structureKey(value: readonly Value[] | Dict): string {
  const part = (text: string) => `${text.length}:${text}`
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map((element) => part(keyOf(element))).join('')}`
  const dict = value as Dict
  return `{${sortedKeys(dict)
    .map((key) => part(nameOf(key)) + part(keyOf(getStored(dict, key) as Value)))
    .join('')}`
}

const utf8 = new TextEncoder()

/** The bytes of a value's key for an index; null has none and is never indexed (dtl.md §10.3). */
export const indexKey = (value: Value): Uint8Array | null => (value === null ? null : utf8.encode(keyOf(value)))
