/** The common model as mappings see it: which classes and properties there are, read from Turtle. */

import { Parser } from 'n3'

export const modelNamespace = 'https://w3id.org/samtale/model#'
const ST = 'https://w3id.org/samtale/talk#'
const RDF_TYPE = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type'
const OWL = 'http://www.w3.org/2002/07/owl#'
const RDFS = 'http://www.w3.org/2000/01/rdf-schema#'

export interface Model {
  /** By name, such as `Human`. */
  readonly classes: ReadonlySet<string>
  /** By name, such as `email`. */
  readonly properties: ReadonlyMap<string, ModelProperty>
}

export interface ModelProperty {
  /** Of a thing there can be one, or several. */
  readonly cardinality: 'one' | 'set'
  /** The value is another thing, of this class; null: a plain value. */
  readonly leadsTo: string | null
  /** The class it belongs to; null: any. */
  readonly domain: string | null
}

export function readModel(turtle: string): Model {
  const classes = new Set<string>()
  const properties = new Map<string, ModelProperty>()
  const said = new Map<string, Map<string, string>>()
  for (const { subject, predicate, object } of new Parser().parse(turtle)) {
    const name = localName(subject.value)
    if (name === null) continue
    const about = said.get(name) ?? new Map<string, string>()
    said.set(name, about.set(predicate.value, object.value))
  }
  for (const [name, about] of said) {
    const type = about.get(RDF_TYPE)
    if (type === `${OWL}Class`) classes.add(name)
    if (type !== `${OWL}DatatypeProperty` && type !== `${OWL}ObjectProperty`) continue
    properties.set(name, {
      cardinality: about.get(`${ST}cardinality`) === `${ST}One` ? 'one' : 'set',
      leadsTo: type === `${OWL}ObjectProperty` ? localName(about.get(`${RDFS}range`) ?? '') : null,
      domain: localName(about.get(`${RDFS}domain`) ?? ''),
    })
  }
  return { classes, properties }
}

const localName = (iri: string): string | null =>
  iri.startsWith(modelNamespace) ? iri.slice(modelNamespace.length) : null
