/** Turtle and TriG with prefixes, one subject after the other. */

import type { Quad } from '@rdfjs/types'
import { DataFactory, Writer } from 'n3'
import type { Prefixes } from './prefixes.ts'
import type { QuadWriter } from './write.ts'

export class TurtleWriter implements QuadWriter {
  readonly #writer: Writer
  readonly #hasGraphs: boolean
  #text = ''

  constructor(prefixes: Prefixes, hasGraphs: boolean) {
    this.#hasGraphs = hasGraphs
    const output = {
      write: (text: string) => {
        this.#text += text
      },
      end: () => {},
    }
    this.#writer = new Writer(output as never, { format: hasGraphs ? 'TriG' : 'Turtle', prefixes: { ...prefixes } })
  }

  start(): string {
    return this.#taken()
  }

  quad(quad: Quad): string {
    const { subject, predicate, object } = quad
    const graph = this.#hasGraphs ? quad.graph : DataFactory.defaultGraph()
    this.#writer.addQuad(subject as never, predicate as never, object as never, graph as never)
    return this.#taken()
  }

  end(): string {
    this.#writer.end()
    return this.#taken()
  }

  #taken(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}
