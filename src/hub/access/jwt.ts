/** Tokens as text: signed with the node's key, and checked against it or against the keys of others. */

import { createHash } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { HubError } from '../errors.ts'
import type { NodeKey } from './key.ts'
import type { KeySet } from './key-set.ts'

/** What a checked token says. */
export interface Claims extends JWTPayload {
  readonly user_id?: unknown
  readonly api_token_id?: unknown
  readonly roles?: unknown
  readonly principals?: unknown
  readonly user_profile?: unknown
  /** What it is for, where it is not for everything: `link`. */
  readonly use?: unknown
}

export interface Checked {
  readonly claims: Claims
  /** It was signed with the node's own key. */
  readonly isOwn: boolean
}

export interface JwtSettings {
  /** Opened when it is first needed: commands that check nothing make none. */
  readonly key: () => NodeKey
  readonly keys: KeySet | null
  /** What tokens of others must say, where it was given. */
  readonly issuer: string | null
  readonly audience: string | null
  readonly now: () => number
}

/** Clocks differ. */
export const LEEWAY_SECONDS = 10
const MAX_LENGTH = 8 * 1024
/** Signatures that were checked need not be checked again for a while. */
const KEPT = 5_000

interface Kept extends Checked {
  readonly generation: number
  readonly at: number
}

/** A key of others may be withdrawn. */
const FOREIGN_KEPT_MS = 60_000

export class Jwt {
  readonly #settings: JwtSettings
  readonly #kept = new Map<string, Kept>()

  constructor(settings: JwtSettings) {
    this.#settings = settings
  }

  /** No non-empty `principals`: a client of others would send such a token away (rest-api.md §1.2). */
  async sign(
    claims: Readonly<Record<string, unknown>>,
    { id, expires }: { readonly id: string; readonly expires: number | null },
  ): Promise<string> {
    const { secret, id: kid } = this.#settings.key()
    // With milliseconds: what was revoked in the same second is told apart.
    const token = new SignJWT({ ...claims, principals: {} })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid })
      .setJti(id)
      .setIssuedAt(this.#settings.now() / 1000)
    if (expires !== null) token.setExpirationTime(Math.floor(expires / 1000))
    return token.sign(secret)
  }

  /** Code `invalid-token`, with the reason for whoever sent it. */
  async check(text: string): Promise<Checked> {
    const place = createHash('sha256').update(text).digest('base64url')
    const known = this.#known(place)
    const checked = known ?? (await this.#verified(text))
    this.#assertTimes(checked.claims)
    if (known === undefined) {
      if (this.#kept.size >= KEPT) this.#kept.clear()
      this.#kept.set(place, { ...checked, generation: this.#generation, at: this.#settings.now() })
    }
    return checked
  }

  #known(place: string): Kept | undefined {
    const known = this.#kept.get(place)
    if (known === undefined || known.isOwn) return known
    const isFresh = this.#settings.now() - known.at < FOREIGN_KEPT_MS
    return isFresh && known.generation === this.#generation ? known : undefined
  }

  get #generation(): number {
    return this.#settings.keys?.generation ?? 0
  }

  async #verified(text: string): Promise<Checked> {
    if (text.length > MAX_LENGTH) throw invalid('it is too long')
    const algorithm = algorithmOf(text)
    const { key, keys, issuer, audience, now } = this.#settings
    const times = { clockTolerance: LEEWAY_SECONDS, currentDate: new Date(now()) }
    try {
      // The algorithm chooses the keys, and each kind of key takes one algorithm only: a public key is no secret of HS256.
      if (algorithm === 'HS256') {
        const { payload } = await jwtVerify(text, key().secret, { ...times, algorithms: ['HS256'] })
        return { claims: payload, isOwn: true }
      }
      if (keys === null) throw invalid(`tokens of ${algorithm} do not count here`)
      const { payload } = await jwtVerify(text, keys.keyOf, {
        ...times,
        algorithms: [algorithm],
        requiredClaims: ['exp'],
        ...(issuer === null ? {} : { issuer }),
        ...(audience === null ? {} : { audience }),
      })
      return { claims: payload, isOwn: false }
    } catch (error) {
      throw reasoned(error as Error & { code?: string })
    }
  }

  /** What was checked once goes on ageing. */
  #assertTimes({ exp, nbf, iat }: Claims): void {
    const now = this.#settings.now() / 1000
    if (exp !== undefined && exp <= now - LEEWAY_SECONDS) throw invalid('it has expired')
    if (nbf !== undefined && nbf > now + LEEWAY_SECONDS) throw invalid('it is not valid yet')
    if (iat !== undefined && !(iat <= now + LEEWAY_SECONDS)) throw invalid('it was issued in the future')
  }
}

function algorithmOf(text: string): 'HS256' | 'RS256' | 'ES256' {
  let algorithm: unknown
  try {
    algorithm = decodeProtectedHeader(text).alg
  } catch {
    throw invalid('it is no JSON web token')
  }
  if (algorithm === 'HS256' || algorithm === 'RS256' || algorithm === 'ES256') return algorithm
  throw invalid('its algorithm is none of HS256, RS256 and ES256')
}

export const invalid = (why: string): HubError =>
  new HubError('invalid-token', `The token is not valid: ${why}.`, { details: { reason: why } })

const REASONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature is wrong',
  ERR_JWKS_NO_MATCHING_KEY: 'its key is not known',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'it does not say which key it was signed with',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'it is not for here, or not for now',
}

function reasoned(error: Error & { code?: string }): HubError {
  if (error instanceof HubError) return error
  const why = REASONS[error.code ?? '']
  if (why !== undefined) return invalid(why)
  // Whatever else jose objects to is the sender's doing; what it does not know of is ours.
  if (error.code?.startsWith('ERR_J') === true) return invalid('it is no JSON web token')
  throw error
}
