/** The main side of the graph: one thread that answers, and another in its place when it is lost, outdated or worn out. */

import type { Feed } from '../log/contract.ts'
import { openFeed } from '../log/feed.ts'
import type { Graph, GraphAnswer, GraphQuery, GraphSettings, GraphStatus } from './contract.ts'
import { GraphError } from './errors.ts'
import type { ThreadProgress } from './protocol.ts'
import { RefusedQueries } from './refused-queries.ts'
import { GraphThread, type LostReason } from './thread.ts'

export interface GraphOptions {
  /** Of the log. */
  readonly path: string
  readonly feed: SharedArrayBuffer
  /** Quads at most, as long as no settings say it. */
  readonly budget?: number
  /** Quads removed after which a fresh thread takes the place of a worn one, once they are half of what it holds. */
  readonly wornOutAt?: number
  /** Hears why a thread was lost. */
  readonly onLost?: (reason: LostReason) => void
}

/** Nothing is projected, and no query answered, before the first {@link Graph.configure}. */
export const openGraph = (options: GraphOptions): Graph => new GraphProcess(options)

class GraphProcess implements Graph {
  readonly #options: GraphOptions
  readonly #feed: Feed
  readonly #refused = new RefusedQueries()
  #settings: GraphSettings | null = null
  /** The one that answers. */
  #current: GraphThread | null = null
  #progress: ThreadProgress | null = null
  /** The one that is being loaded to take its place. */
  #next: GraphThread | null = null
  /** It was ready once. */
  #wasReady = false
  #nextProgress: ThreadProgress | null = null
  #takingOver: GraphThread | null = null
  #isClosed = false
  #losses = 0
  #restart: NodeJS.Timeout | undefined
  readonly #retiring = new Set<Promise<void>>()
  #configured: () => void = () => {}
  readonly #isConfigured = new Promise<void>((resolve) => {
    this.#configured = resolve
  })

  constructor(options: GraphOptions) {
    this.#options = options
    this.#feed = openFeed(options.feed)
  }

  async query(query: GraphQuery): Promise<GraphAnswer> {
    const refused = this.#refused.find(query)
    if (refused !== null) throw refused
    const thread = this.#current
    if (thread === null || !thread.isReady) throw this.#notReady()
    return thread.query(query)
  }

  status(): GraphStatus {
    const datasets = this.#progress?.datasets ?? []
    const held = datasets.filter(({ isLeftOut }) => !isLeftOut)
    const isReady = this.#current?.isReady === true
    return {
      state: this.#isClosed ? 'stopped' : isReady ? 'ready' : this.#wasReady ? 'rebuilding' : 'loading',
      quads: this.#progress?.quads ?? 0,
      budget: this.#settings?.budget ?? this.#options.budget ?? 0,
      lag: held.reduce((lag, { number, offset }) => lag + (number < 0 ? 0 : this.#feed.end(number) - offset - 1), 0),
      leftOut: datasets.filter(({ isLeftOut }) => isLeftOut).map(({ id }) => id),
      offsets: Object.fromEntries(held.filter(({ offset }) => offset >= 0).map(({ id, offset }) => [id, offset])),
    }
  }

  async caughtUp(timeoutMs: number): Promise<boolean> {
    const until = Date.now() + timeoutMs
    const left = () => Math.max(0, until - Date.now())
    await Promise.race([this.#isConfigured, delay(timeoutMs)])
    while (!this.#isClosed && left() > 0) {
      const thread = this.#current
      const isCaughtUp = thread !== null && (await thread.caughtUp(left()))
      if (thread !== this.#current) continue
      if (isCaughtUp) return true
      await delay(Math.min(left(), POLL_MS))
    }
    return false
  }

  configure(settings: GraphSettings): void {
    if (this.#isClosed) return
    const former = this.#settings
    this.#settings = settings
    if (this.#current === null && this.#restart === undefined) this.#current = this.#start()
    else if (former !== null && isNamedAlike(former, settings)) {
      this.#current?.configure(settings)
      this.#next?.configure(settings)
    } else this.#replace()
    this.#configured()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#restart)
    await Promise.all([this.#current?.close(), this.#next?.close(), ...this.#retiring])
    this.#current = null
    this.#next = null
  }

  #start(): GraphThread {
    const { path, feed } = this.#options
    const settings = this.#settings as GraphSettings
    const thread: GraphThread = new GraphThread(
      { path, feed, settings },
      {
        progress: (progress) => this.#hear(thread, progress),
        lost: (reason, guilty) => this.#lose(thread, reason, guilty),
      },
    )
    return thread
  }

  #hear(thread: GraphThread, progress: ThreadProgress): void {
    if (thread === this.#next) {
      this.#nextProgress = progress
      if (progress.isReady) void this.#takeOver(thread)
    }
    if (thread !== this.#current) return
    this.#progress = progress
    if (!progress.isReady) return
    this.#wasReady = true
    this.#losses = 0
    if (this.#isWornOut(progress) && this.#next === null) this.#replace()
  }

  /** Another thread is loaded beside the one that answers, when both fit into the budget; otherwise in its place. */
  #replace(): void {
    void this.#next?.close()
    this.#next = null
    const { quads = 0, removed = 0 } = this.#progress ?? {}
    const isAnswering = this.#current?.isReady === true
    if (isAnswering && quads * 2 + removed <= (this.#settings?.budget ?? 0)) {
      this.#next = this.#start()
      return
    }
    if (this.#current !== null) this.#retire(this.#current.close())
    this.#progress = null
    this.#current = this.#start()
  }

  /** It has what the log held when it was started; the one that answers is further, and nobody should see it go back. */
  async #takeOver(thread: GraphThread): Promise<void> {
    if (this.#takingOver === thread) return
    this.#takingOver = thread
    const until = Date.now() + TAKE_OVER_MS
    do {
      await thread.caughtUp(TAKE_OVER_MS)
      if (thread !== this.#next) return
    } while (isBehind(this.#nextProgress, this.#progress) && Date.now() < until)
    const former = this.#current
    this.#current = thread
    this.#progress = this.#nextProgress
    this.#next = null
    if (former !== null) this.#retire(former.retire())
  }

  #retire(ending: Promise<void>): void {
    this.#retiring.add(ending)
    void ending.finally(() => this.#retiring.delete(ending))
  }

  #lose(thread: GraphThread, reason: LostReason, guilty: GraphQuery | null): void {
    if (guilty !== null) this.#refused.add(guilty)
    this.#options.onLost?.(reason)
    if (thread === this.#next) this.#next = null
    if (thread !== this.#current || this.#isClosed) return
    this.#progress = null
    this.#current = this.#next
    this.#next = null
    if (this.#current !== null) return
    // One that breaks again and again while it loads is not started in a tight loop.
    const delayMs = this.#losses === 0 ? 0 : Math.min(60_000, 500 * 2 ** this.#losses)
    this.#losses++
    this.#restart = setTimeout(() => {
      this.#restart = undefined
      this.#current = this.#start()
    }, delayMs)
  }

  /** Removed quads keep their memory and slow queries down: at some point a fresh store is cheaper. */
  #isWornOut({ quads, removed }: ThreadProgress): boolean {
    return removed > Math.max(this.#options.wornOutAt ?? WORN_OUT_AT, quads / 2)
  }

  #notReady(): GraphError {
    const { state, lag } = this.status()
    return new GraphError('graph-not-ready', `The graph is ${state}; ${lag} entities are to come.`, {
      hint: 'Ask again in a while.',
      details: { state, lag, retryAfterSeconds: 2 },
    })
  }
}

const POLL_MS = 50
const TAKE_OVER_MS = 10_000

const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })

const WORN_OUT_AT = 250_000

/** Whether somebody may have seen in `other` what is not in this one yet. */
function isBehind(one: ThreadProgress | null, other: ThreadProgress | null): boolean {
  const offsets = new Map(one?.datasets.map(({ id, offset }) => [id, offset]))
  return (other?.datasets ?? []).some(({ id, offset, isLeftOut }) => !isLeftOut && (offsets.get(id) ?? -1) < offset)
}

/** Other names make other statements of everything. */
const isNamedAlike = (a: GraphSettings, b: GraphSettings): boolean =>
  a.base === b.base && sameEntries(a.namespaces, b.namespaces) && sameEntries(a.properties, b.properties)

const sameEntries = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
