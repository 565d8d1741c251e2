/** Whole datasets, and the whole tenant, as RDF: streamed, in the format the caller asks for. */

import { Type } from 'typebox'
import type { FormatName } from '../../rdf/formats.ts'
import { formats } from '../../rdf/formats.ts'
import { prefixesOf } from '../../rdf/prefixes.ts'
import { writeRdf } from '../../rdf/write.ts'
import type { Answer } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { text } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { contentTypeOf, formatFor } from './format.ts'

const query = Type.Object({ format: text('Format by name, instead of Accept: ttl, trig, nq, nt, jsonld or rdf.') })
const answers = { 200: { description: 'All statements, streamed.', schema: Type.String(), type: 'text/turtle' } }
const common = { method: 'GET', tag: 'Graph', action: 'read', query, answers } as const

export const exportRoutes: readonly Route[] = [
  route({
    ...common,
    path: '/api/datasets/:id/export',
    resource: 'dataset',
    summary: 'A dataset as RDF.',
    handle: (call) => {
      const id = call.params.id as string
      if (call.tenant.dataset(id) === undefined) throw new ApiError('unknown-dataset', `There is no dataset '${id}'.`)
      return exported(call, id)
    },
  }),
  route({
    ...common,
    path: '/api/export',
    resource: 'tenant',
    access: 'read_data',
    summary: 'All datasets of the tenant as RDF.',
    handle: (call) => exported(call, null),
  }),
]

function exported(call: Call, dataset: string | null): Answer {
  const format = formatFor(call, { hasPage: false }) as FormatName
  const { endings } = formats[format]
  const name = (dataset ?? call.tenant.name).replace(/[^\w.-]/g, '_')
  return {
    contentType: contentTypeOf(format),
    headers: { Vary: 'Accept', 'Content-Disposition': `inline; filename="${name}.${endings[0]}"` },
    body: writeRdf(format, call.doors.datasetExport(call.tenant, dataset), {
      ns: `${call.tenant.base}/ns#`,
      ...prefixesOf(call.tenant.naming()),
    }),
  }
}
