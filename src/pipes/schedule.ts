/** When a pump is due: pure arithmetic over its settings and what happened so far (hub.md §5.1). */

import type { Pipe, PumpSettings } from './pipe.ts'

/** Default when the configuration names no schedule: 30 s ± 1.5 s between datasets, otherwise 900 s ± 45 s. */
export function defaultIntervalMs(betweenDatasets: boolean, chance: number): number {
  const [middle, spread] = betweenDatasets ? [30_000, 1_500] : [900_000, 45_000]
  return middle + Math.round((2 * chance - 1) * spread)
}

/**
 * When the next run is due, in milliseconds since 1970; null: never by itself. A pump that never ran is due at once;
 * otherwise the interval counts from the start of the last run, but not before that run ended.
 */
export function nextRunAt(settings: PumpSettings, lastStartedAt: number | null, now: number): number | null {
  if (settings.mode !== 'scheduled') return null
  return lastStartedAt === null ? now : Math.max(now, lastStartedAt + settings.intervalMs)
}

/** Whether the n-th run (from 1) reads everything again: every n-th does (hub.md §5.1 rescan_run_count). */
export const isRescan = (settings: PumpSettings, run: number): boolean =>
  settings.rescanRunCount !== null && run % settings.rescanRunCount === 0

/**
 * Datasets whose growth means work for a pipe: its inputs, and what it hops to when each of its runs reads everything
 * (hub.md §5.5). Another run would not look at the entities again that are joined to what changed.
 */
export function signalsOf({ source, reads, sink, pump }: Pipe): readonly string[] {
  if (pump.rescanRunCount !== 1) return source.inputs
  const own = sink.kind === 'dataset' ? sink.dataset : null
  return [...new Set([...source.inputs, ...reads.filter((dataset) => dataset !== own)])]
}
