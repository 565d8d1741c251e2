/** Sets of sequences as bits. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bits } from '../../../src/pipes/tracking/bits.ts'

describe('bits', () => {
  it('give what was added, ascending and once, as many at a time as is asked for', () => {
    const sequence = fc.oneof(fc.nat(200), fc.nat(20_000), fc.nat(2 ** 40))
    const property = fc.property(fc.array(sequence), fc.integer({ min: 1, max: 5 }), (sequences, most) => {
      const bits = new Bits()
      const known = new Set<number>()
      for (const one of sequences) {
        expect(bits.has(one)).toBe(known.has(one))
        expect(bits.add(one)).toBe(!known.has(one))
        known.add(one)
      }
      expect(bits.size).toBe(known.size)
      const taken: number[] = []
      for (let some = bits.take(most); some.length > 0; some = bits.take(most)) {
        expect(some.length).toBeLessThanOrEqual(most)
        taken.push(...some)
      }
      expect(taken).toEqual([...known].sort((a, b) => a - b))
      expect(bits.size).toBe(0)
    })
    fc.assert(property)
  })
})
