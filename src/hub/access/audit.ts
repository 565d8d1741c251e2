/** The audit log: who did what, when and from where, as entities of a dataset. Written behind the answers, never in their way. */

import { randomUUID } from 'node:crypto'
import { dictOf } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import type { Value } from '../../model/value.ts'
import type { Logger } from '../../pipes/logger.ts'

/** What happened. Never holds the value of a secret, a password or a token. */
export interface AuditEvent {
  /** What was done: `request`, `login`, `login-failed`, `logout`, `refused` … */
  readonly event: string
  readonly user: string | null
  readonly email: string | null
  /** Names the token, and does not open anything. */
  readonly token: string | null
  readonly address: string | null
  readonly method: string
  readonly route: string
  /** The thing it was about: `pipe:orders`. */
  readonly resource: string
  readonly action: string
  readonly status: number
  /** Why it was refused. */
  readonly reason: string | null
}

export interface AuditPorts {
  write(tenant: string, entities: readonly Entity[]): Promise<void>
  readonly now: () => number
  readonly logger: Logger
}

/** Entries are written together. */
const FLUSH_MS = 500
/** Of what happens again and again, alike in all but the time, one entry tells how often within this time. */
const GATHER_MS = 60_000
/** Different entries that wait at most; of more only the number is told. Strangers have a share of their own: they crowd nobody out. */
const MAX_WAITING = 10_000
const MAX_OF_STRANGERS = 1_000

interface Waiting {
  readonly isOfStranger: boolean
  readonly tenant: string
  readonly event: AuditEvent
  readonly first: number
  last: number
  count: number
  readonly due: number
}

export class AuditLog {
  readonly #ports: AuditPorts
  #waiting = new Map<string, Waiting>()
  #dropped = 0
  #ofStrangers = 0
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(ports: AuditPorts) {
    this.#ports = ports
  }

  /** `isFrequent`: it happens as often as others like; alike ones become one entry a minute. */
  tell(tenant: string, event: AuditEvent, isFrequent = false): void {
    const now = this.#ports.now()
    const place = JSON.stringify([tenant, Object.values(event)])
    const known = this.#waiting.get(place)
    if (known !== undefined) {
      known.last = now
      known.count++
      return
    }
    const isOfStranger = event.user === null && event.token === null
    if (isOfStranger ? this.#ofStrangers >= MAX_OF_STRANGERS : this.#waiting.size >= MAX_WAITING) {
      this.#dropped++
      return
    }
    const due = now + (isFrequent ? GATHER_MS : FLUSH_MS)
    if (isOfStranger) this.#ofStrangers++
    this.#waiting.set(place, { tenant, event, isOfStranger, first: now, last: now, count: 1, due })
    this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS).unref()
  }

  /** All that waits is on disk when it resolves. */
  async flush(): Promise<void> {
    await this.#flush(Number.POSITIVE_INFINITY)
    await this.#writing
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.flush()
  }

  #flushSoon(): void {
    this.#timer = null
    this.#flush(this.#ports.now()).catch(() => {})
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#flushSoon(), FLUSH_MS).unref()
  }

  #flush(until: number): Promise<void> {
    const due = [...this.#waiting].filter(([, one]) => one.due <= until)
    for (const [place, { isOfStranger }] of due) {
      this.#waiting.delete(place)
      if (isOfStranger) this.#ofStrangers--
    }
    const byTenant = new Map<string, Entity[]>()
    for (const [, one] of due) {
      const list = byTenant.get(one.tenant) ?? []
      byTenant.set(one.tenant, list)
      list.push(entityOf(one))
    }
    if (this.#dropped > 0) {
      const count = this.#dropped
      this.#dropped = 0
      const list = byTenant.get('default') ?? []
      byTenant.set('default', list)
      list.push(droppedEntity(count, this.#ports.now()))
    }
    // One after the other: entries stand in the order in which things happened.
    this.#writing = this.#writing.then(() => this.#write(byTenant))
    return this.#writing
  }

  async #write(byTenant: ReadonlyMap<string, readonly Entity[]>): Promise<void> {
    for (const [tenant, entities] of byTenant) {
      try {
        await this.#ports.write(tenant, entities)
      } catch (error) {
        this.#ports.logger.error(`${entities.length} entries of the audit log could not be written.`, {
          tenant,
          error: (error as Error).message,
        })
      }
    }
  }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()

/** Ids are in the order of time. */
const idOf = (ms: number): string => `${timeOf(ms)}-${randomUUID().slice(0, 8)}`

function entityOf({ event, first, last, count }: Waiting): Entity {
  const { user, email, token, address, method, route, resource, action, status, reason } = event
  const said: Record<string, Value> = {
    _id: idOf(first),
    event: event.event,
    time: timeOf(first),
    user_id: user,
    email,
    token_id: token,
    remote_addr: address,
    method,
    route,
    resource,
    action,
    status,
    ...(reason === null ? {} : { reason }),
    ...(count === 1 ? {} : { count, last_time: timeOf(last) }),
  }
  return dictOf(said) as Entity
}

const droppedEntity = (count: number, now: number): Entity =>
  dictOf({ _id: idOf(now), event: 'dropped', time: timeOf(now), count }) as Entity
