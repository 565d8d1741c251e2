/**
 * Dicts: property name → value, in the order of insertion.
 *
 * A dict is a plain JavaScript object, because that is what the engine is fastest at, but opaque to the type checker,
 * because a plain object lies about some names: integer-like ones (`"3"`) are reordered, and those of `Object.prototype`
 * (`constructor`) seem to be there always. Such names are *stored* with a mark in front. So: `dict[stored] === undefined`
 * exactly when the property is missing, and order is the order of insertion. Only this file and the codec know it; all
 * others use the functions below. Whoever reads one name many times (a compiled path) keeps its stored form.
 */

import type { Value } from './value.ts'

declare const opaque: unique symbol
export interface Dict {
  readonly [opaque]: never
}

declare const storedMark: unique symbol
/** A property name as it lies in the object. */
export type StoredKey = string & { readonly [storedMark]: true }

type Raw = Record<string, Value | undefined>
const raw = (dict: Dict) => dict as unknown as Raw

const MARK = '\u0001'
const AWKWARD = new Set(Object.getOwnPropertyNames(Object.prototype))

const needsMark = (name: string): boolean => {
  const first = name.charCodeAt(0)
  if (first >= 48 && first <= 57) return /^(?:0|[1-9][0-9]{0,9})$/.test(name)
  return first === 1 || AWKWARD.has(name)
}

export const storedKey = (name: string): StoredKey => (needsMark(name) ? MARK + name : name) as StoredKey
export const nameOf = (key: StoredKey): string => (key.charCodeAt(0) === 1 ? key.slice(1) : key)

export const newDict = (): Dict => ({}) as unknown as Dict

/** A dict from an object literal or `[name, value]` pairs; the last of equal names wins. */
export function dictOf(properties: Readonly<Record<string, Value>> | Iterable<readonly [string, Value]>): Dict {
  const dict = newDict()
  const pairs = Symbol.iterator in properties ? properties : Object.entries(properties)
  for (const [name, value] of pairs as Iterable<readonly [string, Value]>) set(dict, name, value)
  return dict
}

export const get = (dict: Dict, name: string): Value | undefined => raw(dict)[storedKey(name)]
export const has = (dict: Dict, name: string): boolean => raw(dict)[storedKey(name)] !== undefined

/** Only on dicts the caller made: entities that were read are shared. */
export function set(dict: Dict, name: string, value: Value): void {
  raw(dict)[storedKey(name)] = value
}

export function remove(dict: Dict, name: string): void {
  delete raw(dict)[storedKey(name)]
}

export const getStored = (dict: Dict, key: StoredKey): Value | undefined => raw(dict)[key]

export function setStored(dict: Dict, key: StoredKey, value: Value): void {
  raw(dict)[key] = value
}

export const storedKeys = (dict: Dict): StoredKey[] => Object.keys(raw(dict)) as StoredKey[]

export function names(dict: Dict): string[] {
  const keys = Object.keys(raw(dict)) as StoredKey[]
  for (let i = 0; i < keys.length; i++) if (keys[i]!.charCodeAt(0) === 1) keys[i] = keys[i]!.slice(1) as StoredKey
  return keys
}

export const entries = (dict: Dict): [string, Value][] =>
  storedKeys(dict).map((key) => [nameOf(key), raw(dict)[key] as Value])

/** Puts stored keys and values into lists, which may hold more from before; gives how many there are. */
export function spread(dict: Dict, keys: StoredKey[], values: Value[]): number {
  const object = raw(dict)
  let size = 0
  // The engine knows the names of like objects, and makes no list of them: a third of what `Object.keys` and a look-up cost.
  for (const key in object) {
    keys[size] = key as StoredKey
    values[size++] = object[key] as Value
  }
  return size
}

export const values = (dict: Dict): Value[] => Object.values(raw(dict)) as Value[]
export const size = (dict: Dict): number => Object.keys(raw(dict)).length

/** A shallow copy, which the caller may change. */
export const copyOf = (dict: Dict): Dict => ({ ...raw(dict) }) as unknown as Dict
