/** What an entry of an execution log, or a run that left none, tells the rules of notifications. */

import { timeText } from '../../pipes/execution/event.ts'
import type { RunReport } from '../../pipes/run-report.ts'

export interface PumpEvent {
  /** As in the execution log: `pump-completed`, `pump-failed` … */
  readonly type: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** The entry. */
  readonly entry: Readonly<Record<string, unknown>>
}

/** Entries above this are not looked into. */
const LARGEST = 1_000_000

/** Null for one that is not looked into. `ts`: microseconds since 1970. */
export function eventFrom(body: Uint8Array, ts: number): PumpEvent | null {
  if (body.length > LARGEST) return null
  const entry = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, unknown>
  return typeof entry.event_type === 'string' ? { type: entry.event_type, at: ts / 1000, entry } : null
}

/** Of a run that did nothing the log does not tell; the rules hear of it all the same. */
export function eventOfQuietRun(report: RunReport, at: number): PumpEvent {
  const entities = {
    entities_last_run: report.read,
    changes_last_run: report.changes,
    read_errors_last_run: 0,
    write_errors_last_run: report.failed,
  }
  const entry = {
    event_type: 'pump-completed',
    end_time: timeText(at),
    total_time: report.seconds,
    metrics: { entities },
  }
  return { type: 'pump-completed', at, entry }
}

/** A number of an entry by the name that rules give it; undefined: it does not tell. */
export function numberIn({ entry }: PumpEvent, parameter: string): number | undefined {
  const { metrics } = entry as { metrics?: Readonly<Record<string, unknown>> }
  const places = [
    (metrics?.entities as Record<string, unknown> | undefined)?.[parameter],
    at(metrics, parameter),
    entry[parameter],
  ]
  return places.map(asNumber).find((number) => number !== undefined)
}

/** A text of an entry; undefined: it has none of that name. */
export function textIn({ entry }: PumpEvent, parameter: string): string | undefined {
  const value = entry[parameter]
  if (value === undefined || value === null || value === '') return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value)

/** Decimals are written as `~f1.5`. */
function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const decimal = typeof value === 'string' ? /^~f(-?[\d.eE+-]+)$/.exec(value)?.[1] : undefined
  return decimal === undefined || Number.isNaN(Number(decimal)) ? undefined : Number(decimal)
}
