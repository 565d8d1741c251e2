/** Public keys of others whose tokens count here: a JWKS of a file or an address, kept, and read again for a key it does not know. */

import { readFile } from 'node:fs/promises'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { HttpClient } from '../../pipes/http.ts'
import { ALL_TARGETS } from '../../pipes/systems/targets.ts'
import { HubError } from '../errors.ts'

/** A key that nobody knows makes it look again, but not more often than this. */
const PAUSE_MS = 30_000
/** After this it looks whether keys were withdrawn. */
const AGE_MS = 600_000
const TIMEOUT_MS = 5_000
const MAX_BYTES = 1024 * 1024

export class KeySet {
  readonly #origin: string
  readonly #warn: (message: string) => void
  readonly #now: () => number
  #keys: JWTVerifyGetKey | null = null
  #loadedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #loading: Promise<void> | null = null
  /** Grows with each set that was read. */
  generation = 0

  /** `origin`: an http(s) address, or the name of a file. */
  constructor(origin: string, now: () => number = Date.now, warn: (message: string) => void = () => {}) {
    this.#origin = origin
    this.#now = now
    this.#warn = warn
  }

  /** For jose: the one key that suits the head of a token. */
  readonly keyOf: JWTVerifyGetKey = async (head, token) => {
    if (this.#keys === null || this.#now() - this.#loadedAt > AGE_MS) await this.#refresh()
    try {
      return await this.#present(head, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#refresh())) throw error
      return this.#present(head, token)
    }
  }

  #present: JWTVerifyGetKey = async (head, token) => {
    // Whoever cannot be checked is not let in.
    if (this.#keys === null) throw new errors.JWKSNoMatchingKey()
    return this.#keys(head, token)
  }

  /** Whether it was read anew. What is there stays when that fails. */
  async #refresh(): Promise<boolean> {
    if (this.#loading === null) {
      if (this.#now() - this.#triedAt < PAUSE_MS) return false
      this.#triedAt = this.#now()
      this.#loading = this.#read().finally(() => {
        this.#loading = null
      })
    }
    const before = this.generation
    await this.#loading.catch((error: Error) =>
      this.#warn(`The keys of tokens could not be read from ${this.#origin}: ${error.message}`),
    )
    return this.generation !== before
  }

  async #read(): Promise<void> {
    const set = JSON.parse(await loadKeys(this.#origin)) as JSONWebKeySet
    this.#keys = createLocalJWKSet({ keys: set.keys.filter(isPublic) })
    this.#loadedAt = this.#now()
    this.generation++
  }
}

/** A shared secret has no place among public keys; RSA below 2,048 bits is refused by jose. */
const isPublic = ({ kty, alg }: { kty?: string; alg?: string }): boolean =>
  (kty === 'RSA' && (alg === undefined || alg === 'RS256')) || (kty === 'EC' && (alg === undefined || alg === 'ES256'))

/** Whoever starts the hub says where they are, so that may be within its network. A redirect would be somebody else's word. */
const SETTINGS = {
  connectTimeoutMs: TIMEOUT_MS,
  readTimeoutMs: TIMEOUT_MS,
  verifyCertificates: true,
  targets: ALL_TARGETS,
  maxRedirects: 0,
  mask: (text: string) => text,
}

async function loadKeys(origin: string): Promise<string> {
  if (!/^https?:\/\//i.test(origin)) return readFile(origin, 'utf8')
  const http = new HttpClient(SETTINGS)
  try {
    const headers = () => ({ accept: 'application/jwk-set+json, application/json' })
    const answer = await http.send({ method: 'GET', url: new URL(origin), headers }, AbortSignal.timeout(TIMEOUT_MS))
    if (answer.status !== 200) throw new HubError('no-keys', `${origin} answered ${answer.status}.`)
    const parts: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of answer.body) {
      parts.push(chunk)
      bytes += chunk.length
      if (bytes > MAX_BYTES) throw new HubError('no-keys', `${origin} answered with more than a set of keys.`)
    }
    return Buffer.concat(parts).toString('utf8')
  } finally {
    await http.close()
  }
}
