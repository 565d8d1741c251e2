/** Roles: the built-in ones, and those that the node has made for itself. */

import { Type } from 'typebox'
import { ADMIN, builtinRoles } from '../../hub/access/permission.ts'
import type { StoredRole } from '../../hub/access/store.ts'
import { json } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { found, given, ObjectShape, ProblemShape } from '../rest/shapes.ts'
import { type Call, type Route, route } from '../route.ts'
import { Fields, isAdministrator, principalOf } from './given.ts'

const RoleShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  child_roles: Type.Array(Type.String(), { description: 'Whoever has the role has these too.' }),
  is_builtin: Type.Boolean(),
})
const NewRole = Type.Object({
  name: Type.String(),
  description: Type.Optional(Type.String()),
  child_roles: Type.Optional(Type.Array(Type.String())),
})
const ChangedRole = Type.Omit(NewRole, ['name'])

const common = { tag: 'Access', resource: 'node', access: 'develop', isNodeOnly: true } as const

export const roleRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/roles',
    action: 'read',
    summary: 'All roles.',
    answers: given(Type.Array(RoleShape), 'The roles.'),
    handle: ({ node }) => json([...builtinRoles.map(builtin), ...node.access.roles.list().map(document)]),
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/roles',
    action: 'write',
    summary: 'Makes a role.',
    accepts: { 'application/json': NewRole },
    answers: {
      201: { description: 'It is there.', schema: RoleShape },
      409: { description: 'There is one of this name.', schema: ProblemShape },
    },
    handle: async (call) => {
      const fields = new Fields(call)
      const children = fields.texts('child_roles') ?? []
      assertMayBring(call, children)
      const role = { name: fields.given('name'), description: fields.text('description') ?? null, children }
      return json(document(await call.node.access.roles.create(role)), 201)
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/roles/:id',
    action: 'read',
    summary: 'One role, by id or name.',
    answers: found(RoleShape, 'The role.'),
    handle: ({ node, params }) => {
      const id = params.id as string
      return json(builtinRoles.includes(id) ? builtin(id) : document(node.access.roles.get(id)))
    },
  }),
  route({
    ...common,
    method: 'PUT',
    path: '/api/roles/:id',
    action: 'write',
    summary: 'Replaces the description and the child roles of a role of the node.',
    accepts: { 'application/json': ChangedRole },
    answers: found(RoleShape, 'The role.'),
    handle: async (call) => {
      const fields = new Fields(call)
      const id = call.params.id as string
      const children = fields.texts('child_roles') ?? []
      assertMayChange(call, id)
      assertMayBring(call, children)
      const role = { description: fields.text('description') ?? null, children }
      return json(document(await call.node.access.roles.replace(id, role)))
    },
  }),
  route({
    ...common,
    method: 'DELETE',
    path: '/api/roles/:id',
    action: 'write',
    summary: 'Deletes a role of the node; who had it has it no longer.',
    answers: found(ObjectShape, 'It is gone.'),
    handle: async (call) => {
      assertMayChange(call, call.params.id as string)
      await call.node.access.roles.remove(call.params.id as string)
      return json({})
    },
  }),
]

/** Who develops makes roles; but nobody puts more into one than they have: whoever has it might be they. */
function assertMayBring(call: Call, children: readonly string[]): void {
  const own = principalOf(call).roles
  const missing = [...call.node.access.roles.expanded(children)].find((role) => !own.has(role))
  if (missing === undefined || isAdministrator(call)) return
  throw new ApiError('forbidden', `A role of yours cannot bring '${missing}' along, which you do not have.`)
}

/** Roles that make administrators are theirs to change. */
function assertMayChange(call: Call, role: string): void {
  if (isAdministrator(call) || !call.node.access.roles.expanded([role]).has(ADMIN)) return
  throw new ApiError('forbidden', `Only administrators change roles that bring ${ADMIN} along.`)
}

const builtin = (id: string) => ({ id, name: id, description: null, child_roles: [], is_builtin: true })

const document = ({ id, name, description, children }: StoredRole) => ({
  id,
  name,
  description,
  child_roles: children,
  is_builtin: false,
})
