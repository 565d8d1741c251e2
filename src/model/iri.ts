/** Identifiers as IRIs and back: exact inverses, so that nothing is lost between the log and the graph (design: entities). */

/** Names things below a base, with the prefixes of a tenant. */
export interface Naming {
  /** Without a slash at the end. */
  readonly base: string
  /** Prefix → IRI prefix, built-ins included. */
  readonly namespaces: Readonly<Record<string, string>>
  /** Of the text of an NI, `namespace:identifier`. */
  niToIri(ni: string): string
  /** The NI's text, or null when the IRI names none. */
  iriToNi(iri: string): string | null
  propertyToIri(name: string): string
  iriToProperty(iri: string): string | null
  /** Of an `_id`, which is read as the text of an NI. */
  entityIri(id: string): string
  graphIri(dataset: string, id: string): string
  parseGraphIri(iri: string): { readonly dataset: string; readonly id: string } | null
  datasetIri(id: string): string
  pipeIri(id: string): string
  runIri(pipe: string, sequence: string | number): string
}

export interface NamingOptions {
  readonly base: string
  readonly namespaces?: Readonly<Record<string, string>>
  /** Property → IRI where a mapping or the registry gives another than the usual one. */
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
  const prefixOf = new Map(Object.entries(namespaces))
  // The longest prefix wins when an IRI is collapsed.
  const byLength = [...prefixOf].sort(([, a], [, b]) => b.length - a.length)
  const propertyIris = new Map(Object.entries(properties))
  const propertyNames = new Map([...propertyIris].map(([name, iri]) => [iri, name]))

  /** Prefix + identifier, if that collapses to the same prefix again. */
  const expand = (namespace: string, identifier: string): string | null => {
    const prefix = prefixOf.get(namespace)
    if (prefix === undefined) return null
    const iri = prefix + encode(identifier)
    return collapse(iri) === `${namespace}:${identifier}` ? iri : null
  }
  const collapse = (iri: string): string | null => {
    for (const [namespace, prefix] of byLength) {
      if (!iri.startsWith(prefix)) continue
      const identifier = decode(iri.slice(prefix.length))
      // An identifier holds no colon: the last one separates it from its namespace.
      if (identifier !== null && !identifier.includes(':')) return `${namespace}:${identifier}`
      return null
    }
    return null
  }
  const below = (iri: string, path: string): readonly (string | null)[] | null =>
    iri.startsWith(`${base}/${path}`)
      ? iri
          .slice(base.length + 1 + path.length)
          .split('/')
          .map(decode)
      : null

  const niToIri = (ni: string): string => {
    const colon = ni.lastIndexOf(':')
    const [namespace, identifier] = [ni.slice(0, Math.max(colon, 0)), ni.slice(colon + 1)]
    return (colon > 0 ? expand(namespace, identifier) : null) ?? idIri(namespace, identifier, colon < 0)
  }
  // An NI without a colon and one with an empty namespace are two identifiers, so they have two IRIs.
  const idIri = (namespace: string, identifier: string, isBare: boolean): string =>
    isBare || namespace !== ''
      ? `${base}/id/${encode(namespace)}/${encode(identifier)}`
      : `${base}/id///${encode(identifier)}`

  return {
    base,
    namespaces,
    niToIri,
    iriToNi(iri) {
      const parts = below(iri, 'id/')
      if (parts !== null) {
        const [namespace, identifier, afterEmpty] = parts
        const ni = parts.length === 3 ? `:${afterEmpty}` : namespace === '' ? identifier : `${namespace}:${identifier}`
        return !parts.includes(null) && typeof ni === 'string' && niToIri(ni) === iri ? ni : null
      }
      return collapse(iri)
    },
    propertyToIri(name) {
      const known = propertyIris.get(name)
      if (known !== undefined) return known
      const colon = name.lastIndexOf(':')
      if (colon < 0) return `${base}/ns#${encode(name)}`
      const [namespace, local] = [name.slice(0, colon), name.slice(colon + 1)]
      return expand(namespace, local) ?? `${base}/ns/${encode(namespace)}#${encode(local)}`
    },
    iriToProperty(iri) {
      const known = propertyNames.get(iri)
      if (known !== undefined) return known
      if (iri.startsWith(`${base}/ns#`)) return plainName(decode(iri.slice(base.length + 4)))
      if (iri.startsWith(`${base}/ns/`)) {
        const [namespace, local, ...more] = iri
          .slice(base.length + 4)
          .split('#')
          .map(decode)
        if (namespace === null || namespace === undefined || more.length > 0) return null
        return plainName(local ?? null) === null ? null : `${namespace}:${local}`
      }
      return collapse(iri)
    },
    entityIri: niToIri,
    graphIri: (dataset, id) => `${base}/graph/${encode(dataset)}/${encode(id)}`,
    parseGraphIri(iri) {
      const parts = below(iri, 'graph/')
      if (parts?.length !== 2 || parts[0] === null || parts[1] === null) return null
      return { dataset: parts[0] as string, id: parts[1] as string }
    },
    datasetIri: (id) => `${base}/dataset/${encode(id)}`,
    pipeIri: (id) => `${base}/pipe/${encode(id)}`,
    runIri: (pipe, sequence) => `${base}/run/${encode(pipe)}/${encode(String(sequence))}`,
  }
}

const plainName = (name: string | null): string | null => (name === null || name.includes(':') ? null : name)

/** Percent-encoded down to RFC 3986's unreserved characters. A lone surrogate, which UTF-8 cannot say, becomes U+FFFD. */
export const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** The text, or null when it is not what {@link encode} makes. */
function decode(text: string): string | null {
  try {
    const decoded = decodeURIComponent(text)
    return encode(decoded) === text ? decoded : null
  } catch {
    return null
  }
}
