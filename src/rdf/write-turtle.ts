/** Turtle and TriG with prefixes: the statements of a subject together, one property a line. */

import type { Literal, Quad, Term } from '@rdfjs/types'
import { termText } from './lines.ts'
import type { Prefixes } from './prefixes.ts'
import type { QuadWriter } from './quad-writer.ts'
import { rdf, xsd } from './vocabulary.ts'

export class TurtleWriter implements QuadWriter {
  readonly #prefixes: Prefixes
  /** By the IRI it stands for. */
  readonly #names: ReadonlyMap<string, string>
  readonly #hasGraphs: boolean
  #previous: Quad | null = null

  constructor(prefixes: Prefixes, hasGraphs: boolean) {
    this.#prefixes = prefixes
    this.#names = new Map(Object.entries(prefixes).map(([name, iri]) => [iri, name]))
    this.#hasGraphs = hasGraphs
  }

  start(): string {
    const declared = Object.entries(this.#prefixes).map(([name, iri]) => `@prefix ${name}: <${iri}>.\n`)
    return declared.length === 0 ? '' : `${declared.join('')}\n`
  }

  quad(quad: Quad): string {
    const previous = this.#previous
    this.#previous = quad
    const { subject, predicate, object, graph } = quad
    const isInGraph = this.#hasGraphs && graph.termType !== 'DefaultGraph'
    const isSameGraph = previous !== null && (!this.#hasGraphs || previous.graph.equals(graph))
    if (isSameGraph && previous.subject.equals(subject)) {
      if (previous.predicate.equals(predicate)) return `, ${this.#object(object)}`
      return `;\n    ${this.#predicate(predicate)} ${this.#object(object)}`
    }
    const ending = previous === null ? '' : isSameGraph ? ' .\n' : this.#ending(previous)
    const opening = isInGraph && !isSameGraph ? `${this.#term(graph)} {\n` : ''
    return `${ending}${opening}${this.#term(subject)} ${this.#predicate(predicate)} ${this.#object(object)}`
  }

  end(): string {
    return this.#previous === null ? '' : this.#ending(this.#previous)
  }

  #ending({ graph }: Quad): string {
    return this.#hasGraphs && graph.termType !== 'DefaultGraph' ? ' .\n}\n' : ' .\n'
  }

  #predicate(term: Term): string {
    return term.value === rdf.type ? 'a' : this.#term(term)
  }

  #object(term: Term): string {
    if (term.termType !== 'Literal') return this.#term(term)
    const { value, language, datatype } = term as Literal
    if (language !== '' || datatype.value === xsd.string) return termText(term)
    if (SHORT_FORMS[datatype.value]?.test(value)) return value
    const [, quoted = ''] = /^(".*")\^\^[^"]*$/s.exec(termText(term)) ?? []
    return `${quoted}^^${this.#term(datatype)}`
  }

  #term(term: Term): string {
    if (term.termType !== 'NamedNode') return termText(term)
    const iri = term.value
    const end = Math.max(iri.lastIndexOf('#'), iri.lastIndexOf('/'), iri.lastIndexOf(':')) + 1
    const name = this.#names.get(iri.slice(0, end))
    const local = iri.slice(end)
    return name !== undefined && LOCAL.test(local) ? `${name}:${local}` : `<${iri}>`
  }
}

/** Local names that need no escapes. */
const LOCAL =
  /^(?:(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:(?:[A-Za-z0-9_.-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9_-]|%[0-9A-Fa-f]{2}))?)?$/

/** Lexical forms that stand without quotes and mean their datatype. */
const SHORT_FORMS: Readonly<Record<string, RegExp>> = {
  [xsd.boolean]: /^(?:true|false)$/,
  [xsd.integer]: /^[+-]?\d+$/,
  [xsd.decimal]: /^[+-]?\d*\.\d+$/,
  [xsd.double]: /^[+-]?(?:\d+\.\d*|\.?\d+)[eE][+-]?\d+$/,
}
