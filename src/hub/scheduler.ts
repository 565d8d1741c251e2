/** Decides when pumps run: on their interval, when an input grew (a signal), when what they waited for came, and when asked. */

import type { Pipe } from '../pipes/pipe.ts'
import { runsByPump } from '../pipes/pipe.ts'
import type { RunReport } from '../pipes/run-report.ts'
import { isRescan, nextRunAt, signalsOf } from '../pipes/schedule.ts'
import { HubError } from './errors.ts'

export interface PumpState {
  isDisabled: boolean
  /** Said when it was disabled. */
  comment: string | null
  lastStartedAt: number | null
  lastEndedAt: number | null
  last: RunReport | null
  /** Runs that were counted for rescan_run_count. */
  runs: number
  running: { readonly startedAt: number; read: number; readonly isRescan: boolean } | null
}

/** What a dataset looks like to the scheduler. */
export interface InputState {
  readonly end: number
  readonly populated: boolean
  /** Its circuit breaker tripped: no pipe may write it. */
  readonly isTripped?: boolean
}

export interface SchedulerPorts {
  now(): number
  run(pipe: string, rescan: boolean): Promise<RunReport>
  stop(pipe: string): Promise<void>
  /** Datasets as they are now. */
  inputs(): ReadonlyMap<string, InputState>
  /** Resolves when the log grew past `seen`, or after the time. */
  grown(seen: number, timeoutMs: number): Promise<number>
  grownTo(): number
  /** Keeps the state over a restart. */
  save(pipe: string, state: PumpState): Promise<void>
  ended(pipe: string, report: RunReport): void
}

/** Signals are looked at this often at most, so that a stream of small commits costs little. */
const SIGNAL_PAUSE_MS = 20
/** A pipe that waits for something is tried again after this long even without a signal. */
const WAITING_RETRY_MS = 5_000

export class Scheduler {
  readonly #ports: SchedulerPorts
  readonly #states = new Map<string, PumpState>()
  #pipes: ReadonlyMap<string, Pipe> = new Map()
  /** The configuration lets pumps run by themselves (task_manager). */
  #isScheduled = true
  /** Runs by themselves; otherwise only when asked. */
  #isAutomatic = false
  #isStopped = false
  #loop: Promise<void> | null = null
  #wake: () => void = () => {}
  readonly #inFlight = new Map<string, Promise<RunReport>>()

  constructor(ports: SchedulerPorts) {
    this.#ports = ports
  }

  /** The pipes from now on; known pumps keep their state. `saved` gives what was kept over a restart. */
  setPipes(
    isScheduled: boolean,
    pipes: ReadonlyMap<string, Pipe>,
    saved: (pipe: string) => Partial<PumpState> | undefined,
  ): void {
    this.#pipes = pipes
    this.#isScheduled = isScheduled
    for (const id of [...this.#states.keys()]) {
      if (!pipes.has(id) && !this.#inFlight.has(id)) this.#states.delete(id)
    }
    for (const id of pipes.keys()) {
      if (!this.#states.has(id)) this.#states.set(id, { ...fresh(), ...saved(id) })
    }
    this.#wake()
  }

  state(pipe: string): PumpState {
    return this.#states.get(pipe) ?? fresh()
  }

  nextRunAt(id: string): number | null {
    const pipe = this.#pipes.get(id)
    const state = this.#states.get(id)
    if (pipe === undefined || state === undefined || state.isDisabled || !runsByPump(pipe)) return null
    return nextRunAt(pipe.pump, state.lastStartedAt, this.#ports.now())
  }

  start(): void {
    if (this.#isAutomatic || this.#isStopped) return
    this.#isAutomatic = true
    this.#loop = this.#watch()
  }

  /** No new runs; those under way end between two batches. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    await Promise.all([...this.#inFlight.keys()].map((pipe) => this.#ports.stop(pipe)))
    await Promise.allSettled([...this.#inFlight.values()])
    await this.#loop
  }

  /** Runs it now and gives the report; an error when it is running or may not run. */
  run(id: string, options: { readonly rescan: boolean } = { rescan: false }): Promise<RunReport> {
    const pipe = this.#pipes.get(id)
    if (pipe === undefined || !runsByPump(pipe)) {
      throw new HubError('unsupported-operation', `Pump '${id}' doesn't support the operation 'start'.`)
    }
    if (pipe.pump.mode === 'off') {
      throw new HubError(
        'unsupported-operation',
        `Pump '${id}' doesn't support the operation 'start': its mode is 'off'.`,
      )
    }
    if (this.#inFlight.has(id)) throw new HubError('already-running', `The pump of pipe '${id}' is running already.`)
    return this.#begin(id, pipe, options.rescan)
  }

  async stop(id: string): Promise<void> {
    const run = this.#inFlight.get(id)
    if (run === undefined) return
    await this.#ports.stop(id)
    await run.catch(() => {})
  }

  /** Waits until a run of the pipe that is under way has ended. */
  async ended(id: string): Promise<void> {
    await this.#inFlight.get(id)?.catch(() => {})
  }

  async setDisabled(id: string, isDisabled: boolean, comment: string | null): Promise<void> {
    const state = this.state(id)
    state.isDisabled = isDisabled
    state.comment = comment
    await this.#ports.save(id, state)
    this.#wake()
  }

  progress(id: string, read: number): void {
    const running = this.#states.get(id)?.running
    if (running) running.read = read
  }

  /** Makes the pump due at once. */
  wake(id: string): void {
    this.state(id).lastStartedAt = null
    this.#wake()
  }

  /** Forgets what the last run saw, after a reset: a signal counts again. */
  forget(id: string): void {
    const state = this.state(id)
    state.last = null
    this.#wake()
  }

  /** Something of this name was erased: what the last runs said of it goes, too. */
  async forgetMentions(name: string): Promise<void> {
    for (const [id, state] of this.#states) {
      if (!state.last?.message?.includes(name)) continue
      state.last = { ...state.last, message: 'The message named an entity that was erased.' }
      await this.#ports.save(id, state)
    }
  }

  #begin(id: string, pipe: Pipe, rescan: boolean): Promise<RunReport> {
    const state = this.state(id)
    state.runs++
    const isFullAgain = rescan || isRescan(pipe.pump, state.runs)
    state.running = { startedAt: this.#ports.now(), read: 0, isRescan: isFullAgain }
    const run = this.#finish(id, state, isFullAgain)
    this.#inFlight.set(id, run)
    run.catch(() => {})
    return run
  }

  async #finish(id: string, state: PumpState, rescan: boolean): Promise<RunReport> {
    const startedAt = this.#ports.now()
    try {
      const report = await this.#ports.run(id, rescan)
      state.last = report
      return report
    } finally {
      state.running = null
      state.lastStartedAt = startedAt
      state.lastEndedAt = this.#ports.now()
      this.#inFlight.delete(id)
      if (state.last !== null) {
        this.#ports.ended(id, state.last)
        // Runs that did nothing leave no trace on disk.
        if (!this.#isStopped && (state.last.changes > 0 || state.last.outcome === 'failed')) {
          await this.#ports.save(id, state)
        }
      }
      this.#wake()
    }
  }

  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      const seen = this.#ports.grownTo()
      this.#startDue()
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await Promise.race([this.#ports.grown(seen, this.#untilNextMs()), woken])
      if (!this.#isStopped) await new Promise((resolve) => setTimeout(resolve, SIGNAL_PAUSE_MS))
    }
  }

  #untilNextMs(): number {
    const now = this.#ports.now()
    let soonest = now + 60_000
    for (const id of this.#pipes.keys()) {
      if (this.#inFlight.has(id)) continue
      const due = this.#dueAt(id)
      if (due !== null && due < soonest) soonest = due
    }
    return Math.max(1, soonest - now)
  }

  #dueAt(id: string): number | null {
    const state = this.state(id)
    const due = this.nextRunAt(id)
    if (due === null || state.last?.outcome !== 'waiting') return due
    return Math.min(due, (state.lastEndedAt ?? 0) + WAITING_RETRY_MS)
  }

  #startDue(): void {
    if (!this.#isScheduled) return
    const now = this.#ports.now()
    let inputs: ReadonlyMap<string, InputState> | undefined
    for (const [id, pipe] of this.#pipes) {
      const state = this.state(id)
      if (this.#inFlight.has(id) || state.isDisabled || !runsByPump(pipe) || pipe.pump.mode !== 'scheduled') continue
      const due = this.#dueAt(id)
      let isDue = due !== null && due <= now
      if (!isDue && pipe.source.signalled) {
        inputs ??= this.#ports.inputs()
        isDue = isSignalled(pipe, state, inputs)
      }
      if (isDue) void this.#begin(id, pipe, false).catch(() => {})
    }
  }
}

/** An input grew since the run that saw it last, or all it reads is populated by now and its own dataset is not yet. */
function isSignalled(pipe: Pipe, state: PumpState, inputs: ReadonlyMap<string, InputState>): boolean {
  const { last } = state
  if (pipe.sink.kind === 'dataset' && inputs.get(pipe.sink.dataset)?.isTripped) return false
  if (last === null) return true
  for (const input of signalsOf(pipe)) {
    const known = inputs.get(input)
    if (known !== undefined && known.end > (last.inputEnds[input] ?? 0) && last.outcome !== 'waiting') return true
  }
  if (last.outcome === 'waiting') {
    return [...pipe.reads, ...pipe.source.inputs].every((dataset) => inputs.get(dataset)?.populated === true)
  }
  const { sink } = pipe
  return (
    last.outcome === 'completed' &&
    sink.kind === 'dataset' &&
    sink.populatedWhen === 'if-source-populated' &&
    inputs.get(sink.dataset)?.populated === false &&
    pipe.source.inputs.length > 0 &&
    pipe.source.inputs.every((dataset) => inputs.get(dataset)?.populated === true)
  )
}

const fresh = (): PumpState => ({
  isDisabled: false,
  comment: null,
  lastStartedAt: null,
  lastEndedAt: null,
  last: null,
  runs: 0,
  running: null,
})
