/** Systems, and what can be asked of them past any pipe (rest-api.md §3.6). */

import { Type } from 'typebox'
import type { ForwardRequest } from '../../hub/contract.ts'
import { type Answer, jsonArray, jsonText } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { flag, text } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { found, given, ObjectShape, ProblemShape, SystemShape } from './shapes.ts'

const common = { tag: 'Systems', resource: 'system' } as const

const Status = Type.Object(
  {
    running: Type.Boolean(),
    address: Type.Optional(Type.String()),
    status: Type.Optional(Type.Integer()),
    reason: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
)
const Prototypes = Type.Array(
  Type.Object({
    _id: Type.String(),
    of: Type.String({ description: 'system, source or sink.' }),
    type: Type.String(),
    description: Type.String(),
    config: ObjectShape,
  }),
)
const noContainer = {
  400: { description: 'It is no microservice.', schema: ProblemShape },
  404: { description: 'There is no such system.', schema: ProblemShape },
  409: { description: 'This hub runs no containers.', schema: ProblemShape },
}

export const systemRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/systems',
    action: 'read',
    summary: 'All systems.',
    query: Type.Object({
      verbose: flag('There is nothing to leave out.'),
      'include-internal-systems': flag('Also those that the hub, or another tool, made for itself.'),
    }),
    answers: given(Type.Array(SystemShape), 'The systems.'),
    handle: ({ tenant, query, may }) => {
      const all = tenant.systemIds().filter((id) => may('read_config', 'system', id))
      const ids = query['include-internal-systems'] ? all : all.filter((id) => !tenant.isInternal(id))
      return jsonArray(ids.flatMap((id) => tenant.system(id) ?? []))
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/systems/:id',
    action: 'read',
    summary: 'One system.',
    answers: found(SystemShape, 'The system.'),
    handle: ({ tenant, params }) => {
      const document = tenant.system(params.id as string)
      if (document === undefined) throw new ApiError('unknown-system', `There is no system '${params.id}'.`)
      return jsonText(document)
    },
  }),
  route({
    ...common,
    resource: 'node',
    method: 'GET',
    path: '/api/system-prototypes',
    action: 'read',
    summary: 'Patterns to write systems after: an example of each type.',
    answers: given(Prototypes, 'The patterns.'),
    handle: ({ node }) => jsonText(node.prototypes('system')),
  }),
  ...(['source', 'sink'] as const).map((of) =>
    route({
      ...common,
      method: 'GET',
      path: `/api/systems/:id/${of}-prototypes`,
      action: 'read',
      summary: `Patterns to write ${of}s after that use this system.`,
      answers: found(Prototypes, 'The patterns.'),
      handle: ({ node, tenant, params }) => {
        const id = params.id as string
        if (tenant.system(id) === undefined) throw new ApiError('unknown-system', `There is no system '${id}'.`)
        return jsonText(node.prototypes(of, id))
      },
    }),
  ),
  route({
    ...common,
    method: 'GET',
    path: '/api/systems/:id/status',
    action: 'operate',
    summary: 'Whether the system answers: it is asked for nothing, with its credentials.',
    answers: found(Status, 'It does, and where; or why not.'),
    handle: async ({ tenant, params }) => jsonText(await tenant.systemStatus(params.id as string)),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/systems/:id/logs',
    action: 'read',
    summary: 'What the container of a microservice wrote: this hub runs none.',
    query: Type.Object({ since: text('Only what came after this time.') }),
    answers: { ...given(Type.String(), 'Never.'), ...noContainer },
    handle: ({ tenant, params }) => tenant.container(params.id as string),
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/systems/:id/reload',
    action: 'operate',
    summary: 'Gets the image of a microservice anew: this hub runs no containers.',
    answers: { 202: { description: 'Never.', schema: ObjectShape }, ...noContainer },
    handle: ({ tenant, params }) => tenant.container(params.id as string),
  }),
  ...(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) =>
    route({
      ...common,
      method,
      path: '/api/systems/:id/proxy/*',
      action: method === 'GET' ? 'read' : 'operate',
      access: method === 'GET' ? 'read_proxy' : 'write_proxy',
      takesBulk: true,
      summary: 'Passes the request on to a microservice, which is reached by its `url`.',
      ...(method === 'GET' || method === 'DELETE' ? {} : { accepts: { '*/*': Type.Any() } }),
      answers: {
        ...given(Type.Any(), 'What it answers, with its status.'),
        ...noContainer,
        502: { description: 'It does not answer.', schema: ProblemShape },
      },
      handle: (call) => proxy(call, method),
    }),
  ),
]

async function proxy(call: Call, method: ForwardRequest['method']): Promise<Answer> {
  const { path, given: parameters, headers, body } = call
  const query = new URLSearchParams(
    Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as [string, string])),
  )
  const request = {
    method,
    path: path.slice(path.indexOf('/proxy/') + '/proxy/'.length),
    query: query.toString(),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
    ),
    body: Uint8Array.from(body),
  }
  const answer = await call.tenant.forward(call.params.id as string, request, call.signal)
  return {
    status: answer.status,
    contentType: answer.headers['content-type'] ?? 'application/octet-stream',
    headers: { ...answer.headers, ...CONFINED },
    body: answer.body,
  }
}

/** What a service sends may be a page: in a browser it is not to act as one of the hub's. */
const CONFINED = { 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' }
