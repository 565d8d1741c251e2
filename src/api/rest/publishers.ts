/** Where others read what a pipe publishes: evaluated at the moment of the request (rest-api.md §10). */

import { type TObject, Type } from 'typebox'
import type { PublisherForm } from '../../hub/contract.ts'
import { linkSheet } from '../../hub/publication.ts'
import { dictOf } from '../../model/dict.ts'
import type { Value } from '../../model/value.ts'
import type { Answer } from '../answer.ts'
import { count, flag, text, unsupported } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { wantedForm } from '../text-form.ts'
import { EntityShape, ProblemShape } from './shapes.ts'

type Query = { since?: string; limit?: number; linked_excel_file?: boolean }

const common = {
  since: text('Only what changed after this offset.'),
  limit: count('Entities at most.'),
  subset: unsupported('Only entities of a subset.'),
}

/** Not handed to the pipe as `_B`; `jwt` is the word of a shareable link. */
const OWN = new Set(['since', 'limit', 'subset', 'jwt'])

interface Form {
  readonly what: string
  readonly type: string
  readonly schema: ReturnType<typeof Type.String> | ReturnType<typeof Type.Array>
  readonly query: TObject
}

const FORMS: Readonly<Record<PublisherForm, Form>> = {
  entities: {
    what: 'JSON, or transit+json',
    type: 'application/json',
    schema: Type.Array(EntityShape),
    query: Type.Object(common),
  },
  csv: {
    what: 'CSV',
    type: 'text/csv',
    schema: Type.String(),
    query: Type.Object({
      ...common,
      linked_excel_file: flag('A small spreadsheet that leads to this address, in place of the rows.'),
    }),
  },
  xml: { what: 'XML', type: 'application/xml', schema: Type.String(), query: Type.Object(common) },
  excel: {
    what: 'a spreadsheet: the rows of its CSV',
    type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    schema: Type.String(),
    query: Type.Object(common),
  },
}

const at = (form: PublisherForm, tail: string) =>
  ({
    path: `/api/publishers/:id/${form}${tail}`,
    tag: 'Receivers and publishers',
    action: 'read',
    resource: 'pipe',
    access: 'read_data',
    isShareable: true,
  }) as const

function publisher(form: PublisherForm, tail: string): Route {
  const { what, type, schema, query } = FORMS[form]
  return route({
    ...at(form, tail),
    method: 'GET',
    summary: `What a pipe publishes as ${what}${tail === '' ? '' : ', under a file name'}; other parameters reach its DTL as _B.`,
    query,
    answers: {
      200: { description: 'What the pipe makes now, streamed.', schema, type },
      404: { description: 'No pipe publishes this here.', schema: ProblemShape },
      503: { description: 'The pipe is disabled.', schema: ProblemShape },
    },
    handle: (call) => publish(call as Call<Query>, form),
  })
}

/** Office programs ask before they read. */
const probe = (form: PublisherForm, tail: string): Route =>
  route({
    ...at(form, tail),
    method: 'OPTIONS',
    summary: 'What may be done here.',
    answers: {
      200: { description: 'The methods, in the header Allow.', schema: Type.String(), type: 'text/plain' },
      404: { description: 'No pipe publishes this here.', schema: ProblemShape },
    },
    handle: (call) => {
      call.tenant.assertPublishes(call.params.id as string, form)
      return { contentType: 'text/plain; charset=utf-8', headers: { Allow: 'GET, HEAD, OPTIONS' }, body: '' }
    },
  })

export const publisherRoutes: readonly Route[] = (['entities', 'csv', 'xml', 'excel'] as const).flatMap((form) =>
  ['', '/:filename'].flatMap((tail) => [publisher(form, tail), ...(form === 'entities' ? [] : [probe(form, tail)])]),
)

async function publish(call: Call<Query>, form: PublisherForm): Promise<Answer> {
  const { since, limit, linked_excel_file: isLinked } = call.query
  const id = call.params.id as string
  if (isLinked) return linked(call, id)
  const wanted = form === 'entities' ? wantedForm(call) : 'json'
  const publication = await call.tenant.publish(
    id,
    form,
    {
      bound: boundOf(call, form),
      cause: call.requestId,
      ...(since ? { since } : {}),
      ...(limit === undefined ? {} : { limit }),
      ...(wanted === 'json' ? {} : { text: wanted }),
    },
    call.signal,
  )
  const fileName = call.params.filename ?? publication.fileName
  return {
    contentType: publication.contentType,
    headers: {
      ...publication.headers,
      ...(form === 'entities' ? { Vary: 'Accept' } : {}),
      ...(fileName === undefined
        ? {}
        : { 'Content-Disposition': disposition(publication.disposition ?? 'attachment', fileName) }),
    },
    body: publication.body,
  }
}

/** A spreadsheet whose one cell leads to this address, without what asked for the spreadsheet. */
async function linked(call: Call<Query>, id: string): Promise<Answer> {
  call.tenant.assertPublishes(id, 'csv')
  const given = Object.entries(call.given).filter(([name]) => name !== 'linked_excel_file')
  const query = new URLSearchParams(given.flatMap(([name, all]) => [all].flat().map((one) => [name, one])))
  const address = `${call.origin}${call.prefix}${call.path}${query.size === 0 ? '' : `?${query}`}`
  return {
    contentType: FORMS.excel.type,
    headers: { 'Content-Disposition': disposition('attachment', `${call.params.filename ?? id}.xlsx`) },
    body: await linkSheet(address),
  }
}

function boundOf({ given }: Call, form: PublisherForm) {
  const isOwn = (name: string) => OWN.has(name) || (form === 'csv' && name === 'linked_excel_file')
  return dictOf(Object.entries(given).filter((pair): pair is [string, string & Value] => !isOwn(pair[0])))
}

/** RFC 6266: a plain name for old clients and the exact one for the rest. */
function disposition(kind: 'attachment' | 'inline', fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_')
  const exact = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return plain === fileName ? `${kind}; filename="${plain}"` : `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`
}
