/** After a full read, what did not come is gone: it gets a deleted version with its last content (hub.md §7). */

import { entityOf } from '../log/stored.ts'
import { set } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Written } from './dataset-writer.ts'
import type { PipeSink } from './pipe.ts'
import type { ReadPosition } from './position.ts'

/** Ids looked at, and deletes written, in one go. */
const LOOKED = 10_000
const WRITTEN = 1_000

/** Gives how many entities were deleted. */
export async function trackDeletions(
  position: ReadPosition,
  sink: PipeSink & { kind: 'dataset' },
  seen: ReadonlySet<string>,
  write: (gone: readonly Entity[]) => Promise<Written>,
): Promise<number> {
  let deleted = 0
  let after: string | undefined
  for (let isMore = true; isMore; ) {
    position.moveToPresent()
    const view = position.snapshot.dataset(sink.dataset)
    if (view === undefined) break
    const gone: Entity[] = []
    let looked = 0
    isMore = false
    for (const version of view.entities({ deleted: false, ...(after === undefined ? {} : { after }) })) {
      after = version.id
      if (!seen.has(version.id)) {
        const entity = entityOf(version, { internal: false })
        set(entity, '_deleted', true)
        if (sink.markDeletionTracked) set(entity, '$deletion_tracked', true)
        gone.push(entity)
      }
      if (++looked >= LOOKED || gone.length >= WRITTEN) {
        isMore = true
        break
      }
    }
    if (gone.length > 0) deleted += (await write(gone)).changes
  }
  return deleted
}
