import { describe, expect, it } from 'vitest'
import type { PumpSettings } from '../../src/pipes/pipe.ts'
import { defaultIntervalMs, isRescan, nextRunAt } from '../../src/pipes/schedule.ts'

const settings: PumpSettings = {
  mode: 'scheduled',
  intervalMs: 60_000,
  intervalIsExplicit: true,
  rescanRunCount: null,
  runAtStartup: false,
}

describe('when a pump is due', () => {
  it('is at once when it never ran', () => {
    expect(nextRunAt(settings, null, 5_000)).toBe(5_000)
  })

  it('is one interval after the start of the last run', () => {
    expect(nextRunAt(settings, 1_000, 5_000)).toBe(61_000)
  })

  it('is now when a run took longer than the interval', () => {
    expect(nextRunAt(settings, 1_000, 90_000)).toBe(90_000)
  })

  it('is never in the modes manual and off', () => {
    expect(nextRunAt({ ...settings, mode: 'manual' }, null, 0)).toBeNull()
    expect(nextRunAt({ ...settings, mode: 'off' }, 1, 99_999_999)).toBeNull()
  })

  it('spreads the default interval around 30 s between datasets and around 900 s elsewhere', () => {
    expect(defaultIntervalMs(true, 0)).toBe(28_500)
    expect(defaultIntervalMs(true, 1)).toBe(31_500)
    expect(defaultIntervalMs(false, 0)).toBe(855_000)
    expect(defaultIntervalMs(false, 1)).toBe(945_000)
  })

  it('makes every n-th run a rescan, the first of two incremental', () => {
    const every = (n: number) => [1, 2, 3, 4].map((run) => isRescan({ ...settings, rescanRunCount: n }, run))
    expect(every(1)).toEqual([true, true, true, true])
    expect(every(2)).toEqual([false, true, false, true])
    expect(isRescan(settings, 7)).toBe(false)
  })
})
