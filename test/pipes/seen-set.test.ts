import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SeenSet } from '../../src/pipes/seen-set.ts'

it('knows what was marked, and everything that is newer than the read', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000)), fc.nat(100_000), (marked, end) => {
      const seen = new SeenSet('g', end)
      for (const sequence of marked) seen.mark(sequence)
      const model = new Set(marked)
      for (let sequence = 0; sequence < end + 10; sequence += 37) {
        expect(seen.has(sequence)).toBe(model.has(sequence) || sequence >= end)
      }
      for (const sequence of marked) expect(seen.has(sequence)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

it('gives only the pages that changed since they were taken, and is the same when they are put back', () => {
  const seen = new SeenSet('g', 1_000_000)
  seen.mark(3)
  seen.mark(900_000)
  expect(seen.takeChanged()).toHaveLength(2)
  seen.mark(3)
  expect(seen.takeChanged()).toEqual([])
  seen.mark(4)
  const [page] = seen.takeChanged()
  const again = new SeenSet('g', 1_000_000)
  again.restore(page?.[0] ?? -1, page?.[1] ?? new Uint8Array())
  expect([2, 3, 4, 5, 900_000].map((sequence) => again.has(sequence))).toEqual([false, true, true, false, false])
})

it('takes an eighth of a byte for each version, wherever the marks are', () => {
  const seen = new SeenSet('g', 80_000_000)
  for (let sequence = 0; sequence < 80_000_000; sequence += 4_001) seen.mark(sequence)
  const bytes = seen.takeChanged().reduce((sum, [, page]) => sum + page.length, 0)
  expect(bytes).toBeLessThan(80_000_000 / 8 + 2_048)
})
