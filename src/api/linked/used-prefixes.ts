/** Prefixes for a small document: those of its namespaces, and only the ones it uses. */

import type { Quad } from '@rdfjs/types'
import type { Naming } from '../../model/iri.ts'
import { decode } from '../../model/percent.ts'
import { type Prefixes, prefixesOf } from '../../rdf/prefixes.ts'
import { xsd } from '../../rdf/vocabulary.ts'

export function usedPrefixes(naming: Naming, quads: readonly Quad[]): Prefixes {
  // The type of plain strings is written nowhere.
  const iris = [...new Set(quads.flatMap(irisOf))].filter((iri) => iri !== xsd.string)
  const namespaces = new Set(iris.flatMap((iri) => namespaceOf(iri, naming.base) ?? []))
  const all = { ns: `${naming.base}/ns#`, ...prefixesOf(naming, namespaces) }
  return Object.fromEntries(Object.entries(all).filter(([, prefix]) => iris.some((iri) => iri.startsWith(prefix))))
}

function irisOf({ subject, predicate, object, graph }: Quad): string[] {
  const terms = [subject, predicate, graph, object.termType === 'Literal' ? object.datatype : object]
  return terms.filter(({ termType }) => termType === 'NamedNode').map(({ value }) => value)
}

/** `crm` of `<base>/ns/crm#name` and of `<base>/id/crm/7`. */
function namespaceOf(iri: string, base: string): string | null {
  if (!iri.startsWith(`${base}/`)) return null
  const [, namespace] = /^\/(?:ns|id)\/([^/#]+)[/#]/.exec(iri.slice(base.length)) ?? []
  return namespace === undefined ? null : decode(namespace)
}
