/** What the parts of one entity type share: the moment, how much room is left, and what is counted and not added up yet. */

import type { StoredKey } from '../../model/dict.ts'
import type { Value } from '../../model/value.ts'
import type { Layout } from './layout.ts'

export interface Limits {
  /** Properties at most, nested ones included. */
  readonly properties: number
  /** Dicts and lists within one another that are looked into. */
  readonly depth: number
}

/** Characters of all names, for each property that there may be, on average. */
const NAME_LENGTH = 64

export class Bounds {
  readonly depth: number
  /** Milliseconds since 1970. */
  now = 0
  /** There was no room for something: what follows is not counted. */
  isTruncated = false
  /** Something came for the first time. */
  isNews = false
  /** To be added up. */
  readonly counted: Layout[] = []
  #properties: number
  #characters: number
  readonly #scratch: { readonly keys: StoredKey[]; readonly values: Value[] }[] = []

  constructor({ properties, depth }: Limits) {
    this.depth = depth
    this.#properties = properties
    this.#characters = properties * NAME_LENGTH
  }

  /** Whether there is room for another property. */
  takes(name: string): boolean {
    if (this.#properties === 0 || this.#characters < name.length) {
      this.isTruncated = true
      return false
    }
    this.#properties--
    this.#characters -= name.length
    this.isNews = true
    return true
  }

  /** Lists to work with, one pair for each level: whoever is above goes on with its own. */
  scratch(level: number): { readonly keys: StoredKey[]; readonly values: Value[] } {
    this.#scratch[level] ??= { keys: [], values: [] }
    return this.#scratch[level]
  }
}
