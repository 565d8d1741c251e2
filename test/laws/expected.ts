/**
 * What a pipe should hold, worked out from its configuration with nothing of the engine: each live entity of its source
 * through the naive interpreter of the language. Slow, and only for what the shapes of the oracle use.
 */

import type { DtlSettings } from '../../src/dtl/contract.ts'
import { type Dict, dictOf, entries, get } from '../../src/model/dict.ts'
import { builtinNamespaces } from '../../src/model/iri.ts'
import { fromPlain, writeJson } from '../../src/model/json.ts'
import { isDict, isList, NI, type Value } from '../../src/model/value.ts'
import { isInSubset, naive } from '../dtl/naive.ts'
import type { Json } from './world.ts'

/** Live entities of a dataset, with what the hub keeps of them. */
export type LiveEntities = (dataset: string) => readonly Dict[]

/** By id, as JSON without it; null: its kind is not worked out here. */
export function expectedOf(
  pipe: Json & { readonly _id: string },
  live: LiveEntities,
): ReadonlyMap<string, Value> | null {
  const settings = settingsOf(pipe)
  const given = sourceOf(pipe.source as Json, live, settings)
  if (given === null) return null
  let made: readonly Value[] = given
  for (const { rules } of transformsOf(pipe.transform)) {
    const datasets = new Map(namesIn(rules).map((name) => [name, live(name)] as const))
    made = made.flatMap((one) => naive(fromPlain(rules), settings, one, datasets))
  }
  const kept = made.filter((one) => !isTrueIn(one, '_filtered') && !isTrueIn(one, '_deleted'))
  return new Map(kept.map((one) => [textOf(one, '_id'), one] as const))
}

function settingsOf({ _id, namespaced_identifiers: namespaced, namespaces = {} }: Json & { _id: string }): DtlSettings {
  const { identity = _id, property = _id } = namespaces as Record<string, string>
  return {
    pipe: _id,
    namespacedIdentifiers: namespaced === true,
    namespaces: { identity, property },
    prefixes: builtinNamespaces,
  }
}

interface Program {
  readonly rules: Record<string, unknown>
}

const transformsOf = (given: unknown): readonly Program[] =>
  given === undefined ? [] : Array.isArray(given) ? (given as Program[]) : [given as Program]

/** All texts that might name a dataset: those that do are the ones that are looked up. */
function namesIn(rules: unknown): readonly string[] {
  if (typeof rules === 'string') return rules.includes(' ') ? [rules.slice(0, rules.indexOf(' '))] : []
  return typeof rules === 'object' && rules !== null ? Object.values(rules).flatMap(namesIn) : []
}

function sourceOf(source: Json, live: LiveEntities, settings: DtlSettings): readonly Value[] | null {
  const datasets = (source.datasets ?? []) as readonly string[]
  switch (source.type) {
    case 'dataset':
      return inSubset(live(source.dataset as string), source.subset, settings)
    case 'union_datasets':
      return datasets.flatMap((dataset) =>
        live(dataset).map((entity) =>
          source.prefix_ids === false ? entity : withId(entity, `${dataset}:${textOf(entity, '_id')}`),
        ),
      )
    case 'merge':
      return source.identity === undefined && source.identity_lists === undefined ? merged(source, live) : null
    default:
      return null
  }
}

function inSubset(entities: readonly Dict[], subset: unknown, settings: DtlSettings): readonly Value[] {
  if (subset === undefined) return entities
  return entities.filter((entity) => isInSubset(entity, fromPlain(subset), settings))
}

// ————— merging: every pair is compared

interface Member {
  readonly place: number
  readonly id: string
  readonly entity: Dict
}

function merged(source: Json, live: LiveEntities): readonly Value[] {
  const named = (source.datasets as readonly string[]).map((one) => one.split(' ') as [string, string])
  const members = named.flatMap(([dataset], place) =>
    live(dataset).map((entity): Member => ({ place, id: textOf(entity, '_id'), entity })),
  )
  const sides = rulesOf(source).map((rule) =>
    rule.map((path) => {
      const [alias, property] = path.split('.') as [string, string]
      return { place: named.findIndex(([, name]) => name === alias), property }
    }),
  )
  const most = (source.max_merged as number | undefined) ?? Number.POSITIVE_INFINITY
  return classesOf(members, (one, other) =>
    sides.some(([left, right]) => {
      const overlap = (a: Member, b: Member) =>
        a.place === left?.place &&
        b.place === right?.place &&
        valuesOf(a, left.property).some((value) => valuesOf(b, right.property).includes(value))
      return overlap(one, other) || overlap(other, one)
    }),
  )
    .flatMap((members) => (members.length > most ? members.map((one) => [one]) : [members]))
    .map((members) => composed(members, source.strategy === 'compact'))
}

/** A set is a chain: each expression with the next. */
function rulesOf({ equality = [], equality_sets: sets = [] }: Json): readonly (readonly [string, string])[] {
  const chains = (sets as readonly (readonly string[])[]).flatMap((set) =>
    set.slice(1).map((path, at) => [set[at] as string, path] as const),
  )
  return [
    ...(equality as readonly (readonly string[])[]).map(([, one, other]) => [one, other] as [string, string]),
    ...chains,
  ]
}

const valuesOf = ({ entity }: Member, property: string): readonly string[] => {
  const value = get(entity, property) ?? null
  return (isList(value) ? value : [value]).filter((one) => one !== null).map((one) => writeJson(one))
}

function classesOf(members: readonly Member[], areSame: (one: Member, other: Member) => boolean): Member[][] {
  const left = new Set(members)
  const classes: Member[][] = []
  for (const first of members) {
    if (!left.delete(first)) continue
    const found = [first]
    for (const one of found) {
      for (const other of [...left]) {
        if (!areSame(one, other)) continue
        left.delete(other)
        found.push(other)
      }
    }
    classes.push(members.filter((one) => found.includes(one)))
  }
  return classes
}

function composed(members: readonly Member[], isCompact: boolean): Value {
  const values = new Map<string, Value[]>()
  for (const { entity } of members) {
    for (const [name, value] of entries(entity)) {
      if (name.startsWith('_') || name === '$ids') continue
      const before = values.get(name)
      // An only value stays what it is, a list of one as well.
      if (before === undefined) values.set(name, isList(value) ? [value] : [value])
      else before.push(value)
    }
  }
  const pairs = [...values].flatMap(([name, all]) => {
    const flat = all.flatMap((one) => (isList(one) ? one : [one]))
    if (!isCompact) return [[name, all.length === 1 ? (all[0] as Value) : flat] as const]
    if (all.length === 1 && !isList(all[0] as Value)) return [[name, all[0] as Value] as const]
    const distinct = flat.filter((one, at) => flat.findIndex((other) => writeJson(other) === writeJson(one)) === at)
    return distinct.length === 0
      ? []
      : [[name, distinct.length === 1 ? (distinct[0] as Value) : (distinct as Value)] as const]
  })
  const ids = members.flatMap(({ id, entity }) => {
    const own = get(entity, '$ids')
    return own === undefined ? [new NI(id)] : isList(own) ? own : [own]
  })
  const distinct = ids.filter((one, at) => ids.findIndex((other) => writeJson(other) === writeJson(one)) === at)
  return dictOf([
    ['_id', members.map(({ place, id }) => `${place}|${id}`).join('|')],
    ...pairs,
    ['$ids', distinct as Value],
  ])
}

const withId = (entity: Dict, id: string): Value =>
  dictOf(entries(entity).map(([name, value]) => [name, name === '_id' ? id : value] as const))

const textOf = (value: Value, name: string): string => (isDict(value) ? (get(value, name) as string) : '')
const isTrueIn = (value: Value, name: string): boolean => isDict(value) && get(value, name) === true
