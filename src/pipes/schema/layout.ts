/** A row of names that dicts have, each with the kind that its value mostly is: what is like it is counted by one number. */

import type { StoredKey } from '../../model/dict.ts'
import type { PropertyType } from './value-type.ts'

/** The kind of a name that is not looked at. */
export const HIDDEN = -1

export class Layout {
  readonly keys: readonly StoredKey[]
  readonly kinds: readonly number[]
  /** Null where the kind is {@link HIDDEN}. */
  readonly properties: readonly (PropertyType | null)[]
  /** Dicts that had it since it was added up. */
  dicts = 0

  constructor(keys: readonly StoredKey[], kinds: readonly number[], properties: readonly (PropertyType | null)[]) {
    this.keys = keys
    this.kinds = kinds
    this.properties = properties
  }

  isOf(keys: readonly StoredKey[], size: number): boolean {
    const own = this.keys
    if (own.length !== size) return false
    for (let place = 0; place < size; place++) if (own[place] !== keys[place]) return false
    return true
  }

  /** Adds up what was counted. */
  settle(now: number): void {
    const { dicts, kinds, properties } = this
    for (let place = 0; place < kinds.length; place++) {
      const property = properties[place] ?? null
      if (property === null) continue
      const { counts } = property.value
      const kind = kinds[place] as number
      property.count += dicts
      property.lastSeen = now
      counts[kind] = (counts[kind] as number) + dicts
    }
    this.dicts = 0
  }
}
