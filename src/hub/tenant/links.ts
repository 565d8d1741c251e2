/** Shareable links: words that open one publisher to whoever knows them, until a day, or until they are taken back (rest-api.md §10.4). */

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Snapshot } from '../../log/contract.ts'
import { HubError } from '../errors.ts'

/** What is known of a link; its word is not, only its hash. */
export interface ShareableLink {
  readonly id: string
  /** Seconds since 1970. */
  readonly exp: number
  /** Nanoseconds since 1970, as digits. */
  readonly createdTs: string
  readonly description: string
}

interface Stored extends ShareableLink {
  /** SHA-256 of the word. */
  readonly hash: string
}

export interface LinkPorts {
  snapshot(): Snapshot
  /** Stores a document of the log's meta table. */
  save(name: string, text: string | null): Promise<void>
  /** Milliseconds since 1970. */
  now(): number
}

const YEAR_SECONDS = 365 * 86_400
const MOST = 1_000

/** Where the links of a pipe are kept: they go when it does. */
export const linksMeta = (pipe: string): string => `shareable-links:${pipe}`

export class ShareableLinks {
  readonly #ports: LinkPorts
  /** Changes of them are made one after the other. */
  #changing: Promise<unknown> = Promise.resolve()

  constructor(ports: LinkPorts) {
    this.#ports = ports
  }

  /** Those that still open it. */
  of(pipe: string): readonly ShareableLink[] {
    return this.#valid(pipe).map(({ hash: _, ...link }) => link)
  }

  /** Gives the word, which nobody can be told again. Codes: bad-request, too-many-links. */
  create(
    pipe: string,
    { exp, description = '' }: { readonly exp?: number | undefined; readonly description?: string | undefined },
  ): Promise<ShareableLink & { readonly token: string }> {
    const now = this.#ports.now()
    const until = exp ?? Math.floor(now / 1_000) + YEAR_SECONDS
    if (!Number.isSafeInteger(until) || until * 1_000 <= now) {
      throw new HubError('bad-request', `'exp' must be a time to come, in whole seconds since 1970, not ${until}.`)
    }
    return this.#change(async () => {
      const links = this.#valid(pipe)
      if (links.length >= MOST) {
        throw new HubError('too-many-links', `Pipe '${pipe}' has ${MOST} links already.`, {
          hint: 'Delete those that nobody needs.',
        })
      }
      const token = randomBytes(32).toString('base64url')
      const link = { id: randomUUID(), exp: until, createdTs: String(BigInt(now) * 1_000_000n), description }
      await this.#save(pipe, [...links, { ...link, hash: hashOf(token) }])
      return { ...link, token }
    })
  }

  /** False: there is no such link. */
  revoke(pipe: string, id: string): Promise<boolean> {
    return this.#change(async () => {
      const links = this.#valid(pipe)
      const rest = links.filter((link) => link.id !== id)
      if (rest.length === links.length) return false
      await this.#save(pipe, rest)
      return true
    })
  }

  /** Whether the word opens the publisher now. */
  opens(pipe: string, token: string): boolean {
    const hash = hashOf(token)
    return this.#valid(pipe).some((link) => link.hash === hash)
  }

  #valid(pipe: string): readonly Stored[] {
    const snapshot = this.#ports.snapshot()
    try {
      const text = snapshot.meta(linksMeta(pipe))
      const links = text === undefined ? [] : (JSON.parse(text) as Stored[])
      return links.filter(({ exp }) => exp * 1_000 > this.#ports.now())
    } finally {
      snapshot.close()
    }
  }

  #save(pipe: string, links: readonly Stored[]): Promise<void> {
    return this.#ports.save(linksMeta(pipe), links.length === 0 ? null : JSON.stringify(links))
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(work)
    this.#changing = changed.catch(() => {})
    return changed
  }
}

/** A word is random enough not to be guessed from its hash. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')
