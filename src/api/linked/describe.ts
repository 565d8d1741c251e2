/** Descriptions as RDF: of an entity with where it comes from, and of a dataset. */

import type { Quad } from '@rdfjs/types'
import { DataFactory, type Literal, type NamedNode } from 'n3'
import { datetimeText } from '../../model/datetime.ts'
import { get } from '../../model/dict.ts'
import { idOf } from '../../model/entity.ts'
import type { Naming } from '../../model/iri.ts'
import { Datetime } from '../../model/value.ts'
import { quadLine } from '../../rdf/lines.ts'
import { entityQuads } from '../../rdf/quads.ts'
import { identities, subjectIri } from '../../rdf/statements.ts'
import { hub, isPartOf, prov, rdf, xsd } from '../../rdf/vocabulary.ts'
import type { Holding, Known } from './holdings.ts'

const { namedNode, literal, quad } = DataFactory

const VOID = 'http://rdfs.org/ns/void#'
const DCTERMS = 'http://purl.org/dc/terms/'

/** All that is said of an id: in the graphs of its datasets, or as one set of statements. */
export function describeKnown(
  { own, merged }: Known,
  naming: Naming,
  { inGraphs }: { readonly inGraphs: boolean },
): Quad[] {
  const quads = [...own, ...merged].flatMap((holding) =>
    inGraphs ? describeHolding(holding, naming) : entityQuads(holding.entity, naming, { sameAs: true }),
  )
  return inGraphs ? quads : once(quads)
}

/** One version of an entity, in its graph, with what the graph says about itself: what the projection holds there, too. */
export function describeHolding({ dataset, entity, pipe, derivedFrom }: Holding, naming: Naming): Quad[] {
  const graph = namedNode(naming.graphIri(dataset, idOf(entity)))
  const about = (predicate: string, object: NamedNode | Literal) =>
    quad(graph, namedNode(predicate), object, graph) as unknown as Quad
  const quads = [
    ...entityQuads(entity, naming, { dataset, sameAs: true }),
    about(isPartOf, namedNode(naming.datasetIri(dataset))),
  ]
  const updated = get(entity, '_updated')
  if (typeof updated === 'number') quads.push(about(hub.sequence, literal(String(updated), namedNode(xsd.integer))))
  const time = timeOf(entity)
  if (time !== null) quads.push(about(prov.generatedAtTime, literal(time, namedNode(xsd.dateTime))))
  if (pipe !== null) quads.push(about(prov.wasGeneratedBy, namedNode(naming.pipeIri(pipe))))
  const origins = [
    ...derivedFrom.map((origin) => naming.datasetIri(origin)),
    ...identities(entity).flatMap((member) => (member === idOf(entity) ? [] : [subjectIri(member, naming)])),
  ]
  quads.push(...origins.map((origin) => about(prov.wasDerivedFrom, namedNode(origin))))
  return quads
}

/** When a version was stored. */
export function timeOf(entity: Holding['entity']): string | null {
  const ts = get(entity, '_ts')
  return typeof ts === 'number' ? datetimeText(new Datetime(BigInt(ts) * 1000n)) : null
}

/** The same statements without their graphs. */
export const withoutGraphs = (quads: readonly Quad[]): Quad[] =>
  once(
    quads.map(
      ({ subject, predicate, object }) =>
        DataFactory.quad(subject as never, predicate as never, object as never) as unknown as Quad,
    ),
  )

export interface DatasetFacts {
  readonly id: string
  readonly count: number
  readonly pipe: string | null
  /** Where all of it can be had. */
  readonly exportIri: string
}

export function describeDataset({ id, count, pipe, exportIri }: DatasetFacts, naming: Naming): Quad[] {
  const subject = namedNode(naming.datasetIri(id))
  const state = (predicate: string, object: NamedNode | Literal) =>
    quad(subject, namedNode(predicate), object) as unknown as Quad
  return [
    state(rdf.type, namedNode(`${VOID}Dataset`)),
    state(`${DCTERMS}identifier`, literal(id)),
    state(`${VOID}entities`, literal(String(count), namedNode(xsd.integer))),
    state(`${VOID}dataDump`, namedNode(exportIri)),
    ...(pipe === null ? [] : [state(prov.wasGeneratedBy, namedNode(naming.pipeIri(pipe)))]),
  ]
}

function once(quads: readonly Quad[]): Quad[] {
  const byText = new Map(quads.map((one) => [quadLine(one), one]))
  return [...byText.values()]
}
