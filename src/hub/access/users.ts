/** Local accounts: who can log in here, and which roles they have. */

import { randomUUID } from 'node:crypto'
import { HubError } from '../errors.ts'
import { hashOf, isPassword } from './password.ts'
import { ADMIN } from './permission.ts'
import { assertRoles, expand } from './roles.ts'
import type { AccessDocument, AccessStore, StoredUser } from './store.ts'

export interface UserGiven {
  readonly email: string
  readonly name: string | null
  readonly roles: readonly string[]
  readonly tenants: readonly string[] | null
  /** Null: nobody can log in as this user. */
  readonly password: string | null
}

export interface UserChange {
  readonly name?: string | null
  readonly roles?: readonly string[]
  readonly tenants?: readonly string[] | null
  readonly isDisabled?: boolean
  readonly password?: string
}

export class Users {
  readonly #store: AccessStore
  readonly #now: () => number

  constructor(store: AccessStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  list(): readonly StoredUser[] {
    return this.#store.document.users
  }

  /** By id or e-mail address. */
  find(name: string): StoredUser | undefined {
    return find(this.#store.document, name)
  }

  /** Code: unknown-user. */
  get(name: string): StoredUser {
    return known(this.#store.document, name)
  }

  /** Codes: bad-user, bad-password, bad-role, user-exists. */
  async add({ email, name, roles, tenants, password }: UserGiven): Promise<StoredUser> {
    const address = addressOf(email)
    const hash = password === null ? null : await hashOf(password)
    return this.#store.change((document) => {
      if (find(document, address) !== undefined) {
        throw new HubError('user-exists', `There is a user '${address}' already.`)
      }
      assertRoles(roles, document)
      const user: StoredUser = {
        id: randomUUID(),
        email: address,
        name,
        roles,
        tenants,
        password: hash,
        isDisabled: false,
        created: this.#now(),
        validAfter: 0,
      }
      return { next: { ...document, users: [...document.users, user] }, result: user }
    })
  }

  /** Another password, and switching off, make all their tokens void. Codes: unknown-user, bad-password, bad-role, last-admin. */
  async change(name: string, { password, ...change }: UserChange): Promise<StoredUser> {
    const hash = password === undefined ? undefined : await hashOf(password)
    return this.#store.change((document) => {
      const former = known(document, name)
      if (change.roles !== undefined) assertRoles(change.roles, document)
      const isVoid = hash !== undefined || change.isDisabled === true
      const user: StoredUser = {
        ...former,
        ...change,
        ...(hash === undefined ? {} : { password: hash }),
        ...(isVoid ? { validAfter: this.#now() } : {}),
      }
      const next = { ...document, users: document.users.map((one) => (one.id === user.id ? user : one)) }
      assertAdministered(document, next)
      return { next, result: user }
    })
  }

  /** All tokens that were issued to them until now are void. Code: unknown-user. */
  revoke(name: string): Promise<StoredUser> {
    return this.#store.change((document) => {
      const user = { ...known(document, name), validAfter: this.#now() }
      return {
        next: { ...document, users: document.users.map((one) => (one.id === user.id ? user : one)) },
        result: user,
      }
    })
  }

  /** With their tokens. Codes: unknown-user, last-admin. */
  remove(name: string): Promise<StoredUser> {
    return this.#store.change((document) => {
      const user = known(document, name)
      const next = {
        ...document,
        users: document.users.filter(({ id }) => id !== user.id),
        tokens: document.tokens.filter(({ owner }) => owner !== user.id),
      }
      assertAdministered(document, next)
      return { next, result: user }
    })
  }

  /** The account, if that is its password. It takes as long when it is not. */
  async authenticate(email: string, password: string): Promise<StoredUser | null> {
    const user = this.find(email.trim())
    const stored = user?.isDisabled === false ? user.password : null
    const isRight = await isPassword(password, stored)
    return isRight ? (user ?? null) : null
  }
}

function addressOf(email: string): string {
  const address = email.trim().toLowerCase()
  if (/^[^\s@"<>]{1,64}@[^\s@"<>]{1,190}$/.test(address)) return address
  throw new HubError('bad-user', `'${email}' is not an e-mail address.`)
}

const find = ({ users }: AccessDocument, name: string): StoredUser | undefined =>
  users.find(({ id, email }) => id === name || email === name.toLowerCase())

function known(document: AccessDocument, name: string): StoredUser {
  const user = find(document, name)
  if (user === undefined) throw new HubError('unknown-user', `There is no user '${name}'.`)
  return user
}

const administrators = (document: AccessDocument): number =>
  document.users.filter(({ roles, isDisabled }) => !isDisabled && expand(roles, document).has(ADMIN)).length

/** Nobody shuts the last door behind them by mistake. */
function assertAdministered(former: AccessDocument, next: AccessDocument): void {
  if (administrators(former) === 0 || administrators(next) > 0) return
  throw new HubError('last-admin', 'This would leave the hub without an administrator.', {
    hint: `Give the role ${ADMIN} to somebody else first.`,
  })
}
