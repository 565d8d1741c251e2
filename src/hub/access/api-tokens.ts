/** Named tokens for programs: long-lived, limited, and revocable. */

import { randomUUID } from 'node:crypto'
import { HubError } from '../errors.ts'
import type { Limits } from './permission.ts'
import { assertRoles } from './roles.ts'
import type { AccessDocument, AccessStore, StoredToken } from './store.ts'

export interface TokenGiven extends Limits {
  readonly name: string
  readonly description: string | null
  readonly owner: string | null
  readonly roles: readonly string[]
  /** Milliseconds since 1970; null: never. */
  readonly expires: number | null
}

export type TokenChange = Partial<Omit<TokenGiven, 'owner'>>

export class ApiTokens {
  readonly #store: AccessStore
  readonly #now: () => number

  constructor(store: AccessStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  list(): readonly StoredToken[] {
    return this.#store.document.tokens
  }

  find(id: string): StoredToken | undefined {
    return this.#store.document.tokens.find((token) => token.id === id)
  }

  /** Code: unknown-token. */
  get(id: string): StoredToken {
    return known(this.#store.document, id)
  }

  /** Codes: bad-token, bad-role. */
  async create(given: TokenGiven): Promise<StoredToken> {
    assertName(given.name)
    this.#assertFuture(given.expires)
    return this.#store.change((document) => {
      assertRoles(given.roles, document)
      const token: StoredToken = { id: randomUUID(), ...given, created: this.#now() }
      return { next: { ...document, tokens: [...document.tokens, token] }, result: token }
    })
  }

  /** It can end sooner, but not later: its text says when it ends. Codes: unknown-token, bad-token, bad-role. */
  async change(id: string, change: TokenChange): Promise<StoredToken> {
    if (change.name !== undefined) assertName(change.name)
    return this.#store.change((document) => {
      const former = known(document, id)
      if (change.roles !== undefined) assertRoles(change.roles, document)
      if (change.expires !== undefined && isLater(change.expires, former.expires)) {
        throw new HubError('bad-token', `The token '${former.name}' cannot end later than it says itself.`, {
          hint: 'Make another one.',
        })
      }
      const token = { ...former, ...change }
      return {
        next: { ...document, tokens: document.tokens.map((one) => (one.id === id ? token : one)) },
        result: token,
      }
    })
  }

  /** It is void from now on. Code: unknown-token. */
  remove(id: string): Promise<StoredToken> {
    return this.#store.change((document) => {
      const token = known(document, id)
      return { next: { ...document, tokens: document.tokens.filter((one) => one.id !== id) }, result: token }
    })
  }

  #assertFuture(expires: number | null): void {
    if (expires === null || (Number.isFinite(expires) && expires > this.#now())) return
    throw new HubError('bad-token', 'The token would have ended already.')
  }
}

function assertName(name: string): void {
  if (name.trim() !== '' && name.length <= 200) return
  throw new HubError('bad-token', 'A token has a name of 1 to 200 characters.')
}

const isLater = (one: number | null, than: number | null): boolean => than !== null && (one === null || one > than)

function known({ tokens }: AccessDocument, id: string): StoredToken {
  const token = tokens.find((one) => one.id === id)
  if (token === undefined) throw new HubError('unknown-token', `There is no token '${id}'.`)
  return token
}
