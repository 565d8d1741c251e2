/**
 * Moves what a run with a circuit breaker wrote into its dataset, in slices, each under the sequences it has already.
 *
 * Once it is decided, nothing else is written to the dataset until all of it is there, and the end of the dataset says
 * how far it came: whoever calls this again goes on where it was, and two at a time do no harm.
 */

import type { Entity } from '../model/entity.ts'
import { EntityPacker } from './batch.ts'
import type { DatasetView, Journal, RunToken, Stamp, Write } from './contract.ts'
import { LogError } from './errors.ts'
import type { LogReader } from './reader.ts'
import { packStamps } from './stamps.ts'
import { entityOf } from './stored.ts'

/** Bytes and versions of one slice, at most. */
const SLICE_BYTES = 1 << 20
const SLICE_VERSIONS = 2_000

export interface ExposeOptions {
  /** The run that staged it; absent: its breaker has tripped, or the decision was made before. */
  readonly run?: RunToken
  readonly signal?: AbortSignal
}

/** `keysOf` computes the keys of an entity for an index's expression. */
export async function exposeStaged(
  journal: Journal,
  log: LogReader,
  dataset: string,
  keysOf: (expression: string, entity: Entity) => readonly Uint8Array[],
  { run, signal }: ExposeOptions = {},
): Promise<void> {
  if (!(await journal.decideStaged(dataset, run))) return
  const snapshot = log.snapshot()
  try {
    for (;;) {
      signal?.throwIfAborted()
      snapshot.renew()
      const view = snapshot.dataset(dataset)
      if (view?.staging()?.state !== 'exposing') return
      await journal.commit({ writes: [slice(view, keysOf)] }).catch(unlessOvertaken)
    }
  } finally {
    snapshot.close()
  }
}

function slice(view: DatasetView, keysOf: (expression: string, entity: Entity) => readonly Uint8Array[]): Write {
  const { id, indexSet, indexes } = view.document
  const packer = new EntityPacker()
  const stamps: Stamp[] = []
  for (const version of view.withUncommitted().changes(view.counts().end - 1)) {
    const entity = indexes.length === 0 ? null : entityOf(version, { internal: false })
    const keys = entity === null ? [] : indexes.map((one) => [one.number, keysOf(one.expression, entity)] as const)
    packer.add({ ...version, text: Buffer.from(version.body).toString('utf8') }, keys)
    stamps.push(version)
    if (packer.bytes >= SLICE_BYTES || packer.count >= SLICE_VERSIONS) break
  }
  return { dataset: id, entities: packer.finish(), indexSet, stamps: packStamps(stamps) }
}

/** The slice is made again: for the indexes there are now, or not at all, since somebody else moved the last one. */
function unlessOvertaken(error: unknown): void {
  const isOvertaken = error instanceof LogError && (error.code === 'index-set-changed' || error.code === 'wrong-kind')
  if (!isOvertaken) throw error
}
