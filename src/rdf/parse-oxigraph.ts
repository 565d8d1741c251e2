/** RDF/XML and JSON-LD → quads, by Oxigraph's parsers, with the checks and the line numbers they lack. */

import type { Quad } from '@rdfjs/types'
import { Parser } from 'n3'
import { RdfError } from './errors.ts'
import { formats } from './formats.ts'
import { isTrap, oxigraph, startAnew } from './oxigraph.ts'
import { XmlGuard } from './xml-guard.ts'

export async function* parseWithOxigraph(
  format: 'rdf-xml' | 'json-ld',
  input: AsyncIterable<string>,
  base: string,
): AsyncIterable<Quad> {
  const reading: Reading = { line: 0, failure: null }
  const guard = format === 'rdf-xml' ? new XmlGuard() : null
  const options = { format: formats[format].mediaTypes[0], base_iri: base }
  const lines = new QuadLines()
  try {
    for await (const parsed of oxigraph().parse(byLine(input, reading, guard), options)) {
      if (lines.add(parsed as unknown as Freed)) yield* lines.quads()
    }
    yield* lines.quads()
  } catch (error) {
    yield* lines.quads()
    // What came from whoever gives the text is theirs; the parser only passed it on.
    if (reading.failure !== null) throw reading.failure.error
    if (error instanceof RdfError) throw error
    if (isTrap(error)) startAnew()
    throw badRdf(error as Error, reading.line)
  }
}

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
      if (reading.line % BREATH === 0) await new Promise((resolve) => setImmediate(resolve))
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

/** What every object from WebAssembly has, and its types do not tell. */
interface Freed {
  toString(): string
  free(): void
}

/**
 * Quads come as objects of WebAssembly, of which each part is another one, and whatever is not freed by hand waits for the
 * garbage collector: fifty times slower than one text for each quad, read again by n3 some hundreds at a time.
 */
class QuadLines {
  readonly #parser = new Parser({ format: 'N-Quads', blankNodePrefix: `_:o${nextLabel++}_` })
  #lines: string[] = []

  /** True when there are enough to be taken. */
  add(quad: Freed): boolean {
    this.#lines.push(quad.toString())
    quad.free()
    return this.#lines.length >= LINES
  }

  quads(): Quad[] {
    const text = `${this.#lines.join(' .\n')} .\n`
    const quads = this.#lines.length === 0 ? [] : (this.#parser.parse(text) as Quad[])
    this.#lines = []
    return quads
  }
}

const LINES = 256

/**
 * Lines after which the event loop gets its turn. Without one the engine never forgets the objects that were freed, and
 * after some 250,000 of them everything takes ten times as long.
 */
const BREATH = 1_000
let nextLabel = 0
