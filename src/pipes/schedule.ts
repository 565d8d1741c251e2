/** When a pump is due, and what its run is to do: pure arithmetic over its settings and what happened so far (hub.md §5.1). */

import type { Webhook } from './contract.ts'
import { nextCronTime } from './cron.ts'
import type { User } from './execution/event.ts'
import type { CronSchedule, Pipe, PumpSettings } from './pipe.ts'

/**
 * What a run is asked to do: go on from the offset, go back a part of the way, or read everything again with the offset
 * kept (hub.md §6.1). Without an offset it reads everything whatever it is asked.
 */
export type RunKind = 'incremental' | 'partial' | 'rescan'

export interface RunOrder {
  readonly kind: RunKind
  /** It runs beside other runs of its pipe (hub.md §6.3). */
  readonly isBackground?: boolean
  /** Where its source is to say that there is more after the run. */
  readonly webhook?: Webhook
  /** Who asked for it; absent: nobody. */
  readonly user?: User
  /** Of the hub, for the log. */
  readonly version?: string
}

/** What has happened that a schedule counts from; milliseconds since 1970. */
export interface Happened {
  readonly lastStartedAt: number | null
  /** When the last rescan started. */
  readonly rescannedAt: number | null
  /** When the schedule became what it is: a cron schedule counts from there until it fires. */
  readonly scheduledAt: number | null
}

/** Default when the configuration names no schedule: 30 s ± 1.5 s between datasets, otherwise 900 s ± 45 s. */
export function defaultIntervalMs(betweenDatasets: boolean, chance: number): number {
  const [middle, spread] = betweenDatasets ? [30_000, 1_500] : [900_000, 45_000]
  return middle + Math.round((2 * chance - 1) * spread)
}

/**
 * When the next run is due, in milliseconds since 1970; null: never by itself. A pump with an interval that never ran is
 * due at once; otherwise the interval counts from the start of the last run, but not before that run ended. What was due
 * while nobody looked is due now, once.
 */
export function nextRunAt(settings: PumpSettings, happened: Happened, now: number): number | null {
  if (settings.mode !== 'scheduled') return null
  const { lastStartedAt, scheduledAt } = happened
  const ordinary =
    settings.cron !== null
      ? cronAfter(settings.cron, later(lastStartedAt, scheduledAt) ?? now)
      : lastStartedAt === null
        ? now
        : lastStartedAt + settings.intervalMs
  const due = earlier(ordinary, nextRescanAt(settings, happened, now))
  return due === null ? null : Math.max(now, due)
}

/** What a run that starts now is to do: the `run`-th, counted from 1. A rescan goes before a partial one. */
export function runKind(settings: PumpSettings, happened: Happened, run: number, now: number): RunKind {
  const { rescanRunCount, partialRescan } = settings
  if (rescanRunCount !== null && run % rescanRunCount === 0) return 'rescan'
  if ((nextRescanAt(settings, happened, now) ?? Number.POSITIVE_INFINITY) <= now) return 'rescan'
  return partialRescan !== null && run % partialRescan.runCount === 0 ? 'partial' : 'incremental'
}

/** An interval above this, and every cron expression, is kept over restarts (hub.md §5.2). */
const LONG_INTERVAL_MS = 3_600_000

/** Whether a run that was missed while the node was down is made up for. */
export const isScheduleKept = ({ cron, rescanCron, intervalMs }: PumpSettings): boolean =>
  cron !== null || rescanCron !== null || intervalMs > LONG_INTERVAL_MS

/** Whether it matters which number a run has. */
export const countsRuns = ({ rescanRunCount, partialRescan }: PumpSettings): boolean =>
  (rescanRunCount ?? 1) > 1 || (partialRescan?.runCount ?? 1) > 1

/** Another text is another schedule, which counts from when it became one. */
export const scheduleText = ({ cron, rescanCron }: PumpSettings): string =>
  JSON.stringify([cron?.text ?? null, rescanCron?.text ?? null])

/**
 * A schedule that the configuration names switches signals off that nobody asked for, unless it is an interval of an hour
 * or more: that is taken as the back-up of signals (hub.md §5.5).
 */
export const schedulesItself = ({ cron, intervalIsExplicit, intervalMs }: PumpSettings): boolean =>
  cron !== null || (intervalIsExplicit && intervalMs < LONG_INTERVAL_MS)

/**
 * Datasets whose growth means work for a pipe: its inputs, and what it hops to as far as that is tracked, or each of its
 * runs reads everything (hub.md §5.5). Its own dataset is not among them, or it would run for ever.
 */
export function signalsOf({ source, reads, sink, pump, tracking }: Pipe): readonly string[] {
  const own = sink.kind === 'dataset' ? sink.dataset : null
  const hopped = pump.rescanRunCount === 1 ? reads : (tracking?.datasets ?? [])
  return [...new Set([...source.inputs, ...hopped.filter((dataset) => dataset !== own)])]
}

function nextRescanAt({ rescanCron }: PumpSettings, { rescannedAt, scheduledAt }: Happened, now: number) {
  return rescanCron === null ? null : cronAfter(rescanCron, later(rescannedAt, scheduledAt) ?? now)
}

const cronAfter = ({ cron }: CronSchedule, after: number): number | null => nextCronTime(cron, after)

const later = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b)

const earlier = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b)
