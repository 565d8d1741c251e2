/** The hub's own vocabularies: files of the repository, in the format the caller likes. */

import { readFile } from 'node:fs/promises'
import { Type } from 'typebox'
import { parseRdf } from '../../rdf/parse.ts'
import { writeRdf } from '../../rdf/write.ts'
import type { Answer } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { text } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { contentTypeOf, formatFor } from './format.ts'

/** Beside `src` and `dist` alike. */
const FOLDER = new URL('../../../ontology/', import.meta.url)

export const ontologyRoute: Route = route({
  method: 'GET',
  path: '/ontology/:id',
  tag: 'Graph',
  action: 'read',
  resource: 'graph',
  // Vocabularies are the same everywhere.
  access: 'public',
  summary: 'A vocabulary: hub, model.',
  query: Type.Object({ format: text('Format by name, instead of Accept.') }),
  answers: { 200: { description: 'The vocabulary.', schema: Type.String(), type: 'text/turtle' } },
  handle: ontology,
})

async function ontology(call: Call): Promise<Answer> {
  const name = call.params.id as string
  const turtle = await textOf(name)
  // A browser shows Turtle well enough.
  const format = formatFor(call, { hasPage: true })
  if (format === 'turtle' || format === 'html') {
    return { contentType: contentTypeOf('turtle'), headers: { Vary: 'Accept' }, body: turtle }
  }
  const quads = parseRdf('turtle', [turtle], `https://w3id.org/samtale/${name}`)
  return { contentType: contentTypeOf(format), headers: { Vary: 'Accept' }, body: writeRdf(format, quads) }
}

async function textOf(name: string): Promise<string> {
  // No dot and no slash: a name cannot leave the folder. And none that no file could have.
  if (/^[a-z][a-z-]{0,99}$/.test(name)) {
    try {
      return await readFile(new URL(`${name}.ttl`, FOLDER), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new ApiError('not-found', `There is no vocabulary '${name}'.`)
}
