/** Tells people and programs what waits for them: together, not too often, at decent hours, and again until it was taken. */

import { createHash } from 'node:crypto'
import type { NotificationSettings } from '../../config/notifications.ts'
import type { Logger } from '../../pipes/logger.ts'
import type { StateChange } from '../../pipes/state.ts'
import type { Told } from './message.ts'
import type { Notification } from './notification.ts'
import { type Outbox, targetKey } from './outbox.ts'
import { quietUntil } from './quiet.ts'
import type { Entry, Target } from './track.ts'

export interface DeliveryPorts {
  now(): number
  settings(): NotificationSettings
  /** As it is now; undefined: there is none any more. */
  notification(entry: Entry): Notification | undefined
  /** Throws when it was not taken. `id` names it: it is the same when it is sent again. */
  send(target: Target, told: readonly Told[], id: string, signal: AbortSignal): Promise<void>
  /** Keeps what became of it. `told`: of these somebody knows now. */
  commit(changes: readonly StateChange[], told: readonly Entry[]): Promise<void>
  readonly logger: Logger
}

/** Recipients that are told at once. */
const AT_ONCE = 4
const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 3_600_000
/** What was not taken for so long is given up. */
const GIVE_UP_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000
/** What was given up is remembered, for whoever asks why nothing came. */
const REMEMBERED = 100

export interface Failed {
  readonly entry: Entry
  readonly at: number
}

export class Delivery {
  readonly #ports: DeliveryPorts
  readonly #outbox: Outbox
  /** By recipient when it was told, in the last hour. */
  readonly #sent = new Map<string, number[]>()
  readonly #busy = new Set<string>()
  readonly #work = new Set<Promise<void>>()
  readonly #closing = new AbortController()
  #failed: readonly Failed[] = []
  sent = 0
  givenUp = 0

  constructor(outbox: Outbox, ports: DeliveryPorts) {
    this.#outbox = outbox
    this.#ports = ports
  }

  /** What was given up of late. */
  get failed(): readonly Failed[] {
    return this.#failed
  }

  /** What is under way is given up, and told when the hub runs again. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#work)
  }

  /** Begins to tell what is due; gives when something is next, in milliseconds since 1970. */
  look(): number {
    const now = this.#ports.now()
    let next = Number.POSITIVE_INFINITY
    for (const [key, entries] of this.#byTarget()) {
      if (this.#busy.has(key)) continue
      const at = this.#dueAt(key, entries, now)
      if (at > now || this.#busy.size >= AT_ONCE) next = Math.min(next, Math.max(at, now + 1))
      else this.#begin(key, entries)
    }
    return next
  }

  #byTarget(): ReadonlyMap<string, readonly Entry[]> {
    const found = new Map<string, Entry[]>()
    for (const entry of this.#outbox.all()) {
      const key = targetKey(entry.target)
      const entries = found.get(key)
      if (entries === undefined) found.set(key, [entry])
      else entries.push(entry)
    }
    return found
  }

  /** The first that is due takes the others along. */
  #dueAt(key: string, entries: readonly Entry[], now: number): number {
    const { quiet_hours, max_per_hour } = this.#ports.settings()
    const isUrgent = entries.some((entry) => entry.isUrgent && entry.dueAt <= now)
    // While a recipient takes nothing, what comes new does not ask again sooner.
    const failing = entries.filter(({ attempts }) => attempts > 0).map(({ dueAt }) => dueAt)
    const due = failing.length > 0 ? Math.max(...failing) : Math.min(...entries.map(({ dueAt }) => dueAt))
    const sent = (this.#sent.get(key) ?? []).filter((at) => now - at < HOUR_MS)
    this.#sent.set(key, sent)
    if (sent.length === 0) this.#sent.delete(key)
    const slot = sent.length < max_per_hour ? due : Math.max(due, (sent.at(-max_per_hour) as number) + HOUR_MS)
    const isMail = entries[0]?.target.kind === 'email'
    const quiet = isMail && !isUrgent ? quietUntil(quiet_hours, Math.max(slot, now)) : null
    return quiet === null ? slot : Math.max(slot, quiet)
  }

  #begin(key: string, entries: readonly Entry[]): void {
    this.#busy.add(key)
    const work = this.#tell(key, entries).finally(() => {
      this.#busy.delete(key)
      this.#work.delete(work)
    })
    this.#work.add(work)
  }

  async #tell(key: string, waiting: readonly Entry[]): Promise<void> {
    const { now, notification, send, logger } = this.#ports
    // Whom something was not taken from waits for all of it: with the next attempt all is told.
    const isFailing = waiting.some(({ attempts }) => attempts > 0)
    const entries = isFailing ? waiting : waiting.filter((entry) => !this.#isHeld(entry))
    const told = entries.flatMap((entry): Told[] => {
      const found = notification(entry)
      return found === undefined ? [] : [{ what: entry.what, notification: found }]
    })
    const [first] = entries
    if (first === undefined) return
    if (told.length === 0) {
      // Their rules are gone.
      await this.#commit(this.#outbox.remove(entries), [])
      return
    }
    try {
      await send(first.target, told, idOf(entries), this.#closing.signal)
    } catch (error) {
      if (this.#closing.signal.aborted) return
      await this.#failedWith(error as Error, entries)
      return
    }
    this.#sent.set(key, [...(this.#sent.get(key) ?? []), now()])
    this.sent++
    logger.info(`${told.length} ${told.length === 1 ? 'notification was' : 'notifications were'} sent.`, {
      recipient: shortTarget(first.target),
      notifications: told.length,
    })
    await this.#commit(this.#outbox.remove(entries), entries)
  }

  /** It is not to be told again so soon. */
  #isHeld({ dueAt, createdAt }: Entry): boolean {
    const { gather_seconds } = this.#ports.settings()
    return dueAt > this.#ports.now() && dueAt > createdAt + gather_seconds * 1000
  }

  async #failedWith(error: Error & { details?: Record<string, unknown> }, entries: readonly Entry[]): Promise<void> {
    const now = this.#ports.now()
    const { message, details } = error
    const isFinal = (entry: Entry) => details?.isFinal === true || now - entry.createdAt >= GIVE_UP_MS
    const [lost, kept] = [entries.filter(isFinal), entries.filter((entry) => !isFinal(entry))]
    const attempts = Math.max(0, ...kept.map((entry) => entry.attempts))
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempts)
    const recipient = shortTarget((entries[0] as Entry).target)
    const logger = this.#ports.logger
    if (kept.length > 0)
      logger.warn(`Notifications were not taken: ${message}`, { recipient, again_in_s: pause / 1000 })
    if (lost.length > 0) {
      logger.error(`${lost.length} notifications are given up: ${message}`, { recipient })
      this.givenUp += lost.length
      const failed = lost.map((entry) => ({ entry: { ...entry, lastError: message }, at: now }))
      this.#failed = [...this.#failed, ...failed].slice(-REMEMBERED)
    }
    await this.#commit([...this.#outbox.remove(lost), ...this.#outbox.postpone(kept, now + pause, message)], [])
  }

  async #commit(changes: readonly StateChange[], told: readonly Entry[]): Promise<void> {
    try {
      await this.#ports.commit(changes, told)
    } catch (error) {
      if (this.#closing.signal.aborted) return
      this.#ports.logger.error(`What became of notifications could not be stored: ${(error as Error).message}`)
    }
  }
}

/** The same entries give the same name, so whoever is sent a message twice can tell. */
const idOf = (entries: readonly Entry[]): string =>
  createHash('sha256')
    .update(entries.map(({ id }) => id).join(' '))
    .digest('hex')
    .slice(0, 32)

/** The path of a webhook may be what protects it. */
const shortTarget = ({ kind, address }: Target): string => (kind === 'webhook' ? new URL(address).host : address)
