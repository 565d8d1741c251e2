/** Patterns with `*` (any run, also an empty one) and `?` (exactly one character), matched in one pass (dtl.md §3.4, §9.19). */

import { finderOf } from './text-search.ts'

/** Whether the whole text matches. */
export type Matches = (text: string) => boolean

/** Compiles a pattern; everything but `*` and, unless switched off, `?` stands for itself. */
export function wildcard(pattern: string, options: { readonly question: boolean } = { question: true }): Matches {
  const isSpecial = (char: string) => char === '*' || (options.question && char === '?')
  if (!hasAny(pattern, isSpecial)) return (text) => text === pattern
  const runs = pattern.split('*')
  if (runs.every((run) => run === '')) return () => true
  if (!options.question || !pattern.includes('?')) return plainRuns(runs)
  return characterRuns(runs.map((run) => [...run]))
}

const hasAny = (text: string, test: (char: string) => boolean): boolean => {
  for (const char of text) if (test(char)) return true
  return false
}

/** Without `?`, characters need not be told from code units: the first and last run are fixed, the others found in order. */
function plainRuns(runs: readonly string[]): Matches {
  const first = runs[0] as string
  const last = runs.at(-1) as string
  const between = runs
    .slice(1, -1)
    .filter((run) => run !== '')
    .map((run) => ({ find: finderOf(run), length: run.length }))
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let at = first.length
    for (const { find, length } of between) {
      // The leftmost place is as good as any, so there is never a way back.
      const found = find(text, at)
      if (found < 0 || found + length > end) return false
      at = found + length
    }
    return true
  }
}

function characterRuns(runs: readonly (readonly string[])[]): Matches {
  const first = runs[0] as readonly string[]
  if (runs.length === 1) return (text) => matchesAll([...text], first)
  const last = runs.at(-1) as readonly string[]
  const between = runs.slice(1, -1).filter((run) => run.length > 0)
  const finders = between.map(finder)
  return (text) => {
    const characters = [...text]
    const end = characters.length - last.length
    if (end < first.length || !matchesAt(characters, first, 0) || !matchesAt(characters, last, end)) return false
    let at = first.length
    for (const find of finders) {
      at = find(characters, at, end)
      if (at < 0) return false
    }
    return true
  }
}

const matchesAll = (characters: readonly string[], run: readonly string[]): boolean =>
  characters.length === run.length && matchesAt(characters, run, 0)

function matchesAt(characters: readonly string[], run: readonly string[], at: number): boolean {
  for (let place = 0; place < run.length; place++) {
    if (run[place] !== '?' && run[place] !== characters[at + place]) return false
  }
  return true
}

/**
 * Finds where the leftmost match of a run ends, or -1. Shift-and: a bit for each place of the run says whether the text so
 * far ends in a match of the run up to there, so each character is looked at once, 32 places at a time.
 */
function finder(run: readonly string[]): (characters: readonly string[], from: number, to: number) => number {
  const words = Math.ceil(run.length / 32)
  const anyCharacter = new Int32Array(words)
  const masks = new Map<string, Int32Array>()
  run.forEach((char, place) => {
    if (char === '?') anyCharacter[place >> 5]! |= 1 << (place & 31)
  })
  run.forEach((char, place) => {
    if (char === '?') return
    const mask = masks.get(char) ?? anyCharacter.slice()
    mask[place >> 5]! |= 1 << (place & 31)
    masks.set(char, mask)
  })
  const [lastWord, lastBit] = [words - 1, 1 << ((run.length - 1) & 31)]
  return (characters, from, to) => {
    const state = new Int32Array(words)
    for (let at = from; at < to; at++) {
      const mask = masks.get(characters[at] as string) ?? anyCharacter
      let carried = 1
      for (let word = 0; word < words; word++) {
        const before = state[word] as number
        state[word] = ((before << 1) | carried) & (mask[word] as number)
        carried = before >>> 31
      }
      if (((state[lastWord] as number) & lastBit) !== 0) return at + 1
    }
    return -1
  }
}
