/** What the configuration says about when a pump runs, and what of it cannot be meant together (hub.md §5.1). */

import { type Dict, get } from '../model/dict.ts'
import { Float, type Value } from '../model/value.ts'
import { everFires } from './cron.ts'
import { parseCron } from './cron-parse.ts'
import { errorAt, type Finding, warningAt } from './finding.ts'
import type { CronSchedule, PartialRescan, PumpSettings } from './pipe.ts'
import { defaultIntervalMs } from './schedule.ts'

/** What the schedule depends on besides the pump's own words. */
export interface PumpSurroundings {
  /** It reads datasets and writes one. */
  readonly isInternal: boolean
  /** It reads or writes a system outside, and is run by its pump and not by requests. */
  readonly isExternal: boolean
  readonly supportsSince: boolean
  readonly writesDataset: boolean
  /** In [0, 1), always the same for a pipe. */
  readonly chance: number
  readonly runAtStartupIfNotPopulated: boolean
}

export interface ReadPump {
  readonly settings: PumpSettings
  /** Pointers start at the pump. */
  readonly findings: readonly Finding[]
}

export function readPump(pump: Dict, around: PumpSurroundings): ReadPump {
  const findings: Finding[] = []
  const seconds = numberAt(pump, 'schedule_interval')
  const settings: PumpSettings = {
    mode: (get(pump, 'mode') as PumpSettings['mode'] | undefined) ?? 'scheduled',
    intervalMs: seconds === null ? defaultIntervalMs(around.isInternal, around.chance) : seconds * 1000,
    intervalIsExplicit: seconds !== null,
    cron: cronAt(pump, 'cron_expression', findings),
    rescanRunCount: numberAt(pump, 'rescan_run_count'),
    rescanCron: cronAt(pump, 'rescan_cron_expression', findings),
    partialRescan: partialAt(pump),
    runAtStartup: get(pump, 'run_at_startup') === true,
    runAtStartupIfNotPopulated:
      around.writesDataset &&
      ((get(pump, 'run_at_startup_if_not_populated') as boolean | undefined) ?? around.runAtStartupIfNotPopulated),
  }
  findings.push(...excluded(pump), ...idle(pump, settings, around))
  return { settings, findings }
}

function cronAt(pump: Dict, name: string, findings: Finding[]): CronSchedule | null {
  const text = get(pump, name)
  if (typeof text !== 'string') return null
  const { cron, error } = parseCron(text)
  if (error !== null) {
    findings.push(errorAt(`/${name}`, error.message, error.hint))
    return null
  }
  if (everFires(cron)) return { text, cron }
  findings.push(errorAt(`/${name}`, `The cron expression '${text}' names a day that never comes.`))
  return null
}

function partialAt(pump: Dict): PartialRescan | null {
  const runCount = numberAt(pump, 'partial_rescan_run_count')
  const delta = numberAt(pump, 'partial_rescan_delta')
  return runCount === null || delta === null ? null : { runCount, delta }
}

/** What excludes or needs one another. */
function* excluded(pump: Dict): Iterable<Finding> {
  const has = (name: string) => (get(pump, name) ?? null) !== null
  const only = 'Keep one of the two.'
  if (has('rescan_run_count') && has('rescan_cron_expression')) {
    yield errorAt('/rescan_cron_expression', 'rescan_cron_expression and rescan_run_count exclude one another.', only)
  }
  if (has('partial_rescan_run_count') && has('rescan_cron_expression')) {
    const message = 'partial_rescan_run_count and rescan_cron_expression exclude one another.'
    yield errorAt('/partial_rescan_run_count', message, only)
  }
  if (has('partial_rescan_run_count') && !has('partial_rescan_delta')) {
    const message = 'partial_rescan_run_count needs partial_rescan_delta: how far back it goes.'
    yield errorAt('/partial_rescan_run_count', message)
  }
  if (has('partial_rescan_delta') && !has('partial_rescan_run_count')) {
    yield warningAt('/partial_rescan_delta', 'partial_rescan_delta has no effect without partial_rescan_run_count.')
  }
  if (has('cron_expression') && has('schedule_interval')) {
    yield warningAt('/schedule_interval', 'schedule_interval has no effect: cron_expression goes over it.')
  }
}

/** What has no effect, or was most likely forgotten. */
function* idle(pump: Dict, settings: PumpSettings, around: PumpSurroundings): Iterable<Finding> {
  if (settings.partialRescan !== null && !around.supportsSince) {
    const message = 'The source has no offsets to go back to: each run reads everything.'
    yield warningAt('/partial_rescan_run_count', message)
  }
  const isNamed = settings.intervalIsExplicit || (get(pump, 'cron_expression') ?? null) !== null
  if (!isNamed && settings.mode === 'scheduled' && around.isExternal) {
    const message = 'The pump has no schedule of its own: it runs about every 15 minutes.'
    yield warningAt('', message, 'Set schedule_interval or cron_expression.')
  }
}

const numberAt = (pump: Dict, name: string): number | null => numberOf(get(pump, name))

const numberOf = (value: Value | undefined): number | null =>
  value instanceof Float ? value.value : typeof value === 'number' ? value : null
