/** Prefixes that make Turtle, JSON-LD and RDF/XML readable. */

import type { Naming } from '../model/iri.ts'
import { hub, prov, xsd } from './vocabulary.ts'

/** Prefix → IRI it stands for. */
export type Prefixes = Readonly<Record<string, string>>

/**
 * The prefixes of a tenant: the registered ones, the hub's own vocabulary, and for each namespace given one for its
 * properties (`crm:`) and one for its identifiers (`crm-id:`).
 */
export function prefixesOf(naming: Naming, namespaces: Iterable<string> = []): Prefixes {
  const prefixes: Record<string, string> = { xsd: xsd.namespace, hub: hub.namespace, prov: prov.namespace }
  for (const namespace of namespaces) {
    if (!NAME.test(namespace)) continue
    prefixes[namespace] = `${naming.base}/ns/${namespace}#`
    prefixes[`${namespace}-id`] = `${naming.base}/id/${namespace}/`
  }
  for (const [name, iri] of Object.entries(naming.namespaces)) if (NAME.test(name)) prefixes[name] = iri
  return prefixes
}

/** What every format can take for a prefix; the built-in `_` is none in any. */
const NAME = /^[A-Za-z][A-Za-z0-9-]*$/
