/** A receiver whose sink has a circuit breaker: each request is a run of its own, one after the other. */

import type { Journal, RunToken } from '../log/contract.ts'
import { armBreaker, exposeRun, isTrip, settleStaging, tripBreaker, trippedError } from './breaker.ts'
import type { Pipe, PipeSink } from './pipe.ts'
import { type Push, type Received, Receiver } from './receiver.ts'
import type { RunPorts } from './run-ports.ts'

export class GuardedReceiver {
  readonly #pipe: Pipe
  readonly #ports: RunPorts
  readonly #sink: PipeSink & { kind: 'dataset' }
  readonly #receiver: Receiver
  #run: RunToken | null = null
  #former: Promise<unknown> = Promise.resolve()

  constructor(pipe: Pipe, sink: PipeSink & { kind: 'dataset' }, ports: RunPorts) {
    this.#pipe = pipe
    this.#sink = sink
    this.#ports = ports
    const { journal } = ports
    const ofRun: Journal = {
      ...journal,
      assertDataset: (id, settings) => journal.assertDataset(id, settings),
      commit: (commit) => journal.commit(this.#run === null ? commit : { ...commit, run: this.#run }),
    }
    this.#receiver = new Receiver(pipe, { ...ports, journal: ofRun })
  }

  /** Resolves when the entities are on disk and part of the dataset. */
  take(body: Uint8Array, push: Push): Promise<Received> {
    const taken = this.#former.then(() => this.#take(body, push))
    this.#former = taken.catch(() => {})
    return taken
  }

  async #take(body: Uint8Array, push: Push): Promise<Received> {
    const { journal, log } = this.#ports
    await settleStaging(this.#ports, this.#sink.dataset)
    const number = await journal.beginRun(this.#pipe.id)
    this.#run = { pipe: this.#pipe.id, number }
    try {
      const snapshot = log.snapshot()
      try {
        const view = snapshot.dataset(this.#sink.dataset)
        if (view?.document.isTripped) throw trippedError(this.#sink.dataset)
        if (view !== undefined) await armBreaker(this.#ports, this.#sink, view, this.#run)
      } finally {
        snapshot.close()
      }
      const received = await this.#receiver.take(body, push)
      await exposeRun(this.#ports, this.#sink, this.#run)
      return received
    } catch (error) {
      if (isTrip(error)) await tripBreaker(this.#ports, this.#sink, this.#run)
      throw error
    } finally {
      // What was written and not exposed goes with it, unless it tripped.
      this.#run = null
      await journal.endRun(this.#pipe.id, number)
    }
  }
}
