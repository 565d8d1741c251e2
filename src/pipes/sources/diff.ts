/** What differs between entities: property by property, who has which value. */

import { keyOf } from '../../model/canonical.ts'
import { type Dict, dictOf, entries, get, newDict, set } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { compareText } from '../../model/order.ts'
import { isDict, isList, type Value } from '../../model/value.ts'

export interface Compared {
  readonly dataset: string
  /** Undefined: it has none of that id. */
  readonly entity: Entity | undefined
}

export interface Comparison {
  readonly whitelist?: readonly string[]
  readonly blacklist?: readonly string[]
  readonly treat_lists_as_sets: boolean
}

/** By property, the values by dataset; one that lacks it is not named. Null: nothing differs. */
export function differences(all: readonly Compared[], how: Comparison): Dict | null {
  const found = newDict()
  for (const name of namesOf(all, how)) {
    const values = all.map(({ entity }) => (entity === undefined ? undefined : get(entity, name)))
    if (areEqual(values, how)) continue
    const having = all.flatMap(({ dataset }, at) => {
      const value = values[at]
      return value === undefined ? [] : [[dataset, value] as const]
    })
    set(found, name, dictOf(having))
  }
  return entries(found).length === 0 ? null : found
}

/** Content, and whether it is deleted, which also tells apart who has it and who does not. */
function namesOf(all: readonly Compared[], { whitelist, blacklist = [] }: Comparison): Set<string> {
  const names = new Set(['_deleted'])
  for (const { entity } of all) {
    for (const [name] of entity === undefined ? [] : entries(entity)) {
      if (name.startsWith('_') || blacklist.includes(name)) continue
      if (whitelist === undefined || whitelist.includes(name)) names.add(name)
    }
  }
  return names
}

function areEqual(values: readonly (Value | undefined)[], { treat_lists_as_sets: asSets }: Comparison): boolean {
  const keys = values.map((value) => (value === undefined ? '' : keyOf(asSets ? withSets(value) : value)))
  return keys.every((key) => key === keys[0])
}

/** Lists in an order of their own, each element once. */
function withSets(value: Value): Value {
  if (isDict(value)) return dictOf(entries(value).map(([name, one]) => [name, withSets(one)] as const))
  if (!isList(value)) return value
  const byKey = new Map(value.map(withSets).map((one) => [keyOf(one), one]))
  return [...byKey].sort(([one], [other]) => compareText(one, other)).map(([, one]) => one)
}
