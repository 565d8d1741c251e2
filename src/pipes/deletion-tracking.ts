/** After a full read, what did not come is gone: it gets a deleted version with its last content (hub.md §7). */

import type { DatasetView } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { set } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Written } from './dataset-writer.ts'
import { PipeError } from './errors.ts'
import type { PipeSink } from './pipe.ts'
import type { ReadPosition } from './position.ts'
import type { SeenSet } from './seen-set.ts'

/** Ids looked at, and deletes written, in one go. */
const LOOKED = 10_000
const WRITTEN = 1_000

type DatasetSink = PipeSink & { kind: 'dataset' }

/** Gives how many entities were deleted; when it is stopped, those that it came to. */
export async function trackDeletions(
  position: ReadPosition,
  sink: DatasetSink,
  seen: SeenSet,
  write: (gone: readonly Entity[]) => Promise<Written>,
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0
  let after: string | undefined
  for (let isMore = true; isMore && signal?.aborted !== true; ) {
    position.moveToPresent()
    const view = position.snapshot.dataset(sink.dataset)
    if (view?.document.generation !== seen.generation) {
      throw new PipeError(
        'dataset-gone',
        `The dataset '${sink.dataset}' was deleted while it was being read in full.`,
        {
          hint: 'Nothing more was deleted in it. The next full run begins anew.',
        },
      )
    }
    const gone: Entity[] = []
    let looked = 0
    isMore = false
    for (const head of view.heads({ deleted: false, ...(after === undefined ? {} : { after }) })) {
      after = head.id
      if (!seen.has(head.sequence)) gone.push(asGone(view, head.id, sink))
      if (++looked >= LOOKED || gone.length >= WRITTEN) {
        isMore = true
        break
      }
    }
    if (gone.length > 0) deleted += (await write(gone)).changes
    // Others have their turn, however long nothing is found.
    else await new Promise((resolve) => setImmediate(resolve))
  }
  return deleted
}

function asGone(view: DatasetView, id: string, sink: DatasetSink): Entity {
  const version = view.latest(id)
  if (version === undefined) throw new Error(`The dataset '${sink.dataset}' lists '${id}' and does not have it.`)
  const entity = entityOf(version, { internal: false })
  set(entity, '_deleted', true)
  if (sink.markDeletionTracked) set(entity, '$deletion_tracked', true)
  return entity
}
