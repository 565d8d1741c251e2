/** In which format a thing is described: RDF by media type or by name, or a page. */

import { type FormatName, findFormat, formats } from '../../rdf/formats.ts'
import { choose } from '../accept.ts'
import { ApiError } from '../errors.ts'
import type { Call } from '../route.ts'

export type Format = FormatName | 'html'

/** What is offered, our favourites first: a caller without wishes gets Turtle. */
export const WRITTEN = ['turtle', 'trig', 'n-quads', 'n-triples', 'json-ld', 'rdf-xml'] as const

const RDF_TYPES = WRITTEN.flatMap((name) => formats[name].mediaTypes)

/** `?format=` wins over `Accept`, so that a link can name a format. */
export function formatFor(call: Call, { hasPage }: { readonly hasPage: boolean }): Format {
  const named = [call.given.format ?? []].flat().at(-1)
  if (named !== undefined) return namedFormat(named, hasPage)
  const accept = call.headers.accept as string | undefined
  const chosen = choose(accept, hasPage ? [...RDF_TYPES, 'text/html', 'application/xhtml+xml'] : RDF_TYPES)
  if (chosen === undefined) {
    throw new ApiError('not-acceptable', `This cannot be described as '${accept}'.`, {
      hint: `Ask for ${WRITTEN.map((name) => formats[name].mediaTypes[0]).join(', ')}${hasPage ? ' or text/html' : ''}.`,
    })
  }
  return chosen.endsWith('html') || chosen.endsWith('xhtml+xml') ? 'html' : (findFormat(chosen)?.name as FormatName)
}

function namedFormat(name: string, hasPage: boolean): Format {
  if (hasPage && name === 'html') return 'html'
  const format = findFormat(name)
  if (format?.isWritten) return format.name
  throw new ApiError('bad-parameter', `There is no format '${name}'.`, {
    hint: `Formats are ${WRITTEN.map((known) => formats[known].endings[0]).join(', ')}${hasPage ? ' and html' : ''}.`,
  })
}

export const contentTypeOf = (format: FormatName): string => `${formats[format].mediaTypes[0]}; charset=utf-8`
