/** Foreign RDF as entities: each subject one, with its blank nodes as nested dicts (hub.md §14.14). */

import type { Quad, Term } from '@rdfjs/types'
import type { Entity } from '../model/entity.ts'
import { idOf } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import { readWithLiteral } from './beside.ts'
import { RdfError } from './errors.ts'
import { isBlankKey, SubjectGroups, subjectKey } from './groups.ts'
import { isChildIri } from './iri.ts'
import type { ReadOptions } from './read.ts'
import { predicateIri } from './statements.ts'
import { owlSameAs } from './vocabulary.ts'

export interface SubjectsOptions extends ReadOptions {
  /**
   * The statements of a subject follow one another: entities are given while reading, and memory does not grow.
   * There may be no blank nodes then, since theirs may stand anywhere.
   */
  readonly isSorted?: boolean
  /** Hears of entities whose canonical JSON is not what their statements say: they are read from the statements. */
  readonly onDisagreement?: (id: string) => void
}

/** The entities that quads speak of, in the order their subjects come; graphs are not told apart. */
export async function* subjectsOf(quads: AsyncIterable<Quad>, options: SubjectsOptions): AsyncIterable<Entity> {
  if (options.isSorted === true) {
    yield* sortedSubjects(quads, options)
    return
  }
  const groups = new SubjectGroups()
  for await (const quad of quads) groups.add(quad)
  dropStatedIdentities(groups, options.naming)
  const nested = nestedKeys(groups, options.naming)
  for (const key of groups.keys()) if (!nested.has(key)) yield read(key, groups, options)
}

async function* sortedSubjects(quads: AsyncIterable<Quad>, options: SubjectsOptions): AsyncIterable<Entity> {
  let groups = new SubjectGroups()
  let current = ''
  for await (const quad of quads) {
    const key = subjectKey(quad.subject)
    if (isBlankKey(key) || quad.object.termType === 'BlankNode') throw blankNode(key)
    if (key !== current && groups.size > 0) {
      yield read(current, groups, options)
      groups = new SubjectGroups()
    }
    current = key
    groups.add(quad)
  }
  if (groups.size > 0) yield read(current, groups, options)
}

function read(key: string, groups: SubjectGroups, options: SubjectsOptions): Entity {
  const { entity, disagrees } = readWithLiteral(key, groups, options)
  if (disagrees) options.onDisagreement?.(idOf(entity))
  return entity
}

/** An export states `owl:sameAs` from each member to the merged entity, which says it itself, in `$ids`. */
function dropStatedIdentities(groups: SubjectGroups, naming: Naming): void {
  const ids = predicateIri('$ids', naming)
  const isStated = (member: string, merged: Term): boolean =>
    groups
      .properties(merged.value)
      ?.get(ids)
      ?.some((id) => id.value === member) === true
  for (const key of [...groups.keys()]) {
    const same = groups.properties(key)?.get(owlSameAs)
    if (same !== undefined)
      groups.replace(
        key,
        owlSameAs,
        same.filter((merged) => !isStated(key, merged)),
      )
  }
}

/** Subjects that are read as part of another: blank nodes that something refers to, and dicts below an entity's IRI. */
function nestedKeys(groups: SubjectGroups, naming: Naming): Set<string> {
  const nested = new Set<string>()
  for (const key of groups.keys()) {
    for (const [predicate, objects] of groups.properties(key) ?? []) {
      for (const object of objects) {
        if (object.termType === 'BlankNode') nested.add(subjectKey(object))
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
