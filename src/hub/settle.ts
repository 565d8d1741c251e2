/** Runs all pipes, again and again, until nothing changes any more: the whole of a batch job (`samtale run`). */

import type { Pipe } from '../pipes/pipe.ts'
import type { RunReport } from '../pipes/run-report.ts'
import { runPass, runsInPasses } from './passes.ts'
import type { HubTenant } from './tenant.ts'

export interface PipeTotal {
  readonly pipe: string
  /** Dataset it writes, if any, and how many live entities that has now. */
  readonly dataset: string | null
  readonly entities: number | null
  read: number
  changes: number
  seconds: number
  runs: number
  /** Of the last run. */
  outcome: RunReport['outcome'] | 'invalid' | 'idle'
  message: string | null
  hint: string | null
}

/** Passes at most: a configuration whose pipes feed one another for ever is reported, not endured. */
const PASSES = 100

/** Gives a total for each pipe. `hear` is told of each run that ended. */
export async function runUntilSettled(
  tenant: HubTenant,
  hear: (pipe: string, report: RunReport, pass: number) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): Promise<{ readonly totals: readonly PipeTotal[]; readonly isSettled: boolean }> {
  const totals = new Map<string, PipeTotal>()
  let isSettled = false
  const stop = () => {
    // Stopping fails only where there is nothing to stop.
    for (const id of tenant.pipeIds()) tenant.operate(id, 'stop', {}).catch(() => {})
  }
  signal.addEventListener('abort', stop)
  for (let pass = 1; pass <= PASSES && !isSettled && !signal.aborted; pass++) {
    isSettled = true
    const before = new Map([...totals].map(([pipe, { outcome }]) => [pipe, outcome]))
    const levels = tenant.levels().map((level) => level.filter(runsInPasses))
    const run = async ({ id }: Pipe) => {
      const report = await tenant.runNow(id)
      hear(id, report, pass)
      return report
    }
    for (const [pipe, report] of await runPass(levels, run, signal)) {
      add(totals, pipe.id, report)
      const isNews = report.changes > 0 || report.owes !== null || report.outcome !== before.get(pipe.id)
      if (pipe.sink.kind === 'dataset' && isNews) isSettled = false
    }
  }
  signal.removeEventListener('abort', stop)
  return { totals: tenant.pipeIds().map((id) => describe(tenant, id, totals.get(id))), isSettled }
}

function add(totals: Map<string, PipeTotal>, pipe: string, report: RunReport): void {
  const total = totals.get(pipe) ?? nothing(pipe)
  total.read += report.read
  total.changes += report.changes
  total.seconds += report.seconds
  total.runs++
  total.outcome = report.outcome
  total.message = report.message
  total.hint = report.hint
  totals.set(pipe, total)
}

const nothing = (pipe: string): PipeTotal => ({
  pipe,
  dataset: null,
  entities: null,
  read: 0,
  changes: 0,
  seconds: 0,
  runs: 0,
  outcome: 'invalid',
  message: null,
  hint: null,
})

function describe(tenant: HubTenant, id: string, total: PipeTotal = nothing(id)): PipeTotal {
  const sink = tenant.deployed(id)?.pipe?.sink
  const dataset = sink?.kind === 'dataset' ? sink.dataset : null
  const pipe = tenant.deployed(id)?.pipe
  const outcome = total.runs > 0 ? total.outcome : pipe ? 'idle' : 'invalid'
  return { ...total, outcome, dataset, entities: dataset === null ? null : tenant.liveEntities(dataset) }
}
