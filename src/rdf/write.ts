/** Quads → RDF text, streaming. */

import type { Quad } from '@rdfjs/types'
import { RdfError } from './errors.ts'
import { type FormatName, formats } from './formats.ts'
import { quadLine, tripleLine } from './lines.ts'
import type { Prefixes } from './prefixes.ts'
import type { QuadWriter } from './quad-writer.ts'
import { JsonLdWriter } from './write-json-ld.ts'
import { RdfXmlWriter } from './write-rdf-xml.ts'
import { TurtleWriter } from './write-turtle.ts'

/**
 * The text of quads, in pieces of some tens of kilobytes. Statements of one subject read best when they come together.
 * A format without graphs has all statements in one; prefixes serve the formats that have them.
 */
export async function* writeRdf(
  format: FormatName,
  quads: AsyncIterable<Quad> | Iterable<Quad>,
  prefixes: Prefixes = {},
): AsyncIterable<string> {
  const writer = writers[format](prefixes)
  let text = writer.start()
  for await (const quad of quads) {
    text += writer.quad(quad)
    if (text.length >= PIECE) {
      yield text
      text = ''
    }
  }
  text += writer.end()
  if (text !== '') yield text
}

const PIECE = 32_768

const writers: Readonly<Record<FormatName, (prefixes: Prefixes) => QuadWriter>> = {
  turtle: (prefixes) => new TurtleWriter(prefixes, false),
  trig: (prefixes) => new TurtleWriter(prefixes, true),
  'n-triples': () => lines(tripleLine),
  'n-quads': () => lines(quadLine),
  'json-ld': (prefixes) => new JsonLdWriter(prefixes),
  'rdf-xml': (prefixes) => new RdfXmlWriter(prefixes),
  n3: () => {
    throw new RdfError('unknown-format', `${formats.n3.label} is read, but not written.`, {
      hint: 'Write Turtle: every reader of Notation3 reads it.',
    })
  },
}

const lines = (quad: QuadWriter['quad']): QuadWriter => ({ start: () => '', quad, end: () => '' })
