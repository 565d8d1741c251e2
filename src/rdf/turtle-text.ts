/** A handful of triples as Turtle that reads well: sorted, with the prefixes it uses. */

import type { Quad } from '@rdfjs/types'
import { Parser } from 'n3'
import type { Prefixes } from './prefixes.ts'
import { TurtleWriter } from './write-turtle.ts'

/** The Turtle of N-Triples text. All of it lies in memory: for results, not for exports. */
export function turtleText(nTriples: string, prefixes: Prefixes): string {
  const lines = nTriples.split('\n').sort().join('\n')
  const quads = new Parser({ format: 'N-Triples', blankNodePrefix: '_:' }).parse(lines) as Quad[]
  const body = written(quads, new TurtleWriter(prefixes, false))
  const used = Object.entries(prefixes).filter(([name]) => new RegExp(`(?:^|[\\s^])${name}:`, 'm').test(body))
  return new TurtleWriter(Object.fromEntries(used), false).start() + body
}

const written = (quads: readonly Quad[], writer: TurtleWriter): string =>
  quads.map((quad) => writer.quad(quad)).join('') + writer.end()
