/** Tells other hubs that a dataset grew: they asked for it, and are told once for all that came since (rest-api.md §5.5). */

import type { Logger } from '../pipes/logger.ts'
import { HubError } from './errors.ts'

/** Who wants to hear of what. */
export interface Subscription {
  readonly dataset: string
  /** Only of what lies behind it; null: of what comes from now on. */
  readonly since: number | null
  readonly url: string
  /** Given back with each call, so that the receiver knows that it asked. */
  readonly token: string
}

export interface WebhookPorts {
  now(): number
  /** Next sequence of a dataset; 0 when it does not exist. */
  end(dataset: string): number
  /** Resolves when the log grew past `seen`, or after the time. */
  grown(seen: number, timeoutMs: number): Promise<number>
  grownTo(): number
  /** Posts the token and gives the status of the answer. */
  post(url: string, token: string, signal: AbortSignal): Promise<number>
  readonly logger: Logger
}

interface Registration extends Subscription {
  /** Last sequence that was told. */
  told: number
  failures: number
  /** Not before then. */
  nextAt: number
  readonly dropAt: number
  isCalling: boolean
}

/** They are kept in memory, and asked for again at each run of who wants to hear. */
const KEPT_MS = 24 * 3_600_000
const BETWEEN_CALLS_MS = 1_000
const LONGEST_PAUSE_MS = 15 * 60_000
const MAX_FAILURES = 10
const MAX_REGISTRATIONS = 1_000
const LONGEST_SLEEP_MS = 60_000

export class Webhooks {
  readonly #ports: WebhookPorts
  readonly #registrations = new Map<string, Registration>()
  readonly #closing = new AbortController()
  readonly #calls = new Set<Promise<void>>()
  #wake: () => void = () => {}
  #loop: Promise<void> | null = null

  constructor(ports: WebhookPorts) {
    this.#ports = ports
  }

  /** One for each address and dataset: a newer one replaces it. Codes: bad-webhook, too-many-webhooks. */
  subscribe(subscription: Subscription): void {
    const { dataset, url, since } = subscription
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new HubError('bad-webhook', `'${url}' is no address that can be called.`, {
        hint: 'Give a complete http or https address.',
      })
    }
    const key = `${dataset}\n${url}`
    if (!this.#registrations.has(key) && this.#registrations.size >= MAX_REGISTRATIONS) {
      throw new HubError('too-many-webhooks', `No more than ${MAX_REGISTRATIONS} webhooks are kept.`, {
        hint: 'Those that nobody asks for again are dropped after a day.',
      })
    }
    const now = this.#ports.now()
    this.#registrations.set(key, {
      ...subscription,
      told: since ?? this.#ports.end(dataset) - 1,
      failures: 0,
      nextAt: now,
      dropAt: now + KEPT_MS,
      isCalling: false,
    })
    this.#wake()
    this.#loop ??= this.#watch()
  }

  get size(): number {
    return this.#registrations.size
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#wake()
    await this.#loop
    await Promise.all(this.#calls)
  }

  async #watch(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const seen = this.#ports.grownTo()
      const nextAt = this.#look()
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      const sleepMs = Math.min(LONGEST_SLEEP_MS, Math.max(1, nextAt - this.#ports.now()))
      await Promise.race([this.#ports.grown(seen, sleepMs), woken])
    }
  }

  /** Calls whom there is something to tell; gives when to look again. */
  #look(): number {
    const now = this.#ports.now()
    let next = now + LONGEST_SLEEP_MS
    for (const [key, one] of this.#registrations) {
      if (now >= one.dropAt) {
        this.#registrations.delete(key)
        continue
      }
      const end = this.#ports.end(one.dataset)
      if (one.isCalling || end - 1 <= one.told) continue
      if (now < one.nextAt) next = Math.min(next, one.nextAt)
      else this.#call(key, one, end - 1)
    }
    return next
  }

  #call(key: string, one: Registration, told: number): void {
    one.isCalling = true
    const call = this.#post(one).then((status) => {
      one.isCalling = false
      one.nextAt = this.#ports.now() + BETWEEN_CALLS_MS
      if (status >= 200 && status < 300) {
        one.told = told
        one.failures = 0
      } else if (status === 404) this.#drop(key, one)
      else this.#failed(key, one, status)
      this.#calls.delete(call)
      this.#wake()
    })
    this.#calls.add(call)
  }

  /** 0 when there was no answer. */
  async #post({ url, token }: Registration): Promise<number> {
    try {
      return await this.#ports.post(url, token, this.#closing.signal)
    } catch {
      return 0
    }
  }

  #failed(key: string, one: Registration, status: number): void {
    one.failures++
    one.nextAt = this.#ports.now() + Math.min(LONGEST_PAUSE_MS, BETWEEN_CALLS_MS * 2 ** one.failures)
    if (one.failures < MAX_FAILURES || this.#closing.signal.aborted) return
    this.#drop(key, one)
    const why = status === 0 ? 'there is no answer' : `the answer is ${status}`
    this.#ports.logger.warn(`A webhook of dataset '${one.dataset}' is dropped after ${MAX_FAILURES} calls: ${why}.`, {
      dataset: one.dataset,
      host: new URL(one.url).host,
    })
  }

  /** Unless another has taken its place meanwhile. */
  #drop(key: string, one: Registration): void {
    if (this.#registrations.get(key) === one) this.#registrations.delete(key)
  }
}
