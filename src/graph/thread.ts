/** One thread of the graph, seen from the main side: what it was asked, what it answered, and its end. */

import type { Worker } from 'node:worker_threads'
import { endThread, startThread } from '../log/thread.ts'
import type { GraphAnswer, GraphQuery, GraphSettings } from './contract.ts'
import { GraphError } from './errors.ts'
import { type FromThread, fromErrorText, type ThreadProgress, type ThreadStart, type ToThread } from './protocol.ts'

export interface ThreadEvents {
  progress(progress: ThreadProgress): void
  /** It is gone without having been asked to. `guilty`: the query it was at. */
  lost(reason: LostReason, guilty: GraphQuery | null): void
}

export type LostReason = 'timeout' | 'broken'

interface Pending {
  readonly query: GraphQuery
  readonly resolve: (answer: GraphAnswer) => void
  readonly reject: (error: GraphError) => void
  timer: NodeJS.Timeout
}

export class GraphThread {
  readonly #worker: Worker
  readonly #events: ThreadEvents
  readonly #pending = new Map<number, Pending>()
  readonly #catchingUp = new Map<number, (isCaughtUp: boolean) => void>()
  readonly #ended: Promise<void>
  #nextId = 1
  #isEnded = false
  #isReady = false

  constructor(start: ThreadStart, events: ThreadEvents) {
    this.#events = events
    this.#worker = startThread(import.meta.url, './graph-thread.ts', { workerData: start, name: 'graph' })
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('error', () => this.#lose('broken', null))
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#lose('broken', null)
        resolve()
      })
    })
  }

  get isReady(): boolean {
    return this.#isReady
  }

  query(query: GraphQuery): Promise<GraphAnswer> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++
      // Until the thread begins with it this is the time it may wait.
      const timer = setTimeout(() => this.#giveUp(id), query.timeoutMs)
      this.#pending.set(id, { query, resolve, reject, timer })
      this.#post({ kind: 'query', id, query })
    })
  }

  caughtUp(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const id = this.#nextId++
      const timer = setTimeout(() => done(false), timeoutMs)
      const done = (isCaughtUp: boolean) => {
        clearTimeout(timer)
        this.#catchingUp.delete(id)
        resolve(isCaughtUp)
      }
      this.#catchingUp.set(id, done)
      this.#post({ kind: 'catch-up', id })
    })
  }

  configure(settings: GraphSettings): void {
    this.#post({ kind: 'configure', settings })
  }

  /** Ends it in peace: what it was asked is answered first, for a while. */
  async retire(): Promise<void> {
    if (this.#pending.size > 0) await new Promise((resolve) => setTimeout(resolve, RETIREMENT_MS))
    await this.close()
  }

  async close(): Promise<void> {
    this.#isEnded = true
    this.#rejectAll(() => lostError('The graph was closed.'))
    this.#post({ kind: 'close' })
    const timer = setTimeout(() => void endThread(this.#worker), CLOSE_MS)
    await this.#ended
    clearTimeout(timer)
  }

  #hear(message: FromThread): void {
    if (message.kind === 'progress') {
      this.#isReady = message.progress.isReady
      if (!this.#isEnded) this.#events.progress(message.progress)
    } else if (message.kind === 'caught-up') this.#catchingUp.get(message.id)?.(true)
    else if (message.kind === 'lost') this.#lose('broken', message.id)
    else if (message.kind === 'started') this.#begin(message.id)
    else if (message.kind === 'answer') this.#take(message.id)?.resolve(message.answer)
    else this.#take(message.id)?.reject(fromErrorText(message.error))
  }

  /** From now on the time of the query counts; when it is over, so is the thread, for a query cannot be cancelled. */
  #begin(id: number): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    clearTimeout(pending.timer)
    pending.timer = setTimeout(() => this.#lose('timeout', id), pending.query.timeoutMs)
  }

  #giveUp(id: number): void {
    this.#take(id)?.reject(
      new GraphError('graph-not-ready', 'The graph was busy for as long as the query might take.', {
        hint: 'Ask again in a moment.',
        details: { retryAfterSeconds: 1 },
      }),
    )
  }

  #lose(reason: LostReason, id: number | null): void {
    if (this.#isEnded) return
    this.#isEnded = true
    void endThread(this.#worker)
    const guilty = id === null ? undefined : this.#take(id)
    guilty?.reject(
      reason === 'timeout' ? timeoutError(guilty.query.timeoutMs) : lostError('The graph broke under this query.'),
    )
    this.#rejectAll(() => lostError('Another query ended the thread of the graph.'))
    this.#events.lost(reason, guilty?.query ?? null)
  }

  #rejectAll(error: () => GraphError): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error())
    for (const done of [...this.#catchingUp.values()]) done(false)
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (pending !== undefined) clearTimeout(pending.timer)
    this.#pending.delete(id)
    return pending
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message)
  }
}

const RETIREMENT_MS = 30_000
const CLOSE_MS = 2_000

const timeoutError = (timeoutMs: number): GraphError =>
  new GraphError('query-timeout', `The query took longer than ${timeoutMs} ms.`, {
    hint: 'Make it more selective, or give it more time. The same query is refused for a while.',
    details: { timeoutMs },
  })

const lostError = (message: string): GraphError =>
  new GraphError('graph-lost', message, {
    hint: 'The graph is being rebuilt from the log: ask again in a while.',
    details: { retryAfterSeconds: 5 },
  })
