/** What is done to a hub as a whole: restarts, resets (rest-api.md §3.1). */

import { Type } from 'typebox'
import { type Answer, json } from '../answer.ts'
import { fieldsOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { type Call, type Route, route } from '../route.ts'
import { given, ObjectShape, ProblemShape } from './shapes.ts'

const FORM = Type.Object({
  operation: Type.String({ description: 'restart, reset or delete-all-sink-datasets.' }),
  force: Type.Optional(Type.String({ description: 'Accepted: pumps always stop between two batches.' })),
})
const accepts = { 'application/x-www-form-urlencoded': FORM, 'multipart/form-data': FORM, 'application/json': FORM }

/** Of all tenants at the root of the node, and of one below `/t/<tenant>`. */
const OPERATIONS: Readonly<Record<string, (call: Call) => Promise<void>>> = {
  restart: (call) => call.node.restart(namesOf(call)),
  reset: (call) => call.node.reset([call.tenant.name]),
  'delete-all-sink-datasets': ({ tenant }) => tenant.resetPipes(),
}

export const adminRoutes: readonly Route[] = [
  route({
    tag: 'Node',
    resource: 'node',
    method: 'POST',
    path: '/api/admin',
    action: 'administer',
    summary:
      'restart: ends and opens again, from what is stored. reset: the same with nothing left. delete-all-sink-datasets: pipes begin from nothing.',
    accepts,
    answers: {
      ...given(Type.Object({ message: Type.Literal('OK') }), 'It is done.'),
      400: { description: 'There is no such operation.', schema: ProblemShape },
    },
    handle: administer,
  }),
  route({
    tag: 'Node',
    resource: 'node',
    method: 'POST',
    path: '/api',
    action: 'administer',
    summary: 'Operations on the root of the API: there are none.',
    accepts,
    answers: { ...given(ObjectShape, 'Never.'), 400: { description: 'Always.', schema: ProblemShape } },
    handle: async (call) => {
      const { operation = '' } = await fieldsOf(call)
      throw unsupported(operation, 'POST /api/admin knows restart, reset and delete-all-sink-datasets.')
    },
  }),
]

async function administer(call: Call): Promise<Answer> {
  const { operation = '' } = await fieldsOf(call)
  if (!Object.hasOwn(OPERATIONS, operation))
    throw unsupported(operation, `Known are ${Object.keys(OPERATIONS).join(', ')}.`)
  await (OPERATIONS[operation] as (call: Call) => Promise<void>)(call)
  // Exactly this: clients compare it.
  return json({ message: 'OK' })
}

const namesOf = ({ node, tenant, prefix }: Call): readonly string[] =>
  prefix === '' ? node.tenants().map(({ name }) => name) : [tenant.name]

const unsupported = (operation: string, hint: string): ApiError =>
  new ApiError('unsupported-operation', `The node doesn't support the operation '${operation}'.`, { hint })
