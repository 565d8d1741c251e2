/** Makes one entity of the members of a class (hub.md §14.2). */

import { keyOf } from '../model/canonical.ts'
import { type Dict, dictOf, entries, get, remove, set } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { isList, type Value } from '../model/value.ts'

export interface Composition {
  readonly strategy: 'default' | 'compact' | 'list'
  /** With `list`: members keep their `_ts` and the like. */
  readonly includeInternal: boolean
  /** The identity of an entity that names none in `$ids`. */
  identityOf(id: string): Value
}

/** Adds the class's content to `content`, which holds nothing but what the hub adds (`_id` …). Members come in the order of the merge. */
export function compose(content: Dict, members: readonly Entity[], how: Composition): void {
  if (how.strategy === 'list') {
    set(content, '$merged', how.includeInternal ? members : members.map(withoutInternal))
  } else {
    gather(members, content)
    if (how.strategy === 'compact') compact(content)
  }
  set(content, '$ids', identities(members, how))
}

/** A single value stays single; further ones are added at the end, duplicates and nulls included. */
function gather(members: readonly Entity[], content: Dict): void {
  const gathered = new Map<string, Value[]>()
  for (const member of members) {
    for (const [name, value] of entries(member)) {
      if (name.startsWith('_') || name === '$ids') continue
      const former = get(content, name)
      if (former === undefined) {
        set(content, name, value)
        continue
      }
      let list = gathered.get(name)
      if (list === undefined) {
        list = isList(former) ? [...former] : [former]
        gathered.set(name, list)
        set(content, name, list)
      }
      if (isList(value)) for (const one of value) list.push(one)
      else list.push(value)
    }
  }
}

/** Duplicates go, a list of one is opened, an empty list is left out. */
function compact(content: Dict): void {
  for (const [name, value] of entries(content)) {
    if (!isList(value)) continue
    const values = distinct(value)
    if (values.length === 0) remove(content, name)
    else set(content, name, values.length === 1 ? (values[0] as Value) : values)
  }
}

function identities(members: readonly Entity[], how: Composition): Value {
  const all: Value[] = []
  for (const member of members) {
    const own = get(member, '$ids')
    if (own === undefined) all.push(how.identityOf(get(member, '_id') as string))
    else if (isList(own)) all.push(...own)
    else if (own !== null) all.push(own)
  }
  return distinct(all)
}

function distinct(values: readonly Value[]): readonly Value[] {
  if (values.length < 2) return values
  const seen = new Set<string>()
  return values.filter((value) => {
    const key = keyOf(value)
    return seen.has(key) ? false : seen.add(key)
  })
}

const withoutInternal = (member: Entity): Dict =>
  dictOf(entries(member).filter(([name]) => name === '_id' || !name.startsWith('_')))
