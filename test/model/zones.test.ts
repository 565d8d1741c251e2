/** Clocks of the world: against the engine's own, at random moments and around every change. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zoneOf } from '../../src/model/zones.ts'
import { instantOf, offsetAt } from '../dtl/naive-time.ts'

const zones = [
  'UTC',
  'Europe/Oslo',
  'America/New_York',
  'America/Caracas',
  'Asia/Kolkata',
  'Asia/Gaza',
  'Africa/Casablanca',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Antarctica/Troll',
  'Etc/GMT+5',
  'Zulu',
]
const second = fc.oneof(
  fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
  fc.integer({ min: -3_000_000_000, max: 2_500_000_000 }),
)

describe('a time zone', () => {
  it('is as far ahead of UTC as the engine says, whatever was asked before', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), second, (name, instant) => {
        expect(zoneOf(name)?.offsetAt(instant)).toBe(offsetAt(name, instant * 1000) / 1000)
      }),
      { numRuns: 3_000 },
    )
  })

  it('gives the first instant that shows a local time, or reads it with the offset before', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), second, (name, local) => {
        expect(zoneOf(name)?.instantOf(local)).toBe(instantOf(name, local * 1000) / 1000)
      }),
      { numRuns: 600 },
    )
  })

  it('changes at the very second of the change', () => {
    const oslo = zoneOf('Europe/Oslo')!
    const change = Date.UTC(2017, 9, 29, 1) / 1000
    expect([oslo.offsetAt(change), oslo.offsetAt(change - 1), oslo.offsetAt(change)]).toEqual([3_600, 7_200, 3_600])
  })

  it('reads local times that occur twice, or never', () => {
    const oslo = zoneOf('Europe/Oslo')!
    expect(oslo.instantOf(Date.UTC(2017, 9, 29, 2, 30) / 1000)).toBe(Date.UTC(2017, 9, 29, 0, 30) / 1000)
    expect(oslo.instantOf(Date.UTC(2017, 2, 26, 2, 30) / 1000)).toBe(Date.UTC(2017, 2, 26, 1, 30) / 1000)
    // Samoa had no 30 December 2011.
    expect(zoneOf('Pacific/Apia')!.instantOf(Date.UTC(2011, 11, 30, 12) / 1000)).toBe(Date.UTC(2011, 11, 30, 22) / 1000)
  })

  it('has a name of the database, in any case', () => {
    expect(zoneOf('europe/oslo')).not.toBeNull()
    for (const wrong of ['', 'Europe/Olso', '+02:00', '2020-01-01T00:00Z[Europe/Oslo]', 'Europe Oslo', '__proto__'])
      expect(zoneOf(wrong)).toBeNull()
  })
})
