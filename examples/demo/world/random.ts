/** Chance that can be repeated: the same seed gives the same world. */

export interface Random {
  /** At least 0, below 1. */
  next(): number
  /** A whole number below `count`. */
  below(count: number): number
  /** True in this share of cases. */
  chance(share: number): boolean
  pick<T>(from: readonly T[]): T
  digits(count: number): string
}

/** Mulberry32: 32 bits of state, good enough to make up a country. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    below,
    chance: (share) => next() < share,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
    digits: (count) => Array.from({ length: count }, () => below(10)).join(''),
  }
}
