import { describe, expect, it } from 'vitest'
import { type Cron, parseCron } from '../../src/pipes/cron-parse.ts'
import type { CronSchedule, PumpSettings } from '../../src/pipes/pipe.ts'
import {
  countsRuns,
  defaultIntervalMs,
  type Happened,
  isScheduleKept,
  nextRunAt,
  runKind,
  schedulesItself,
  scheduleText,
} from '../../src/pipes/schedule.ts'

const settings: PumpSettings = {
  mode: 'scheduled',
  intervalMs: 60_000,
  intervalIsExplicit: true,
  cron: null,
  rescanRunCount: null,
  rescanCron: null,
  partialRescan: null,
  runAtStartup: false,
  runAtStartupIfNotPopulated: false,
}

const nothing: Happened = { lastStartedAt: null, rescannedAt: null, scheduledAt: null }

const cron = (text: string): CronSchedule => ({ text, cron: parseCron(text).cron as Cron })
const at = (iso: string): number => Date.parse(`${iso}Z`)

describe('when a pump is due', () => {
  it('is at once when it never ran', () => {
    expect(nextRunAt(settings, nothing, 5_000)).toBe(5_000)
  })

  it('is one interval after the start of the last run', () => {
    expect(nextRunAt(settings, { ...nothing, lastStartedAt: 1_000 }, 5_000)).toBe(61_000)
  })

  it('is now when a run took longer than the interval', () => {
    expect(nextRunAt(settings, { ...nothing, lastStartedAt: 1_000 }, 90_000)).toBe(90_000)
  })

  it('is never in the modes manual and off', () => {
    expect(nextRunAt({ ...settings, mode: 'manual' }, nothing, 0)).toBeNull()
    expect(nextRunAt({ ...settings, mode: 'off' }, { ...nothing, lastStartedAt: 1 }, 99_999_999)).toBeNull()
  })

  it('is the next time of the cron expression, whatever the interval, also for a pump that never ran', () => {
    const daily = { ...settings, cron: cron('0 3 * * *') }
    const now = at('2026-05-01T10:00:00')
    expect(nextRunAt(daily, { ...nothing, scheduledAt: now }, now)).toBe(at('2026-05-02T03:00:00'))
    expect(nextRunAt(daily, { ...nothing, scheduledAt: 0, lastStartedAt: now }, now)).toBe(at('2026-05-02T03:00:00'))
  })

  it('is now, once, when times of the cron expression went by unnoticed', () => {
    const daily = { ...settings, cron: cron('0 3 * * *') }
    const now = at('2026-05-09T10:00:00')
    const away = { ...nothing, scheduledAt: 0, lastStartedAt: at('2026-05-01T03:00:01') }
    expect(nextRunAt(daily, away, now)).toBe(now)
    expect(nextRunAt(daily, { ...away, lastStartedAt: now }, now)).toBe(at('2026-05-10T03:00:00'))
  })

  it('is never again when the years of the cron expression are over', () => {
    expect(nextRunAt({ ...settings, cron: cron('0 0 1 1 * 1999') }, nothing, at('2026-01-01T00:00:00'))).toBeNull()
  })

  it('is also the time of a rescan', () => {
    const hourly = { ...settings, intervalMs: 86_400_000, rescanCron: cron('0 * * * *') }
    const now = at('2026-05-01T10:20:00')
    const happened = { lastStartedAt: now, rescannedAt: null, scheduledAt: now }
    expect(nextRunAt(hourly, happened, now)).toBe(at('2026-05-01T11:00:00'))
    expect(nextRunAt(hourly, { ...happened, rescannedAt: at('2026-05-01T11:00:00') }, now)).toBe(
      at('2026-05-01T12:00:00'),
    )
  })

  it('spreads the default interval around 30 s between datasets and around 900 s elsewhere', () => {
    expect(defaultIntervalMs(true, 0)).toBe(28_500)
    expect(defaultIntervalMs(true, 1)).toBe(31_500)
    expect(defaultIntervalMs(false, 0)).toBe(855_000)
    expect(defaultIntervalMs(false, 1)).toBe(945_000)
  })

  it('is kept over restarts for cron expressions and for intervals above an hour', () => {
    expect(isScheduleKept(settings)).toBe(false)
    expect(isScheduleKept({ ...settings, intervalMs: 3_600_000 })).toBe(false)
    expect(isScheduleKept({ ...settings, intervalMs: 3_600_001 })).toBe(true)
    expect(isScheduleKept({ ...settings, cron: cron('* * * * *') })).toBe(true)
    expect(isScheduleKept({ ...settings, rescanCron: cron('* * * * *') })).toBe(true)
  })

  it('is another schedule when a cron expression is another one', () => {
    const text = scheduleText({ ...settings, cron: cron('* * * * *') })
    expect(scheduleText({ ...settings, cron: cron('* * * * *'), intervalMs: 5 })).toBe(text)
    expect(scheduleText({ ...settings, cron: cron('*/2 * * * *') })).not.toBe(text)
    expect(scheduleText({ ...settings, rescanCron: cron('* * * * *') })).not.toBe(text)
  })

  it('speaks for itself, and needs no signals, with a cron expression or an interval below an hour', () => {
    expect(schedulesItself({ ...settings, intervalIsExplicit: false })).toBe(false)
    expect(schedulesItself(settings)).toBe(true)
    expect(schedulesItself({ ...settings, intervalMs: 3_600_000 })).toBe(false)
    expect(schedulesItself({ ...settings, intervalIsExplicit: false, cron: cron('0 0 * * *') })).toBe(true)
  })
})

describe('what a run is to do', () => {
  const kinds = (pump: Partial<PumpSettings>, count = 6) =>
    Array.from({ length: count }, (_, at) => runKind({ ...settings, ...pump }, nothing, at + 1, 0))

  it('is to read everything again on every n-th run, the first of two incremental', () => {
    expect(kinds({}, 2)).toEqual(['incremental', 'incremental'])
    expect(kinds({ rescanRunCount: 1 }, 2)).toEqual(['rescan', 'rescan'])
    expect(kinds({ rescanRunCount: 2 }, 4)).toEqual(['incremental', 'rescan', 'incremental', 'rescan'])
  })

  it('is to go back a part of the way on every n-th run, unless that reads everything', () => {
    const partialRescan = { runCount: 2, delta: 5 }
    expect(kinds({ partialRescan }, 4)).toEqual(['incremental', 'partial', 'incremental', 'partial'])
    expect(kinds({ partialRescan, rescanRunCount: 4 })).toEqual([
      'incremental',
      'partial',
      'incremental',
      'rescan',
      'incremental',
      'partial',
    ])
  })

  it('is to read everything again once the time of a rescan has come', () => {
    const nightly = { ...settings, rescanCron: cron('0 3 * * *') }
    const happened = { ...nothing, scheduledAt: at('2026-05-01T10:00:00') }
    expect(runKind(nightly, happened, 1, at('2026-05-02T02:59:59'))).toBe('incremental')
    expect(runKind(nightly, happened, 1, at('2026-05-02T03:00:00'))).toBe('rescan')
    const rescanned = { ...happened, rescannedAt: at('2026-05-02T03:00:00') }
    expect(runKind(nightly, rescanned, 2, at('2026-05-02T10:00:00'))).toBe('incremental')
  })

  it('depends on the number of the run only when some runs are other ones', () => {
    expect(countsRuns({ ...settings, rescanRunCount: 1 })).toBe(false)
    expect(countsRuns({ ...settings, rescanRunCount: 2 })).toBe(true)
    expect(countsRuns({ ...settings, partialRescan: { runCount: 3, delta: 1 } })).toBe(true)
  })
})
