/** Lists of permissions of pipes, systems and datasets (hub.md §24.2). */

import { Type } from 'typebox'
import type { ComponentKind, ComponentName } from '../../hub/access/permission.ts'
import { jsonText } from '../answer.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { flag } from '../parameters.ts'
import { found, ProblemShape } from '../rest/shapes.ts'
import { type Call, type Route, route } from '../route.ts'

const Texts = Type.Array(Type.String())
const Rules = Type.Array(
  Type.Tuple([Type.Enum(['allow', 'deny']), Texts, Texts], { description: 'Effect, roles, permissions.' }),
)

const KINDS: Readonly<Record<string, ComponentKind>> = {
  pipe: 'pipe',
  pipes: 'pipe',
  system: 'system',
  systems: 'system',
  dataset: 'dataset',
  datasets: 'dataset',
}

/** Which component it was goes into the audit log. */
const common = { tag: 'Access', resource: 'tenant', path: '/api/permissions/*', resourceParameter: '*' } as const

export const permissionRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    action: 'read',
    access: 'develop',
    summary: 'The list of permissions of pipes/<id>, systems/<id> or datasets/<id>.',
    query: Type.Object({ effective: flag('With those of its configuration, and of the pipe that writes a dataset.') }),
    answers: found(Rules, 'The list; empty where none was put.'),
    handle: (call) => jsonText(call.tenant.permissions(componentOf(call), call.query.effective)),
  }),
  route({
    ...common,
    method: 'PUT',
    action: 'administer',
    summary: 'Replaces the list of permissions of pipes/<id>, systems/<id> or datasets/<id>.',
    accepts: { 'application/json': Rules },
    answers: { ...found(Rules, 'The list.'), 400: { description: 'It is no such list.', schema: ProblemShape } },
    handle: async (call) => {
      const component = componentOf(call)
      await call.tenant.replacePermissions(component, jsonOf(call))
      return jsonText(call.tenant.permissions(component, false))
    },
  }),
]

/** `pipes/<id>`, or `pipe:<id>`; decoded once, and the id may hold slashes. */
function componentOf({ path }: Pick<Call, 'path'>): ComponentName {
  const given = decodeURIComponent(path.split('/').slice(3).join('/'))
  const [, name = '', id = ''] = /^([a-z]+)[/:](.+)$/s.exec(given) ?? []
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (kind !== undefined) return { kind, id }
  throw new ApiError('bad-request', `'${given}' names nothing that has permissions.`, {
    hint: 'Write pipes/<id>, systems/<id> or datasets/<id>.',
  })
}
