/** Entity → statements: what RDF can say of it, as plain text, so that quads and N-Quads lines are made by one walk. */

import { type Dict, getStored, nameOf, storedKeys } from '../model/dict.ts'
import { type Entity, idOf } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import { NI, Typed, type Value } from '../model/value.ts'
import type { Emit } from './emit.ts'
import { childIri, repairedIri } from './iri.ts'
import { type StatedScalar, stateScalar } from './literals.ts'
import { owlSameAs } from './vocabulary.ts'

/**
 * States an entity: each property a predicate, a list as repeated statements (each once), a nested dict under an IRI
 * below its parent's. Not stated: root properties that start with `_`, null, empty lists, and order (see `beside.ts`).
 */
export function stateEntity(entity: Entity, naming: Naming, emit: Emit): void {
  const subject = subjectIri(idOf(entity), naming)
  for (const key of storedKeys(entity)) {
    const name = nameOf(key)
    if (name.charCodeAt(0) !== UNDERSCORE) stateProperty(subject, name, getStored(entity, key) as Value, naming, emit)
  }
}

export const subjectIri = (id: string, naming: Naming): string => repairedIri(naming.entityIri(id))

/** States that each identity of a merged entity (`$ids`) is the same as the entity (design: the graph). */
export function stateSameAs(entity: Entity, naming: Naming, emit: Emit): void {
  const subject = subjectIri(idOf(entity), naming)
  for (const member of identities(entity)) {
    const iri = subjectIri(member, naming)
    if (iri !== subject) emit(iri, owlSameAs, subject, '')
  }
}

/** Texts of the NIs in `$ids`, each once. */
export function identities(entity: Entity): string[] {
  const ids = getStored(entity, '$ids' as Parameters<typeof getStored>[1])
  if (ids === undefined) return []
  const list = Array.isArray(ids) ? (ids as readonly Value[]) : [ids]
  return [...new Set(list.flatMap((id) => (id instanceof NI ? [id.text] : [])))]
}

function stateDict(subject: string, dict: Dict, naming: Naming, emit: Emit): void {
  for (const key of storedKeys(dict)) {
    stateProperty(subject, nameOf(key), getStored(dict, key) as Value, naming, emit)
  }
}

function stateProperty(subject: string, name: string, value: Value, naming: Naming, emit: Emit): void {
  if (value === null) return
  const predicate = predicateIri(name, naming)
  if (typeof value !== 'object' || (value instanceof Typed && !(value instanceof NI))) {
    stateScalar(subject, predicate, value as StatedScalar, emit)
    return
  }
  let place = 0
  const state = Array.isArray(value) && value.length > 1 ? once(emit) : emit
  const stateValue = (element: Value): void => {
    if (Array.isArray(element)) {
      for (const inner of element as readonly Value[]) stateValue(inner)
    } else if (element instanceof NI) {
      state(subject, predicate, repairedIri(naming.niToIri(element.text)), '')
    } else if (typeof element !== 'object' || element instanceof Typed) {
      stateScalar(subject, predicate, element as StatedScalar, state)
    } else if (element !== null) {
      const child = childIri(subject, name, place++)
      emit(subject, predicate, child, '')
      stateDict(child, element as Dict, naming, emit)
    }
  }
  stateValue(value)
}

/** A set has no repetition: the second of two equal objects is not stated. */
function once(emit: Emit): Emit {
  const stated = new Set<string>()
  return (subject, predicate, text, datatype) => {
    const object = `${datatype}\n${text}`
    if (stated.has(object)) return
    stated.add(object)
    emit(subject, predicate, text, datatype)
  }
}

const UNDERSCORE = 95
const PREDICATES_KEPT = 10_000
const predicates = new WeakMap<Naming, Map<string, string>>()

/** Remembered for each naming: names come again with every entity. */
export function predicateIri(name: string, naming: Naming): string {
  let known = predicates.get(naming)
  if (known === undefined || known.size >= PREDICATES_KEPT) {
    known = new Map()
    predicates.set(naming, known)
  }
  let iri = known.get(name)
  if (iri === undefined) {
    iri = repairedIri(naming.propertyToIri(name))
    known.set(name, iri)
  }
  return iri
}
