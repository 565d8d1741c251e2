/** What entities look like: a fold over those that pass by, in which a shape that was seen before costs a few additions. */

import { getStored, storedKey } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { Bounds, type Limits } from './bounds.ts'
import { DictType } from './value-type.ts'

/** What a pipe keeps of one side. */
export const PIPE_LIMITS: Limits = { properties: 1_000, depth: 8 }

/** Of which entities samples are taken: `news`: of those that bring something new; `usual`: of the first of them, too. */
export type Sampling = 'usual' | 'news' | 'none'

const DELETED = storedKey('_deleted')
const FILTERED = storedKey('_filtered')

export class EntityType {
  readonly root = new DictType()
  readonly bounds: Bounds
  /** Entities seen, each time they came; of deleted and filtered ones nothing else is known. */
  count = 0
  deleted = 0
  /** Milliseconds since 1970; null: nothing was seen. */
  firstSeen: number | null = null
  lastSeen: number | null = null
  /** Changes with each sample. */
  samplings = 0

  constructor(limits: Limits = PIPE_LIMITS) {
    this.bounds = new Bounds(limits)
  }

  get isTruncated(): boolean {
    return this.bounds.isTruncated
  }

  /** `now`: milliseconds since 1970. */
  see(entities: readonly Entity[], now: number, { sampling = 'usual' }: { readonly sampling?: Sampling } = {}): void {
    const { bounds, root } = this
    bounds.now = now
    let isDue = sampling === 'usual'
    for (const entity of entities) {
      if (bounds.isTruncated) break
      if (getStored(entity, FILTERED) === true) continue
      this.firstSeen ??= now
      this.lastSeen = now
      if (getStored(entity, DELETED) === true) {
        this.deleted++
        continue
      }
      this.count++
      root.see(entity, bounds, 0)
      if (!isDue && !bounds.isNews) continue
      isDue = false
      bounds.isNews = false
      if (sampling !== 'none' && root.sample(entity)) this.samplings++
    }
    for (const layout of bounds.counted) layout.settle(now)
    bounds.counted.length = 0
  }
}
