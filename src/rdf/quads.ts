/** Entity → quads. */

import type { Quad } from '@rdfjs/types'
import { type Entity, idOf } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import { literalBeside } from './beside.ts'
import { collect } from './collect.ts'
import { stateEntity, stateSameAs, subjectIri } from './statements.ts'
import { hub, rdf } from './vocabulary.ts'

export interface QuadOptions {
  /** Put the quads in the entity's graph in this dataset; without it they are in the default graph. */
  readonly dataset?: string
  /** State also that the identities in `$ids` are the same as the entity. */
  readonly sameAs?: boolean
  /** Add the canonical JSON, when the statements alone would not give the entity back. */
  readonly beside?: boolean
}

/** The statements of an entity as quads. */
export function entityQuads(entity: Entity, naming: Naming, options: QuadOptions = {}): Quad[] {
  const { dataset, sameAs, beside } = options
  const quads: Quad[] = []
  const graph = dataset === undefined ? undefined : naming.graphIri(dataset, idOf(entity))
  const emit = collect((quad) => quads.push(quad), graph)
  stateEntity(entity, naming, emit)
  if (sameAs === true) stateSameAs(entity, naming, emit)
  const json = beside === true ? literalBeside(entity, naming) : null
  if (json !== null) emit(subjectIri(idOf(entity), naming), hub.canonicalJson, json, rdf.JSON)
  return quads
}
