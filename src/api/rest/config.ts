/** The configuration: read and replaced by group or as a whole, its history, and the way back (rest-api.md §3.4). */

import { Type } from 'typebox'
import type { ConfigurationInput } from '../../config/files.ts'
import { DEFAULT_GROUP } from '../../config/groups.ts'
import type { Generation, Uploaded } from '../../hub/contract-configuration.ts'
import { choose } from '../accept.ts'
import { type Answer, json, jsonText } from '../answer.ts'
import { fieldsOf, jsonOf, textOf, uploadOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { count, flag, text, whole } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { isZip, membersOfZip, zipOf } from './config-zip.ts'
import { ComponentsShape, EntityShape, given, ObjectShape } from './shapes.ts'
import { answerUpload } from './validation.ts'

const common = { tag: 'Configuration', resource: 'config' } as const
const Zip = Type.String({
  description: 'Members `pipes/<id>.conf.json`, `systems/<id>.conf.json`, `node-metadata.conf.json`.',
})
const force = flag('Take it with its errors; broken components stay inactive.')

/** One group, whose name the path may hold, or all of them. */
function doorsOf(path: string, what: string, groupOf: (call: Call<unknown>) => string | null): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path,
      action: 'read',
      summary: `${what}: components exactly as they were given, as JSON or as a zip file.`,
      answers: given(ComponentsShape, 'The components; with `Accept: application/zip` a file for each.'),
      handle: (call) => read(call, groupOf(call)),
    }),
    route({
      ...common,
      method: 'PUT',
      path,
      action: 'write',
      takesBulk: true,
      summary: `Replaces ${what.charAt(0).toLowerCase()}${what.slice(1)}; what is not in it is removed, and what did not change goes on.`,
      query: Type.Object({ force }),
      accepts: { 'application/json': ComponentsShape, 'application/zip': Zip },
      answers: {
        ...given(ObjectShape, 'It is in use; `validation_errors` holds the warnings.'),
        400: { description: 'It has errors and nothing was changed.', schema: ObjectShape },
      },
      handle: async (call) => upload(call, await inputOf(call), groupOf(call)),
    }),
  ]
}

export const configRoutes: readonly Route[] = [
  ...doorsOf('/api/config', 'The default group', () => DEFAULT_GROUP),
  ...doorsOf('/api/config/:group', 'One group', ({ params }) => params.group as string),
  ...doorsOf('/api/config-all', 'All groups', () => null),
  route({
    ...common,
    method: 'GET',
    path: '/api/config-history/entity',
    action: 'read',
    summary: 'What one component was and became.',
    query: Type.Object({
      entity_id: text('The id of the component; required.'),
      since: whole('Only versions with a greater `_updated`; with `reverse` a smaller one.'),
      limit: count('Versions at most.'),
      reverse: flag('Newest first.'),
    }),
    answers: given(Type.Array(EntityShape), 'Its versions, in the order in which they came.'),
    handle: ({ tenant, query: { entity_id, since, limit, reverse } }) => {
      if (entity_id === undefined || entity_id === '') {
        throw new ApiError('bad-parameter', "The parameter 'entity_id' is missing.", {
          hint: 'It is the id of a pipe or a system, or `node` for the metadata.',
        })
      }
      const range = { ...(since === undefined ? {} : { since }), ...(limit === undefined ? {} : { limit }) }
      return jsonText(tenant.configuration.history(entity_id, { ...range, reverse }))
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/config-generations',
    action: 'read',
    summary: 'The present generation of the configuration and its variables, and those that it can be put back to.',
    answers: given(Type.Array(ObjectShape), 'Newest first.'),
    handle: ({ tenant }) => json(tenant.configuration.generations().map(generationDocument)),
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/config-rollback',
    action: 'write',
    summary:
      'Puts the generation before the present one back, variables included; or the one in the field `generation`.',
    accepts: { 'application/json': ObjectShape },
    answers: given(ObjectShape, 'It is in use: the number of its generation, and its problems.'),
    handle: async (call) => {
      const { tenant, user } = call
      const { generation } = await fieldsOf(call)
      const uploaded = await tenant.configuration.rollback(numberOf(generation), user)
      const [present] = tenant.configuration.generations()
      return answerUpload(async () => uploaded, { generation: present?.number ?? null })
    },
  }),
]

function read({ tenant, headers }: Call<unknown>, group: string | null): Answer {
  const type = choose(headers.accept as string | undefined, ['application/json', 'application/zip'])
  if (type === undefined) {
    throw new ApiError('not-acceptable', 'The configuration is given as application/json or application/zip.')
  }
  if (type === 'application/json') return jsonText(tenant.configuration.text(group))
  return {
    contentType: type,
    headers: { 'Content-Disposition': 'attachment; filename="config.zip"' },
    body: zipOf(tenant.configuration.components(group)),
  }
}

async function inputOf(call: Call<unknown>): Promise<ConfigurationInput> {
  const body = await uploadOf(call)
  return isZip(body) ? membersOfZip(body) : textOf({ body })
}

function upload(call: Call<{ force: boolean }>, input: ConfigurationInput, group: string | null): Promise<Answer> {
  const { tenant, query, user } = call
  return answerUpload(async (): Promise<Uploaded> => {
    try {
      return await tenant.configuration.upload(input, group, { force: query.force, user })
    } catch (error) {
      const { problems = [] } = error as { readonly problems?: readonly { readonly component: string }[] }
      // What is no configuration at all is told with the place of the mistake.
      if (typeof input === 'string' && problems.some(({ component }) => component === '')) {
        jsonOf({ body: Buffer.from(input) })
        throw new ApiError('bad-body', 'The configuration must be a JSON array of components, each an object.')
      }
      throw error
    }
  })
}

function numberOf(field: string | undefined): number | null {
  if (field === undefined || field === '') return null
  if (/^\d{1,15}$/.test(field)) return Number(field)
  throw new ApiError('bad-parameter', `The field 'generation' must be a whole number, not '${field}'.`)
}

const generationDocument = ({ number, at, kind, user }: Generation, place: number) => ({
  generation: number,
  time: at === null ? null : new Date(at).toISOString(),
  kind,
  user,
  present: place === 0,
})
