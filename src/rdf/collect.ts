/** Statements → quads, with n3's terms. */

import type { NamedNode, Quad } from '@rdfjs/types'
import { DataFactory } from 'n3'
import type { Emit } from './emit.ts'
import { xsd } from './vocabulary.ts'

const { namedNode, literal, quad, defaultGraph } = DataFactory

/** An emitter that makes a quad of each statement, in the graph if one is given. */
export function collect(take: (quad: Quad) => void, graph?: string): Emit {
  const label = graph === undefined ? defaultGraph() : namedNode(graph)
  const terms = new Map<string, NamedNode>()
  const iri = (text: string): NamedNode => {
    let term = terms.get(text)
    if (term === undefined) {
      term = namedNode(text)
      terms.set(text, term)
    }
    return term
  }
  return (subject, predicate, object, datatype) => {
    const term =
      datatype === '' ? iri(object) : datatype === xsd.string ? literal(object) : literal(object, iri(datatype))
    take(quad(iri(subject), iri(predicate), term, label) as Quad)
  }
}
