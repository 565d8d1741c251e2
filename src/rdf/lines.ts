/** N-Triples and N-Quads text in canonical form: one statement, one line. */

import type { Quad, Term } from '@rdfjs/types'
import { RdfError } from './errors.ts'
import { rdf, xsd } from './vocabulary.ts'

/** A line of N-Quads. */
export const quadLine = (quad: Quad): string =>
  quad.graph.termType === 'DefaultGraph' ? tripleLine(quad) : `${tripleText(quad)} ${termText(quad.graph)} .\n`

/** A line of N-Triples: the graph is left out. */
export const tripleLine = (quad: Quad): string => `${tripleText(quad)} .\n`

const tripleText = ({ subject, predicate, object }: Quad): string =>
  `${termText(subject)} ${termText(predicate)} ${termText(object)}`

export function termText(term: Term): string {
  switch (term.termType) {
    case 'NamedNode':
      return `<${term.value}>`
    case 'BlankNode':
      return `_:${term.value}`
    case 'Literal':
      if (term.language !== '') return `"${escaped(term.value)}"@${term.language}`
      return literalText(term.value, term.datatype.value)
    default:
      throw new RdfError('not-expressible', `A term of type ${term.termType} cannot be written.`, {
        hint: 'Only IRIs, blank nodes and literals are written: no quoted triples and no variables.',
      })
  }
}

/** The object of a statement as `stateEntity` gives it: `datatype` is empty for an IRI. */
export const objectText = (text: string, datatype: string): string =>
  datatype === '' ? `<${text}>` : literalText(text, datatype)

const literalText = (text: string, datatype: string): string =>
  datatype === xsd.string || datatype === rdf.langString ? `"${escaped(text)}"` : `"${escaped(text)}"^^<${datatype}>`

/** What canonical N-Triples escapes, and nothing else. */
const AWKWARD = /[^ !#-[\]-~\u0080-\uFFFD]/
const EVERY_AWKWARD = /[^ !#-[\]-~\u0080-\uFFFD]/g
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}

const escaped = (text: string): string =>
  AWKWARD.test(text)
    ? text.replace(
        EVERY_AWKWARD,
        (char) => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
      )
    : text
