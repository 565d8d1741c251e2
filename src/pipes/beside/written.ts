/** Which versions a batch brought, where others may write to the dataset at the same time and what they write means something else. */

import type { DatasetView } from '../../log/contract.ts'
import { type Entity, idOf } from '../../model/entity.ts'
import type { SeenSet } from '../seen-set.ts'

/** Marks the newest versions of the entities that are not older than `from`. */
export function markWritten(set: SeenSet, entities: readonly Entity[], from: number, stored: DatasetView): void {
  for (const entity of entities) {
    const head = stored.head(idOf(entity))
    if (head !== undefined && head.sequence >= from) set.mark(head.sequence)
  }
}
