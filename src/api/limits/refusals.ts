/** Who was turned away and why: counted always, told in the log once a minute for each reason and address. */

import type { Log } from '../log.ts'

/** Reasons by which the metric tells them apart. */
export type Refusal =
  | 'address'
  | 'connections'
  | 'connections-of-address'
  | 'headers'
  | 'url'
  | 'body'
  | 'busy'
  | 'too-slow'
  | 'slow-sender'
  | 'slow-reader'
  | 'malformed'
  | 'pipeline'

const TOLD_AGAIN_MS = 60_000
/** Addresses that are remembered as told; beyond that the log says so once for all. */
const REMEMBERED = 1_000

export class Refusals {
  readonly #counts = new Map<Refusal, number>()
  readonly #told = new Map<string, number>()
  readonly #log: Log
  readonly #now: () => number

  constructor(log: Log, now: () => number = Date.now) {
    this.#log = log
    this.#now = now
  }

  count(reason: Refusal, address: string | null): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
    if (this.#isNews(`${reason} ${address}`)) this.#log.warn('A caller was refused.', { reason, address })
  }

  counts(): ReadonlyMap<Refusal, number> {
    return this.#counts
  }

  /** Whoever knocks a thousand times must not fill the disk. */
  #isNews(key: string): boolean {
    const now = this.#now()
    if (this.#told.size >= REMEMBERED) {
      for (const [old, at] of this.#told) if (now - at >= TOLD_AGAIN_MS) this.#told.delete(old)
    }
    const at = this.#told.get(key)
    if ((at !== undefined && now - at < TOLD_AGAIN_MS) || this.#told.size >= REMEMBERED) return false
    this.#told.set(key, now)
    return true
  }
}
