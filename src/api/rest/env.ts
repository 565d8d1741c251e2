/** Environment variables of a configuration (rest-api.md §3.3): their texts come back as they were given. */

import { Type } from 'typebox'
import { elementsIn } from '../../config/elements.ts'
import { mergedMembers } from '../../config/members.ts'
import { isDict, isList } from '../../model/value.ts'
import { type Answer, jsonText } from '../answer.ts'
import { jsonOf, textOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { type Call, type Route, route } from '../route.ts'
import { found, given, ObjectShape } from './shapes.ts'

const common = { tag: 'Configuration', resource: 'config' } as const
const Objects = Type.Union([ObjectShape, Type.Array(ObjectShape)])

export const envRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/env',
    action: 'read',
    summary: 'The environment variables.',
    answers: given(ObjectShape, 'Name and value of each.'),
    handle: ({ tenant }) => jsonText(tenant.env()),
  }),
  route({
    ...common,
    method: 'PUT',
    path: '/api/env',
    action: 'write',
    summary: 'Replaces all environment variables; pipes and systems that use one that changed are made anew.',
    accepts: { 'application/json': ObjectShape },
    answers: given(ObjectShape, 'The variables.'),
    handle: async (call) => {
      if (!isDict(jsonOf(call))) throw notVariables()
      await call.tenant.configuration.replaceEnv(textOf(call), call.user)
      return jsonText(call.tenant.env())
    },
  }),
  ...(['POST', 'PATCH'] as const).map((method) =>
    route({
      ...common,
      method,
      path: '/api/env',
      action: 'write',
      summary: 'Sets some environment variables; the others stay.',
      accepts: { 'application/json': Objects },
      answers: given(ObjectShape, 'All variables.'),
      handle: merge,
    }),
  ),
  route({
    ...common,
    method: 'DELETE',
    path: '/api/env/:name',
    action: 'write',
    summary: 'Removes an environment variable.',
    answers: found(ObjectShape, 'The variables that are left.'),
    handle: async ({ tenant, params, user }) => {
      await tenant.configuration.deleteVariable(params.name as string, user)
      return jsonText(tenant.env())
    },
  }),
]

async function merge(call: Call): Promise<Answer> {
  const value = jsonOf(call)
  const text = textOf(call)
  const isObjects = isList(value) && value.every(isDict)
  if (!isDict(value) && !isObjects) throw notVariables()
  const merged = isObjects ? (elementsIn(text) ?? []).reduce(mergedMembers, '{}') : text
  await call.tenant.configuration.mergeEnv(merged, call.user)
  return jsonText(call.tenant.env())
}

const notVariables = (): ApiError => new ApiError('bad-body', 'The variables must be a JSON object of name and value.')
