/** URIs that name an entity of a dataset, `sesam:<dataset>/<id>` (dtl.md §9.22). */

import { quoteAll, unquote } from './url-quote.ts'

const SCHEME = 'sesam:'

export const referenceTo = (dataset: string, id: string): string => `${SCHEME}${quoteAll(dataset)}/${quoteAll(id)}`

/** What a URI refers to; null when it is no reference. */
export function referred(uri: string): { readonly dataset: string; readonly id: string } | null {
  const slash = uri.indexOf('/')
  if (!uri.startsWith(SCHEME) || slash < 0) return null
  return { dataset: unquote(uri.slice(SCHEME.length, slash)), id: unquote(uri.slice(slash + 1)) }
}

export const datasetIn = (uri: string): string | null => referred(uri)?.dataset ?? null
