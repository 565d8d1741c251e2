/** RDF/XML: one `rdf:Description` for each subject, streamed. It has no graphs, and not every statement fits into XML. */

import type { Literal, Quad, Term } from '@rdfjs/types'
import { RdfError } from './errors.ts'
import { type Node, NodeGatherer } from './node-writer.ts'
import type { Prefixes } from './prefixes.ts'
import type { QuadWriter } from './quad-writer.ts'
import { rdf, xsd } from './vocabulary.ts'

export class RdfXmlWriter implements QuadWriter {
  readonly #prefixes: Readonly<Record<string, string>>
  readonly #names: ReadonlyMap<string, string>
  readonly #gatherer = new NodeGatherer()

  constructor(prefixes: Prefixes) {
    this.#prefixes = { ...prefixes, rdf: rdf.namespace }
    this.#names = new Map(Object.entries(this.#prefixes).map(([name, iri]) => [iri, name]))
  }

  start(): string {
    const declared = Object.entries(this.#prefixes).map(([name, iri]) => `\n  xmlns:${name}="${attribute(iri)}"`)
    return `<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF${declared.join('')}>\n`
  }

  quad(quad: Quad): string {
    return this.#node(this.#gatherer.take(quad))
  }

  end(): string {
    return `${this.#node(this.#gatherer.flush())}</rdf:RDF>\n`
  }

  #node(node: Node | null): string {
    if (node === null) return ''
    const lines = node.statements.map((statement) => `    ${this.#property(statement)}\n`)
    return `  <rdf:Description ${reference(node.subject, 'rdf:about')}>\n${lines.join('')}  </rdf:Description>\n`
  }

  #property({ predicate, object }: Quad): string {
    const { name, declaration } = this.#element(predicate.value)
    if (object.termType !== 'Literal') return `<${name}${declaration} ${reference(object, 'rdf:resource')}/>`
    const { value, language, datatype } = object as Literal
    const type =
      language !== ''
        ? ` xml:lang="${attribute(language)}"`
        : datatype.value === xsd.string
          ? ''
          : ` rdf:datatype="${attribute(datatype.value)}"`
    return `<${name}${declaration}${type}>${content(value)}</${name}>`
  }

  /** A predicate becomes an element's name: the longest end of it that is a name in XML, and what is before as namespace. */
  #element(iri: string): { name: string; declaration: string } {
    const [local = ''] = LOCAL_NAME.exec(iri) ?? []
    const namespace = iri.slice(0, iri.length - local.length)
    if (local === '' || namespace === '' || (namespace === rdf.namespace && SYNTAX_NAMES.has(local))) {
      throw inexpressible(`the predicate <${iri}>, which is no name in XML`)
    }
    const known = this.#names.get(namespace)
    return known === undefined
      ? { name: `p:${local}`, declaration: ` xmlns:p="${attribute(namespace)}"` }
      : { name: `${known}:${local}`, declaration: '' }
  }
}

const LOCAL_NAME =
  /[A-Za-z_\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u3001-\uD7FF][A-Za-z0-9_.\-\u00B7\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u037D\u037F-\u1FFF\u3001-\uD7FF]*$/

/** Names of the syntax itself, which no property may bear (RDF/XML §5.1). */
const SYNTAX_NAMES = new Set(
  'RDF ID about parseType resource nodeID datatype Description li aboutEach aboutEachPrefix bagID'.split(' '),
)

function reference(term: Term, iriAttribute: string): string {
  if (term.termType === 'NamedNode') return `${iriAttribute}="${attribute(term.value)}"`
  if (term.termType === 'BlankNode') return `rdf:nodeID="${attribute(term.value)}"`
  throw inexpressible(`a term of type ${term.termType}`)
}

function content(text: string): string {
  if (NOT_XML.test(text)) throw inexpressible(`a control character in ${JSON.stringify(text.slice(0, 60))}`)
  return text.replace(/[&<>\r]/g, (char) => ESCAPES[char] as string)
}

const attribute = (text: string): string => content(text).replace(/["\n\t]/g, (char) => ESCAPES[char] as string)

/** Characters XML 1.0 has no way to write, escaped or not. */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#13;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
}

const inexpressible = (what: string): RdfError =>
  new RdfError('not-expressible', `RDF/XML cannot say ${what}.`, {
    hint: 'Ask for Turtle, N-Triples or JSON-LD, which can.',
  })
