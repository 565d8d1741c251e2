/** Where others read what a pipe publishes: evaluated at the moment of the request (rest-api.md §10). */

import { Type } from 'typebox'
import { dictOf } from '../../model/dict.ts'
import type { Value } from '../../model/value.ts'
import type { Answer } from '../answer.ts'
import { count, text, unsupported } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { EntityShape, ProblemShape } from './shapes.ts'

type Query = { since?: string; limit?: number }

const PublishQuery = Type.Object({
  since: text('Only what changed after this offset.'),
  limit: count('Entities at most.'),
  subset: unsupported('Only entities of a subset.'),
})

/** Not handed to the pipe as `_B`. */
const OWN = new Set(['since', 'limit', 'subset', 'jwt'])

const publisher = (form: 'entities' | 'csv', tail: string): Route =>
  route({
    method: 'GET',
    path: `/api/publishers/:id/${form}${tail}`,
    tag: 'Receivers and publishers',
    action: 'read',
    resource: 'pipe',
    access: 'read_data',
    isShareable: true,
    summary: `What a pipe publishes as ${form === 'csv' ? 'CSV' : 'JSON'}${tail === '' ? '' : ', under a file name'}; other parameters reach its DTL as _B.`,
    query: PublishQuery,
    answers: {
      200: {
        description: 'What the pipe makes now, streamed.',
        schema: form === 'csv' ? Type.String() : Type.Array(EntityShape),
        type: form === 'csv' ? 'text/csv' : 'application/json',
      },
      404: { description: 'No pipe publishes this here.', schema: ProblemShape },
    },
    handle: (call) => publish(call, form),
  })

export const publisherRoutes: readonly Route[] = (['entities', 'csv'] as const).flatMap((form) => [
  publisher(form, ''),
  publisher(form, '/:filename'),
])

async function publish(call: Call<Query>, form: 'entities' | 'csv'): Promise<Answer> {
  const { since, limit } = call.query
  const publication = await call.tenant.publish(
    call.params.id as string,
    form,
    {
      bound: boundOf(call),
      cause: call.requestId,
      ...(since ? { since } : {}),
      ...(limit === undefined ? {} : { limit }),
    },
    call.signal,
  )
  const fileName = call.params.filename ?? publication.fileName
  return {
    contentType: publication.contentType,
    headers: {
      ...publication.headers,
      ...(fileName === undefined
        ? {}
        : { 'Content-Disposition': disposition(publication.disposition ?? 'attachment', fileName) }),
    },
    body: publication.body,
  }
}

const boundOf = ({ given }: Call) =>
  dictOf(Object.entries(given).filter((pair): pair is [string, string & Value] => !OWN.has(pair[0])))

/** RFC 6266: a plain name for old clients and the exact one for the rest. */
function disposition(kind: 'attachment' | 'inline', fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_')
  const exact = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return plain === fileName ? `${kind}; filename="${plain}"` : `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`
}
