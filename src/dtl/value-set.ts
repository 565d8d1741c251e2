/** Sets and groups of values by the one equality of the language (dtl.md §2.3). */

import { keyOf } from '../model/canonical.ts'
import type { Value } from '../model/value.ts'

/** Strings, by far the most frequent, are their own keys. */
export class ValueSet {
  readonly #strings = new Set<string>()
  readonly #others = new Set<string>()

  constructor(values: readonly Value[] = []) {
    for (const value of values) this.add(value)
  }

  /** Whether it was new. */
  add(value: Value): boolean {
    const [set, key] = typeof value === 'string' ? [this.#strings, value] : [this.#others, keyOf(value)]
    if (set.has(key)) return false
    set.add(key)
    return true
  }

  has(value: Value): boolean {
    return typeof value === 'string' ? this.#strings.has(value) : this.#others.has(keyOf(value))
  }
}

/** Without the later ones of equal values. */
export function distinct(values: readonly Value[]): readonly Value[] {
  if (values.length < 2) return values
  const seen = new ValueSet()
  return values.filter((value) => seen.add(value))
}

/** The keys a value has in an index or a join: its distinct values without null (dtl.md §10.3). */
export function joinKeys(value: Value): readonly Value[] {
  if (!Array.isArray(value)) return value === null ? [] : [value]
  const list = value as readonly Value[]
  return distinct(list.includes(null) ? list.filter((element) => element !== null) : list)
}
