/** SHACL shapes of a model's entity types, as Turtle: what the graph of such an entity looks like (design: the graph). */

import { type Dict, entries, get, newDict } from '../../model/dict.ts'
import type { Naming } from '../../model/iri.ts'
import { encode } from '../../model/percent.ts'
import { isDict, isList, type Value } from '../../model/value.ts'

const PREFIXES = `@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
`

/** How deep shapes lie within one another. */
const DEPTH = 8

/** Shapes have no targets: which entities they hold for is said by whoever validates. */
export function shaclOf(model: string, types: Iterable<readonly [name: string, type: Dict]>, naming: Naming): string {
  const shapes = [...types].map(([name, type]) => nodeShape(shapeIri(naming, model, name), name, type, naming))
  return [PREFIXES, ...shapes].join('\n')
}

const shapeIri = ({ base }: Naming, model: string, type: string): string =>
  `${base}/model/${encode(model)}/${encode(type)}`

function nodeShape(iri: string, name: string, type: Dict, naming: Naming): string {
  const lines = [`  rdfs:label ${quoted(name)}`, ...described(type, 'rdfs:comment', '  ')]
  return `<${iri}> a sh:NodeShape ;\n${[...lines, ...propertyShapes(type, naming, '  ', 0)].join(' ;\n')} .\n`
}

/** One of each property; `_id` is the name of the node itself. */
function propertyShapes(type: Dict, naming: Naming, indent: string, depth: number): string[] {
  const properties = get(type, 'properties')
  if (!isDict(properties) || depth >= DEPTH) return []
  const required = get(type, 'required') ?? null
  const needed = new Set(isList(required) ? required : [])
  return entries(properties).flatMap(([name, about]) => {
    if ((depth === 0 && name.startsWith('_')) || !isDict(about)) return []
    const path = `sh:path <${naming.propertyToIri(name)}>`
    const least = needed.has(name) ? ['sh:minCount 1'] : []
    const inner = `${indent}  `
    const parts = [
      path,
      `sh:name ${quoted(name)}`,
      ...described(about, 'sh:description'),
      ...least,
      ...valueShape(about, naming, inner, depth),
    ]
    return [`${indent}sh:property [\n${parts.map((part) => inner + part).join(' ;\n')}\n${indent}]`]
  })
}

/** Lists are repeated statements, so only what is never a list comes once. */
function valueShape(about: Dict, naming: Naming, indent: string, depth: number): string[] {
  const alternatives = alternativesOf(about)
  const isOnce = alternatives.length > 0 && !alternatives.some(({ inList }) => inList)
  const kinds = [...new Set(alternatives.map(({ type }) => constraints(type, naming, indent, depth)).map(joined))]
  const constrained = kinds.filter((kind) => kind !== '')
  // What one alternative leaves open, no other can narrow.
  const isOpen = constrained.length < kinds.length
  const either = `sh:or (\n${constrained.map((kind) => `${indent}  [ ${kind} ]`).join('\n')}\n${indent})`
  const values =
    isOpen || constrained.length === 0 ? [] : [constrained.length === 1 ? (constrained[0] as string) : either]
  return [...(isOnce ? ['sh:maxCount 1'] : []), ...values]
}

interface Alternative {
  readonly type: Dict
  readonly inList: boolean
}

/** Nothing is stated of null. */
function alternativesOf(about: Dict, inList = false): readonly Alternative[] {
  const anyOf = get(about, 'anyOf') ?? null
  const all = isList(anyOf) ? anyOf.filter(isDict) : [about]
  return all.flatMap((type): readonly Alternative[] => {
    const kind = get(type, 'type')
    if (kind === 'null') return []
    if (kind !== 'array') return [{ type, inList }]
    const items = get(type, 'items')
    const within = alternativesOf(isDict(items) ? items : newDict(), true)
    return within.length === 0 ? [{ type: newDict(), inList: true }] : within
  })
}

const joined = (constraints: readonly string[]): string => constraints.join(' ; ')

function constraints(type: Dict, naming: Naming, indent: string, depth: number): readonly string[] {
  const kind = get(type, 'subtype') ?? get(type, 'type')
  const own = facets(type)
  switch (kind) {
    case 'ni':
      return ['sh:nodeKind sh:IRI', ...namespacePattern(type, naming)]
    case 'uuid':
      return ['sh:nodeKind sh:IRI', 'sh:pattern "^urn:uuid:"']
    case 'uri':
      return ['sh:nodeKind sh:IRIOrLiteral']
    case 'object': {
      const inner = propertyShapes(type, naming, `${indent}    `, depth + 1)
      return ['sh:nodeKind sh:IRI', ...(inner.length === 0 ? [] : [`sh:node [\n${inner.join(' ;\n')}\n${indent}  ]`])]
    }
    default: {
      const datatype = typeof kind === 'string' ? DATATYPES[kind] : undefined
      return datatype === undefined ? own : [`sh:datatype xsd:${datatype}`, ...own]
    }
  }
}

const DATATYPES: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  integer: 'integer',
  number: 'double',
  decimal: 'decimal',
  date: 'date',
  datetime: 'dateTime',
  string: 'string',
  bytes: 'base64Binary',
}

/** What a schema that somebody wrote says of scalars, where SHACL has the same. */
const FACETS: Readonly<Record<string, string>> = {
  minLength: 'sh:minLength',
  maxLength: 'sh:maxLength',
  minimum: 'sh:minInclusive',
  maximum: 'sh:maxInclusive',
  exclusiveMinimum: 'sh:minExclusive',
  exclusiveMaximum: 'sh:maxExclusive',
}

const facets = (type: Dict): readonly string[] =>
  Object.entries(FACETS).flatMap(([name, term]) => {
    const value = get(type, name)
    return typeof value === 'number' || typeof value === 'bigint' ? [`${term} ${value}`] : []
  })

/** All identifiers of a namespace begin alike, as long as all namespaces are known. */
function namespacePattern(type: Dict, naming: Naming): readonly string[] {
  const metadata = get(type, 'metadata')
  const namespaces: Value = isDict(metadata) ? (get(metadata, 'namespaces') ?? null) : null
  if (!isDict(metadata) || !isList(namespaces) || namespaces.length === 0) return []
  if (get(metadata, 'more-namespaces') === true) return []
  const begins = namespaces.map((namespace) => {
    const iri = naming.niToIri(namespace === '' ? 'x' : `${String(namespace)}:x`)
    return iri.slice(0, -1).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
  return [`sh:pattern ${quoted(begins.length === 1 ? `^${begins[0]}` : `^(?:${begins.join('|')})`)}`]
}

const described = (about: Dict, term: string, indent = ''): string[] => {
  const description = get(about, 'description')
  return typeof description === 'string' && description !== '' ? [`${indent}${term} ${quoted(description)}`] : []
}

/** A string of Turtle; what JSON escapes, Turtle does too. */
const quoted = (text: string): string => JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007F')
