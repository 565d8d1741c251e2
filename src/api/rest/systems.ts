/** Systems (rest-api.md §3.6). */

import { Type } from 'typebox'
import { jsonArray, jsonText } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { type Route, route } from '../route.ts'
import { found, given, SystemShape } from './shapes.ts'

const common = { tag: 'Systems', action: 'read', resource: 'system' } as const

export const systemRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/systems',
    summary: 'All systems.',
    answers: given(Type.Array(SystemShape), 'The systems.'),
    handle: ({ tenant }) => jsonArray(tenant.systemIds().flatMap((id) => tenant.system(id) ?? [])),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/systems/:id',
    summary: 'One system.',
    answers: found(SystemShape, 'The system.'),
    handle: ({ tenant, params }) => {
      const text = tenant.system(params.id as string)
      if (text === undefined) throw new ApiError('unknown-system', `There is no system '${params.id}'.`)
      return jsonText(text)
    },
  }),
]
