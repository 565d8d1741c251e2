/** Statements → entity: the inverse of `statements.ts`, and the reading of foreign RDF (hub.md §14.14). */

import type { Term } from '@rdfjs/types'
import { canonicalText, hash128 } from '../model/canonical.ts'
import { type Dict, newDict, set } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import { compare, compareText } from '../model/order.ts'
import { NI, URI, UUID, type Value } from '../model/value.ts'
import { RdfError } from './errors.ts'
import { isBlankKey, type SubjectGroups, subjectKey } from './groups.ts'
import { isChildIri } from './iri.ts'
import { literalValue } from './literals.ts'
import { hub, rdf } from './vocabulary.ts'

export interface ReadOptions {
  readonly naming: Naming
  /** Repeated statements become a list in the value order; otherwise in the order they came. True when absent. */
  readonly sortLists?: boolean
  /** `urn:uuid:` objects become UUIDs, as the hub writes them; otherwise URIs. True when absent. */
  readonly uuids?: boolean
}

/** The entity whose subject has this key; `skip` leaves predicates of the root out. */
export function readEntity(
  key: string,
  groups: SubjectGroups,
  options: ReadOptions,
  skip?: ReadonlySet<string>,
): Entity {
  const reader = new Reader(groups, options)
  const content = reader.dict(key, 0, skip ?? NONE)
  const entity = newDict()
  set(entity, '_id', isBlankKey(key) ? skolemId(content, options.naming) : idOfSubject(key, options.naming))
  for (const [name, value] of content) set(entity, name, value)
  return entity
}

/** The text of the NI that the subject's IRI stands for, or the IRI itself. */
const idOfSubject = (iri: string, naming: Naming): string => naming.iriToNi(iri) ?? iri

/** An entity needs a name that stays: a blank node of its own is named by what it says, as RDF 1.1 §3.5 suggests. */
const skolemId = (content: ReadonlyMap<string, Value>, naming: Naming): string =>
  `${naming.base}/.well-known/genid/${hash128(
    [...content]
      .map(([name, value]) => `${name}=${canonicalText(value)}`)
      .sort()
      .join('\n'),
  )}`

const NONE: ReadonlySet<string> = new Set()
const UUID_IRI = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Blank nodes may be shared and so copied; these bounds end what would otherwise grow without end. */
const MAX_DEPTH = 200
const MAX_OBJECTS = 1_000_000

class Reader {
  readonly #groups: SubjectGroups
  readonly #options: ReadOptions
  /** Keys of the blank nodes that are being read, outermost first. */
  readonly #path = new Set<string>()
  #objects = 0

  constructor(groups: SubjectGroups, options: ReadOptions) {
    this.#groups = groups
    this.#options = options
  }

  dict(key: string, depth: number, skip: ReadonlySet<string>): Map<string, Value> {
    if (depth > MAX_DEPTH) throw tooLarge(`nested more than ${MAX_DEPTH} deep`)
    const { naming } = this.#options
    const content = new Map<string, Value>()
    const many = new Map<string, Value[]>()
    for (const [predicate, objects] of this.#groups.properties(key) ?? []) {
      if (skip.has(predicate)) continue
      const known = naming.iriToProperty(predicate)
      // Root properties that start with `_` are the hub's: a foreign statement does not set them.
      const name = known === null || (depth === 0 && known.startsWith('_')) ? predicate : known
      for (const object of distinct(objects)) {
        const value = this.value(object, key, name, depth)
        const first = content.get(name)
        if (first === undefined) content.set(name, value)
        else {
          const list = many.get(name)
          if (list !== undefined) list.push(value)
          else many.set(name, [first, value])
        }
      }
    }
    for (const [name, list] of many) content.set(name, this.#options.sortLists === false ? list : sorted(list))
    return content
  }

  value(object: Term, parent: string, property: string, depth: number): Value {
    if (++this.#objects > MAX_OBJECTS) throw tooLarge(`of more than ${MAX_OBJECTS} values`)
    if (object.termType === 'Literal') return literalValue(object.value, object.datatype.value)
    const key = subjectKey(object)
    if (object.termType === 'BlankNode') return this.blankValue(key, depth)
    if (key === rdf.nil) return []
    if (isChildIri(key, parent, property)) return dictFrom(this.dict(key, depth + 1, NONE))
    const { naming, uuids } = this.#options
    if (uuids !== false && UUID_IRI.test(key)) return new UUID(key.slice('urn:uuid:'.length))
    const ni = naming.iriToNi(key)
    return ni === null ? new URI(key) : new NI(ni)
  }

  /** A nested dict; a collection is a list, in its order; a node within itself is its label. */
  blankValue(key: string, depth: number): Value {
    if (this.#path.has(key)) return key
    const collection = this.collection(key, depth)
    if (collection !== null) return collection
    this.#path.add(key)
    const content = this.dict(key, depth + 1, NONE)
    this.#path.delete(key)
    return dictFrom(content)
  }

  collection(head: string, depth: number): Value[] | null {
    const items: Term[] = []
    const seen = new Set<string>()
    for (let key = head; key !== rdf.nil; ) {
      const cell = this.#groups.properties(key)
      const first = cell?.get(rdf.first)
      const rest = cell?.get(rdf.rest)
      if (cell?.size !== 2 || first?.length !== 1 || rest?.length !== 1 || seen.has(key)) return null
      seen.add(key)
      items.push(first[0] as Term)
      key = subjectKey(rest[0] as Term)
    }
    for (const key of seen) this.#path.add(key)
    const list = items.map((item) => this.value(item, head, '', depth + 1))
    for (const key of seen) this.#path.delete(key)
    return list
  }
}

const dictFrom = (content: ReadonlyMap<string, Value>): Dict => {
  const dict = newDict()
  for (const [name, value] of content) set(dict, name, value)
  return dict
}

/** Statements are a set; the same one may be read twice. */
function distinct(objects: readonly Term[]): readonly Term[] {
  if (objects.length === 1) return objects
  const seen = new Map<string, Term>()
  for (const object of objects) {
    const datatype = object.termType === 'Literal' ? `${object.datatype.value}@${object.language}` : object.termType
    seen.set(`${datatype}\n${object.value}`, object)
  }
  return [...seen.values()]
}

/** In the value order; values that are equal but of two types stand by their canonical text, so that one set gives one list. */
const sorted = (list: readonly Value[]): Value[] =>
  [...list].sort((a, b) => compare(a, b) || compareText(canonicalText(a), canonicalText(b)))

const tooLarge = (what: string): RdfError =>
  new RdfError('not-expressible', `Blank nodes that refer to one another make an entity ${what}.`, {
    hint: 'Give shared nodes an IRI: then they are entities of their own.',
  })

/** Predicates that are the export's own and no property. */
export const BOOKKEEPING: ReadonlySet<string> = new Set([hub.canonicalJson])
