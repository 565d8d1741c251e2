/** An entity type as it is stored: as plain JSON, samples apart, because they are forgotten when an entity is erased. */

import { nameOf, type StoredKey, storedKey } from '../../model/dict.ts'
import type { Limits } from './bounds.ts'
import { EntityType } from './entity-type.ts'
import { DictType, KINDS, PropertyType, ValueType } from './value-type.ts'

export interface TypeState {
  readonly count: number
  readonly deleted: number
  readonly first: number | null
  readonly last: number | null
  readonly truncated?: true
  readonly properties: readonly PropertyState[]
}

type PropertyState = readonly [name: string, count: number, first: number, last: number, value: ValueState]

interface ValueState {
  /** Number of a kind, and how often it was seen. */
  readonly k: readonly (readonly [kind: number, count: number])[]
  /** Namespaces. */
  readonly n?: readonly string[]
  /** There were more of them. */
  readonly m?: true
  /** Lengths of lists. */
  readonly l?: readonly [min: number, max: number]
  /** Elements of lists. */
  readonly i?: ValueState
  /** Properties of dicts. */
  readonly d?: readonly PropertyState[]
}

/** Where a value lies: names of properties, and 0 for the elements of a list; with samples of it. */
export type SampleState = readonly [path: readonly (string | 0)[], samples: readonly string[]]

export const stateOf = (type: EntityType): TypeState => ({
  count: type.count,
  deleted: type.deleted,
  first: type.firstSeen,
  last: type.lastSeen,
  ...(type.isTruncated ? { truncated: true } : {}),
  properties: dictState(type.root),
})

const dictState = ({ properties }: DictType): PropertyState[] =>
  Array.from(properties.values(), ({ name, count, firstSeen, lastSeen, value }) => [
    name,
    count,
    firstSeen,
    lastSeen,
    valueState(value),
  ])

function valueState({ counts, namespaces, hasMoreNamespaces, minItems, maxItems, items, dict }: ValueType): ValueState {
  const kinds: [number, number][] = []
  for (let kind = 0; kind < KINDS.length; kind++) {
    const count = counts[kind] as number
    if (count > 0) kinds.push([kind, count])
  }
  return {
    k: kinds,
    ...(namespaces === null ? {} : { n: [...namespaces] }),
    ...(hasMoreNamespaces ? { m: true } : {}),
    ...(minItems <= maxItems ? { l: [minItems, maxItems] } : {}),
    ...(items === null ? {} : { i: valueState(items) }),
    ...(dict === null ? {} : { d: dictState(dict) }),
  }
}

/** The type goes on from there. */
export function typeOf(state: TypeState, samples: readonly SampleState[], limits?: Limits): EntityType {
  const type = new EntityType(limits)
  type.count = state.count
  type.deleted = state.deleted
  type.firstSeen = state.first
  type.lastSeen = state.last
  readDict(state.properties, type.root, type)
  for (const [path, texts] of samples) {
    const value = valueAt(type.root, path)
    if (value !== null) value.samples = [...texts]
  }
  type.bounds.isTruncated = state.truncated === true
  type.bounds.isNews = false
  return type
}

function readDict(properties: readonly PropertyState[], dict: DictType, type: EntityType): void {
  for (const [name, count, first, last, value] of properties) {
    const key = storedKey(name)
    type.bounds.takes(key)
    const property = new PropertyType(key, first)
    property.count = count
    property.lastSeen = last
    readValue(value, property.value, type)
    dict.properties.set(key, property)
  }
}

function readValue({ k, n, m, l, i, d }: ValueState, value: ValueType, type: EntityType): void {
  for (const [kind, count] of k) value.counts[kind] = count
  if (n !== undefined) value.namespaces = new Set(n)
  value.hasMoreNamespaces = m === true
  if (l !== undefined) [value.minItems, value.maxItems] = l
  if (i !== undefined) {
    value.items = new ValueType()
    readValue(i, value.items, type)
  }
  if (d !== undefined) {
    value.dict = new DictType()
    readDict(d, value.dict, type)
  }
}

function valueAt(root: DictType, path: readonly (string | 0)[]): ValueType | null {
  return path.reduce<ValueType | null>((value, step, place) => {
    if (step === 0) return value?.items ?? null
    const dict = place === 0 ? root : value?.dict
    return dict?.properties.get(storedKey(step))?.value ?? null
  }, null)
}

export const samplesOf = (type: EntityType): readonly SampleState[] => [...samplesWithin(type.root, [])]

function* samplesWithin({ properties }: DictType, path: readonly (string | 0)[]): Generator<SampleState> {
  for (const [key, { value }] of properties) yield* samplesAt(value, [...path, nameOf(key as StoredKey)])
}

function* samplesAt({ samples, items, dict }: ValueType, path: readonly (string | 0)[]): Generator<SampleState> {
  if (samples.length > 0) yield [path, samples]
  if (items !== null) yield* samplesAt(items, [...path, 0])
  if (dict !== null) yield* samplesWithin(dict, path)
}

export function forgetSamples(type: EntityType): void {
  for (const [path] of samplesOf(type)) {
    const value = valueAt(type.root, path)
    if (value !== null) value.samples = []
  }
}
