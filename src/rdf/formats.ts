/** The RDF formats the hub reads and writes, by name, media type and file ending. */

import { RdfError } from './errors.ts'

export type FormatName = 'turtle' | 'trig' | 'n-triples' | 'n-quads' | 'rdf-xml' | 'json-ld' | 'n3'

export interface RdfFormat {
  readonly name: FormatName
  readonly label: string
  /** The first is the one answers carry. */
  readonly mediaTypes: readonly [string, ...string[]]
  /** Of files, without the dot; configurations name formats by them, too. */
  readonly endings: readonly [string, ...string[]]
  /** It can say which graph a statement is in. */
  readonly hasGraphs: boolean
  /** It can be written, and not only read. */
  readonly isWritten: boolean
}

export const formats: Readonly<Record<FormatName, RdfFormat>> = {
  turtle: format('turtle', 'Turtle', ['text/turtle', 'application/x-turtle'], ['ttl', 'turtle']),
  trig: format('trig', 'TriG', ['application/trig'], ['trig'], { hasGraphs: true }),
  'n-triples': format('n-triples', 'N-Triples', ['application/n-triples', 'text/plain'], ['nt']),
  'n-quads': format('n-quads', 'N-Quads', ['application/n-quads', 'text/x-nquads'], ['nq'], { hasGraphs: true }),
  'rdf-xml': format(
    'rdf-xml',
    'RDF/XML',
    ['application/rdf+xml', 'application/xml', 'text/xml'],
    ['rdf', 'xml', 'owl'],
  ),
  'json-ld': format('json-ld', 'JSON-LD', ['application/ld+json', 'application/json'], ['jsonld', 'json'], {
    hasGraphs: true,
  }),
  n3: format('n3', 'Notation3', ['text/n3', 'text/rdf+n3'], ['n3'], { isWritten: false }),
}

/** The format of a media type (parameters aside), a file ending (with or without dot or file name) or a name. */
export function findFormat(text: string): RdfFormat | undefined {
  const wanted = (text.split(';')[0] ?? '').trim().toLowerCase()
  const ending = wanted.includes('/') && byMediaType.has(wanted) ? '' : wanted.slice(wanted.lastIndexOf('.') + 1)
  return byMediaType.get(wanted) ?? byEnding.get(ending) ?? byName.get(wanted)
}

/** The same, for when there must be one. */
export function formatOf(text: string): RdfFormat {
  const found = findFormat(text)
  if (found !== undefined) return found
  throw new RdfError('unknown-format', `No RDF format is called ${JSON.stringify(text)}.`, {
    hint: `Known are ${Object.values(formats)
      .map(({ label, endings, mediaTypes }) => `${label} (${endings[0]}, ${mediaTypes[0]})`)
      .join(', ')}.`,
    details: { format: text },
  })
}

function format(
  name: FormatName,
  label: string,
  mediaTypes: RdfFormat['mediaTypes'],
  endings: RdfFormat['endings'],
  { hasGraphs = false, isWritten = true } = {},
): RdfFormat {
  return { name, label, mediaTypes, endings, hasGraphs, isWritten }
}

const table = Object.values(formats)
const byMediaType = new Map(table.flatMap((entry) => entry.mediaTypes.map((type) => [type, entry] as const)))
const byEnding = new Map(table.flatMap((entry) => entry.endings.map((ending) => [ending, entry] as const)))
const byName = new Map(table.map((entry) => [entry.name as string, entry]))
