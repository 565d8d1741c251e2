/** Foreign RDF as entities: each subject one, with its blank nodes as nested dicts (hub.md §14.14). */

import type { Quad } from '@rdfjs/types'
import type { Entity } from '../model/entity.ts'
import { RdfError } from './errors.ts'
import { isBlankKey, SubjectGroups, subjectKey } from './groups.ts'
import { isChildIri } from './iri.ts'
import { type ReadOptions, readEntity } from './read.ts'

export interface SubjectsOptions extends ReadOptions {
  /**
   * The statements of a subject follow one another: entities are given while reading, and memory does not grow.
   * There may be no blank nodes then, since theirs may stand anywhere.
   */
  readonly isSorted?: boolean
}

/** The entities that quads speak of, in the order their subjects come; graphs are not told apart. */
export async function* subjectsOf(quads: AsyncIterable<Quad>, options: SubjectsOptions): AsyncIterable<Entity> {
  const reading: ReadOptions = { uuids: false, ...options }
  if (options.isSorted === true) {
    yield* sortedSubjects(quads, reading)
    return
  }
  const groups = new SubjectGroups()
  for await (const quad of quads) groups.add(quad)
  const nested = nestedKeys(groups, options)
  for (const key of groups.keys()) if (!nested.has(key)) yield readEntity(key, groups, reading)
}

async function* sortedSubjects(quads: AsyncIterable<Quad>, options: ReadOptions): AsyncIterable<Entity> {
  let groups = new SubjectGroups()
  let current = ''
  for await (const quad of quads) {
    const key = subjectKey(quad.subject)
    if (isBlankKey(key) || quad.object.termType === 'BlankNode') throw blankNode(key)
    if (key !== current && groups.size > 0) {
      yield readEntity(current, groups, options)
      groups = new SubjectGroups()
    }
    current = key
    groups.add(quad)
  }
  if (groups.size > 0) yield readEntity(current, groups, options)
}

/** Subjects that are read as part of another: blank nodes that something refers to, and dicts below an entity's IRI. */
function nestedKeys(groups: SubjectGroups, { naming }: ReadOptions): Set<string> {
  const nested = new Set<string>()
  for (const key of groups.keys()) {
    for (const [predicate, objects] of groups.properties(key) ?? []) {
      for (const object of objects) {
        if (object.termType === 'BlankNode') nested.add(`_:${object.value}`)
        else if (object.termType === 'NamedNode' && object.value.startsWith(key)) {
          if (isChildIri(object.value, key, naming.iriToProperty(predicate) ?? predicate)) nested.add(object.value)
        }
      }
    }
  }
  return nested
}

const blankNode = (key: string): RdfError =>
  new RdfError(
    'not-expressible',
    `A blank node was found at the subject ${key}, and the statements are read as sorted.`,
    {
      hint: 'Leave `is_sorted` out, or give the nodes IRIs.',
      details: { subject: key },
    },
  )
