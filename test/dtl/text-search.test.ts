/** Looking for texts, and for patterns: the right places, in linear time. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { finderOf, splitter } from '../../src/dtl/text-search.ts'
import { wildcard } from '../../src/dtl/wildcard.ts'
import { evaluated } from './settings.ts'

const few = (least: number, most: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: least, maxLength: most })

describe('a search', () => {
  it('finds what the engine finds, also for long texts with much in common', () => {
    fc.assert(
      fc.property(
        few(1, 4),
        fc.integer({ min: 16, max: 60 }),
        few(0, 9),
        few(0, 200),
        fc.nat(9),
        (part, times, end, around, from) => {
          const sought = part.repeat(times) + end
          const text = around + part.repeat(times - 1) + sought + around + sought
          expect(finderOf(sought)(text, from)).toBe(text.indexOf(sought, from))
          expect(splitter(sought)(text)).toEqual(text.split(sought))
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

/** Patterns that make searches compare much, over a million letters. */
const LETTERS = 'a'.repeat(1_000_000)
const hostile = [
  'a'.repeat(50_000),
  `${'a'.repeat(50_000)}b${'a'.repeat(50_000)}`,
  `b${'a'.repeat(100_000)}`,
  'ab'.repeat(50_000),
]

const within = (milliseconds: number, work: () => unknown): void => {
  const startedAt = performance.now()
  work()
  expect(performance.now() - startedAt).toBeLessThan(milliseconds)
}

/** Its value, or that it was too much work. */
function tried(expression: unknown): string {
  try {
    return evaluated(expression, JSON.stringify({ _id: '1', text: LETTERS }))
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('whatever a pattern and a text hold', () => {
  it('matching takes little time', () => {
    for (const part of hostile) {
      within(2_000, () => wildcard(`*${part}*`)(LETTERS))
      within(2_000, () => wildcard(`*${part}*${part}*c`)(LETTERS))
      within(4_000, () => tried(['matches', `*${part}?*`, '_S.text']))
    }
    within(2_000, () => wildcard('*a'.repeat(5_000))(LETTERS))
    within(2_000, () => wildcard(`${'*a'.repeat(5_000)}b*`)(LETTERS))
    within(4_000, () => tried(['matches', '*?a'.repeat(5_000), '_S.text']))
  })

  it('replacing and splitting takes little time', () => {
    for (const part of hostile) {
      within(2_000, () => tried(['replace', part, 'x', '_S.text']))
      within(2_000, () => tried(['split', part, '_S.text']))
      within(4_000, () => tried(['replace', { [part]: 'x', [`${part}c`]: 'y' }, '_S.text']))
    }
  })

  it('trimming, words and numbers take little time', () => {
    const spaces = `x${' '.repeat(500_000)}x`
    for (const given of [
      ['strip', spaces],
      ['split', spaces],
      ['integer', `${'1'.repeat(200_000)}x`],
      ['url-unquote', '%a'.repeat(200_000)],
    ])
      within(2_000, () => tried(given))
  })
})
