/** The RDF format that somebody typed. */

import { didYouMean } from '../config/problems.ts'
import { findFormat, formats, type RdfFormat } from '../rdf/formats.ts'
import { UsageError } from './arguments.ts'

export function formatNamed(text: string): RdfFormat {
  const found = findFormat(text)
  if (found !== undefined) return found
  const meant = didYouMean(text, Object.keys(formats)) ?? `Known are ${Object.keys(formats).join(', ')}.`
  throw new UsageError(`--format ${text} is no RDF format. ${meant}`)
}
