/** Statements gathered by subject and predicate, ready to be read as entities. */

import type { Quad, Term } from '@rdfjs/types'
import { RdfError } from './errors.ts'

/** Predicate IRI → objects, in the order they came. */
export type Properties = Map<string, Term[]>

export class SubjectGroups {
  readonly #groups = new Map<string, Properties>()

  add({ subject, predicate, object }: Quad): void {
    const key = subjectKey(subject)
    if (predicate.termType !== 'NamedNode') throw unreadable(predicate)
    if (object.termType !== 'NamedNode' && object.termType !== 'Literal' && object.termType !== 'BlankNode') {
      throw unreadable(object)
    }
    let properties = this.#groups.get(key)
    if (properties === undefined) {
      properties = new Map()
      this.#groups.set(key, properties)
    }
    const objects = properties.get(predicate.value)
    if (objects === undefined) properties.set(predicate.value, [object])
    else objects.push(object)
  }

  properties(key: string): Properties | undefined {
    return this.#groups.get(key)
  }

  /** Other objects for a predicate; a subject of which nothing is left goes. */
  replace(key: string, predicate: string, objects: Term[]): void {
    const properties = this.#groups.get(key)
    if (objects.length > 0) properties?.set(predicate, objects)
    else properties?.delete(predicate)
    if (properties?.size === 0) this.#groups.delete(key)
  }

  keys(): IterableIterator<string> {
    return this.#groups.keys()
  }

  get size(): number {
    return this.#groups.size
  }
}

/** The IRI of a subject or object; of a blank node its label with `_:`, which no IRI starts with. */
export function subjectKey(term: Term): string {
  if (term.termType === 'NamedNode') return term.value
  if (term.termType === 'BlankNode') return `_:${term.value}`
  throw unreadable(term)
}

export const isBlankKey = (key: string): boolean => key.startsWith('_:')

const unreadable = (term: Term): RdfError =>
  new RdfError('not-expressible', `A statement holds a term of type ${term.termType}, which an entity cannot hold.`, {
    hint: 'Entities are read from IRIs, blank nodes and literals: write quoted triples, variables and formulas as ordinary statements.',
    details: { termType: term.termType },
  })
