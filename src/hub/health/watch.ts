/** Looks at a node every few seconds and keeps what it saw, so that its health can be asked for at any moment and by anybody. */

import { assess, type Facts, PAST_MS } from './assess.ts'
import { type Health, healthOf, type Reason } from './reason.ts'

export interface HealthPorts {
  /** Milliseconds, of a clock that only grows. */
  now(): number
  look(): Promise<Facts>
  /** Hears of each reason that comes, and that goes. */
  changed(reason: Reason, isThere: boolean): void
}

const LOOK_MS = 10_000
/** What was seen so recently is as good as seen now: whoever asks again and again costs nothing. */
const FRESH_MS = 1_000

export class HealthWatch {
  readonly #ports: HealthPorts
  #past: Facts[] = []
  #reasons: readonly Reason[] = []
  #looking: Promise<void> | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(ports: HealthPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** What was seen last. */
  get last(): Facts | undefined {
    return this.#past.at(-1)
  }

  /** As it was seen last. */
  get reasons(): readonly Reason[] {
    return this.#reasons
  }

  /** As it is now: of the node, or of what concerns a tenant. */
  async health(tenant: string | null): Promise<Health> {
    const last = this.#past.at(-1)
    if (last === undefined || this.#ports.now() - last.at > FRESH_MS) await this.look()
    return healthOf(this.#reasons.filter((reason) => tenant === null || (reason.tenant ?? tenant) === tenant))
  }

  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const facts = await this.#ports.look()
    const former = this.#reasons
    this.#reasons = assess(facts, this.#past)
    this.#past = [...this.#past.filter(({ at }) => facts.at - at <= PAST_MS), facts]
    for (const reason of this.#reasons) if (!holds(former, reason)) this.#ports.changed(reason, true)
    for (const reason of former) if (!holds(this.#reasons, reason)) this.#ports.changed(reason, false)
  }
}

const holds = (reasons: readonly Reason[], { code, tenant }: Reason): boolean =>
  reasons.some((one) => one.code === code && one.tenant === tenant)
