/** An entity type as it is inferred, with what people say about it: kinds are what was seen, words are theirs (hub.md §23.3). */

import { copyOf, type Dict, entries, get, newDict, set } from '../../model/dict.ts'
import { isDict, isList, type Value } from '../../model/value.ts'

/** What is seen and not said, unless nothing was seen. */
const OBSERVED = new Set(['type', 'subtype', 'anyOf', 'pattern', 'metadata'])
/** Where there is more of the same below. */
const NESTED = new Set(['properties', 'items'])

/** `said` is what was uploaded. */
export function effectiveType(inferred: Dict, said: Dict): Dict {
  if (isUnseen(inferred)) return said
  const effective = copyOf(inferred)
  for (const [name, value] of entries(said)) {
    if (NESTED.has(name)) set(effective, name, nested(name, get(inferred, name), value))
    else if (!OBSERVED.has(name) || get(inferred, name) === undefined) {
      // An alternative beside a type would be a condition that nothing meets.
      if (OBSERVED.has(name) && (get(inferred, 'type') ?? get(inferred, 'anyOf')) !== undefined) continue
      set(effective, name, value)
    }
  }
  return effective
}

function nested(name: string, inferred: Value | undefined, said: Value): Value {
  if (!isDict(inferred) || !isDict(said)) return inferred ?? said
  return name === 'items' ? effectiveType(inferred, said) : effectiveProperties(inferred, said)
}

function effectiveProperties(inferred: Dict, said: Dict): Dict {
  const properties = copyOf(inferred)
  for (const [name, about] of entries(said)) {
    const seen = get(inferred, name)
    set(properties, name, isDict(seen) && isDict(about) ? effectiveType(seen, about) : about)
  }
  return properties
}

/** Nothing, or nothing but null. */
function isUnseen(type: Dict): boolean {
  if (isList(get(type, 'anyOf') ?? null)) return false
  return (get(type, 'type') ?? 'null') === 'null'
}

/** What all uploaded types say about each property with a namespace: such a name means the same wherever it stands. */
export function descriptionsOf(said: Iterable<Dict>): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>()
  for (const type of said) {
    for (const [name, about] of propertiesOf(type)) {
      const description = isDict(about) ? get(about, 'description') : undefined
      if (!name.includes(':') || typeof description !== 'string' || description === '') continue
      const known = all.get(name) ?? []
      if (!known.includes(description)) all.set(name, [...known, description])
    }
  }
  return all
}

/** With the descriptions of properties that have none of their own. */
export function described(type: Dict, descriptions: ReadonlyMap<string, readonly string[]>): Dict {
  const properties = get(type, 'properties')
  if (!isDict(properties)) return type
  const withWords = newDict()
  for (const [name, about] of entries(properties)) {
    const found = descriptions.get(name)
    if (found === undefined || !isDict(about) || get(about, 'description') !== undefined) {
      set(withWords, name, about)
      continue
    }
    const copy = copyOf(about)
    set(copy, 'description', found.join('\n'))
    set(withWords, name, copy)
  }
  const whole = copyOf(type)
  set(whole, 'properties', withWords)
  return whole
}

export const propertiesOf = (type: Dict): readonly (readonly [string, Value])[] => {
  const properties = get(type, 'properties')
  return isDict(properties) ? entries(properties) : []
}
