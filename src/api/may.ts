/** The one question that is asked before each route and each dataset read: may this caller do this to that? */

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import {
  type ComponentKind,
  type ComponentPermission,
  isAnonymous,
  isComponentPermission,
  isGiven,
  isGivenOfNode,
  type Permission,
  type Principal,
} from '../hub/access/permission.ts'
import type { Tenant, User } from '../hub/contract.ts'

export type Action = 'read' | 'write' | 'operate' | 'administer'

export interface Resource {
  readonly kind: 'node' | 'tenant' | 'config' | 'pipe' | 'system' | 'dataset' | 'graph'
  readonly tenant: string
  readonly id?: string
}

/**
 * What a route needs. `public`: nothing, not even a token. `open`: its handler leaves out what may not be read, so
 * whoever may read something of the tenant comes in.
 */
export type Access = Permission | 'public' | 'open'

/** Looks up what is to be protected. */
export type Tenants = (name: string) => Pick<Tenant, 'guard'> | undefined

export type Caller =
  /** Without authentication: whoever sits at this machine. */
  | { readonly kind: 'local' }
  | { readonly kind: 'elsewhere'; readonly why: string }
  /** Somebody with or without a token. */
  | {
      readonly kind: 'principal'
      readonly principal: Principal
      readonly user: User
      readonly tenants: Tenants
      /** What would revoke the token. */
      readonly tokenId: string | null
      /** When it ends by itself, in milliseconds since 1970. */
      readonly expires: number | null
      readonly isByCookie: boolean
    }
  /** Whoever holds a shareable link. */
  | { readonly kind: 'link'; readonly tenant: string; readonly pipe: string; readonly id: string }

export function may(
  caller: Caller,
  action: Action,
  resource: Resource,
  access = accessOf(action, resource.kind),
): boolean {
  // Nobody tidies up behind themselves.
  if (isAudit(resource) && access !== 'read_data' && access !== 'read_config') return false
  switch (caller.kind) {
    case 'local':
      return true
    case 'elsewhere':
      return false
    case 'link':
      return access === 'public' || opens(caller, access, resource)
    case 'principal':
      return access === 'public' || principalMay(caller, access, resource)
  }
}

/** What an action on a kind of thing needs, where a route does not say it: when in doubt, more. */
export function accessOf(action: Action, kind: Resource['kind']): Access {
  if (action === 'administer') return 'administer'
  switch (kind) {
    case 'node':
      return action === 'read' ? 'view' : 'develop'
    case 'tenant':
      return action === 'read' ? 'read_config' : 'develop'
    case 'config':
      return 'develop'
    case 'pipe':
      return action === 'read' ? 'read_config' : action === 'write' ? 'write_config' : 'run_pump_operation'
    case 'system':
      return action === 'read' ? 'read_config' : 'write_config'
    case 'dataset':
      return action === 'read' ? 'read_data' : 'write_data'
    case 'graph':
      return action === 'read' ? 'read_data' : 'develop'
  }
}

interface Known {
  readonly principal: Principal
  readonly tenants: Tenants
}

function principalMay({ principal, tenants }: Known, access: Exclude<Access, 'public'>, resource: Resource): boolean {
  const { limits, roles } = principal
  const { kind, tenant, id } = resource
  if (limits.tenants?.includes(tenant) === false) return false
  // What concerns the whole node is not for who is limited to some of its tenants.
  if (limits.tenants !== null && kind === 'node' && access !== 'view') return false
  const guard = tenants(tenant)?.guard
  if (access === 'open') return isAnonymous(principal) ? guard?.hasOpenData() === true : isGivenOfNode(roles, 'view')
  if (!isComponentPermission(access)) {
    if (!isWithin(principal, access) || !isGivenOfNode(roles, access)) return false
    // A configuration as a whole is of who may see all of it.
    return kind !== 'config' || access !== 'develop' || mayAll(guard, principal, 'read_config')
  }
  if (kind !== 'pipe' && kind !== 'system' && kind !== 'dataset') return mayAll(guard, principal, access)
  // A list of things: its handler leaves out those that may not be read.
  if (id === undefined) return mayOfKind(principal, access, kind)
  return guard?.may(principal, access, { kind, id }) === true
}

/** What concerns a tenant as a whole needs the permission for all of it. */
function mayAll(guard: Tenant['guard'] | undefined, principal: Principal, permission: ComponentPermission): boolean {
  if (guard === undefined || isAnonymous(principal) || principal.limits.ids !== null) return false
  const kinds: readonly ComponentKind[] = permission.endsWith('_data') ? ['dataset'] : ['pipe', 'system']
  return kinds.every((kind) => guard.mayAll(principal, permission, kind))
}

/** Reading leaves out what is not to be seen; making something new asks again, by name. */
function mayOfKind(principal: Principal, permission: ComponentPermission, kind: ComponentKind): boolean {
  if (isAnonymous(principal)) return false
  if (principal.limits.permissions?.includes(permission) === false) return false
  if (permission === 'read_config' || permission === 'read_data') return isGivenOfNode(principal.roles, 'view')
  return isGiven(principal.roles, permission, kind, permission === 'write_config')
}

/** A limited token may see what the hub is, and nothing more of it than it names. */
function isWithin({ limits }: Principal, permission: Permission): boolean {
  if (permission === 'view') return true
  return limits.ids === null && (limits.permissions === null || limits.permissions.includes(permission))
}

const opens = (link: { readonly tenant: string; readonly pipe: string }, access: Access, resource: Resource): boolean =>
  access === 'read_data' && resource.kind === 'pipe' && resource.id === link.pipe && resource.tenant === link.tenant

const isAudit = ({ kind, id }: Resource): boolean => kind === 'dataset' && id === 'system:audit'

/**
 * Who asks, where nobody need show who they are. A loopback address alone proves little: a web page that another site has
 * put into the browser of this machine connects from here too. Its request carries that site's name, as `Host` when the
 * name was made to point here (DNS rebinding) and as `Origin` when it posts across sites; a proxy says for whom it asks.
 * So every name in the request must be one of this machine.
 */
export function callerOf(request: IncomingMessage): Caller {
  const { remoteAddress } = request.socket
  const { host, origin, forwarded: told, 'x-forwarded-for': forwarded } = request.headers
  if (!isLoopbackAddress(remoteAddress ?? '')) return elsewhere(`the connection comes from ${remoteAddress}`)
  if (host === undefined || !isLoopbackHost(host)) return elsewhere(`it asks for the host '${host ?? ''}'`)
  if (origin !== undefined && !isLoopbackOrigin(origin)) return elsewhere(`it was sent by a page of '${origin}'`)
  if (told !== undefined) return elsewhere('it was forwarded for somebody')
  const sources = [forwarded ?? []].flat().flatMap((list) => list.split(','))
  const foreign = sources.find((address) => !isLoopbackAddress(address.trim()))
  return foreign === undefined ? { kind: 'local' } : elsewhere(`it was forwarded for '${foreign.trim()}'`)
}

function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return isIP(plain) === 4 ? plain.startsWith('127.') : plain === '::1'
}

/** Whether a name with or without a port can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name)
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)
}

const elsewhere = (why: string): Caller => ({ kind: 'elsewhere', why })
