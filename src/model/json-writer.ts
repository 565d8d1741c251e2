/** Values → JSON text: compact, names in their order, every number as exact as it is. */

import { decimalText } from './decimal.ts'
import { type Dict, getStored, nameOf, type StoredKey, storedKeys } from './dict.ts'
import { ValueError } from './errors.ts'
import { MAX_DEPTH } from './json-scanner.ts'
import { encodeTransit, floatText } from './transit.ts'
import { Decimal, Float, Typed, type TypedScalar, type Value } from './value.ts'

/**
 * - `transit`: typed scalars as tagged strings.
 * - `plain`: typed scalars as their plain text, without a tag.
 * - `stored`: like `transit`, for `parseStored`: a bare Decimal stands behind a space, the only one there is, so that it is
 *   told from a Float. To everybody else it is a number like any other.
 */
export type JsonForm = 'transit' | 'plain' | 'stored'

/** Compact JSON; `transit` false gives the plain form. Throws ValueError when it nests too deep to be read back. */
export function writeJson(value: Value, { transit = true }: { readonly transit?: boolean } = {}): string {
  return write(value, transit ? 'transit' : 'plain', 0)
}

/** Of a value within `depth` lists and dicts. */
export function write(value: Value, form: JsonForm, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
      // NaN and the infinities have no JSON form (dtl.md §2.1); -0 is the Integer 0.
      return Number.isFinite(value) ? String(value) : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return value.toString()
    default:
      if (value === null) return 'null'
      if (value instanceof Typed) return writeTyped(value as TypedScalar, form)
      if (depth >= MAX_DEPTH) throw tooDeep()
      return Array.isArray(value)
        ? writeList(value as readonly Value[], form, depth + 1)
        : writeDict(value as Dict, form, depth + 1)
  }
}

function writeTyped(value: TypedScalar, form: JsonForm): string {
  if (value instanceof Decimal) {
    if (value.bare) return form === 'stored' ? ` ${decimalText(value)}` : decimalText(value)
    return form === 'plain' ? decimalText(value) : `"~f${decimalText(value)}"`
  }
  if (value instanceof Float) return Number.isFinite(value.value) ? floatText(value.value) : 'null'
  const text = encodeTransit(value)
  return quoted(form === 'plain' ? text.slice(2) : text)
}

function writeList(list: readonly Value[], form: JsonForm, depth: number): string {
  if (list.length === 0) return '[]'
  let text = `[${write(list[0] as Value, form, depth)}`
  for (let place = 1; place < list.length; place++) text += `,${write(list[place] as Value, form, depth)}`
  return `${text}]`
}

function writeDict(dict: Dict, form: JsonForm, depth: number): string {
  const keys = storedKeys(dict)
  if (keys.length === 0) return '{}'
  let text = '{'
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place] as StoredKey
    text += (place === 0 ? '' : ',') + nameText(key) + write(getStored(dict, key) as Value, form, depth)
  }
  return `${text}}`
}

// Halves of surrogate pairs alone must be escaped; all of them are left to the engine.
const NEEDS_ESCAPES = /["\\\u0000-\u001f\ud800-\udfff]/

/** A string as JSON; nearly all need no escapes. */
export const quoted = (text: string): string => (NEEDS_ESCAPES.test(text) ? JSON.stringify(text) : `"${text}"`)

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

const tooDeep = (): ValueError =>
  new ValueError(
    'too-deep',
    `A value holds lists and dicts within one another more than ${MAX_DEPTH} deep.`,
    { limit: MAX_DEPTH },
    'Look for a rule that puts the former version of an entity into the next.',
  )
