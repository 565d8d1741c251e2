/**
 * Remembers, in bounded memory, which keys a new state may have: of most keys that it lacks it knows so without looking.
 *
 * A Bloom filter: what was added is always found; of what was not, one in some hundreds is taken to be there.
 */

import type { ClassStore, RowChange } from './contract.ts'

/** 4 MB: with 5 million keys one in twenty that is not there is looked up all the same. */
const BITS = 1 << 25
const HASHES = 3

export class KnownKeys {
  readonly #words = new Int32Array(BITS / 32)

  /** Keys that are about to be stored. */
  add(changes: readonly RowChange[]): void {
    for (const [key, value] of changes) if (value !== null) this.#add(key)
  }

  /** A store that began empty, with all that came into it since. */
  over(store: ClassStore): ClassStore {
    return {
      get: (key) => (this.#mayHave(key) ? store.get(key) : undefined),
      range: (prefix, after) => store.range(prefix, after),
    }
  }

  #add(key: string): void {
    const hash = hashOf(key)
    const step = stepOf(hash)
    for (let i = 0, at = hash; i < HASHES; i++, at = (at + step) | 0) {
      const bit = at >>> 7
      this.#words[bit >>> 5] = (this.#words[bit >>> 5] as number) | (1 << (bit & 31))
    }
  }

  #mayHave(key: string): boolean {
    const hash = hashOf(key)
    const step = stepOf(hash)
    for (let i = 0, at = hash; i < HASHES; i++, at = (at + step) | 0) {
      const bit = at >>> 7
      if (((this.#words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false
    }
    return true
  }
}

/** FNV-1a over UTF-16 units, mixed. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 12)
}

const stepOf = (hash: number): number => Math.imul(hash, 0x297a2d39) | 1
