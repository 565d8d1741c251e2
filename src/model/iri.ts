/** Identifiers as IRIs and back: exact inverses, so that nothing is lost between the log and the graph (design §3). */

import { decode, encode } from './percent.ts'

/** How a tenant names its things. */
export interface Naming {
  /** Without a slash at the end. */
  readonly base: string
  /** Prefix → IRI prefix, built-ins included. */
  readonly namespaces: Readonly<Record<string, string>>
  /** Of the text of an NI, `namespace:identifier`. */
  niToIri(ni: string): string
  /** The NI's text, or null when the IRI is that of no NI. */
  iriToNi(iri: string): string | null
  propertyToIri(name: string): string
  iriToProperty(iri: string): string | null
  /** Of an `_id`, which is read like the text of an NI. */
  entityIri(id: string): string
  graphIri(dataset: string, id: string): string
  parseGraphIri(iri: string): { readonly dataset: string; readonly id: string } | null
  datasetIri(id: string): string
  pipeIri(id: string): string
  runIri(pipe: string, sequence: string | number): string
}

export interface NamingOptions {
  readonly base: string
  /** Prefix → IRI prefix; over the built-ins. */
  readonly namespaces?: Readonly<Record<string, string>>
  /** Property → IRI, where another than the usual one is wanted. Of several with one IRI, the IRI names the first. */
  readonly properties?: Readonly<Record<string, string>>
}

/** Prefixes every tenant has (hub.md §4). */
export const builtinNamespaces: Readonly<Record<string, string>> = {
  _: 'http://example.org/',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
  owl: 'http://www.w3.org/2002/07/owl#',
  foaf: 'http://xmlns.com/foaf/0.1/',
  wgs84: 'http://www.w3.org/2003/01/geo/wgs84_pos#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  dc: 'http://purl.org/dc/elements/1.1/',
  skos: 'http://www.w3.org/2004/02/skos/core#',
  dcterms: 'http://purl.org/dc/terms/',
  gs: 'http://www.opengis.net/ont/geosparql#',
}

export function createNaming({ base: given, namespaces: own = {}, properties = {} }: NamingOptions): Naming {
  const base = given.replace(/\/+$/, '')
  const namespaces = { ...builtinNamespaces, ...own }
  const registry = new Registry(namespaces, [`${base}/id/`, `${base}/ns#`, `${base}/ns/`, `${base}/graph/`])
  const irisOfProperties = new Map(Object.entries(properties))
  const propertiesOfIris = new Map([...irisOfProperties].reverse().map(([name, iri]) => [iri, name]))

  const niToIri = (ni: string): string => {
    const colon = ni.lastIndexOf(':')
    // Without a namespace all of it is the identifier, so that `x` and `:x`, two NIs, have two IRIs.
    if (colon <= 0) return `${base}/id//${encode(ni)}`
    const [namespace, identifier] = [ni.slice(0, colon), ni.slice(colon + 1)]
    return registry.expand(namespace, identifier) ?? `${base}/id/${encode(namespace)}/${encode(identifier)}`
  }
  const niOf = (iri: string): string | null => {
    const [namespace, identifier] = partsBelow(`${base}/id/`, iri, '/') ?? []
    if (namespace === undefined || identifier === undefined) return registry.collapse(iri)
    return namespace === '' ? identifier : `${namespace}:${identifier}`
  }
  const propertyToIri = (name: string): string => {
    const known = irisOfProperties.get(name)
    if (known !== undefined) return known
    const colon = name.lastIndexOf(':')
    if (colon < 0) return `${base}/ns#${encode(name)}`
    const [namespace, local] = [name.slice(0, colon), name.slice(colon + 1)]
    return registry.expand(namespace, local) ?? `${base}/ns/${encode(namespace)}#${encode(local)}`
  }
  const propertyOf = (iri: string): string | null => {
    const known = propertiesOfIris.get(iri)
    if (known !== undefined) return known
    if (iri.startsWith(`${base}/ns#`)) return decode(iri.slice(base.length + 4))
    const [namespace, local] = partsBelow(`${base}/ns/`, iri, '#') ?? []
    return namespace === undefined ? registry.collapse(iri) : `${namespace}:${local}`
  }
  return {
    base,
    namespaces,
    niToIri,
    // What was taken apart must be what is put together: of two spellings of an IRI, one names the NI.
    iriToNi(iri) {
      const ni = niOf(iri)
      return ni !== null && niToIri(ni) === iri ? ni : null
    },
    propertyToIri,
    iriToProperty(iri) {
      const name = propertyOf(iri)
      return name !== null && propertyToIri(name) === iri ? name : null
    },
    entityIri: niToIri,
    graphIri: (dataset, id) => `${base}/graph/${encode(dataset)}/${encode(id)}`,
    parseGraphIri(iri) {
      const [dataset, id] = partsBelow(`${base}/graph/`, iri, '/') ?? []
      return dataset === undefined || id === undefined ? null : { dataset, id }
    },
    datasetIri: (id) => `${base}/dataset/${encode(id)}`,
    pipeIri: (id) => `${base}/pipe/${encode(id)}`,
    runIri: (pipe, sequence) => `${base}/run/${encode(pipe)}/${encode(String(sequence))}`,
  }
}

/** The two parts of what stands behind `start`, decoded, or null when there are not two that decode. */
function partsBelow(start: string, iri: string, separator: string): [string, string] | null {
  if (!iri.startsWith(start)) return null
  const at = iri.indexOf(separator, start.length)
  if (at < 0) return null
  const first = decode(iri.slice(start.length, at))
  const second = decode(iri.slice(at + 1))
  return first === null || second === null ? null : [first, second]
}

/** An absolute IRI without what no IRI may hold. */
const IRI = /^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>"{}|\\^`]*$/

/** Registered prefixes. Expansion gives way to the usual form wherever it could not be undone. */
class Registry {
  readonly #prefixOf = new Map<string, string>()
  /** Longest first: that one wins when an IRI is collapsed. */
  readonly #byLength: readonly (readonly [namespace: string, prefix: string])[]
  /** No other prefix begins with theirs, so whatever is appended collapses to them again. */
  readonly #clear = new Set<string>()

  /** IRIs that begin with one of `taken` are never made nor read here. */
  constructor(namespaces: Readonly<Record<string, string>>, taken: readonly string[]) {
    for (const [namespace, prefix] of Object.entries(namespaces)) {
      if (IRI.test(prefix) && !taken.some((one) => prefix.startsWith(one))) this.#prefixOf.set(namespace, prefix)
    }
    const all = [...this.#prefixOf]
    this.#byLength = all.sort(([, a], [, b]) => b.length - a.length)
    for (const [namespace, prefix] of all) {
      const rivals = [...all.filter(([other]) => other !== namespace).map(([, other]) => other), ...taken]
      if (!rivals.some((rival) => rival.startsWith(prefix))) this.#clear.add(namespace)
    }
    this.#taken = taken
  }
  readonly #taken: readonly string[]

  expand(namespace: string, identifier: string): string | null {
    const prefix = this.#prefixOf.get(namespace)
    if (prefix === undefined) return null
    const iri = prefix + encode(identifier)
    return this.#clear.has(namespace) || this.collapse(iri) === `${namespace}:${identifier}` ? iri : null
  }

  collapse(iri: string): string | null {
    if (this.#taken.some((one) => iri.startsWith(one))) return null
    for (const [namespace, prefix] of this.#byLength) {
      if (!iri.startsWith(prefix)) continue
      const identifier = decode(iri.slice(prefix.length))
      return identifier === null ? null : `${namespace}:${identifier}`
    }
    return null
  }
}
