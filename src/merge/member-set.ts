/** Sets of members of any size: a small one lies in its owner's row, a large one in buckets by hash, so that no change costs more than a bucket. */

import type { SetRow } from './rows.ts'
import type { Table } from './table.ts'

/** Members in the owner's row at most. */
const INLINE = 32
/** Members of a bucket on average at most. */
const FILL = 16
const GROWTH = 4

/** A set is its row and the key of its owner, which names its buckets; the caller puts the row back after a change. */
export class MemberSets {
  readonly #buckets: Table<string[]>

  constructor(buckets: Table<string[]>) {
    this.#buckets = buckets
  }

  add(owner: string, set: SetRow, member: string): boolean {
    if (set.buckets === 0) {
      if (set.inline.includes(member)) return false
      set.inline.push(member)
      set.count++
      if (set.count > INLINE) this.#rebuild(owner, set, GROWTH)
      return true
    }
    const key = bucketKey(owner, hash(member) & (set.buckets - 1))
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      this.#buckets.add(key, [member])
    } else {
      if (bucket.includes(member)) return false
      bucket.push(member)
      this.#buckets.put(key, bucket)
    }
    set.count++
    if (set.count > set.buckets * FILL) this.#rebuild(owner, set, set.buckets * GROWTH)
    return true
  }

  delete(owner: string, set: SetRow, member: string): boolean {
    if (set.buckets === 0) {
      const at = set.inline.indexOf(member)
      if (at < 0) return false
      set.inline.splice(at, 1)
      set.count--
      return true
    }
    const key = bucketKey(owner, hash(member) & (set.buckets - 1))
    const bucket = this.#buckets.get(key) ?? []
    const rest = bucket.filter((one) => one !== member)
    if (rest.length === bucket.length) return false
    if (rest.length === 0) this.#buckets.delete(key)
    else this.#buckets.put(key, rest)
    set.count--
    if (set.count <= INLINE / 2) this.#rebuild(owner, set, 0)
    return true
  }

  /** Some member, but not that one, if there is one. */
  any(owner: string, set: SetRow, but?: string): string | undefined {
    for (const member of this.#each(owner, set)) if (member !== but) return member
    return undefined
  }

  all(owner: string, set: SetRow): string[] {
    return set.buckets === 0 ? [...set.inline] : [...this.#each(owner, set)]
  }

  /** Makes it empty, whatever it holds. */
  clear(owner: string, set: SetRow): void {
    for (let i = 0; i < set.buckets; i++) this.#buckets.delete(bucketKey(owner, i))
    Object.assign(set, { count: 0, buckets: 0, inline: [] })
  }

  *#each(owner: string, set: SetRow): Iterable<string> {
    yield* set.inline
    for (let i = 0; i < set.buckets; i++) yield* this.#buckets.get(bucketKey(owner, i)) ?? []
  }

  #rebuild(owner: string, set: SetRow, buckets: number): void {
    const members = this.all(owner, set)
    this.clear(owner, set)
    set.count = members.length
    if (buckets === 0) {
      set.inline = members
      return
    }
    const filled: string[][] = Array.from({ length: buckets }, () => [])
    for (const member of members) filled[hash(member) & (buckets - 1)]?.push(member)
    set.buckets = buckets
    filled.forEach((bucket, i) => {
      if (bucket.length > 0) this.#buckets.put(bucketKey(owner, i), bucket)
    })
  }
}

const bucketKey = (owner: string, number: number): string => `${number.toString(36)}:${owner}`

/** FNV-1a over UTF-16 units, folded: spreads ids that differ in their last letters. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return (value ^ (value >>> 15)) >>> 0
}
