/** Tells of a run that is over in one line: what came of it, how much it did, and who asked for it. */

import type { User } from '../../pipes/execution/event.ts'
import type { Logger } from '../../pipes/logger.ts'
import type { RunReport } from '../../pipes/run-report.ts'
import type { Level } from './line.ts'

export interface EndedRun {
  readonly tenant: string
  readonly pipe: string
  readonly report: RunReport
  /** Null: it was due. */
  readonly user: User | null
}

export function tellRun(logger: Logger, { tenant, pipe, report, user }: EndedRun): void {
  const { outcome, syncType, read, changes, failed, pending, seconds, code, hint } = report
  const level = levelOf(report)
  // Whoever asked for a run wants to know, whatever came of it.
  logger[level === 'debug' && user !== null ? 'info' : level](messageOf(pipe, report), {
    tenant,
    pipe,
    outcome,
    sync_type: syncType,
    read,
    changes,
    seconds,
    ...(failed === 0 ? {} : { failed }),
    ...(pending === 0 ? {} : { pending }),
    ...(code === null ? {} : { code }),
    ...(hint === null ? {} : { hint }),
    ...(user === null ? {} : { user: user.user_id ?? user.remote_addr }),
    ...(user?.request_id === undefined ? {} : { request: user.request_id }),
  })
}

function levelOf({ outcome, changes, failed }: RunReport): Level {
  if (outcome === 'failed') return 'error'
  if (outcome === 'waiting') return 'debug'
  if (outcome === 'interrupted') return 'info'
  if (failed > 0) return 'warn'
  return changes > 0 ? 'info' : 'debug'
}

function messageOf(pipe: string, { outcome, message, changes, failed }: RunReport): string {
  const which = `Pipe '${pipe}'`
  if (outcome === 'failed') return `${which} failed: ${message}`
  if (outcome === 'waiting') return `${which} ${message}.`
  if (outcome === 'interrupted') return `${which} was stopped.`
  return `${which} wrote ${changes} changes${failed === 0 ? '' : `, and could not write ${failed} entities`}.`
}
