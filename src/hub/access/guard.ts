/** What a tenant's lists of permissions say of its pipes, systems and datasets: asked before anything is done to one. */

import {
  ANONYMOUS,
  type ComponentKind,
  type ComponentName,
  type ComponentPermission,
  isAdmin,
  isGivenOfNode,
  NO_LIMITS,
  type Permission,
  type Principal,
} from './permission.ts'
import { isAllowed, type Rule } from './rules.ts'

/** What the guard must know of the tenant. */
export interface GuardPorts {
  /** Lists of the component: the one that was put, and the one in its configuration. */
  rules(component: ComponentName): readonly Rule[]
  /** Who made it; null: the hub, or nobody knows. */
  creator(component: ComponentName): string | null
  /** The pipe that a dataset belongs to: the one that writes it, or that it tells of. */
  pipeOf(dataset: string): string | null
  components(kind: ComponentKind): Iterable<string>
}

/** What the hub itself writes, beside what belongs to pipes: `system:audit` is of administrators, the rest of who develops. */
export const AUDIT_DATASET = 'system:audit'

export class Guard {
  readonly #ports: GuardPorts
  readonly #rules = new Map<string, readonly Rule[]>()

  constructor(ports: GuardPorts) {
    this.#ports = ports
  }

  /** Lists changed, or pipes did. */
  forget(): void {
    this.#rules.clear()
  }

  may(principal: Principal, permission: ComponentPermission, component: ComponentName): boolean {
    // Nobody tidies up behind themselves.
    if (isProtected(permission, component)) return false
    if (!this.#isWithin(principal, permission, component)) return false
    if (isAdmin(principal)) return true
    const { kind, id } = component
    const pipe = kind === 'dataset' ? this.#ports.pipeOf(id) : null
    if (kind === 'dataset' && pipe === null && id.startsWith('system:')) {
      return isGivenOfNode(principal.roles, id === AUDIT_DATASET ? 'administer' : 'develop')
    }
    const isOwn = this.#isOwn(principal, pipe === null ? component : { kind: 'pipe', id: pipe })
    return isAllowed(principal, permission, this.#rulesOf(component, pipe), { kind, isOwn })
  }

  /** Whether it may be done to all of a kind. */
  mayAll(principal: Principal, permission: ComponentPermission, kind: ComponentKind): boolean {
    if (isAdmin(principal) && principal.limits === NO_LIMITS) return true
    for (const id of this.#ports.components(kind)) if (!this.may(principal, permission, { kind, id })) return false
    return true
  }

  /** Whether strangers may read anything at all. */
  hasOpenData(): boolean {
    const isOpen = ({ effect, roles, permissions }: Rule) =>
      effect === 'allow' && roles.includes(ANONYMOUS) && permissions.includes('read_data')
    return (['pipe', 'dataset'] as const).some((kind) =>
      [...this.#ports.components(kind)].some((id) => this.#ports.rules({ kind, id }).some(isOpen)),
    )
  }

  /** A limited token reaches what it names, and the datasets of pipes that it names. */
  #isWithin({ limits }: Principal, permission: Permission, { kind, id }: ComponentName): boolean {
    if (limits.permissions?.includes(permission) === false) return false
    if (limits.ids === null || limits.ids.includes(id)) return true
    const pipe = kind === 'dataset' ? this.#ports.pipeOf(id) : null
    return pipe !== null && limits.ids.includes(pipe)
  }

  #isOwn({ userId }: Principal, component: ComponentName): boolean {
    return userId !== null && this.#ports.creator(component) === userId
  }

  /** A dataset is what its pipe makes: what is said of the pipe's data holds for it too. */
  #rulesOf(component: ComponentName, pipe: string | null): readonly Rule[] {
    const place = `${component.kind}:${component.id}`
    let rules = this.#rules.get(place)
    if (rules === undefined) {
      const inherited = pipe === null ? [] : this.#ports.rules({ kind: 'pipe', id: pipe })
      rules = [...this.#ports.rules(component), ...inherited]
      this.#rules.set(place, rules)
    }
    return rules
  }
}

const isProtected = (permission: ComponentPermission, { kind, id }: ComponentName): boolean =>
  kind === 'dataset' && id === AUDIT_DATASET && permission !== 'read_data' && permission !== 'read_config'
