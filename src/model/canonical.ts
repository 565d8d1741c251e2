/** Canonical forms: one text for each value, and keys that are equal when values are. */

import { hash } from 'node:crypto'
import { numberText } from './decimal.ts'
import { type Dict, getStored, nameOf, type StoredKey, storedKeys } from './dict.ts'
import { nameText, write } from './json-writer.ts'
import { compareText, instantOf } from './order.ts'
import { encodeTransit, floatText } from './transit.ts'
import { Datetime, Decimal, Float, LocalDate, Typed, type TypedScalar, type Value } from './value.ts'

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
