/** Who may come in: accounts, roles and tokens of a node put together, and who somebody is by their token. */

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { HubError } from '../errors.ts'
import { ApiTokens } from './api-tokens.ts'
import { type Claims, invalid, Jwt } from './jwt.ts'
import { type NodeKey, openKey } from './key.ts'
import { KeySet } from './key-set.ts'
import { ADMIN, ANONYMOUS, EVERYONE, NO_LIMITS, type Principal } from './permission.ts'
import { Revocations } from './revocations.ts'
import { Roles } from './roles.ts'
import { AccessStore, type StoredToken, type StoredUser } from './store.ts'
import { Users } from './users.ts'

export interface AccessSettings {
  /** The key of HS256, as text; null: one of its own, beside the data. */
  readonly key?: string | null
  /** Keys of RS256 and ES256: a file, or an http(s) address. */
  readonly jwks?: string | null
  readonly issuer?: string | null
  readonly audience?: string | null
  /** Hears when keys could not be read. */
  readonly warn?: (message: string) => void
}

/** Somebody whose token was checked. */
export interface Identity {
  readonly principal: Principal
  readonly userId: string | null
  readonly email: string | null
  /** By which it can be revoked. */
  readonly tokenId: string | null
  /** Milliseconds since 1970. */
  readonly expires: number | null
}

/** What a shareable link opens (rest-api.md §10.4): what one pipe publishes, and nothing else. */
export interface Link {
  readonly id: string
  readonly tenant: string
  readonly pipe: string
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** How long a login counts. */
export const SESSION_MS = 12 * 3_600_000

/** Whoever shows nothing. */
export const NOBODY: Principal = { userId: null, roles: new Set([ANONYMOUS]), limits: NO_LIMITS }

export class Access {
  readonly nodeId: string
  readonly users: Users
  readonly roles: Roles
  readonly tokens: ApiTokens
  readonly revocations: Revocations
  readonly #jwt: Jwt
  readonly #openKey: () => NodeKey
  readonly #store: AccessStore
  readonly #now: () => number

  constructor(folder: string, nodeId: string, settings: AccessSettings = {}, now: () => number = Date.now) {
    const { key = null, jwks = null, issuer = null, audience = null, warn } = settings
    this.nodeId = nodeId
    this.#now = now
    this.#store = new AccessStore(folder, now)
    this.users = new Users(this.#store, now)
    this.roles = new Roles(this.#store, nodeId)
    this.tokens = new ApiTokens(this.#store, now)
    this.revocations = new Revocations(this.#store, now)
    let opened: NodeKey | null = null
    this.#openKey = () => {
      opened ??= openKey(folder, key)
      return opened
    }
    this.#jwt = new Jwt({
      key: this.#openKey,
      keys: jwks === null ? null : new KeySet(jwks, now, warn),
      issuer,
      audience,
      now,
    })
  }

  /** Makes the key, if there is none: what is wrong with it shows at once. Code: bad-key. */
  prepare(): void {
    this.#openKey()
  }

  /** Whether anybody has an account here. */
  get hasUsers(): boolean {
    return this.#store.document.users.length > 0
  }

  /** A token for somebody who logged in. */
  session({ id, email, name, roles }: StoredUser): Promise<string> {
    const claims = {
      iss: this.nodeId,
      sub: id,
      user_id: id,
      user_profile: { email, ...(name === null ? {} : { name }) },
      user_principal: `email:${email}`,
      roles,
    }
    return this.#jwt.sign(claims, { id: randomUUID(), expires: this.#now() + SESSION_MS })
  }

  /** The text of a named token: shown once, and nowhere kept. */
  tokenText({ id, owner, roles, expires }: StoredToken): Promise<string> {
    const claims = {
      iss: this.nodeId,
      sub: owner ?? id,
      user_id: owner,
      user_principal: EVERYONE,
      api_token_id: id,
      roles,
    }
    return this.#jwt.sign(claims, { id, expires })
  }

  linkText({ id, tenant, pipe, expires }: Link): Promise<string> {
    return this.#jwt.sign({ iss: this.nodeId, use: 'link', tenant, pipe }, { id, expires })
  }

  /** Code: invalid-token. */
  async link(text: string): Promise<Link> {
    const { claims, isOwn } = await this.#jwt.check(text)
    const { use, tenant, pipe, jti, exp } = claims
    const isLink = isOwn && use === 'link' && typeof tenant === 'string' && typeof pipe === 'string'
    if (!isLink || jti === undefined || exp === undefined) throw invalid('it is no shareable link')
    if (this.revocations.has(jti)) throw invalid('it was revoked')
    return { id: jti, tenant, pipe, expires: exp * 1000 }
  }

  /** Who it is that holds the token. Code: invalid-token. */
  async identify(text: string): Promise<Identity> {
    const { claims, isOwn } = await this.#jwt.check(text)
    if (claims.use !== undefined) throw invalid('it is for one thing only')
    const id = tokenIdOf(claims)
    if (id !== null && this.revocations.has(id)) throw invalid('it was revoked')
    if (isOwn && typeof claims.api_token_id === 'string') return this.#apiToken(claims.api_token_id, id)
    const user = isOwn && typeof claims.user_id === 'string' ? this.users.find(claims.user_id) : undefined
    if (user !== undefined) return this.#account(user, claims, id)
    if (isOwn && claims.iss === this.nodeId) throw invalid('there is no such account any more')
    return this.#stranger(claims, id)
  }

  /** It is void from now on. */
  async revoke({ tokenId, expires }: Identity, reason: string): Promise<void> {
    if (tokenId !== null) await this.revocations.add(tokenId, { reason, until: expires })
  }

  /** What is stored of a token counts, not what its text said when it was made. */
  #apiToken(tokenId: string, id: string | null): Identity {
    const token = this.tokens.find(tokenId)
    if (token === undefined) throw invalid('it was deleted')
    if (token.expires !== null && token.expires <= this.#now()) throw invalid('it has expired')
    const { ids, permissions, tenants } = token
    const owner = token.owner === null ? null : (this.users.find(token.owner) ?? null)
    if (token.owner !== null && owner?.isDisabled !== false) throw invalid('the account it acts for is gone')
    const roles = owner === null ? token.roles : token.roles.filter((role) => this.#has(owner, role))
    const limits = { ids, permissions, tenants: bothOf(tenants, owner?.tenants ?? null) }
    return {
      principal: this.#principal(token.owner, roles, limits),
      userId: token.owner,
      email: owner?.email ?? null,
      tokenId: id,
      expires: token.expires,
    }
  }

  #has({ roles }: StoredUser, role: string): boolean {
    const all = this.roles.expanded(roles)
    return all.has(ADMIN) || all.has(role)
  }

  #account(user: StoredUser, { iat, exp }: Claims, tokenId: string | null): Identity {
    if (user.isDisabled) throw invalid('the account is disabled')
    if (exp === undefined) throw invalid('it does not end')
    if (iat === undefined || iat * 1000 < user.validAfter) throw invalid('it was revoked')
    const { id, email, roles, tenants } = user
    const principal = this.#principal(id, roles, { ...NO_LIMITS, tenants })
    return { principal, userId: id, email, tokenId, expires: exp * 1000 }
  }

  /** Whoever has a key that counts here says who they are. */
  #stranger(claims: Claims, tokenId: string | null): Identity {
    if (claims.exp === undefined) throw invalid('it does not end')
    const named = typeof claims.user_id === 'string' ? claims.user_id : (claims.sub ?? null)
    // What they call themselves is no account of this hub's.
    const userId = named === null ? null : `${claims.iss ?? 'external'}:${named}`
    return {
      principal: this.#principal(userId, rolesOf(claims, this.nodeId), NO_LIMITS),
      userId,
      email: emailOf(claims),
      tokenId,
      expires: claims.exp * 1000,
    }
  }

  #principal(userId: string | null, roles: readonly string[], limits: Principal['limits']): Principal {
    return { userId, roles: this.roles.expanded([...roles, EVERYONE]), limits }
  }
}

function tokenIdOf({ api_token_id, jti }: Claims): string | null {
  return typeof api_token_id === 'string' ? api_token_id : (jti ?? null)
}

/** From `roles`, and from what `principals` says of this node (hub.md §24.1). */
function rolesOf({ roles, principals }: Claims, nodeId: string): readonly string[] {
  const here = typeof principals === 'object' && principals !== null ? Object.entries(principals) : []
  const own = here.find(([node]) => node === nodeId)?.[1]
  return [textsOf(roles), textsOf(own)].flat()
}

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []

function emailOf({ user_profile, email }: Claims): string | null {
  const said = (user_profile as { email?: unknown } | null | undefined)?.email ?? email
  return typeof said === 'string' ? said : null
}

const bothOf = (one: readonly string[] | null, other: readonly string[] | null): readonly string[] | null =>
  one === null ? other : other === null ? one : one.filter((name) => other.includes(name))

/** The text of a key that was given, by itself or in a file. */
export function keyText(text: string | undefined, file: string | undefined): string | null {
  if (text !== undefined && file !== undefined) {
    throw new HubError('bad-key', 'The key of tokens is given twice: as text and as a file.')
  }
  return file === undefined ? (text ?? null) : readFileSync(file, 'utf8')
}
