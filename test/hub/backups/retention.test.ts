import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DEFAULT_RETENTION, retained } from '../../../src/hub/backups/retention.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-06-15T12:00:00Z')

const full = (hoursAgo: number) => ({ id: `h${hoursAgo}`, parent: null, time: NOW - hoursAgo * HOUR })

it('keeps the newest, and the newest of seven days, four weeks and four months', () => {
  const daily = Array.from({ length: 200 }, (_, day) => full(24 * day))
  const kept = retained(daily, DEFAULT_RETENTION)
  const days = daily.filter(({ id }) => kept.has(id)).map(({ time }) => new Date(time).toISOString().slice(0, 10))
  expect(days).toEqual([
    // Days; 2026-06-15 is a Monday.
    '2026-06-15',
    '2026-06-14',
    '2026-06-13',
    '2026-06-12',
    '2026-06-11',
    '2026-06-10',
    '2026-06-09',
    // Weeks: the Sundays before.
    '2026-06-07',
    '2026-05-31',
    // Months: the last days of three before.
    '2026-04-30',
    '2026-03-31',
  ])
})

it('keeps what a kept one builds on, and always the newest', () => {
  const backups = [
    { id: 'full', parent: null, time: NOW - 30 * HOUR },
    { id: 'first', parent: 'full', time: NOW - 29 * HOUR },
    { id: 'second', parent: 'first', time: NOW - 28 * HOUR },
  ]
  expect([...retained(backups, { daily: 0, weekly: 0, monthly: 0 })].sort()).toEqual(['first', 'full', 'second'])
})

it('never keeps a backup without its chain, and never more than it was told of', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 5_000 }), fc.boolean()), { minLength: 1, maxLength: 60 }),
      fc.nat({ max: 5 }),
      (drawn, n) => {
        const times = [...new Map(drawn)].sort(([a], [b]) => b - a)
        const backups = times.map(([hours, isFull], i) => ({
          ...full(hours),
          parent: isFull || i === 0 ? null : `h${(times[i - 1] as [number, boolean])[0]}`,
        }))
        const kept = retained(backups, { daily: n, weekly: n, monthly: n })
        expect(kept.has((backups.at(-1) as { id: string }).id)).toBe(true)
        for (const { id, parent } of backups) {
          if (kept.has(id) && parent !== null) expect(kept.has(parent)).toBe(true)
        }
      },
    ),
  )
})
