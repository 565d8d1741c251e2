/** What a backup says of the log in it: enough to check a restored one, and to tell what changed since. */

import type { Snapshot } from '../contract.ts'
import { LAYOUT, readCounts, type StoredDocument } from '../documents.ts'
import type { OpenSnapshot } from '../snapshot.ts'

export interface Contents {
  readonly layout: number
  readonly datasets: readonly DatasetContents[]
}

export interface DatasetContents {
  readonly id: string
  readonly number: number
  readonly generation: string
  readonly end: number
  readonly existing: number
  readonly deleted: number
  /** Sum of the hashes of all latest versions, in four lanes. */
  readonly sums: readonly number[]
  readonly erased: number
  readonly vanished: number
  /** UUID of the restore before, if any. */
  readonly restored: string | null
}

export function contentsOf(snapshot: Snapshot): Contents {
  const { environment, transaction } = snapshot as OpenSnapshot
  return {
    layout: LAYOUT,
    datasets: (snapshot.datasets() as readonly StoredDocument[]).map((document) => {
      const { id, number, generation, erased, vanished, restore } = document
      const { end, existing, deleted, sums } = readCounts(environment.tables.meta, number, transaction)
      return {
        id,
        number,
        generation,
        end,
        existing,
        deleted,
        sums: [...sums],
        erased,
        vanished,
        restored: restore?.uuid ?? null,
      }
    }),
  }
}

/**
 * Whether all that a dataset has now is what it had then and what was appended since: then an increment may leave the rest
 * out. Compaction of old versions does not matter: an increment brings new versions, and takes none away.
 */
export const isContinued = (then: DatasetContents | undefined, now: DatasetContents): then is DatasetContents =>
  then !== undefined &&
  then.number === now.number &&
  then.generation === now.generation &&
  then.restored === now.restored &&
  then.erased === now.erased &&
  then.vanished === now.vanished &&
  then.end <= now.end
