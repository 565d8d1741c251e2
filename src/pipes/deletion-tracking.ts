/** After a full read, what did not come is gone: it gets a deleted version with its last content (hub.md §7). */

import type { DatasetView } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { set } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Written } from './dataset-writer.ts'
import { PipeError } from './errors.ts'
import type { PipeSink } from './pipe.ts'
import type { ReadPosition } from './position.ts'
import { BatchBounds } from './sources/batch-bounds.ts'

/** Ids looked at, and deletes written, in one go. */
const LOOKED = 10_000
const WRITTEN = 1_000

type DatasetSink = PipeSink & { kind: 'dataset' }

/** What was brought, by the sequences of newest versions. */
export interface Seen {
  /** Of the dataset. */
  readonly generation: string
  has(sequence: number): boolean
}

/** A slice of the work; whoever is not alone lets others go between two of them. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

const alone: InTurn = (work) => work()

export interface TrackingOptions {
  readonly signal?: AbortSignal
  readonly inTurn?: InTurn
  /** Bytes with which a batch is full; absent: 8 MB. */
  readonly batchBytes?: number | undefined
}

/** Gives how many entities were deleted; when it is stopped, those that it came to. */
export async function trackDeletions(
  position: ReadPosition,
  sink: DatasetSink,
  seen: Seen,
  write: (gone: readonly Entity[]) => Promise<Written>,
  { signal, inTurn = alone, batchBytes }: TrackingOptions = {},
): Promise<number> {
  let deleted = 0
  let after: string | undefined
  for (let isMore = true; isMore && signal?.aborted !== true; ) {
    const bounds = new BatchBounds(WRITTEN, batchBytes)
    const slice = await inTurn(() => trackSlice(position, sink, seen, write, { after, bounds }))
    ;({ after, isMore } = slice)
    deleted += slice.deleted
    // Others have their turn, however long nothing is found.
    if (slice.deleted === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return deleted
}

interface Slice {
  readonly deleted: number
  readonly after: string | undefined
  readonly isMore: boolean
}

async function trackSlice(
  position: ReadPosition,
  sink: DatasetSink,
  seen: Seen,
  write: (gone: readonly Entity[]) => Promise<Written>,
  { after: from, bounds }: { readonly after: string | undefined; readonly bounds: BatchBounds },
): Promise<Slice> {
  let after = from
  let isMore = false
  position.moveToPresent()
  const view = position.snapshot.dataset(sink.dataset)
  if (view?.document.generation !== seen.generation) {
    throw new PipeError('dataset-gone', `The dataset '${sink.dataset}' was deleted while it was being read in full.`, {
      hint: 'Nothing more was deleted in it. The next full run begins anew.',
    })
  }
  const gone: Entity[] = []
  let looked = 0
  let isFull = false
  for (const head of view.heads({ deleted: false, ...(after === undefined ? {} : { after }) })) {
    after = head.id
    if (!seen.has(head.sequence)) {
      const { entity, bytes } = asGone(view, head.id, sink)
      gone.push(entity)
      isFull = bounds.add(bytes)
    }
    if (++looked >= LOOKED || isFull) {
      isMore = true
      break
    }
  }
  const deleted = gone.length > 0 ? (await write(gone)).changes : 0
  return { deleted, after, isMore }
}

function asGone(view: DatasetView, id: string, sink: DatasetSink): { readonly entity: Entity; readonly bytes: number } {
  const version = view.latest(id)
  if (version === undefined) throw new Error(`The dataset '${sink.dataset}' lists '${id}' and does not have it.`)
  const entity = entityOf(version, { internal: false })
  set(entity, '_deleted', true)
  if (sink.markDeletionTracked) set(entity, '$deletion_tracked', true)
  return { entity, bytes: version.body.length }
}
