/** Who sends a request: by the token in its header, or by the cookie of a browser that logged in. */

import type { FastifyRequest } from 'fastify'
import { NOBODY, SESSION_MS } from '../hub/access/access.ts'
import { isAnonymous } from '../hub/access/permission.ts'
import type { Node } from '../hub/contract.ts'
import { ApiError } from './errors.ts'
import type { Caller } from './may.ts'
import type { CallerAddress } from './network/caller-address.ts'

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export class Authenticator {
  readonly #node: Pick<Node, 'access' | 'tenant'>

  constructor(node: Pick<Node, 'access' | 'tenant'>) {
    this.#node = node
  }

  /** Codes: invalid-token, cross-site. */
  async callerOf(request: FastifyRequest): Promise<Caller> {
    const { authorization } = request.headers
    if (authorization !== undefined) return this.#known(request, bearerOf(authorization), false)
    const cookie = cookieOf(request.headers.cookie, cookieName(request.from))
    if (cookie === undefined) return this.#nobody(request)
    const caller = await this.#known(request, cookie, true).catch((error: { code?: unknown }) => {
      // A cookie stays in the browser when it has ended: whoever has one may log in again.
      if (error.code === 'invalid-token') return this.#nobody(request)
      throw error
    })
    if (caller.kind === 'principal' && caller.isByCookie) assertSameSite(request)
    return caller
  }

  /** Who holds a shareable link, where nobody else is asking. Code: invalid-token. */
  async linkOf({ caller, query }: FastifyRequest): Promise<Caller | null> {
    const { jwt } = query as { readonly jwt?: unknown }
    if (typeof jwt !== 'string' || caller.kind !== 'principal' || !isAnonymous(caller.principal)) return null
    const { id, tenant, pipe } = await this.#node.access.link(jwt)
    // One that was taken back, or whose pipe went meanwhile, opens nothing.
    if (this.#node.tenant(tenant)?.opensPublisher(pipe, id) !== true) {
      throw new ApiError('invalid-token', 'The link is not valid any more.')
    }
    return { kind: 'link', id, tenant, pipe }
  }

  async #known(request: FastifyRequest, token: string, isByCookie: boolean): Promise<Caller> {
    const { principal, userId, email, tokenId, expires } = await this.#node.access.identify(token)
    return {
      kind: 'principal',
      principal,
      user: { user_id: userId, email, remote_addr: request.from.text, principal },
      tenants: (name) => this.#node.tenant(name),
      tokenId,
      expires,
      isByCookie,
    }
  }

  #nobody(request: FastifyRequest): Caller {
    return {
      kind: 'principal',
      principal: NOBODY,
      user: { user_id: null, email: null, remote_addr: request.from.text, principal: NOBODY },
      tenants: (name) => this.#node.tenant(name),
      tokenId: null,
      expires: null,
      isByCookie: false,
    }
  }
}

export type From = Pick<CallerAddress, 'scheme'>

/** The prefix makes browsers keep it to this host, and to TLS. */
const cookieName = ({ scheme }: From): string => (scheme === 'https' ? '__Host-samtale-session' : 'samtale-session')

const attributes = ({ scheme }: From): string =>
  `Path=/; HttpOnly; SameSite=Strict${scheme === 'https' ? '; Secure' : ''}`

/** What a browser keeps that logged in. */
export const sessionCookie = (from: From, token: string): string =>
  `${cookieName(from)}=${token}; ${attributes(from)}; Max-Age=${SESSION_MS / 1000}`

export const noCookie = (from: From): string => `${cookieName(from)}=; ${attributes(from)}; Max-Age=0`

function bearerOf(header: string): string {
  const [, token] = /^bearer +(\S+)$/i.exec(header.trim()) ?? []
  if (token !== undefined) return token
  throw new ApiError('invalid-token', 'The header Authorization must be `Bearer <token>`.')
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const pair = header?.split(';').find((one) => one.trim().startsWith(`${name}=`))
  const value = pair?.slice(pair.indexOf('=') + 1).trim()
  return value === '' ? undefined : value
}

/**
 * What changes something comes from a page of this hub. `SameSite=Strict` keeps the cookie from other sites already; this
 * keeps it from pages of other ports and names of the same site, and from browsers that know nothing of it.
 */
export function assertSameSite({ method, headers, from }: Sent): void {
  if (SAFE.has(method)) return
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (origin !== undefined ? isOrigin(origin, host, from) : site === 'same-origin') return
  throw new ApiError('cross-site', 'This was not sent by a page of this hub.', {
    hint: 'With a cookie only pages of the hub change anything. Programs send the header `Authorization: Bearer <token>`.',
  })
}

interface Sent {
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly from: From
}

type Header = string | readonly string[] | undefined

function isOrigin(origin: Header, host: Header, { scheme }: From): boolean {
  const own = `${scheme}://${host}`
  if (typeof origin !== 'string' || typeof host !== 'string' || !URL.canParse(own)) return false
  // A port that a scheme has anyway is not written in an origin.
  return origin === new URL(own).origin
}
