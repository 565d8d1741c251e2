/** Runs all pipes, again and again, until nothing changes any more: the whole of a batch job (`samtale run`). */

import { type Pipe, runsByPump } from '../pipes/pipe.ts'
import type { RunReport } from '../pipes/run-report.ts'
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
    for (const level of tenant.levels()) {
      const reports = await Promise.all(
        level.filter(runs).map(async (pipe) => {
          const report = await tenant.runNow(pipe.id)
          hear(pipe.id, report, pass)
          return { pipe, report }
        }),
      )
      for (const { pipe, report } of reports) {
        add(totals, pipe.id, report)
        const isNews = report.changes > 0 || report.outcome !== before.get(pipe.id)
        if (pipe.sink.kind === 'dataset' && isNews) isSettled = false
      }
      if (signal.aborted) break
    }
  }
  signal.removeEventListener('abort', stop)
  return { totals: tenant.pipeIds().map((id) => describe(tenant, id, totals.get(id))), isSettled }
}

/** A pump that is off is left alone, as everywhere. */
const runs = (pipe: Pipe): boolean => runsByPump(pipe) && pipe.pump.mode !== 'off'

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
