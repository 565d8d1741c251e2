/** Pipes that cost their thread: they are not started again at once, however often they are due. */

const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 3_600_000

interface Record {
  /** Threads it cost, one after the other. */
  count: number
  /** Milliseconds since 1970. */
  until: number
  message: string
}

export class Culprits {
  readonly #now: () => number
  readonly #records = new Map<string, Record>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Each time in a row the pause is twice as long. */
  add(key: string, message: string): void {
    const count = (this.#records.get(key)?.count ?? 0) + 1
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS)
    this.#records.set(key, { count, until: this.#now() + pause, message })
  }

  /** Why it may not run yet, or null. */
  pausedBecause(key: string): string | null {
    const record = this.#records.get(key)
    if (record === undefined || this.#now() >= record.until) return null
    return `${record.message} It is not started again before ${new Date(record.until).toISOString()}, unless it is asked to or configured anew.`
  }

  /** It may run at once; what it did counts if it does it again. */
  excuse(key: string): void {
    const record = this.#records.get(key)
    if (record !== undefined) record.until = 0
  }

  /** It ran well, or is another pipe now. */
  clear(key: string): void {
    this.#records.delete(key)
  }
}
