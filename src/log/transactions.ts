/** Runs what waits as write transactions: all of it together, bounded by time, and nothing of what fails. */

import type { Environment } from './environment.ts'
import { LogError } from './errors.ts'

/** Milliseconds of puts after which a transaction is committed; what still waits goes into the next one. */
const TRANSACTION_MS = 20

/** Something to do in a write transaction. */
export interface Task<T> {
  /** Throws when it cannot be done. Nothing is written here, so that a refusal leaves no trace among its neighbours. */
  check?(): void
  /** Does it. When this throws, the whole transaction is given up, and its tasks are tried again one by one. */
  apply(): T
}

export interface TransactionHooks {
  /** At the begin of each transaction; throws when this writer may not write any more. */
  begin(): void
  /** At the end of each transaction, before the commit. */
  end(): void
  /** After the commit. */
  committed(): void
  /** The transaction was given up: what was kept in memory is void. */
  aborted(): void
  /** What the store said when a transaction failed, as an error of the log. */
  failed(error: unknown): LogError
  /** No transaction can be begun any more; all that waited was refused. */
  lost(error: LogError): void
}

interface Waiting {
  readonly task: Task<unknown>
  resolve(result: unknown): void
  reject(error: unknown): void
}

export class Transactions {
  readonly #environment: Environment
  readonly #hooks: TransactionHooks
  #waiting: Waiting[] = []
  #isScheduled = false
  #idle: (() => void)[] = []

  constructor(environment: Environment, hooks: TransactionHooks) {
    this.#environment = environment
    this.#hooks = hooks
  }

  /** Resolves when the task is committed and on disk. */
  run<T>(task: Task<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ task, resolve: resolve as (result: unknown) => void, reject })
      this.#schedule()
    })
  }

  /** Resolves when nothing waits. */
  idle(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    // Messages that have arrived meanwhile join the transaction.
    setImmediate(() => {
      this.#isScheduled = false
      this.#transact()
      if (this.#waiting.length > 0) this.#schedule()
      else for (const resolve of this.#idle.splice(0)) resolve()
    })
  }

  #transact(): void {
    const until = performance.now() + TRANSACTION_MS
    const taken: Waiting[] = []
    const outcome = this.#attempt(() => {
      const next = performance.now() < until || taken.length === 0 ? this.#waiting.shift() : undefined
      if (next !== undefined) taken.push(next)
      return next
    })
    if (outcome === null) return
    if (taken.length === 0) {
      for (const one of this.#waiting.splice(0)) one.reject(outcome)
      this.#hooks.lost(outcome)
      return
    }
    if (taken.length === 1) {
      taken[0]?.reject(outcome)
      return
    }
    for (const one of taken) {
      let isTaken = false
      const failure = this.#attempt(() => {
        if (isTaken) return undefined
        isTaken = true
        return one
      })
      if (failure !== null) one.reject(failure)
    }
  }

  /** One transaction; gives why it was given up, or null. */
  #attempt(next: () => Waiting | undefined): LogError | null {
    const done: (() => void)[] = []
    try {
      this.#environment.write(() => {
        this.#hooks.begin()
        for (let one = next(); one !== undefined; one = next()) {
          const { task, resolve, reject } = one
          try {
            task.check?.()
          } catch (refusal) {
            done.push(() => reject(refusal))
            continue
          }
          const result = task.apply()
          done.push(() => resolve(result))
        }
        this.#hooks.end()
      })
    } catch (error) {
      this.#hooks.aborted()
      return error instanceof LogError ? error : this.#hooks.failed(error)
    }
    this.#hooks.committed()
    for (const tell of done) tell()
    return null
  }
}
