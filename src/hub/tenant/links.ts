/**
 * Shareable links: they open one publisher to whoever has one, until a day, or until it is taken back (rest-api.md §10.4).
 * What is written in a link is signed (`access.ts`) and kept nowhere; here is which links there are.
 */

import { randomUUID } from 'node:crypto'
import type { Snapshot } from '../../log/contract.ts'
import { HubError } from '../errors.ts'

export interface ShareableLink {
  readonly id: string
  /** Seconds since 1970. */
  readonly exp: number
  /** Nanoseconds since 1970, as digits. */
  readonly createdTs: string
  readonly description: string
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
    return this.#valid(pipe)
  }

  /** Codes: bad-request, too-many-links. */
  create(
    pipe: string,
    { exp, description = '' }: { readonly exp?: number | undefined; readonly description?: string | undefined },
  ): Promise<ShareableLink> {
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
      const link = { id: randomUUID(), exp: until, createdTs: String(BigInt(now) * 1_000_000n), description }
      await this.#save(pipe, [...links, link])
      return link
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

  /** Whether it opens the publisher now. */
  opens(pipe: string, id: string): boolean {
    return this.#valid(pipe).some((link) => link.id === id)
  }

  #valid(pipe: string): readonly ShareableLink[] {
    const snapshot = this.#ports.snapshot()
    try {
      const text = snapshot.meta(linksMeta(pipe))
      const links = text === undefined ? [] : (JSON.parse(text) as ShareableLink[])
      return links.filter(({ exp }) => exp * 1_000 > this.#ports.now())
    } finally {
      snapshot.close()
    }
  }

  #save(pipe: string, links: readonly ShareableLink[]): Promise<void> {
    return this.#ports.save(linksMeta(pipe), links.length === 0 ? null : JSON.stringify(links))
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(work)
    this.#changing = changed.catch(() => {})
    return changed
  }
}
