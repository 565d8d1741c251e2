/** Erasing one entity of a dataset: all its versions go, and what says so holds nothing of it. */

import { createHmac, randomBytes } from 'node:crypto'
import { EntityPacker } from '../log/batch.ts'
import type { DatasetView, Journal, Snapshot, Write } from '../log/contract.ts'
import type { LogReader } from '../log/reader.ts'
import { allBefore } from '../log/version-chains.ts'
import { dictOf } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { encodeEntity } from '../model/entity-encoder.ts'
import { HubError } from './errors.ts'

/** Where it is recorded what was erased: when, of what, how much, and a keyed hash of its name. */
export const ERASED = 'system:erased'
/** The key of those hashes. */
const KEY = 'erasure-key'

export interface ErasurePorts {
  readonly journal: Journal
  readonly log: LogReader
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly uuid: () => string
}

/**
 * Replaces what there is of an entity by one deleted version with nothing but its id, from which those who read the
 * dataset learn of it, and records it, in one transaction. What was before is then to be settled (log/compaction.ts).
 * Gives how many versions were erased. Codes: unknown-dataset, unknown-entity, not-erasable.
 */
export async function eraseEntity(
  { journal, log, now, uuid }: ErasurePorts,
  dataset: string,
  id: string,
): Promise<number> {
  await journal.assertDataset(ERASED)
  const { versions, indexSet, key } = withSnapshot(log, (snapshot) => ({
    ...whatThereIs(snapshot.dataset(dataset), dataset, id),
    key: snapshot.meta(KEY) ?? randomBytes(32).toString('hex'),
  }))
  if (versions === 0) return 0
  const record = recordOf(uuid(), now(), key, { dataset, id }, { kind: 'entity', dataset, versions })
  await journal.commit({
    writes: [
      { ...writeOf(dataset, dictOf({ _id: id, _deleted: true })), indexSet, erases: true },
      { ...writeOf(ERASED, record), indexSet: indexSetOf(log, ERASED) },
    ],
    meta: [[KEY, key]],
    durable: true,
  })
  return versions
}

/** Records that a tenant was deleted with all it had; in the log of another one. */
export async function recordTenant(
  { journal, log, now, uuid }: ErasurePorts,
  tenant: string,
  had: { readonly datasets: number; readonly versions: number },
): Promise<void> {
  await journal.assertDataset(ERASED)
  const key = withSnapshot(log, (snapshot) => snapshot.meta(KEY)) ?? randomBytes(32).toString('hex')
  const record = recordOf(uuid(), now(), key, { tenant }, { kind: 'tenant', ...had })
  await journal.commit({
    writes: [{ ...writeOf(ERASED, record), indexSet: indexSetOf(log, ERASED) }],
    meta: [[KEY, key]],
    durable: true,
  })
}

function whatThereIs(view: DatasetView | undefined, dataset: string, id: string) {
  if (view === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
  const { kind, indexSet } = view.document
  if (kind === 'replicated') {
    throw new HubError('not-erasable', `The dataset '${dataset}' is a replica; its versions come from another hub.`, {
      hint: 'Erase the entity where it is written, then delete the replica and let it be made again.',
    })
  }
  const head = view.head(id)
  if (head === undefined) {
    throw new HubError('unknown-entity', `There is no entity '${id}' in the dataset '${dataset}'.`)
  }
  const newest = [...view.placesAt([head.sequence])]
  // Asked for once more: what is left is what an erasure left.
  const isErased = view.remnants().includes(head.sequence)
  return { versions: isErased ? 0 : newest.length + allBefore(view, newest).length, indexSet }
}

/** The name stands in it as a hash that nobody can guess names for without the key, which is in the tenant's own log. */
function recordOf(
  uuid: string,
  now: number,
  key: string,
  name: Readonly<Record<string, string>>,
  what: Readonly<Record<string, string | number>>,
): Entity {
  const hash = createHmac('sha256', Buffer.from(key, 'hex')).update(JSON.stringify(name)).digest('hex')
  return dictOf({ _id: uuid, ...what, hash, erased_at: new Date(now).toISOString() }) as Entity
}

function writeOf(dataset: string, entity: Entity): Pick<Write, 'dataset' | 'entities'> {
  const packer = new EntityPacker()
  packer.add(encodeEntity(entity))
  return { dataset, entities: packer.finish() }
}

const indexSetOf = (log: LogReader, dataset: string): number =>
  withSnapshot(log, (snapshot) => snapshot.dataset(dataset)?.document.indexSet ?? 0)

function withSnapshot<T>(log: LogReader, use: (snapshot: Snapshot) => T): T {
  const snapshot = log.snapshot()
  try {
    return use(snapshot)
  } finally {
    snapshot.close()
  }
}
