/** RDF text → quads, streaming. */

import type { Quad } from '@rdfjs/types'
import { type BaseFormat, type Quad as N3Quad, Parser } from 'n3'
import { RdfError } from './errors.ts'
import type { FormatName } from './formats.ts'
import { parseWithOxigraph } from './parse-oxigraph.ts'

/**
 * The quads of a text. `base` is what relative IRIs are resolved against. Blank nodes of two texts never have one label.
 * A mistake is an RdfError `bad-rdf` that says what is wrong and, but for some of JSON-LD, on which line.
 */
export function parseRdf(
  format: FormatName,
  input: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
  base: string,
): AsyncIterable<Quad> {
  return format === 'rdf-xml' || format === 'json-ld'
    ? parseWithOxigraph(format, decoded(input), base)
    : parseWithN3(format, decoded(input), base)
}

const N3_FORMATS: Readonly<Record<Exclude<FormatName, 'rdf-xml' | 'json-ld'>, BaseFormat>> = {
  turtle: 'Turtle',
  trig: 'TriG',
  'n-triples': 'N-Triples',
  'n-quads': 'N-Quads',
  n3: 'N3',
}

async function* parseWithN3(
  format: keyof typeof N3_FORMATS,
  input: AsyncIterable<string>,
  base: string,
): AsyncIterable<Quad> {
  const parser = new Parser({ format: N3_FORMATS[format], baseIRI: base })
  let failure: Error | null = null
  let quads: N3Quad[] = []
  const source = new PushedText()
  parser.parse(source as never, (error: Error | null, quad: N3Quad | null) => {
    if (error !== null) failure ??= error
    else if (quad) quads.push(quad)
  })
  // The parser reads what it is handed before `push` returns, so nothing piles up between here and whoever reads.
  const taken = (): readonly N3Quad[] => {
    const batch = quads
    quads = []
    return batch
  }
  for await (const text of input) {
    source.push(text)
    yield* taken() as readonly Quad[]
    if (failure !== null) throw badRdf(failure)
  }
  source.end()
  yield* taken() as readonly Quad[]
  if (failure !== null) throw badRdf(failure)
}

/** The little of a stream that n3 listens to. */
class PushedText {
  readonly #listeners: Record<string, (text?: string) => void> = {}

  on(event: string, listener: (text?: string) => void): void {
    this.#listeners[event] = listener
  }

  push(text: string): void {
    this.#listeners.data?.(text)
  }

  end(): void {
    this.#listeners.end?.()
  }
}

function badRdf(error: Error & { context?: { line?: number } }): RdfError {
  const line = error.context?.line
  const said = /^(.*?)(?: on line \d+)?\.?$/s.exec(error.message)?.[1] ?? error.message
  // The text may hold quotes of its own.
  const found = said.replace(/^Unexpected "(.*)"$/s, 'Unexpected: $1')
  return new RdfError('bad-rdf', line === undefined ? `${found}.` : `${found} on line ${line}.`, {
    hint: 'Correct the text there; everything before it was read.',
    details: line === undefined ? {} : { line },
    cause: error,
  })
}

async function* decoded(
  input: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncIterable<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  for await (const chunk of input) {
    let text: string
    try {
      text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    } catch (cause) {
      throw new RdfError('bad-rdf', `The text is not UTF-8, on line ${line} or soon after.`, {
        hint: 'Send the text as UTF-8.',
        details: { line },
        cause,
      })
    }
    if (text === '') continue
    yield text
    line += text.split('\n').length - 1
  }
  try {
    decoder.decode()
  } catch (cause) {
    throw new RdfError('bad-rdf', `The text ends within a character, on line ${line}.`, {
      hint: 'Send the whole text, as UTF-8.',
      details: { line },
      cause,
    })
  }
}
