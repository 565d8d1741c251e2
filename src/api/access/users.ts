/** Accounts and who they are members as: for administrators; and what everybody may do about themselves. */

import { Type } from 'typebox'
import type { StoredUser } from '../../hub/access/store.ts'
import { json } from '../answer.ts'
import { ApiError } from '../errors.ts'
import type { Passwords } from '../login/passwords.ts'
import { found, given, ObjectShape, ProblemShape } from '../rest/shapes.ts'
import { type Call, type Route, route } from '../route.ts'
import { Fields, isLimited, isoOf, principalOf } from './given.ts'

const Texts = Type.Array(Type.String())
const UserShape = Type.Object({
  id: Type.String(),
  email: Type.String(),
  name: Type.Union([Type.String(), Type.Null()]),
  roles: Texts,
  tenants: Type.Union([Texts, Type.Null()], { description: 'Null: all.' }),
  is_disabled: Type.Boolean(),
  has_password: Type.Boolean(),
  created: Type.String(),
})
const NewUser = Type.Object({
  email: Type.String(),
  name: Type.Optional(Type.String()),
  roles: Type.Optional(Texts),
  tenants: Type.Optional(Texts),
  password: Type.Optional(Type.String({ description: 'Without one nobody can log in.' })),
})
const ChangedUser = Type.Object({
  name: Type.Optional(Type.String()),
  roles: Type.Optional(Texts),
  tenants: Type.Optional(Type.Union([Texts, Type.Null()])),
  is_disabled: Type.Optional(Type.Boolean()),
  password: Type.Optional(Type.String()),
})
const MemberShape = Type.Object({ user_id: Type.String(), email: Type.String(), roles: Texts })
const RolesShape = Type.Object({ roles: Texts })

const conflict = {
  409: { description: 'It would leave no administrator, or there is one already.', schema: ProblemShape },
}
const common = { tag: 'Access', resource: 'node', action: 'administer', isNodeOnly: true } as const

export function userRoutes(passwords: Passwords): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/api/users',
      summary: 'All accounts.',
      answers: given(Type.Array(UserShape), 'The accounts.'),
      handle: ({ node }) => json(node.access.users.list().map(document)),
    }),
    route({
      ...common,
      method: 'POST',
      path: '/api/users',
      summary: 'Makes an account.',
      accepts: { 'application/json': NewUser },
      answers: { 201: { description: 'It is there.', schema: UserShape }, ...conflict },
      handle: async (call) => {
        const fields = new Fields(call)
        const user = await call.node.access.users.add({
          email: fields.given('email'),
          name: fields.text('name') ?? null,
          roles: fields.texts('roles') ?? [],
          tenants: fields.texts('tenants') ?? null,
          password: fields.text('password') ?? null,
        })
        return json(document(user), 201)
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/api/users/:id',
      summary: 'One account, by id or e-mail address.',
      answers: found(UserShape, 'The account.'),
      handle: ({ node, params }) => json(document(node.access.users.get(params.id as string))),
    }),
    route({
      ...common,
      method: 'PUT',
      path: '/api/users/:id',
      summary: 'Changes an account: what is not given stays. Another password makes its tokens void.',
      accepts: { 'application/json': ChangedUser },
      answers: { ...found(UserShape, 'The account.'), ...conflict },
      handle: async (call) =>
        json(document(await call.node.access.users.change(call.params.id as string, changeOf(call)))),
    }),
    route({
      ...common,
      method: 'DELETE',
      path: '/api/users/:id',
      summary: 'Deletes an account with its tokens.',
      answers: { ...found(ObjectShape, 'It is gone.'), ...conflict },
      handle: async ({ node, params }) => {
        await node.access.users.remove(params.id as string)
        return json({})
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/api/members',
      action: 'read',
      access: 'develop',
      summary: 'Who has which roles.',
      answers: given(Type.Array(MemberShape), 'The members.'),
      handle: ({ node }) => json(node.access.users.list().map(member)),
    }),
    route({
      ...common,
      method: 'PUT',
      path: '/api/members/:id',
      summary: 'Gives an account these roles, and takes all others away.',
      accepts: { 'application/json': RolesShape },
      answers: { ...found(MemberShape, 'The member.'), ...conflict },
      handle: async (call) => {
        const roles = new Fields(call).texts('roles')
        if (roles == null) throw new ApiError('bad-body', "The field 'roles' must be a list of strings.")
        return json(member(await call.node.access.users.change(call.params.id as string, { roles })))
      },
    }),
    route({
      ...common,
      method: 'DELETE',
      path: '/api/members/:id',
      summary: 'Takes all roles from an account, which stays.',
      answers: { ...found(ObjectShape, 'It has no roles.'), ...conflict },
      handle: async ({ node, params }) => {
        await node.access.users.change(params.id as string, { roles: [] })
        return json({})
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/api/me',
      action: 'read',
      summary: 'Who the caller is, with which roles and limits.',
      answers: given(ObjectShape, 'The caller.'),
      handle: (call) => {
        const { roles, limits } = principalOf(call)
        const { user_id, email } = call.user
        return json({ user_id, email, roles: [...roles].sort(), limits })
      },
    }),
    route({
      ...common,
      method: 'PUT',
      path: '/api/me/password',
      action: 'write',
      access: 'view',
      summary: 'Another password for the caller; all their tokens are void then.',
      accepts: { 'application/json': Type.Object({ password: Type.String(), new_password: Type.String() }) },
      answers: given(ObjectShape, 'It is in use.'),
      handle: async (call) => {
        const { user_id: id } = call.user
        const user = id === null ? undefined : call.node.access.users.find(id)
        if (user === undefined || isLimited(principalOf(call)))
          throw new ApiError('forbidden', 'Only an account has a password.')
        const fields = new Fields(call)
        await passwords.check(call, user.email, fields.given('password'))
        await call.node.access.users.change(user.id, { password: fields.given('new_password') })
        return json({})
      },
    }),
  ]
}

function changeOf(call: Call) {
  const fields = new Fields(call)
  const [name, roles, tenants] = [fields.text('name'), fields.texts('roles'), fields.texts('tenants')]
  const [isDisabled, password] = [fields.flag('is_disabled'), fields.text('password')]
  return {
    ...(name === undefined ? {} : { name }),
    ...(roles == null ? {} : { roles }),
    ...(tenants === undefined ? {} : { tenants }),
    ...(isDisabled === undefined ? {} : { isDisabled }),
    ...(password == null ? {} : { password }),
  }
}

const document = ({ id, email, name, roles, tenants, isDisabled, password, created }: StoredUser) => ({
  id,
  email,
  name,
  roles,
  tenants,
  is_disabled: isDisabled,
  has_password: password !== null,
  created: isoOf(created),
})

const member = ({ id, email, roles }: StoredUser) => ({ user_id: id, email, roles })
