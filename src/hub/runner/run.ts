/** One run of the pipe runner: begins from nothing where it is to, then passes over all pipes until nothing changes (rest-api.md §8.3). */

import type { Pipe } from '../../pipes/pipe.ts'
import type { RunReport } from '../../pipes/run-report.ts'
import { runPass } from '../passes.ts'
import type { RunnerOptions, RunnerResult } from './contract.ts'
import type { RunnerLog } from './log.ts'
import { RunnerStatistics } from './statistics.ts'

/** What a run does to its tenant. */
export interface RunnerPorts {
  now(): number
  /** Pipes that it runs, in the order in which each stands after those that write what it reads. */
  levels(): readonly (readonly Pipe[])[]
  /** Pipes that have errors in their configuration, and pumps that are disabled, each with what to say of it. */
  invalid(): readonly string[]
  disabled(): readonly string[]
  run(pipe: string): Promise<RunReport>
  stop(pipe: string): Promise<void>
  /** Changes that a pipe has not taken in yet, and reasons to read again what it has. */
  waiting(pipe: Pipe): number
  reset(options: { readonly deletesInputs: boolean }): Promise<{ readonly pipes: number; readonly datasets: number }>
  compactLogs(): Promise<void>
  /** While it is held, no user's pump runs by itself. */
  hold(isHeld: boolean): void
}

/** What timers can wait for: 24 days. */
export const LONGEST_MS = 2 ** 31 - 1

type Outcome = Pick<RunReport, 'outcome' | 'read' | 'changes' | 'seconds' | 'message' | 'hint'>

/** What a pass left behind. */
interface Left {
  readonly changes: number
  /** Pipes that still have work to do, with what hinders them. */
  readonly atWork: readonly string[]
}

export class RunnerRun {
  readonly #ports: RunnerPorts
  readonly #options: RunnerOptions
  readonly #log: RunnerLog
  readonly #statistics = new RunnerStatistics()
  /** By pipe, of its last run. */
  readonly #outcomes = new Map<string, Outcome>()
  readonly #abort = new AbortController()

  constructor(ports: RunnerPorts, options: RunnerOptions, log: RunnerLog) {
    this.#ports = ports
    this.#options = options
    this.#log = log
  }

  /** `why` goes into the log. */
  end(why: string): void {
    this.#abort.abort(why)
  }

  async result(): Promise<RunnerResult> {
    const { now, hold } = this.#ports
    const { maxRunSeconds } = this.#options
    const begun = now()
    const late = () => this.end(`It took more than max_run_time, ${maxRunSeconds} s.`)
    const limit = setTimeout(late, Math.min(maxRunSeconds * 1_000, LONGEST_MS))
    hold(true)
    try {
      const reason = await this.#settle().catch((error: Error) => error.message)
      const seconds = ((now() - begun) / 1_000).toFixed(1)
      if (reason === null) this.#log.tell('INFO', `Success: all pipes ran to completion in ${seconds} s.`)
      else this.#log.tell('ERROR', `Failed after ${seconds} s: ${reason}`)
      return { status: reason === null ? 'success' : 'failed', reason, statistics: this.#statistics.text() }
    } finally {
      clearTimeout(limit)
      hold(false)
    }
  }

  /** Null: all is well; otherwise why not. */
  async #settle(): Promise<string | null> {
    const { extraZeroRuns, maxRuns, maxRunSeconds, resets, deletesInputs } = this.#options
    this.#log.tell(
      'INFO',
      `Begun: at most ${maxRuns} passes and ${maxRunSeconds} s, until ${1 + extraZeroRuns} in a row change nothing.`,
    )
    for (const text of this.#ports.disabled()) this.#log.tell('WARNING', text)
    if (this.#options.compactsLogs) await this.#ports.compactLogs()
    if (resets) {
      const { pipes, datasets } = await this.#ports.reset({ deletesInputs })
      this.#log.tell('INFO', `Reset: ${counted(pipes, 'pipe')}, and ${counted(datasets, 'dataset')} emptied.`)
    }
    let zeros = 0
    let stuck = 0
    let before = ''
    for (let pass = 1; pass <= maxRuns; pass++) {
      const { changes, atWork } = await this.#pass(pass)
      if (this.#abort.signal.aborted) return this.#abort.signal.reason as string
      zeros = changes === 0 && atWork.length === 0 ? zeros + 1 : 0
      if (zeros > extraZeroRuns) return this.#verdict()
      // Pipes that have work to do and do nothing about it will not begin to.
      stuck = changes === 0 && zeros === 0 && atWork.join() === before ? stuck + 1 : 0
      before = atWork.join()
      if (stuck > extraZeroRuns) return this.#halted('Nothing moves any more, and there is still work to do.', atWork)
    }
    return this.#halted(`After max_runs, ${maxRuns} passes, there is still work to do.`, before === '' ? [] : [before])
  }

  async #pass(pass: number): Promise<Left> {
    const levels = this.#ports.levels()
    const stopAll = () => {
      for (const { id } of levels.flat()) void this.#ports.stop(id)
    }
    const { signal } = this.#abort
    const begun = this.#ports.now()
    signal.addEventListener('abort', stopAll)
    const done = await runPass(levels, (pipe) => this.#run(pipe, pass), signal)
    signal.removeEventListener('abort', stopAll)
    // Versions count, and not what was sent elsewhere: who reads a system without a memory sends it all each time.
    const changes = done.reduce((sum, [{ sink }, report]) => sum + (sink.kind === 'dataset' ? report.changes : 0), 0)
    const seconds = ((this.#ports.now() - begun) / 1_000).toFixed(1)
    this.#log.tell(
      'INFO',
      `Pass ${pass}: ${counted(done.length, 'pipe')} ran in ${seconds} s, ${counted(changes, 'change')}.`,
    )
    return { changes, atWork: done.flatMap(([pipe, report]) => this.#workOf(pipe, report)) }
  }

  async #run(pipe: Pipe, pass: number): Promise<Outcome> {
    const outcome = await this.#ports.run(pipe.id).catch((error: Error & { hint?: string }) => failed(error))
    this.#statistics.add(pipe.id, outcome)
    this.#tell(pipe, outcome, pass)
    this.#outcomes.set(pipe.id, outcome)
    return outcome
  }

  /** What is news: what changed, and what does not go as it should, once. */
  #tell(pipe: Pipe, { outcome, read, changes, seconds, message, hint }: Outcome, pass: number): void {
    const what = `Pass ${pass}: pipe '${pipe.id}'`
    const isKnown = this.#outcomes.get(pipe.id)?.message === message
    if (outcome === 'failed') {
      const isForgiven = this.#isForgiven(pipe)
      const rest = isForgiven ? ' It reads something outside the hub, so the run goes on.' : ''
      if (!isKnown)
        this.#log.tell(isForgiven ? 'WARNING' : 'ERROR', `${what} failed: ${message}${hint ? ` ${hint}` : ''}${rest}`)
    } else if (outcome === 'waiting') {
      if (!isKnown) this.#log.tell('INFO', `${what} ${message}.`)
    } else if (changes > 0) {
      this.#log.tell('INFO', `${what} read ${read} and changed ${changes} in ${seconds.toFixed(2)} s.`)
    }
  }

  /** A pipe that failed is reported as such, and its queue with it. */
  #workOf(pipe: Pipe, { outcome, message }: Outcome): readonly string[] {
    if (outcome === 'failed') return []
    const waiting = this.#ports.waiting(pipe)
    if (waiting === 0) return []
    const why = outcome === 'waiting' ? `it ${message}` : `waiting for it: ${counted(waiting, 'change')}`
    return [`pipe '${pipe.id}' (${why})`]
  }

  #halted(what: string, atWork: readonly string[]): string {
    const verdict = this.#verdict()
    const at = atWork.length === 0 ? '' : ` At work: ${atWork.join(', ')}.`
    return `${what}${at}${verdict === null ? '' : ` ${verdict}`}`
  }

  /** What does not go as it should although all has settled; null: nothing. */
  #verdict(): string | null {
    const failing = this.#ports
      .levels()
      .flat()
      .filter((pipe) => this.#outcomes.get(pipe.id)?.outcome === 'failed' && !this.#isForgiven(pipe))
      .map(({ id }) => `Pipe '${id}' failed: ${this.#outcomes.get(id)?.message}`)
    const problems = [...this.#ports.invalid(), ...failing]
    return problems.length === 0 ? null : problems.join(' ')
  }

  /** Input pipes fail where their systems are not there, as in tests. */
  #isForgiven(pipe: Pipe): boolean {
    return pipe.source.inputs.length === 0 && !this.#options.checksInputs
  }
}

const failed = ({ message, hint }: Error & { hint?: string }): Outcome => ({
  outcome: 'failed',
  read: 0,
  changes: 0,
  seconds: 0,
  message,
  hint: hint ?? null,
})

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
