/** Lets requests of each kind of work in, so many at once; the others wait in order, some of them, for a while. */

import { ApiError } from '../errors.ts'
import { kindsOfWork, type Limits, limitOf, type Work } from './limits.ts'

export interface GateFigures {
  readonly atOnce: number
  readonly waiting: number
}

interface Waiting {
  readonly bytes: number
  readonly enter: () => void
}

interface Lane {
  atOnce: number
  readonly waiting: Set<Waiting>
}

export class Gate {
  readonly #limits: Limits
  readonly #lanes = new Map<Work, Lane>(kindsOfWork.map((work) => [work, { atOnce: 0, waiting: new Set() }]))
  /** Of the bodies of all that are in. */
  #bytes = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /**
   * Calls `done` when it may go on, at once or later: with what gives the place back, which is to be called once, or with
   * `busy`. `bytes`: what its body takes. Gives what takes a request out of the queue whose caller has gone.
   */
  enter(work: Work, bytes: number, done: (error: ApiError | null, leave: () => void) => void): () => void {
    const lane = this.#lanes.get(work) as Lane
    if (lane.waiting.size === 0 && this.#hasRoom(work, lane, bytes)) {
      done(null, this.#take(lane, bytes))
      return () => {}
    }
    if (lane.waiting.size >= limitOf(this.#limits, work, 'waiting')) {
      done(busy(work), () => {})
      return () => {}
    }
    return this.#wait(work, lane, bytes, done)
  }

  figures(work: Work): GateFigures {
    const { atOnce, waiting } = this.#lanes.get(work) as Lane
    return { atOnce, waiting: waiting.size }
  }

  #wait(work: Work, lane: Lane, bytes: number, done: (error: ApiError | null, leave: () => void) => void): () => void {
    const timeout = setTimeout(() => {
      lane.waiting.delete(waiting)
      done(busy(work), () => {})
    }, this.#limits['wait-seconds'] * 1_000)
    const waiting: Waiting = {
      bytes,
      enter: () => {
        clearTimeout(timeout)
        lane.waiting.delete(waiting)
        done(null, this.#take(lane, bytes))
      },
    }
    lane.waiting.add(waiting)
    return () => {
      clearTimeout(timeout)
      lane.waiting.delete(waiting)
    }
  }

  #hasRoom(work: Work, lane: Lane, bytes: number): boolean {
    if (lane.atOnce >= limitOf(this.#limits, work, 'at-once')) return false
    // A body larger than all of it goes alone.
    return bytes === 0 || this.#bytes === 0 || this.#bytes + bytes <= this.#limits['body-memory']
  }

  #take(lane: Lane, bytes: number): () => void {
    lane.atOnce++
    this.#bytes += bytes
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      lane.atOnce--
      this.#bytes -= bytes
      this.#letIn()
    }
  }

  /** Bodies of one kind make room for those of another, too. */
  #letIn(): void {
    for (const [work, lane] of this.#lanes) {
      for (const waiting of lane.waiting) {
        if (!this.#hasRoom(work, lane, waiting.bytes)) break
        waiting.enter()
      }
    }
  }
}

const busy = (work: Work): ApiError =>
  new ApiError('busy', 'The hub has as much to do of this kind as it takes on at once.', {
    hint: 'Ask again in a moment.',
    details: { work },
  })
