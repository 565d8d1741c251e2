/** The configuration and the variables it uses: read and replaced as a whole (rest-api.md §3.3, §3.4). */

import { Type } from 'typebox'
import { isDict, isList } from '../../model/value.ts'
import { choose } from '../accept.ts'
import { type Answer, jsonText } from '../answer.ts'
import { jsonOf, textOf, uploadOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { flag } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { refusalOf, rejections } from './rejections.ts'
import { ComponentsShape, given, ObjectShape } from './shapes.ts'

const common = { tag: 'Configuration', resource: 'config' } as const

export const configRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/config',
    action: 'read',
    summary: 'All components, each exactly as it was given.',
    answers: given(ComponentsShape, 'The configuration.'),
    handle: ({ tenant, headers }) => {
      if (choose(headers.accept as string | undefined, ['application/json']) === undefined) {
        throw new ApiError('not-acceptable', 'The configuration is given as application/json only by this version.')
      }
      return jsonText(tenant.configText())
    },
  }),
  route({
    ...common,
    method: 'PUT',
    path: '/api/config',
    action: 'write',
    takesBulk: true,
    summary: 'Replaces the whole configuration; what is not in it is removed.',
    query: Type.Object({ force: flag('Take it with its errors; broken components stay inactive.') }),
    accepts: { 'application/json': ComponentsShape },
    answers: {
      ...given(ObjectShape, 'It is in use; `validation_errors` holds the warnings.'),
      400: { description: 'It has errors and nothing was changed.', schema: ObjectShape },
    },
    handle: replaceConfig,
  }),
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
    summary: 'Replaces all environment variables.',
    accepts: { 'application/json': ObjectShape },
    answers: given(ObjectShape, 'The variables as they are now.'),
    handle: async (call) => {
      if (!isDict(jsonOf(call)))
        throw new ApiError('bad-body', 'The variables must be a JSON object of name and value.')
      await call.tenant.replaceEnv(textOf(call))
      return jsonText(call.tenant.env())
    },
  }),
]

async function replaceConfig(call: Call<{ force: boolean }>): Promise<Answer> {
  const body = await uploadOf(call)
  if (body[0] === 0x50 && body[1] === 0x4b) {
    throw new ApiError('not-supported', 'A configuration as a zip file is not supported by this version.', {
      hint: 'Send a JSON array of all components.',
    })
  }
  const value = jsonOf({ body })
  const components = isList(value) ? value : [value]
  if (!components.every(isDict)) {
    throw new ApiError('bad-body', 'The configuration must be a JSON array of components, each an object.')
  }
  const text = textOf({ body })
  try {
    const warnings = await call.tenant.replaceConfig(
      isList(value) ? text : `[${text}]`,
      call.query.force,
      null,
      call.user,
    )
    return jsonText(`{"validation_errors":${rejections(warnings, components)}}`)
  } catch (error) {
    return refusalOf(error, components)
  }
}
