/** What the transforms share: names that are written to, and patterns that choose among names (dtl.md §7.3, §8). */

import { type Dict, getStored, nameOf, type StoredKey, setStored, storedKey } from '../../model/dict.ts'
import { isList, type Value } from '../../model/value.ts'
import { listOf } from '../coerce.ts'
import type { DtlSettings } from '../contract.ts'
import type { Frame } from '../frame.ts'
import { type NameMatches, namePattern, qualify, qualifyId } from '../namespaces.ts'
import type { Argument, Parameter, ParameterKind, TransformExample } from '../syntax.ts'
import { wildcard } from '../wildcard.ts'

export const one = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({ name, kind, count: '1' })
export const optional = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({
  name,
  kind,
  count: '0|1',
})
export const each = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({ name, kind, count: '+' })

/** Transforms as JSON, a source, and the target it becomes; null: none. */
export const example = (dtl: string, source: string, gives: string): TransformExample => ({ dtl, source, gives })

export const ID = storedKey('_id')

/** The properties that a PROPERTY argument names, ready to be written. */
export type Names = (frame: Frame) => readonly StoredKey[]

export function namesToWrite(argument: Argument, settings: DtlSettings): Names {
  if (argument.constant !== undefined) {
    const constant = qualifiedKeys(argument.constant, (name) => storedKey(qualify(name, settings)))
    return () => constant
  }
  const known = new Map<string, StoredKey>()
  const keyOf = (name: string) => remembered(known, name, (name) => storedKey(qualify(name, settings)))
  return (frame) => qualifiedKeys(argument.evaluate(frame), keyOf)
}

const qualifiedKeys = (given: Value, keyOf: (name: string) => StoredKey): StoredKey[] =>
  listOf(given)
    .filter((name) => typeof name === 'string')
    .map((name) => keyOf(name as string))

/** Names computed at run time and remembered, at most. */
const NAMES_KEPT = 10_000

export function remembered<K, V>(known: Map<K, V>, key: K, make: (key: K) => V): V {
  let value = known.get(key)
  if (value === undefined) {
    value = make(key)
    if (known.size >= NAMES_KEPT) known.clear()
    known.set(key, value)
  }
  return value
}

/** Sets a property of the target; a new `_id` gets the identity namespace. */
export function write(target: Dict, key: StoredKey, value: Value, settings: DtlSettings): void {
  setStored(target, key, key === ID ? qualifyId(value, settings) : value)
}

/** Whether a property is chosen by the patterns of an argument. */
export type Chooses = (key: StoredKey) => boolean

export function choosing(argument: Argument | undefined, settings: DtlSettings): Chooses {
  const patterns = argument === undefined ? [] : (listOf(argument.constant as Value) as readonly string[])
  const matches: NameMatches[] = patterns.map((pattern) => namePattern(pattern, settings, (text) => wildcard(text)))
  const known = new Map<StoredKey, boolean>()
  const decide = (key: StoredKey) => {
    const name = nameOf(key)
    return matches.some((test) => test(name))
  }
  return (key) => remembered(known, key, decide)
}

/** A property's value as a list in which null is a value like any other. */
export function listKeepingNull(target: Dict, key: StoredKey): readonly Value[] {
  const value = getStored(target, key)
  return value === undefined ? [] : isList(value) ? value : [value]
}
