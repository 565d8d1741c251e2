/** Namespaces of names and identifiers: splitting, qualifying, and the two steps around a pipe's transforms (dtl.md §7). */

import {
  type Dict,
  getStored,
  nameOf,
  newDict,
  type StoredKey,
  set,
  setStored,
  storedKey,
  storedKeys,
} from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { isDict, isList, NI, type Value } from '../model/value.ts'
import type { DtlSettings } from './contract.ts'

/** What follows the last colon; the whole name when there is none. */
export const identifierOf = (name: string): string => name.slice(name.lastIndexOf(':') + 1)

/** What stands before the last colon; empty when there is none. */
export const namespaceOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf(':')))

/** Names that never get a namespace of themselves: reserved ones and those with meaning to components. */
export const isSpecial = (name: string): boolean => name.startsWith('_') || name.startsWith('$')

/** The name a transform writes to (dtl.md §7.3). */
export function qualify(name: string, settings: DtlSettings): string {
  const fixed = escaped(name, settings.namespacedIdentifiers ? settings.namespaces.property : null)
  if (fixed !== null) return fixed
  if (!settings.namespacedIdentifiers || isSpecial(name) || name.includes(':')) return name
  return `${settings.namespaces.property}:${name}`
}

/** The value of `_id` as `add`, `add-if` and `default` write it (dtl.md §7.3). */
export function qualifyId(value: Value, settings: DtlSettings): Value {
  if (typeof value !== 'string') return value
  const fixed = escaped(value, settings.namespacedIdentifiers ? settings.namespaces.identity : null)
  if (fixed !== null) return fixed
  return settings.namespacedIdentifiers && !value.includes(':') ? `${settings.namespaces.identity}:${value}` : value
}

/** A property as it is read: one key, or an identifier in whatever namespace (dtl.md §7.3). */
export type Reading =
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'identifier'; readonly name: string }

/** How a path element reads. */
export function readingOf(element: string, settings: DtlSettings): Reading {
  const fixed = escaped(element, settings.namespacedIdentifiers ? settings.namespaces.property : null)
  if (fixed !== null) return { kind: 'key', name: fixed }
  if (!settings.namespacedIdentifiers || element.includes(':')) return { kind: 'key', name: element }
  return { kind: 'identifier', name: element }
}

/** `::rest` is `rest` itself, `:rest` is in the given namespace; null: no escape prefix (dtl.md §7.2). */
export function escaped(name: string, namespace: string | null): string | null {
  if (!name.startsWith(':')) return null
  if (name.startsWith('::')) return name.slice(2)
  return namespace === null ? name.slice(1) : `${namespace}:${name.slice(1)}`
}

/** What `apply-ns` can be told (dtl.md §9.7). A null namespace is not added. */
export interface NamespaceRules {
  readonly property: string | null
  readonly identity: string | null
  readonly skipsUnderscore: boolean
  readonly skipsDollar: boolean
  readonly recursive: boolean
}

/** Gives names and ids their namespaces; what is qualified stays. */
export function namespacing(rules: NamespaceRules): (dict: Dict) => Dict {
  const written = new Map<StoredKey, { readonly key: StoredKey; readonly skipped: boolean }>()
  const keyFor = (key: StoredKey) => {
    const name = nameOf(key)
    const skipped = (rules.skipsUnderscore && name.startsWith('_')) || (rules.skipsDollar && name.startsWith('$'))
    const stays = skipped || rules.property === null || name.includes(':')
    return { key: stays ? key : storedKey(`${rules.property}:${name}`), skipped }
  }
  const qualified = (dict: Dict): Dict => {
    const result = newDict()
    for (const key of storedKeys(dict)) {
      const target = remembered(written, key, keyFor)
      const value = getStored(dict, key) as Value
      if (key === ID && typeof value === 'string') setStored(result, target.key, idWithNamespace(value))
      else setStored(result, target.key, target.skipped || !rules.recursive ? value : within(value))
    }
    return result
  }
  const idWithNamespace = (id: string) => (rules.identity === null || id.includes(':') ? id : `${rules.identity}:${id}`)
  const within = (value: Value): Value => (isDict(value) ? qualified(value) : isList(value) ? value.map(within) : value)
  return qualified
}

const ID = storedKey('_id')
const NAMES_KEPT = 10_000

function remembered<K, V>(known: Map<K, V>, key: K, make: (key: K) => V): V {
  let value = known.get(key)
  if (value === undefined) {
    value = make(key)
    if (known.size >= NAMES_KEPT) known.clear()
    known.set(key, value)
  }
  return value
}

const stepOf = new WeakMap<DtlSettings, (dict: Dict) => Dict>()

/** The step before a pipe's first transform (dtl.md §7.1). */
export function addNamespaces(entity: Entity, settings: DtlSettings): Entity {
  let step = stepOf.get(settings)
  if (step === undefined) {
    step = namespacing({ ...settings.namespaces, skipsUnderscore: true, skipsDollar: true, recursive: true })
    stepOf.set(settings, step)
  }
  return step(entity)
}

/** The step after a pipe's last transform: names, the root `_id` and NI values lose their namespace (dtl.md §7.1). */
export function removeNamespaces(entity: Entity): Entity {
  const result = withoutNamespaces(entity, bareValue)
  const id = getStored(entity, ID)
  if (typeof id === 'string') setStored(result, ID, identifierOf(id))
  return result
}

/** The dict with bare names, at every depth; of two that fall together the later one stays. */
export function withoutNamespaces(dict: Dict, bare: (value: Value) => Value): Dict {
  const result = newDict()
  for (const key of storedKeys(dict)) set(result, identifierOf(nameOf(key)), bare(getStored(dict, key) as Value))
  return result
}

function bareValue(value: Value): Value {
  if (value instanceof NI) return new NI(identifierOf(value.text))
  if (isList(value)) return value.map(bareValue)
  return isDict(value) ? withoutNamespaces(value, bareValue) : value
}

/** Whether a pattern of `copy` or `remove` matches a name (dtl.md §7.3). */
export type NameMatches = (name: string) => boolean

export function namePattern(
  pattern: string,
  settings: DtlSettings,
  compile: (pattern: string) => NameMatches,
): NameMatches {
  if (!settings.namespacedIdentifiers) return compile(escaped(pattern, null) ?? pattern)
  if (pattern.startsWith('::')) return compile(pattern.slice(2))
  const full = pattern.startsWith(':') ? settings.namespaces.property + pattern : pattern
  const identifier = compile(identifierOf(full))
  if (!full.includes(':')) return (name) => identifier(identifierOf(name))
  const namespace = pattern.startsWith(':')
    ? (text: string) => text === settings.namespaces.property
    : compile(namespaceOf(full))
  return (name) => name.includes(':') && namespace(namespaceOf(name)) && identifier(identifierOf(name))
}
