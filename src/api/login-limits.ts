/** How often somebody may be wrong about a password: counted by address and by account, so that guessing takes years. */

import { isIPv6 } from 'node:net'
import { ApiError } from './errors.ts'

const WINDOW_MS = 15 * 60_000
/** Of one account, whoever tries it. */
const PER_ACCOUNT = 10
/** Of one address, whatever it tries. */
const PER_ADDRESS = 30
/** Remembered at most: of more the oldest are forgotten. */
const MAX_KEPT = 50_000

interface Tried {
  count: number
  /** When counting begins anew. */
  readonly until: number
}

export class LoginLimits {
  readonly #now: () => number
  readonly #tried = new Map<string, Tried>()

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Counts a try before its password is looked at: those under way count too. Code: too-many-logins, with a time. */
  begin(address: string, account: string): void {
    const places = placesOf(address, account)
    for (const [place, limit] of places) this.#assertBelow(place, limit)
    for (const [place] of places) this.#count(place)
  }

  /** The password was right: that try counts for nothing, and former ones of the account no longer. */
  succeeded(address: string, account: string): void {
    const [[byAccount], [byAddress]] = placesOf(address, account)
    this.#tried.delete(byAccount)
    const tried = this.#tried.get(byAddress)
    if (tried !== undefined) tried.count--
  }

  #assertBelow(place: string, limit: number): void {
    const tried = this.#tried.get(place)
    const left = (tried?.until ?? 0) - this.#now()
    if (tried === undefined || left <= 0 || tried.count < limit) return
    throw new ApiError('too-many-logins', 'There were too many failed logins; wait before the next.', {
      details: { retryAfterSeconds: Math.ceil(left / 1000) },
    })
  }

  #count(place: string): void {
    const tried = this.#tried.get(place)
    if (tried !== undefined && tried.until > this.#now()) tried.count++
    else {
      // Anew at the end: the first in the map is the oldest.
      this.#tried.delete(place)
      this.#tried.set(place, { count: 1, until: this.#now() + WINDOW_MS })
    }
    for (const [oldest] of this.#tried) {
      if (this.#tried.size <= MAX_KEPT) break
      this.#tried.delete(oldest)
    }
  }
}

const placesOf = (address: string, account: string) =>
  [
    [`account ${account.trim().toLowerCase().slice(0, 256)}`, PER_ACCOUNT],
    [`address ${networkOf(address)}`, PER_ADDRESS],
  ] as const

/** Whoever has an IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  if (!isIPv6(plain)) return plain
  const [head = '', tail = ''] = plain.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const rest = tail.split(':').filter((group) => group !== '')
  const zeros = plain.includes('::') ? Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0') : []
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':')
}
