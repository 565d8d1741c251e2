/** Decides when pumps run: on their schedule, when an input grew (a signal), when what they waited for came, and when asked. */

import type { User } from '../pipes/execution/event.ts'
import type { Pipe } from '../pipes/pipe.ts'
import { runsByPump } from '../pipes/pipe.ts'
import type { RunReport } from '../pipes/run-report.ts'
import {
  countsRuns,
  isScheduleKept,
  nextRunAt,
  type RunKind,
  type RunOrder,
  runKind,
  scheduleText,
} from '../pipes/schedule.ts'
import { HubError } from './errors.ts'
import { fresh, type PumpState, type Running } from './pump-state.ts'
import { type InputState, isSignalled, type Released, WAITS_FOR_RESCAN } from './signals.ts'

export interface SchedulerPorts {
  now(): number
  run(pipe: string, order: RunOrder): Promise<RunReport>
  /** Ends all runs of the pipe. */
  stop(pipe: string): Promise<void>
  /** Datasets as they are now. */
  inputs(): ReadonlyMap<string, InputState>
  /** How far the source of a pipe would let entities through now; absent: nobody knows. */
  readonly released?: Released
  /** Resolves when the log grew past `seen`, or after the time. */
  grown(seen: number, timeoutMs: number): Promise<number>
  grownTo(): number
  /** Keeps states over a restart. */
  save(states: ReadonlyMap<string, PumpState>): Promise<void>
  /** `user`: who asked for the run; null: it was due. */
  ended(pipe: string, report: RunReport, user: User | null): void
}

/** After a look for what is due nothing is looked for during this many times as long, so that a stream of small commits costs little. */
const REST_SHARE = 4
const LEAST_REST_MS = 1
/** However long it took: on a busy machine most of it is waiting for the processor. */
const LONGEST_REST_MS = 10
/** A pipe that waits for something is tried again after this long even without a signal. */
const WAITING_RETRY_MS = 5_000
const LONGEST_SLEEP_MS = 60_000

/** A run that somebody asks for. */
export interface AskedRun {
  readonly rescan: boolean
  readonly user?: User | null
}

/** May the pump run by itself, as far as the node is concerned (task_manager)? */
export type MayRun = (pipe: Pipe) => boolean

export class Scheduler {
  readonly #ports: SchedulerPorts
  readonly #states = new Map<string, PumpState>()
  #pipes: ReadonlyMap<string, Pipe> = new Map()
  #mayRun: MayRun = () => true
  /** Runs by themselves; otherwise only when asked. */
  #isAutomatic = false
  #isStopped = false
  #loop: Promise<void> | null = null
  #wake: () => void = () => {}
  readonly #inFlight = new Map<string, Promise<RunReport>>()
  readonly #rescans = new Map<string, Promise<RunReport>>()
  /** Pumps that are to run once as soon as they can: at the start, or because of a signal from outside. */
  readonly #owed = new Set<string>()

  constructor(ports: SchedulerPorts) {
    this.#ports = ports
  }

  /** The pipes from now on; known pumps keep their state. `saved` gives what was kept over a restart. */
  async setPipes(mayRun: MayRun, pipes: ReadonlyMap<string, Pipe>, saved: (pipe: string) => PumpState): Promise<void> {
    this.#pipes = pipes
    this.#mayRun = mayRun
    for (const id of [...this.#states.keys()]) {
      if (!pipes.has(id) && !this.#inFlight.has(id) && !this.#rescans.has(id)) this.#forgetPipe(id)
    }
    const changed = new Map<string, PumpState>()
    for (const [id, pipe] of pipes) {
      const state = this.#states.get(id) ?? saved(id)
      this.#states.set(id, state)
      if (this.#noteSchedule(pipe, state)) changed.set(id, state)
    }
    this.#wake()
    if (changed.size > 0) await this.#ports.save(changed)
  }

  /** Another schedule counts from now on; gives whether that must be kept. */
  #noteSchedule({ pump }: Pipe, state: PumpState): boolean {
    const schedule = scheduleText(pump)
    if (state.schedule === schedule) return false
    state.schedule = schedule
    state.scheduledAt = this.#ports.now()
    return isScheduleKept(pump)
  }

  #forgetPipe(id: string): void {
    this.#states.delete(id)
    this.#owed.delete(id)
  }

  state(pipe: string): PumpState {
    return this.#states.get(pipe) ?? fresh()
  }

  /** When the pump runs by itself next; null: not as things are. */
  nextRunAt(id: string): number | null {
    const pipe = this.#pipes.get(id)
    const state = this.#states.get(id)
    if (pipe === undefined || state === undefined || !this.#runsByItself(pipe, state)) return null
    const now = this.#ports.now()
    return this.#owed.has(id) ? now : nextRunAt(pipe.pump, state, now)
  }

  #runsByItself(pipe: Pipe, state: PumpState): boolean {
    return !state.isDisabled && runsByPump(pipe) && pipe.pump.mode === 'scheduled' && this.#mayRun(pipe)
  }

  start(): void {
    if (this.#isAutomatic || this.#isStopped) return
    this.#isAutomatic = true
    this.#oweStartRuns()
    this.#loop = this.#watch()
  }

  /** `run_at_startup`, and `run_at_startup_if_not_populated` where the dataset is not. */
  #oweStartRuns(): void {
    const inputs = this.#ports.inputs()
    for (const { id, pump, sink } of this.#pipes.values()) {
      const isPopulated = sink.kind === 'dataset' && inputs.get(sink.dataset)?.populated === true
      if (pump.runAtStartup || (pump.runAtStartupIfNotPopulated && !isPopulated)) this.#owed.add(id)
    }
  }

  /** No new runs; those under way end between two batches. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    const running = () => [...this.#inFlight, ...this.#rescans]
    await Promise.all(running().map(([pipe]) => this.#ports.stop(pipe)))
    await Promise.allSettled(running().map(([, run]) => run))
    await this.#loop
  }

  /** Runs it now and gives the report; an error when it is running or may not run. */
  run(id: string, options: AskedRun = { rescan: false }): Promise<RunReport> {
    const operation = options.rescan ? 'start-rescan' : 'start'
    const pipe = this.#pipes.get(id)
    if (pipe === undefined || !runsByPump(pipe)) {
      throw new HubError('unsupported-operation', `Pump '${id}' doesn't support the operation '${operation}'.`)
    }
    if (pipe.pump.mode === 'off') {
      throw new HubError(
        'unsupported-operation',
        `Pump '${id}' doesn't support the operation '${operation}': its mode is 'off'.`,
      )
    }
    const isBusy = options.rescan && pipe.rescansInBackground ? this.#rescans.has(id) : this.#inFlight.has(id)
    if (isBusy) throw new HubError('already-running', `The pump of pipe '${id}' is running already.`)
    return this.#begin(pipe, options.rescan ? 'rescan' : null, options.user ?? null)
  }

  async stop(id: string): Promise<void> {
    if (!this.#inFlight.has(id) && !this.#rescans.has(id)) return
    await this.#ports.stop(id)
    await this.ended(id)
  }

  /** Waits until runs of the pipe that are under way have ended. */
  async ended(id: string): Promise<void> {
    await Promise.allSettled([this.#inFlight.get(id), this.#rescans.get(id)])
  }

  isRunning(id: string): boolean {
    return this.#inFlight.has(id) || this.#rescans.has(id)
  }

  async setDisabled(id: string, isDisabled: boolean, comment: string | null): Promise<void> {
    const state = this.state(id)
    state.isDisabled = isDisabled
    state.comment = comment
    await this.#ports.save(new Map([[id, state]]))
    this.#wake()
  }

  progress(id: string, read: number, isRescan: boolean): void {
    const state = this.#states.get(id)
    const running = isRescan ? state?.rescanning : state?.running
    if (running) running.read = read
  }

  /** Somebody says that there is news for the pipe: it runs once more, soon. A run under way is not disturbed. */
  signal(id: string): void {
    const pipe = this.#pipes.get(id)
    if (pipe === undefined || !this.#runsByItself(pipe, this.state(id))) return
    this.#owed.add(id)
    this.#wake()
  }

  /** What pumps may do by themselves is another thing now. */
  reconsider(): void {
    this.#wake()
  }

  /** Forgets what the last run saw, after a reset: a signal counts again. */
  forget(id: string): void {
    this.state(id).last = null
    this.#wake()
  }

  /** Runs of pipes that are others now end between two batches, and begin again with what the pipe is, where it may. */
  restart(pipes: readonly string[]): void {
    for (const id of pipes) {
      if (this.isRunning(id) && this.#pipes.has(id)) void this.#restartOne(id).catch(() => {})
    }
  }

  async #restartOne(id: string): Promise<void> {
    const state = this.state(id)
    const { running, rescanning } = state
    state.isDeploying = true
    try {
      await this.stop(id)
    } finally {
      state.isDeploying = false
    }
    const pipe = this.#pipes.get(id)
    if (pipe === undefined || this.#isStopped || !mayGoOn(pipe, state)) return
    if (running !== null && !this.#inFlight.has(id)) {
      void this.#beginMain(pipe, state, running.kind, this.#ports.now(), null)
    }
    if (rescanning !== null && pipe.rescansInBackground && !this.#rescans.has(id)) {
      void this.#beginRescan(pipe, state, this.#ports.now(), null)
    }
  }

  /** A background rescan that was interrupted is not gone on with. */
  async forgetRescan(id: string): Promise<void> {
    const state = this.state(id)
    state.owesRescan = false
    await this.#ports.save(new Map([[id, state]]))
  }

  /** Something of this name was erased: what the last runs said of it goes, too. */
  async forgetMentions(name: string): Promise<void> {
    for (const [id, state] of this.#states) {
      const reports = [state.last, state.lastRescan]
      if (!reports.some((report) => report?.message?.includes(name))) continue
      state.last = withoutMention(state.last, name)
      state.lastRescan = withoutMention(state.lastRescan, name)
      await this.#ports.save(new Map([[id, state]]))
    }
  }

  /** `asked`: what the run is to do; null: what its schedule says. */
  #begin(pipe: Pipe, asked: RunKind | null, user: User | null = null): Promise<RunReport> {
    const state = this.state(pipe.id)
    const startedAt = this.#ports.now()
    this.#owed.delete(pipe.id)
    state.runs++
    const kind = asked ?? runKind(pipe.pump, state, state.runs, startedAt)
    if (kind === 'rescan') state.rescannedAt = startedAt
    if (kind !== 'rescan' || !pipe.rescansInBackground) return this.#beginMain(pipe, state, kind, startedAt, user)
    if (!this.#rescans.has(pipe.id)) {
      // The schedule has had its run; the next goes on beside the rescan.
      state.lastStartedAt = startedAt
      return this.#beginRescan(pipe, state, startedAt, user)
    }
    return this.#beginMain(pipe, state, 'incremental', startedAt, user)
  }

  #beginMain(pipe: Pipe, state: PumpState, kind: RunKind, startedAt: number, user: User | null): Promise<RunReport> {
    state.running = { startedAt, read: 0, kind }
    return this.#track(this.#inFlight, pipe, this.#finish(pipe, state, state.running, user))
  }

  #beginRescan(pipe: Pipe, state: PumpState, startedAt: number, user: User | null): Promise<RunReport> {
    state.rescanning = { startedAt, read: 0, kind: 'rescan' }
    return this.#track(this.#rescans, pipe, this.#finishRescan(pipe, state, user))
  }

  #track(lane: Map<string, Promise<RunReport>>, { id }: Pipe, run: Promise<RunReport>): Promise<RunReport> {
    lane.set(id, run)
    run.catch(() => {})
    return run
  }

  async #finish(pipe: Pipe, state: PumpState, { kind, startedAt }: Running, user: User | null): Promise<RunReport> {
    try {
      const report = await this.#ports.run(pipe.id, { kind, isBackground: false, ...by(user) })
      state.last = report
      if (report.owes === 'rescan') this.#beginOwedRescan(pipe, state, user)
      return report
    } finally {
      state.running = null
      state.lastStartedAt = startedAt
      state.lastEndedAt = this.#ports.now()
      this.#inFlight.delete(pipe.id)
      if (state.last !== null) {
        this.#ports.ended(pipe.id, state.last, user)
        // Runs that did nothing leave no trace on disk, unless the next one depends on when they were.
        const isNews = state.last.changes > 0 || state.last.outcome === 'failed'
        if (!this.#isStopped && (isNews || isScheduleKept(pipe.pump) || countsRuns(pipe.pump))) {
          await this.#ports.save(new Map([[pipe.id, state]]))
        }
      }
      this.#wake()
    }
  }

  async #finishRescan(pipe: Pipe, state: PumpState, user: User | null): Promise<RunReport> {
    const { id } = pipe
    if (!state.owesRescan) {
      state.owesRescan = true
      await this.#ports.save(new Map([[id, state]]))
    }
    try {
      const report = await this.#ports.run(id, { kind: 'rescan', isBackground: true, ...by(user) })
      state.lastRescan = report
      // What may not run beside others is done by an ordinary run; and somebody may have waited.
      const isAwaited = report.outcome === 'waiting' || report.owes === 'run' || state.last?.code === WAITS_FOR_RESCAN
      if (isAwaited) this.#owed.add(id)
      if (report.outcome === 'completed' || report.outcome === 'waiting') state.owesRescan = false
      return report
    } finally {
      state.rescanning = null
      this.#rescans.delete(id)
      if (state.lastRescan !== null) this.#ports.ended(id, state.lastRescan, user)
      if (!this.#isStopped) await this.#ports.save(new Map([[id, state]]))
      this.#wake()
    }
  }

  /** It went by what its configuration is no more: a rescan makes that anew beside its next runs. */
  #beginOwedRescan({ id }: Pipe, state: PumpState, user: User | null): void {
    const pipe = this.#pipes.get(id)
    if (pipe?.rescansInBackground !== true || this.#isStopped || this.#rescans.has(id)) return
    void this.#beginRescan(pipe, state, this.#ports.now(), user).catch(() => {})
  }

  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      const seen = this.#ports.grownTo()
      const lookedAt = this.#ports.now()
      this.#startDue()
      const took = this.#ports.now() - lookedAt
      const rest = Math.min(LONGEST_REST_MS, Math.max(LEAST_REST_MS, REST_SHARE * took))
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await sleep(rest)
      await Promise.race([this.#ports.grown(seen, this.#untilNextMs()), woken])
    }
  }

  #untilNextMs(): number {
    const now = this.#ports.now()
    let soonest = now + LONGEST_SLEEP_MS
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
    const now = this.#ports.now()
    let inputs: ReadonlyMap<string, InputState> | undefined
    for (const [id, pipe] of this.#pipes) {
      const state = this.state(id)
      if (this.#inFlight.has(id) || !this.#runsByItself(pipe, state)) continue
      const due = this.#dueAt(id)
      const isDue = due !== null && due <= now
      if (isDue && state.owesRescan && !this.#rescans.has(id)) this.#goOnRescanning(pipe, state, now)
      if (!isDue && pipe.source.signalled) {
        inputs ??= this.#ports.inputs()
        if (!isSignalled(pipe, state, inputs, this.#ports.released)) continue
      } else if (!isDue) continue
      if (isDue) state.lastDueAt = due
      void this.#begin(pipe, null).catch(() => {})
    }
  }

  /** One that was interrupted goes on when its pump is due. */
  #goOnRescanning(pipe: Pipe, state: PumpState, now: number): void {
    if (pipe.rescansInBackground) void this.#beginRescan(pipe, state, now, null).catch(() => {})
    else state.owesRescan = false
  }
}

const mayGoOn = (pipe: Pipe, { isDisabled }: PumpState): boolean =>
  runsByPump(pipe) && pipe.pump.mode !== 'off' && !isDisabled

const withoutMention = (report: RunReport | null, name: string): RunReport | null =>
  report?.message?.includes(name) === true
    ? { ...report, message: 'The message named an entity that was erased.' }
    : report

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const by = (user: User | null): { readonly user?: User } => (user === null ? {} : { user })
