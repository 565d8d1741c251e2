/** Roles: the built-in ones, and those that a node has made for itself, which bring others along. */

import { didYouMean } from '../../config/problems.ts'
import { HubError } from '../errors.ts'
import { ANONYMOUS, builtinRoles, EVERYONE } from './permission.ts'
import type { AccessDocument, AccessStore, StoredRole } from './store.ts'

const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/

export interface RoleGiven {
  readonly name: string
  readonly description: string | null
  readonly children: readonly string[]
}

export class Roles {
  readonly #store: AccessStore
  readonly #nodeId: string

  constructor(store: AccessStore, nodeId: string) {
    this.#store = store
    this.#nodeId = nodeId
  }

  list(): readonly StoredRole[] {
    return this.#store.document.roles
  }

  /** By id or by name. Code: unknown-role. */
  get(id: string): StoredRole {
    return found(this.#store.document, id)
  }

  /** Codes: bad-role, role-exists. */
  async create({ name, description, children }: RoleGiven): Promise<StoredRole> {
    if (!NAME.test(name)) {
      throw new HubError('bad-role', `'${name}' cannot be the name of a role.`, {
        hint: 'Use 1 to 100 letters, digits, and any of _ . -',
      })
    }
    return this.#store.change((document) => {
      const role = { id: `${this.#nodeId}_${name}`, name, description, children }
      if (document.roles.some((one) => one.name === name)) {
        throw new HubError('role-exists', `There is a role '${name}' already.`)
      }
      const next = { ...document, roles: [...document.roles, role] }
      assertRoles(children, next)
      return { next, result: role }
    })
  }

  /** Codes: unknown-role, bad-role. */
  replace(id: string, change: Omit<RoleGiven, 'name'>): Promise<StoredRole> {
    return this.#store.change((document) => {
      const role = { ...found(document, id), ...change }
      assertRoles(change.children, document)
      return {
        next: { ...document, roles: document.roles.map((one) => (one.id === role.id ? role : one)) },
        result: role,
      }
    })
  }

  /** Who has it keeps its name, which means nothing any more. Code: unknown-role. */
  remove(id: string): Promise<StoredRole> {
    return this.#store.change((document) => {
      const role = found(document, id)
      return { next: { ...document, roles: document.roles.filter((one) => one.id !== role.id) }, result: role }
    })
  }

  /** With all that they bring along; custom roles by id and by name. */
  expanded(roles: Iterable<string>): ReadonlySet<string> {
    return expand(roles, this.#store.document)
  }
}

function found({ roles }: AccessDocument, id: string): StoredRole {
  const role = roles.find((one) => one.id === id || one.name === id)
  if (role !== undefined) return role
  throw new HubError('unknown-role', `There is no role '${id}' of this node's own.`, {
    hint:
      didYouMean(
        id,
        roles.map(({ name }) => name),
      ) ?? 'Built-in roles cannot be changed.',
  })
}

export function expand(roles: Iterable<string>, document: AccessDocument): ReadonlySet<string> {
  const all = new Set<string>()
  const waiting = [...roles]
  for (let role = waiting.pop(); role !== undefined; role = waiting.pop()) {
    if (all.has(role) || role === ANONYMOUS) continue
    all.add(role)
    const own = document.roles.find((one) => one.id === role || one.name === role)
    if (own !== undefined) waiting.push(own.id, own.name, ...own.children)
  }
  return all
}

/** Codes: bad-role. A name that means nothing is most likely a slip. */
export function assertRoles(roles: readonly string[], document: AccessDocument): void {
  const known = [...builtinRoles, ...document.roles.flatMap(({ id, name }) => [id, name])]
  for (const role of roles) {
    if (role === ANONYMOUS || role === EVERYONE) {
      throw new HubError('bad-role', `Nobody can be given the role '${role}': who has it follows from the request.`)
    }
    if (known.includes(role)) continue
    throw new HubError('bad-role', `There is no role '${role}'.`, {
      hint: didYouMean(role, known) ?? `Built-in are ${builtinRoles.slice(0, 4).join(', ')}.`,
    })
  }
}
