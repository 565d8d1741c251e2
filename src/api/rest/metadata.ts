/** Node metadata: what the configuration says about all its pipes (rest-api.md §3.2). */

import { Type } from 'typebox'
import { isDict } from '../../model/value.ts'
import { jsonText } from '../answer.ts'
import { jsonOf, textOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { flag } from '../parameters.ts'
import { type Route, route } from '../route.ts'
import { given, ObjectShape } from './shapes.ts'
import { answerUpload } from './validation.ts'

const common = { tag: 'Configuration', resource: 'config', path: '/api/metadata' } as const

export const metadataRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    action: 'read',
    summary: 'The node metadata, as given and as it takes effect.',
    answers: given(ObjectShape, 'The metadata.'),
    handle: ({ tenant }) => jsonText(tenant.metadata()),
  }),
  route({
    ...common,
    method: 'PUT',
    action: 'write',
    summary: 'Replaces the node metadata; `_id` and `type` may be left out.',
    query: Type.Object({ force: flag('Take it with its errors.') }),
    accepts: { 'application/json': ObjectShape },
    answers: {
      ...given(ObjectShape, 'The metadata, and in `validation_errors` the warnings.'),
      400: { description: 'It has errors and nothing was changed.', schema: ObjectShape },
    },
    handle: async (call) => {
      if (!isDict(jsonOf(call))) throw new ApiError('bad-body', 'The metadata must be a JSON object.')
      const { tenant, query, user } = call
      const put = () => tenant.configuration.putMetadata(textOf(call), { force: query.force, user })
      return answerUpload(put)
    },
  }),
  route({
    ...common,
    method: 'DELETE',
    action: 'write',
    summary: 'Removes the node metadata: everything is as by default.',
    answers: given(ObjectShape, 'The metadata as it takes effect now.'),
    handle: async ({ tenant, user }) => {
      await tenant.configuration.deleteMetadata({ force: true, user })
      return jsonText(tenant.metadata())
    },
  }),
]
