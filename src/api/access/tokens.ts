/** Named tokens for programs, and tokens that are void (rest-api.md §11). */

import { Type } from 'typebox'
import { type Limits, NO_LIMITS } from '../../hub/access/permission.ts'
import type { StoredRevocation, StoredToken } from '../../hub/access/store.ts'
import { json } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { found, given, ObjectShape, ProblemShape } from '../rest/shapes.ts'
import { type Call, type Route, route } from '../route.ts'
import { Fields, isAdministrator, isLimited, isoOf, principalOf } from './given.ts'

const Texts = Type.Array(Type.String())
const nullable = (type: Parameters<typeof Type.Union>[0][number]) => Type.Union([type, Type.Null()])
const settings = {
  description: Type.Optional(Type.String()),
  roles: Type.Optional(Texts),
  ids: Type.Optional(
    nullable(Type.Array(Type.String(), { description: 'Pipes, systems and datasets it is limited to.' })),
  ),
  permissions: Type.Optional(
    nullable(Type.Array(Type.String(), { description: 'What it is limited to, of what its roles may.' })),
  ),
  tenants: Type.Optional(nullable(Texts)),
  exp: Type.Optional(nullable(Type.Integer({ description: 'When it ends, in seconds since 1970; null: never.' }))),
}
const NewToken = Type.Object({
  name: Type.String(),
  ...settings,
  lifetime: Type.Optional(
    Type.Integer({ description: 'Seconds until it ends, instead of `exp`; a year without either.' }),
  ),
})
const ChangedToken = Type.Object({ name: Type.Optional(Type.String()), ...settings })
const TokenShape = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    user_id: nullable(Type.String()),
    roles: Texts,
    ids: nullable(Texts),
    permissions: nullable(Texts),
    tenants: nullable(Texts),
    created: Type.String(),
    exp: nullable(Type.Integer()),
    is_expired: Type.Boolean(),
  },
  { additionalProperties: true },
)
const CreatedToken = Type.Object(
  { id: Type.String(), token: Type.String({ description: 'The token itself: shown now, and never again.' }) },
  { additionalProperties: true },
)
const Revocation = Type.Object({
  id: Type.Optional(Type.String({ description: '`jti` or `api_token_id` of the token.' })),
  token: Type.Optional(Type.String({ description: 'Or the token itself.' })),
  user: Type.Optional(Type.String({ description: 'Or an account: all tokens it logged in with until now.' })),
  reason: Type.Optional(Type.String()),
})

const YEAR_SECONDS = 365 * 86_400
/** Later than this a JavaScript date is none. */
const LAST_SECOND = 8_640_000_000_000
const common = { tag: 'Access', resource: 'node', access: 'view', isNodeOnly: true } as const
const tokens = '/api/api_json_web_tokens'

export const tokenRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: tokens,
    action: 'read',
    summary: 'Named tokens: those of the caller; for administrators all.',
    answers: given(Type.Array(TokenShape), 'The tokens, without their texts.'),
    handle: (call) =>
      json(
        call.node.access.tokens
          .list()
          .filter((token) => isOf(call, token))
          .map(document),
      ),
  }),
  route({
    ...common,
    method: 'POST',
    path: tokens,
    action: 'write',
    summary: 'Makes a named token. Its text is shown this once.',
    accepts: { 'application/json': NewToken },
    answers: {
      201: { description: 'The token.', schema: CreatedToken },
      403: { description: 'Nobody gives more than they have.', schema: ProblemShape },
    },
    handle: create,
  }),
  route({
    ...common,
    method: 'GET',
    path: `${tokens}/:id`,
    action: 'read',
    summary: 'One named token.',
    answers: found(TokenShape, 'The token, without its text.'),
    handle: (call) => json(document(own(call))),
  }),
  route({
    ...common,
    method: 'PUT',
    path: `${tokens}/:id`,
    action: 'write',
    summary: 'Changes a named token: what is not given stays. It holds for the text that is out there.',
    accepts: { 'application/json': ChangedToken },
    answers: found(TokenShape, 'The token.'),
    handle: async (call) => {
      assertUnlimited(call)
      const { id } = own(call)
      const fields = new Fields(call)
      const [name, description, roles] = [fields.text('name'), fields.text('description'), fields.texts('roles')]
      if (roles != null) assertMayGive(call, roles)
      const expires = fields.has('exp') ? expiryOf(fields) : undefined
      const token = await call.node.access.tokens.change(id, {
        ...(name == null ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(roles == null ? {} : { roles }),
        ...changedLimits(fields),
        ...(expires === undefined ? {} : { expires }),
      })
      return json(document(token))
    },
  }),
  route({
    ...common,
    method: 'DELETE',
    path: `${tokens}/:id`,
    action: 'write',
    summary: 'Deletes a named token: it opens nothing any more.',
    answers: found(ObjectShape, 'It is void.'),
    handle: async (call) => {
      assertUnlimited(call)
      await call.node.access.tokens.remove(own(call).id)
      return json({})
    },
  }),
  route({
    ...common,
    access: 'administer',
    method: 'GET',
    path: '/api/revoked_json_web_tokens',
    action: 'read',
    summary: 'Tokens that are void before they end.',
    answers: given(Type.Array(ObjectShape), 'They, until they would have ended.'),
    handle: ({ node }) => json(node.access.revocations.list().map(revocation)),
  }),
  route({
    ...common,
    access: 'administer',
    method: 'POST',
    path: '/api/revoked_json_web_tokens',
    action: 'write',
    summary: 'Makes a token, or all tokens that an account logged in with, void.',
    accepts: { 'application/json': Revocation },
    answers: { 201: { description: 'They are void.', schema: ObjectShape } },
    handle: revoke,
  }),
]

async function create(call: Call) {
  assertUnlimited(call)
  const { access } = call.node
  const fields = new Fields(call)
  const roles = fields.texts('roles') ?? []
  assertMayGive(call, roles)
  const owner = call.user.user_id === null ? null : (access.users.find(call.user.user_id)?.id ?? null)
  // Whoever has no account here cannot lose it: such a token would outlive them.
  if (owner === null && !isAdministrator(call))
    throw new ApiError('forbidden', 'Only accounts of this hub make tokens.')
  const token = await access.tokens.create({
    name: fields.given('name'),
    description: fields.text('description') ?? null,
    owner,
    roles,
    ...NO_LIMITS,
    ...changedLimits(fields),
    expires: expiryOf(fields),
  })
  return json({ ...document(token), token: await access.tokenText(token) }, 201)
}

async function revoke(call: Call) {
  const { access } = call.node
  const fields = new Fields(call)
  const reason = fields.text('reason') ?? null
  const user = fields.text('user')
  if (user != null) {
    const { id } = await access.users.revoke(user)
    return json({ user_id: id }, 201)
  }
  const token = fields.text('token')
  if (token != null) {
    const { tokenId, expires } = await access.identify(token)
    if (tokenId === null) throw new ApiError('bad-token', 'This token has no name by which it could be revoked.')
    return json(revocation(await access.revocations.add(tokenId, { reason, until: expires })), 201)
  }
  return json(revocation(await access.revocations.add(fields.given('id'), { reason, until: null })), 201)
}

/** It would make one without its limits. An account that is limited to tenants is one of those. */
function assertUnlimited(call: Call): void {
  if (!isLimited(principalOf(call))) return
  throw new ApiError('forbidden', 'Whoever is limited makes and changes no tokens.')
}

/** Nobody gives what they do not have. */
function assertMayGive(call: Call, roles: readonly string[]): void {
  const { roles: own } = principalOf(call)
  const missing = [...call.node.access.roles.expanded(roles)].find((role) => !own.has(role))
  if (missing === undefined || isAdministrator(call)) return
  throw new ApiError('forbidden', `You cannot give the role '${missing}', which you do not have.`)
}

const isOf = (call: Call, { owner }: StoredToken): boolean =>
  isAdministrator(call) || (owner !== null && owner === call.user.user_id)

/** Of others nobody learns that they are there. */
function own(call: Call): StoredToken {
  const token = call.node.access.tokens.get(call.params.id as string)
  if (isOf(call, token)) return token
  throw new ApiError('unknown-token', `There is no token '${call.params.id}'.`)
}

function expiryOf(fields: Fields): number | null {
  const [exp, lifetime] = [fields.number('exp'), fields.number('lifetime')]
  if (exp === null) return null
  const seconds = exp ?? Date.now() / 1000 + (lifetime ?? YEAR_SECONDS)
  if (seconds < 0 || seconds > LAST_SECOND)
    throw new ApiError('bad-token', 'This is no time at which a token could end.')
  return Math.floor(seconds) * 1000
}

function changedLimits(fields: Fields): Partial<Limits> {
  const limits = ['ids', 'permissions', 'tenants'].map((name) => [name, fields.texts(name)] as const)
  return Object.fromEntries(limits.filter(([, given]) => given !== undefined))
}

const document = (token: StoredToken) => ({
  id: token.id,
  name: token.name,
  description: token.description,
  user_id: token.owner,
  roles: token.roles,
  ids: token.ids,
  permissions: token.permissions,
  tenants: token.tenants,
  created: isoOf(token.created),
  exp: token.expires === null ? null : token.expires / 1000,
  is_expired: token.expires !== null && token.expires <= Date.now(),
})

const revocation = ({ id, revoked, reason, until }: StoredRevocation) => ({
  id,
  revoked: isoOf(revoked),
  reason,
  until: isoOf(until),
})
