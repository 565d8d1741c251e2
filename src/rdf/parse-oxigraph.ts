/** RDF/XML and JSON-LD → quads, by Oxigraph's parsers, with the checks and the line numbers they lack. */

import type { Literal, Quad, Term } from '@rdfjs/types'
import { DataFactory } from 'n3'
import type { Quad as OxigraphQuad, Term as OxigraphTerm } from 'oxigraph'
import { RdfError } from './errors.ts'
import { formats } from './formats.ts'
import { isTrap, oxigraph, startAnew } from './oxigraph.ts'
import { XmlGuard } from './xml-guard.ts'

const { namedNode, blankNode, literal, quad, defaultGraph } = DataFactory

export async function* parseWithOxigraph(
  format: 'rdf-xml' | 'json-ld',
  input: AsyncIterable<string>,
  base: string,
): AsyncIterable<Quad> {
  const reading: Reading = { line: 0, failure: null }
  const guard = format === 'rdf-xml' ? new XmlGuard() : null
  const options = { format: formats[format].mediaTypes[0], base_iri: base }
  const labels = `o${nextLabel++}_`
  try {
    for await (const parsed of oxigraph().parse(byLine(input, reading, guard), options)) {
      yield ownQuad(parsed, labels)
    }
  } catch (error) {
    // What came from whoever gives the text is theirs; the parser only passed it on.
    if (reading.failure !== null) throw reading.failure.error
    if (error instanceof RdfError) throw error
    if (isTrap(error)) startAnew()
    throw badRdf(error as Error, reading.line)
  }
}

let nextLabel = 0

interface Reading {
  /** The line the parser was given last. */
  line: number
  failure: { readonly error: unknown } | null
}

/**
 * The parser pulls a line when it has used up the one before, so the line it was given last is where it is.
 * Whole lines are its fastest diet, too.
 */
async function* byLine(input: AsyncIterable<string>, reading: Reading, guard: XmlGuard | null): AsyncIterable<string> {
  try {
    yield* lines(input, reading, guard)
  } catch (error) {
    reading.failure = { error }
    throw error
  }
}

async function* lines(input: AsyncIterable<string>, reading: Reading, guard: XmlGuard | null): AsyncIterable<string> {
  let rest: string[] = []
  for await (const text of input) {
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      rest.push(text.slice(start, end + 1))
      start = end + 1
      reading.line++
      const line = rest.join('')
      rest = []
      guard?.read(line, reading.line)
      yield line
    }
    if (start < text.length) rest.push(text.slice(start))
  }
  reading.line++
  if (rest.length > 0) {
    const line = rest.join('')
    guard?.read(line, reading.line)
    yield line
  }
  guard?.end(reading.line)
}

function badRdf(error: Error, fed: number): RdfError {
  const place = /^(?:Parser error )?at line (\d+)(?: (?:between columns?|column) [^:]*)?: (.*)$/s.exec(error.message)
  // JSON-LD counts its lines itself, and reads ahead.
  const line = place === null ? fed : Number(place[1])
  const what = (place?.[2] ?? error.message).trim().replace(/\.$/, '')
  return new RdfError('bad-rdf', `${what.charAt(0).toUpperCase()}${what.slice(1)}, on line ${line}.`, {
    hint: isTrap(error)
      ? 'The reader gave up on this text; it may be nested too deep.'
      : 'Correct the text there; everything before it was read.',
    details: { line },
    cause: error,
  })
}

const ownQuad = ({ subject, predicate, object, graph }: OxigraphQuad, labels: string): Quad =>
  quad(
    ownTerm(subject, labels) as never,
    ownTerm(predicate, labels) as never,
    ownTerm(object, labels) as never,
    ownTerm(graph, labels) as never,
  ) as Quad

function ownTerm(term: OxigraphTerm, labels: string): Term {
  switch (term.termType) {
    case 'NamedNode':
      return namedNode(term.value)
    case 'BlankNode':
      return blankNode(labels + term.value)
    case 'DefaultGraph':
      return defaultGraph()
    case 'Literal': {
      const { value, language, datatype } = term as unknown as Literal
      return literal(value, language === '' ? namedNode(datatype.value) : language)
    }
    default:
      throw new RdfError('not-expressible', `The text holds a ${term.termType} where a plain term is expected.`, {
        hint: 'Write quoted triples as ordinary statements.',
      })
  }
}
