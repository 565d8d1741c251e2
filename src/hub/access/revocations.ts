/** Tokens that are void before they end: remembered until they would have ended anyway. */

import type { AccessStore, StoredRevocation } from './store.ts'

export class Revocations {
  readonly #store: AccessStore
  readonly #now: () => number
  #version = -1
  #ids: ReadonlySet<string> = new Set()

  constructor(store: AccessStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  list(): readonly StoredRevocation[] {
    return this.#store.document.revoked
  }

  has(id: string): boolean {
    if (this.#version !== this.#store.version) {
      this.#version = this.#store.version
      this.#ids = new Set(this.#store.document.revoked.map((one) => one.id))
    }
    return this.#ids.has(id)
  }

  add(
    id: string,
    { reason, until }: { readonly reason: string | null; readonly until: number | null },
  ): Promise<StoredRevocation> {
    return this.#store.change((document) => {
      const now = this.#now()
      const kept = document.revoked.filter((one) => one.id !== id && (one.until === null || one.until > now - GRACE_MS))
      const revocation = { id, revoked: now, reason, until }
      return { next: { ...document, revoked: [...kept, revocation] }, result: revocation }
    })
  }
}

/** Longer than any clock is off. */
const GRACE_MS = 3_600_000
