/**
 * Fills an index in the background with the versions that were there before it.
 *
 * From the moment an index is declared the writer takes no batch that was packed without it (`index-set-changed`), so
 * every version stored from then on brings its keys. What is left are the ids whose newest version is older. The fill
 * walks them in log order, computes their keys here, and hands them over in slices, each with the sequence it was
 * computed from. When an id got a newer version meanwhile, the writer passes its entry over: the newer version brought
 * its own. Progress is stored with each slice, so a fill that was cut short goes on where it was, and two fills of one
 * index do no harm. The last slice makes the index ready, in the same transaction as its entries.
 */

import type { Entity } from '../model/entity.ts'
import { IndexFillPacker } from './batch.ts'
import type { DatasetDocument, IndexDocument, Journal } from './contract.ts'
import { LogError } from './errors.ts'
import type { LogReader } from './reader.ts'
import { entityOf } from './stored.ts'

/** Bytes and versions of one slice, at most. */
const SLICE_BYTES = 1 << 20
const SLICE_VERSIONS = 5_000

export interface FillOptions {
  /** Of the expression and the functions that it uses: another one than the index has means a rebuild. */
  readonly fingerprint?: string
  readonly signal?: AbortSignal
}

/** Makes sure that the dataset has the index and that it is complete. Rejects `unknown-dataset`. */
export async function fillIndex(
  journal: Journal,
  log: LogReader,
  dataset: string,
  expression: string,
  keysOf: (entity: Entity) => readonly Uint8Array[],
  { fingerprint = '', signal }: FillOptions = {},
): Promise<void> {
  const snapshot = log.snapshot()
  try {
    const there = snapshot.dataset(dataset)?.document.indexes.find((one) => one.expression === expression)
    if (there?.state === 'ready' && there.fingerprint === fingerprint) return
    const { number, state, filled } = await journal.assertIndex(dataset, expression, fingerprint)
    if (state === 'ready') return
    // The dataset may be another one of the same name after a renewal: its number tells.
    let owner: DatasetDocument | undefined
    for (let from = filled, isDone = false; !isDone; ) {
      signal?.throwIfAborted()
      snapshot.renew()
      const view = snapshot.dataset(dataset)
      if (view === undefined || (owner !== undefined && owner.number !== view.document.number)) throw gone(dataset)
      owner = view.document
      if (indexOf(view.document, number)?.state !== 'filling') return
      const packer = new IndexFillPacker()
      isDone = true
      let read = 0
      for (const version of view.changes(from === 0 ? null : from - 1, { history: false })) {
        if (packer.bytes >= SLICE_BYTES || read === SLICE_VERSIONS) {
          isDone = false
          break
        }
        packer.add(version.id, version.sequence, number, keysOf(entityOf(version, { internal: false })))
        from = version.sequence + 1
        read++
      }
      await journal.fillIndex(dataset, number, packer.finish(), from, isDone)
    }
  } finally {
    snapshot.close()
  }
}

const indexOf = (document: DatasetDocument, number: number): IndexDocument | undefined =>
  document.indexes.find((one) => one.number === number)

const gone = (dataset: string): LogError =>
  new LogError('unknown-dataset', `Dataset '${dataset}' was deleted while its index was filled.`, {
    details: { dataset },
  })
