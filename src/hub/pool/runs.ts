/** The runs of a pool: each on the least busy thread, once at a time; one whose thread was lost through another starts again. */

import type { RunReport } from '../../pipes/run-report.ts'
import { HubError } from '../errors.ts'
import type { RunArgument } from '../pump-protocol.ts'
import { Culprits } from './culprits.ts'
import type { Seat } from './seat.ts'
import { type Loss, lossOf, type PipeName } from './thread.ts'

export interface RunsPorts {
  /** Milliseconds since 1970. */
  now(): number
  /** The least busy seat; this one if it is hardly busier. */
  choose(preferred: Seat | undefined): Seat
  /** All threads are told which pipes run. */
  announce(pipe: PipeName, isRunning: boolean): void
  /** No thread is replaced any more. */
  isClosing(): boolean
  /** Seconds that a run may hold its thread. */
  readonly patienceSeconds: number
}

/** A run that is under way. */
export interface PooledRun extends PipeName {
  /** It runs beside other runs of its pipe. */
  readonly isBackground: boolean
  readonly startedAt: number
  seat: Seat
}

export interface RunPlacing {
  /** What its programs remember from run to run is on the thread that it ran on before. */
  readonly staysPut: boolean
}

/** Threads that a run may lose through others before it is given up. */
const LOSSES = 3

export class PoolRuns {
  readonly #ports: RunsPorts
  readonly #underWay = new Map<string, PooledRun>()
  /** Where each pipe ran last: what it looked up may still be there. */
  readonly #last = new Map<string, Seat>()
  readonly #culprits: Culprits

  constructor(ports: RunsPorts) {
    this.#ports = ports
    this.#culprits = new Culprits(() => ports.now())
  }

  underWay(): readonly PooledRun[] {
    return [...this.#underWay.values()]
  }

  /** Of a pipe, one in the background among them. */
  of({ tenant, pipe }: PipeName): readonly PooledRun[] {
    return this.underWay().filter((run) => run.tenant === tenant && run.pipe === pipe)
  }

  /** Codes: already-running; run-lost, with the reason, when it ended with its thread; run-paused, not again yet; run-interrupted, when the hub ends. */
  async run(argument: RunArgument, { staysPut }: RunPlacing): Promise<RunReport> {
    const key = keyOf(argument)
    const isBackground = argument.order.isBackground === true
    const lane = JSON.stringify([key, isBackground])
    if (this.#underWay.has(lane)) {
      throw new HubError('already-running', `Pipe '${argument.pipe}' is running already.`)
    }
    const paused = this.#culprits.pausedBecause(key)
    if (paused !== null) throw lostRun(paused, 'run-paused')
    const run: PooledRun = {
      tenant: argument.tenant,
      pipe: argument.pipe,
      isBackground,
      startedAt: this.#ports.now(),
      // Both runs of a pipe share memory (a rescan beside incremental ones).
      seat: this.of(argument)[0]?.seat ?? this.#seatFor(key, staysPut),
    }
    this.#underWay.set(lane, run)
    this.#ports.announce(run, true)
    try {
      const report = await this.#persist(run, argument)
      if (report.outcome === 'completed') this.#culprits.clear(key)
      return report
    } finally {
      this.#underWay.delete(lane)
      if (this.of(run).length === 0) this.#ports.announce(run, false)
    }
  }

  #seatFor(key: string, staysPut: boolean): Seat {
    const last = this.#last.get(key)
    return staysPut && last !== undefined ? last : this.#ports.choose(last)
  }

  /** Somebody asks for it, whatever happened before. */
  excuse(pipe: PipeName): void {
    this.#culprits.excuse(keyOf(pipe))
  }

  /** It is another pipe now, or none. */
  forget(pipe: PipeName): void {
    this.#culprits.clear(keyOf(pipe))
  }

  async #persist(run: PooledRun, argument: RunArgument): Promise<RunReport> {
    const key = keyOf(run)
    for (let losses = 1; ; losses++) {
      this.#last.set(key, run.seat)
      try {
        return await run.seat.use((thread) => thread.call('run', argument))
      } catch (error) {
        const loss = lossOf(error)
        if (loss === null) throw error
        if (this.#ports.isClosing()) throw new HubError('run-interrupted', 'The hub ends.')
        if (isOf(loss.culprit, run)) {
          const message = this.#blame(run, loss)
          this.#culprits.add(key, message)
          throw lostRun(message)
        }
        if (losses === LOSSES) throw lostRun(`Its thread was lost ${losses} times; at last ${loss.message}.`)
        run.seat = this.of(run).find((other) => other !== run)?.seat ?? this.#ports.choose(run.seat)
      }
    }
  }

  #blame({ pipe }: PooledRun, { kind, message }: Loss): string {
    const which = `Pipe '${pipe}'`
    if (kind === 'held') {
      return `${which} held its thread for more than ${this.#ports.patienceSeconds} seconds without finishing a batch; it was ended with its thread.`
    }
    if (kind === 'memory') return `${which} needed more memory than its thread has; it was ended with its thread.`
    return `${which} was ended with its thread, which was lost: ${message}.`
  }
}

const keyOf = ({ tenant, pipe }: PipeName): string => JSON.stringify([tenant, pipe])

const isOf = (culprit: PipeName | null, { tenant, pipe }: PipeName): boolean =>
  culprit !== null && culprit.tenant === tenant && culprit.pipe === pipe

const lostRun = (message: string, code = 'run-lost'): HubError =>
  new HubError(code, message, {
    hint: 'Give it a smaller batch_size, or make its program do less for an entity; everything that it had committed is kept.',
  })
