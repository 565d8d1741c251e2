/** JSON-LD, flat: a context with the prefixes, and a graph of nodes, streamed. */

import type { Literal, Quad, Term } from '@rdfjs/types'
import { termText } from './lines.ts'
import { type Node, NodeGatherer } from './node-writer.ts'
import type { Prefixes } from './prefixes.ts'
import type { QuadWriter } from './quad-writer.ts'
import { rdf, xsd } from './vocabulary.ts'

export class JsonLdWriter implements QuadWriter {
  readonly #prefixes: readonly (readonly [name: string, iri: string])[]
  readonly #names: ReadonlySet<string>
  readonly #gatherer = new NodeGatherer()
  #isFirst = true

  constructor(prefixes: Prefixes) {
    // A prefix must end in a character that may end one (JSON-LD 1.1 §4.4), else it would need a longer definition.
    this.#prefixes = Object.entries(prefixes)
      .filter(([, iri]) => /[:/?#[\]@]$/.test(iri))
      .sort(([, a], [, b]) => b.length - a.length)
    this.#names = new Set(this.#prefixes.map(([name]) => name))
  }

  start(): string {
    const context = Object.fromEntries([...this.#prefixes].reverse())
    return `{\n"@context": ${JSON.stringify(context)},\n"@graph": [`
  }

  quad(quad: Quad): string {
    return this.#node(this.#gatherer.take(quad))
  }

  end(): string {
    return `${this.#node(this.#gatherer.flush())}\n]\n}\n`
  }

  #node(node: Node | null): string {
    if (node === null) return ''
    const separator = this.#isFirst ? '\n' : ',\n'
    this.#isFirst = false
    const isPlain = !this.#isMisread(node)
    const written = this.#written(node, isPlain)
    const object = isPlain ? written : { '@context': null, ...written }
    if (node.graph.termType === 'DefaultGraph') return separator + JSON.stringify(object)
    const graph = { '@id': this.#iri(node.graph, isPlain), '@graph': [written] }
    return separator + JSON.stringify(isPlain ? graph : { '@context': null, ...graph })
  }

  #written({ subject, statements }: Node, isPlain: boolean): Record<string, unknown> {
    const types: string[] = []
    const properties = new Map<string, unknown[]>()
    for (const { predicate, object } of statements) {
      if (predicate.value === rdf.type && object.termType !== 'Literal') {
        types.push(this.#iri(object, isPlain))
        continue
      }
      const name = this.#iri(predicate, isPlain)
      const values = properties.get(name)
      const value = this.#value(object, isPlain)
      if (values === undefined) properties.set(name, [value])
      else values.push(value)
    }
    return Object.fromEntries([
      ['@id', this.#iri(subject, isPlain)],
      ...(types.length === 0 ? [] : [['@type', types]]),
      ...[...properties].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
    ])
  }

  #value(object: Term, isPlain: boolean): unknown {
    if (object.termType !== 'Literal') return { '@id': this.#iri(object, isPlain) }
    const { value, language, datatype } = object as Literal
    if (language !== '') return { '@value': value, '@language': language }
    // Numbers of JSON are doubles to its readers: every number but a boolean is written as text with its type.
    if (datatype.value === xsd.string) return value
    if (datatype.value === xsd.boolean && (value === 'true' || value === 'false')) return value === 'true'
    return { '@value': value, '@type': this.#compact(datatype.value, isPlain) }
  }

  #iri(term: Term, isPlain: boolean): string {
    return term.termType === 'NamedNode' ? this.#compact(term.value, isPlain) : termText(term)
  }

  #compact(iri: string, isPlain: boolean): string {
    if (!isPlain) return iri
    for (const [name, prefix] of this.#prefixes) {
      if (iri.startsWith(prefix) && !iri.startsWith('//', prefix.length)) return `${name}:${iri.slice(prefix.length)}`
    }
    return iri
  }

  /** `crm:5` may be an IRI with a scheme that is also a prefix: such a node is written without a context. */
  #isMisread({ subject, graph, statements }: Node): boolean {
    const isMisread = (term: Term): boolean => {
      const iri = term.termType === 'Literal' ? term.datatype.value : term.value
      if (term.termType === 'BlankNode' || term.termType === 'DefaultGraph') return false
      const compact = this.#compact(iri, true)
      return compact === iri && this.#names.has(iri.slice(0, iri.indexOf(':'))) && !/^[^:]*:\/\//.test(iri)
    }
    return (
      isMisread(subject) ||
      isMisread(graph) ||
      statements.some(({ predicate, object }) => isMisread(predicate) || isMisread(object))
    )
  }
}
