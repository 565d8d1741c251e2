/** What RDF cannot say of an entity, kept beside its statements as one literal of JSON (design: the graph). */

import { canonicalText } from '../model/canonical.ts'
import { type Dict, entries, newDict, set } from '../model/dict.ts'
import { type Entity, idOf, isEntity } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import { JsonError, parseJson, writeJson } from '../model/json.ts'
import { Decimal, isDict, type Value } from '../model/value.ts'
import { collect } from './collect.ts'
import { SubjectGroups } from './groups.ts'
import { BOOKKEEPING, type ReadOptions, readEntity } from './read.ts'
import { stateEntity, subjectIri } from './statements.ts'
import { hub } from './vocabulary.ts'

/** The JSON to keep beside the entity's statements, or null when they alone give the entity back. */
export function literalBeside(entity: Entity, naming: Naming): string | null {
  const content = contentOf(entity)
  const groups = statementsOf(content, naming)
  // Of an entity that says nothing there would be no trace.
  const isStated = groups.size > 0 && canonicalText(readBack(content, groups, naming)) === canonicalText(content)
  return isStated ? null : writeJson(content)
}

export interface ReadBeside {
  readonly entity: Entity
  /** There was a literal and it was not used, because it is not what the statements say. */
  readonly disagrees: boolean
}

/** The entity as its literal has it, when that agrees with the statements; otherwise as the statements have it. */
export function readWithLiteral(key: string, groups: SubjectGroups, options: ReadOptions): ReadBeside {
  const literals = groups.properties(key)?.get(hub.canonicalJson)
  const entity = readEntity(key, groups, options, BOOKKEEPING)
  if (literals === undefined) return { entity, disagrees: false }
  const { naming } = options
  const stated = canonicalText(readEntity(key, groups, { naming }, BOOKKEEPING))
  for (const literal of literals) {
    const kept = literal.termType === 'Literal' ? parsed(literal.value) : null
    if (kept !== null && canonicalText(readBack(kept, statementsOf(kept, naming), naming)) === stated)
      return { entity: kept, disagrees: false }
  }
  return { entity, disagrees: true }
}

function statementsOf(entity: Entity, naming: Naming): SubjectGroups {
  const groups = new SubjectGroups()
  stateEntity(
    entity,
    naming,
    collect((quad) => groups.add(quad)),
  )
  return groups
}

/** What is left of an entity after a way through RDF. */
function readBack(entity: Entity, groups: SubjectGroups, naming: Naming): Entity {
  return readEntity(subjectIri(idOf(entity), naming), groups, { naming }, BOOKKEEPING)
}

function parsed(text: string): Entity | null {
  try {
    const value = parseJson(text)
    return isEntity(value) ? value : null
  } catch (error) {
    if (error instanceof JsonError) return null
    throw error
  }
}

/** `_id` and the content; decimals with their tag, because a bare one would be read as a Float. */
function contentOf(entity: Entity): Entity {
  const content = newDict()
  for (const [name, value] of entries(entity)) {
    if (name === '_id' || !name.startsWith('_')) set(content, name, tagged(value))
  }
  return content
}

function tagged(value: Value): Value {
  if (value instanceof Decimal) return value.bare ? new Decimal(value.unscaled, value.scale) : value
  if (Array.isArray(value)) return (value as readonly Value[]).map(tagged)
  if (!isDict(value)) return value
  const dict: Dict = newDict()
  for (const [name, inner] of entries(value)) set(dict, name, tagged(inner))
  return dict
}
