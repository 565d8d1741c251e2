/** The pipe runner of a tenant: one run at a time, and what is remembered of the last one. */

import { randomUUID } from 'node:crypto'
import { HubError } from '../errors.ts'
import type { Runner, RunnerLine, RunnerOptions, RunnerResult, RunnerStatus } from './contract.ts'
import { RunnerLog } from './log.ts'
import { LONGEST_MS, type RunnerPorts, RunnerRun } from './run.ts'

interface Begun {
  readonly token: string
  readonly run: RunnerRun
  readonly log: RunnerLog
  readonly ended: Promise<RunnerResult>
  status: Exclude<RunnerStatus, 'not-running'>
}

export class PipeRunner implements Runner {
  readonly #ports: RunnerPorts
  #last: Begun | null = null

  constructor(ports: RunnerPorts) {
    this.#ports = ports
  }

  start(options: RunnerOptions): { readonly token: string; readonly ended: Promise<RunnerResult> } {
    if (this.#last?.status === 'running') {
      throw new HubError('runner-active', 'The pipe runner is at work already.', {
        hint: 'Wait for it, or POST /api/pipes/stop-run-all-pipes first.',
      })
    }
    const log = new RunnerLog(this.#ports.now)
    const run = new RunnerRun(this.#ports, options, log)
    const ended = run.result()
    const begun: Begun = { token: randomUUID(), run, log, ended, status: 'running' }
    this.#last = begun
    void ended.then(({ status }) => {
      begun.status = status
    })
    return { token: begun.token, ended }
  }

  status(token: string): RunnerStatus {
    return this.#last?.token === token ? this.#last.status : 'not-running'
  }

  lines(since?: string, token?: string): readonly RunnerLine[] {
    if (this.#last === null || (token !== undefined && token !== this.#last.token)) return []
    return this.#last.log.since(since)
  }

  async stop(timeoutMs: number): Promise<boolean> {
    const last = this.#last
    if (last === null || last.status !== 'running') return true
    last.run.end('It was stopped.')
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), Math.min(timeoutMs, LONGEST_MS))
    })
    const isEnded = await Promise.race([last.ended.then(() => true), late])
    clearTimeout(timer)
    return isEnded
  }

  /** The tenant ends: so does a run. */
  async close(): Promise<void> {
    if (this.#last?.status !== 'running') return
    this.#last.run.end('The hub ended.')
    await this.#last.ended
  }
}
