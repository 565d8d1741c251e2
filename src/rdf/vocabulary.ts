/** The IRIs of other people's vocabularies that the hub writes, and of its own (`ontology/hub.ttl`). */

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
const XSD = 'http://www.w3.org/2001/XMLSchema#'
const PROV = 'http://www.w3.org/ns/prov#'
const HUB = 'https://w3id.org/samtale/hub#'

export const rdf = {
  namespace: RDF,
  type: `${RDF}type`,
  first: `${RDF}first`,
  rest: `${RDF}rest`,
  nil: `${RDF}nil`,
  JSON: `${RDF}JSON`,
  langString: `${RDF}langString`,
} as const

export const xsd = {
  namespace: XSD,
  string: `${XSD}string`,
  boolean: `${XSD}boolean`,
  integer: `${XSD}integer`,
  decimal: `${XSD}decimal`,
  double: `${XSD}double`,
  date: `${XSD}date`,
  dateTime: `${XSD}dateTime`,
  base64Binary: `${XSD}base64Binary`,
  anyURI: `${XSD}anyURI`,
} as const

export const prov = {
  namespace: PROV,
  generatedAtTime: `${PROV}generatedAtTime`,
  wasGeneratedBy: `${PROV}wasGeneratedBy`,
  wasDerivedFrom: `${PROV}wasDerivedFrom`,
} as const

export const hub = {
  namespace: HUB,
  /** Of an entity's graph: its version's place in the dataset, `_updated`. */
  sequence: `${HUB}sequence`,
  /** Of an entity: its canonical JSON, where the statements alone do not give it back. */
  canonicalJson: `${HUB}canonicalJson`,
} as const

export const owlSameAs = 'http://www.w3.org/2002/07/owl#sameAs'
export const isPartOf = 'http://purl.org/dc/terms/isPartOf'
