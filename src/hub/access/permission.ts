/** The words of permissions (hub.md §24.2): who somebody is, what there is to be done, and what roles may do by themselves. */

export const componentPermissions = [
  'read_config',
  'write_config',
  'run_pump_operation',
  'read_data',
  'write_data',
  'read_proxy',
  'write_proxy',
] as const

/** What may be done to a pipe, a system or a dataset: lists of permissions speak of these. */
export type ComponentPermission = (typeof componentPermissions)[number]

/**
 * All there is. `view`: that the hub is there and what it is; everybody with a token may. `develop`: the configuration as
 * a whole, with its variables and secrets. `administer`: users, permissions and tenants.
 */
export type Permission = ComponentPermission | 'view' | 'develop' | 'read_metrics' | 'administer'

export type ComponentKind = 'pipe' | 'system' | 'dataset'

export interface ComponentName {
  readonly kind: ComponentKind
  readonly id: string
}

export const ADMIN = 'group:Admin'
export const DEVELOPER = 'group:Developer'
export const USER = 'group:User'
export const GUEST = 'group:Guest'
/** Whoever has shown who they are. */
export const EVERYONE = 'group:Everyone'
/** Whoever has not; what they are allowed, everybody is. */
export const ANONYMOUS = 'group:Anonymous'

export const builtinRoles: readonly string[] = [ADMIN, DEVELOPER, USER, GUEST, EVERYONE, ANONYMOUS]

/** Somebody, as far as permissions go. */
export interface Principal {
  readonly userId: string | null
  /** With those that they bring along. */
  readonly roles: ReadonlySet<string>
  readonly limits: Limits
}

/** What a token is limited to, whatever its roles may do; null: no limit. */
export interface Limits {
  /** Of pipes, systems and datasets. */
  readonly ids: readonly string[] | null
  readonly permissions: readonly string[] | null
  readonly tenants: readonly string[] | null
}

export const NO_LIMITS: Limits = { ids: null, permissions: null, tenants: null }

/** The hub itself, and whoever is trusted as much. */
export const HUB_ITSELF: Principal = { userId: null, roles: new Set([ADMIN]), limits: NO_LIMITS }

const ALL = componentPermissions
const NOTHING: readonly ComponentPermission[] = []

interface RoleRights {
  readonly node: readonly Permission[]
  readonly pipe: readonly ComponentPermission[]
  readonly system: readonly ComponentPermission[]
  readonly dataset: readonly ComponentPermission[]
  /** Of what they made themselves. */
  readonly own: readonly ComponentPermission[]
}

/** The table of hub.md §24.2: what is possible where no list of permissions says anything. */
const TABLE: Readonly<Record<string, RoleRights>> = {
  [ADMIN]: {
    node: ['view', 'develop', 'read_metrics', 'administer'],
    pipe: ALL,
    system: ALL,
    dataset: ALL,
    own: ALL,
  },
  [DEVELOPER]: { node: ['view', 'develop'], pipe: ALL, system: ALL, dataset: ALL, own: ALL },
  [USER]: {
    node: ['view'],
    pipe: ['read_config'],
    system: ['read_config'],
    dataset: ['read_config', 'read_data', 'write_data'],
    own: ALL,
  },
  [GUEST]: { node: ['view'], pipe: ['read_config'], system: ['read_config'], dataset: NOTHING, own: NOTHING },
  [EVERYONE]: { node: ['view'], pipe: NOTHING, system: NOTHING, dataset: NOTHING, own: NOTHING },
}

/** Whether the roles give it, of the node or a tenant as a whole. */
export function isGivenOfNode(roles: Iterable<string>, permission: Permission): boolean {
  for (const role of roles) if (TABLE[role]?.node.includes(permission) === true) return true
  return false
}

/** Whether the roles give it, of a component. */
export function isGiven(
  roles: Iterable<string>,
  permission: ComponentPermission,
  kind: ComponentKind,
  isOwn: boolean,
): boolean {
  for (const role of roles) {
    const rights = TABLE[role]
    if (rights?.[kind].includes(permission) === true) return true
    if (isOwn && rights?.own.includes(permission) === true) return true
  }
  return false
}

export const isComponentPermission = (text: string): text is ComponentPermission =>
  (componentPermissions as readonly string[]).includes(text)

export const isAdmin = ({ roles }: Principal): boolean => roles.has(ADMIN)
export const isAnonymous = ({ roles }: Principal): boolean => roles.has(ANONYMOUS)
