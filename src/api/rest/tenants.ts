/** The tenants of the node. */

import { Type } from 'typebox'
import type { Tenant } from '../../hub/contract.ts'
import { get } from '../../model/dict.ts'
import { isDict } from '../../model/value.ts'
import { json } from '../answer.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { type Caller, may } from '../may.ts'
import { type Route, route } from '../route.ts'
import { found, given, ObjectShape, ProblemShape, TenantShape } from './shapes.ts'

const common = { tag: 'Tenants', resource: 'tenant', resourceParameter: 'name', isNodeOnly: true } as const

export const tenantRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/tenants',
    action: 'read',
    resource: 'node',
    summary: 'All tenants.',
    answers: given(Type.Array(TenantShape), 'The tenants.'),
    handle: ({ node, caller }) =>
      json(
        node
          .tenants()
          .filter(({ name }) => isSeen(caller, name))
          .map(document),
      ),
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/tenants',
    action: 'administer',
    resource: 'node',
    summary: 'Creates a tenant.',
    accepts: { 'application/json': Type.Object({ name: Type.String() }) },
    answers: {
      201: { description: 'It is there.', schema: TenantShape },
      400: { description: 'The name cannot be used.', schema: ProblemShape },
      409: { description: 'There is one of this name.', schema: ProblemShape },
    },
    handle: async (call) => {
      const body = jsonOf(call)
      const name = isDict(body) ? get(body, 'name') : undefined
      if (typeof name !== 'string') {
        throw new ApiError('bad-body', 'The body must be an object with the name of the tenant.', {
          hint: 'Send {"name": "…"}.',
        })
      }
      return json(document(await call.node.createTenant(name)), 201)
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/tenants/:name',
    action: 'read',
    access: 'view',
    summary: 'One tenant.',
    answers: found(TenantShape, 'The tenant.'),
    handle: ({ node, params }) => {
      const tenant = node.tenant(params.name as string)
      if (tenant === undefined) throw new ApiError('unknown-tenant', `There is no tenant '${params.name}'.`)
      return json(document(tenant))
    },
  }),
  route({
    ...common,
    method: 'DELETE',
    path: '/api/tenants/:name',
    action: 'administer',
    summary: 'Deletes a tenant with all its data.',
    answers: found(ObjectShape, 'It and its data are gone.'),
    handle: async ({ node, params }) => {
      await node.deleteTenant(params.name as string)
      return json({})
    },
  }),
]

const isSeen = (caller: Caller, tenant: string): boolean => may(caller, 'read', { kind: 'tenant', tenant }, 'view')

const document = ({ name, base }: Tenant) => ({ name, base })
