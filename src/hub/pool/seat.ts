/** A place in the pool: a thread that is started when it is first needed and replaced when it is lost. */

import type { HubError } from '../errors.ts'
import type { PoolMethods, PumpEvent } from '../pump-protocol.ts'
import type { Load } from './load.ts'
import { type Loss, PumpThread } from './thread.ts'

export interface SeatOptions {
  readonly number: number
  readonly hear: (event: Exclude<PumpEvent, { type: 'pipe' }>) => void
  readonly pool: PoolMethods
  /** Makes a new thread know what all know. */
  readonly prepare: (thread: PumpThread, seat: number) => Promise<void>
  readonly onLost: (seat: Seat, loss: Loss) => void
}

/** A thread is measured anew after this long. */
const MEASURED_MS = 250

export class Seat {
  readonly number: number
  /** Times that its thread was lost. */
  losses = 0
  lastLoss: { readonly at: number; readonly loss: Loss } | null = null
  /** Threads lost before they were of any use, in a row. */
  failedStarts = 0
  readonly #options: SeatOptions
  #thread: PumpThread | null = null
  #ready: Promise<PumpThread> | null = null
  /** What all threads are told, one after the other. */
  #told: Promise<unknown> = Promise.resolve()
  #telling = 0
  #isReady = false
  #busy = 0
  /** How often and when its load was measured. */
  #measured = 0
  #measuredAt = 0
  #underWay = 0
  #fresh = 0
  #isClosed = false

  constructor(options: SeatOptions) {
    this.#options = options
    this.number = options.number
  }

  get isStarted(): boolean {
    return this.#ready !== null
  }

  /** Its thread, which knows all it needs to. */
  thread(): Promise<PumpThread> {
    this.#ready ??= this.#start()
    return this.#ready
  }

  /** Gives what `work` gives; meanwhile the seat counts as that much busier. */
  async use<T>(work: (thread: PumpThread) => Promise<T>): Promise<T> {
    const leave = this.enter()
    try {
      return await work(await this.thread())
    } finally {
      leave()
    }
  }

  /** Something is under way here until what is given is called. */
  enter(): () => void {
    this.#underWay++
    this.#fresh++
    const measured = this.#measured
    return () => {
      this.#underWay--
      if (measured === this.#measured) this.#fresh--
    }
  }

  /**
   * Tells the thread what all are told; one that is not there will know it when it starts. `isLong`: it may hold the
   * thread as long as it takes.
   */
  async tell(work: (thread: PumpThread) => Promise<unknown>, isLong = false): Promise<void> {
    if (this.#ready === null || this.#isClosed) return
    const ready = this.#ready
    this.#told = this.#told.then(async () => {
      // Who was lost meanwhile has a successor, who was told at its start.
      if (ready !== this.#ready) return
      const told = async () => work(await ready)
      await (isLong ? this.#excused(told) : told()).catch(unlessLost)
    })
    await this.#told
  }

  load(now: number): Load {
    if (now - this.#measuredAt >= MEASURED_MS && this.#thread !== null && this.#isReady) {
      this.#busy = this.#busy / 2 + this.#thread.busy() / 2
      this.#measuredAt = now
      this.#measured++
      this.#fresh = 0
    }
    return { isReady: this.#isReady, underWay: this.#underWay, fresh: this.#fresh, busy: this.#busy }
  }

  look(patience: number): void {
    if (this.#telling > 0) this.#thread?.excuse()
    else this.#thread?.look(patience)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#thread?.end()
  }

  async #start(): Promise<PumpThread> {
    const { number, hear, pool } = this.#options
    const thread = new PumpThread({
      name: `pump ${number}`,
      hear,
      pool,
      onLost: (loss) => this.#lose(loss),
    })
    this.#thread = thread
    await this.#excused(() => this.#options.prepare(thread, number))
    this.failedStarts = 0
    this.#isReady = true
    return thread
  }

  #lose(loss: Loss): void {
    if (this.#telling > 0) this.failedStarts++
    this.#thread = null
    this.#ready = null
    this.#isReady = false
    this.#busy = 0
    this.losses++
    this.lastLoss = { at: Date.now(), loss }
    this.#options.onLost(this, loss)
  }

  /** Compiling a large configuration is no batch that somebody could make smaller. */
  async #excused<T>(work: () => Promise<T>): Promise<T> {
    this.#telling++
    try {
      return await work()
    } finally {
      this.#telling--
    }
  }
}

function unlessLost(error: HubError): void {
  if (error.code !== 'pump-thread-lost') throw error
}
