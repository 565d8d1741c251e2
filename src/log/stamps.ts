/** Versions as another log has numbered them: their places cross beside the batch, three numbers each. */

import type { BatchReader } from './batch.ts'
import { Block } from './block.ts'
import type { Stamp, Write } from './contract.ts'
import { get, keysIn, type Tables } from './environment.ts'
import { LogError } from './errors.ts'
import { decodeId } from './ids.ts'
import { datasetKey, logKey, sequenceOf } from './keys.ts'

const NUMBERS = 3
const NONE = -1

/** For `Write.stamps`, in the order of the write's entities. */
export function packStamps(stamps: readonly Stamp[]): Float64Array {
  const packed = new Float64Array(NUMBERS * stamps.length)
  stamps.forEach(({ sequence, previous, ts }, place) => {
    packed.set([sequence, previous ?? NONE, ts], NUMBERS * place)
  })
  return packed
}

export function stampAt(packed: Float64Array, place: number): Stamp {
  const at = NUMBERS * place
  const previous = packed[at + 1] as number
  return {
    sequence: packed[at] as number,
    previous: previous === NONE ? null : previous,
    ts: packed[at + 2] as number,
  }
}

/** Two writes of a commit could contradict each other unseen. */
export function checkStampedAlone(writes: readonly Write[]): void {
  for (const { dataset, stamps } of writes) {
    if (stamps === undefined || writes.filter((one) => one.dataset === dataset).length === 1) continue
    throw new LogError('bad-batch', `A commit writes to dataset '${dataset}' with stamps, and once more.`)
  }
}

/**
 * Throws `bad-batch` when the stamps are none, and `sequence-conflict` when they contradict what is there: sequences must
 * grow, and one below the end must be there already, as the same version. One that is not there any more was compacted
 * away when its id has a later version; otherwise it comes too late to find its place.
 */
export function checkStamps(
  tables: Tables,
  dataset: { readonly id: string; readonly number: number; readonly end: number },
  batch: BatchReader,
  packed: Float64Array,
  latest: (id: Buffer) => { readonly sequence: number } | undefined,
): void {
  if (packed.length !== NUMBERS * batch.count)
    throw new LogError('bad-batch', 'A write has too few or too many stamps.')
  batch.rewind()
  let last = -1
  for (let place = 0; batch.next(); place++) {
    const { sequence, previous, ts } = stampAt(packed, place)
    const isPlace = Number.isSafeInteger(sequence) && sequence > last && (previous === null || previous < sequence)
    if (!isPlace || !(ts >= 0)) throw conflict(dataset.id, batch, sequence, 'sequences must grow within a batch')
    last = sequence
    if (sequence >= dataset.end) continue
    const there = versionAt(tables, dataset.number, sequence)
    if (there === undefined) {
      if ((latest(batch.id)?.sequence ?? NONE) > sequence) continue
      throw conflict(dataset.id, batch, sequence, `the dataset has come to ${dataset.end} already`)
    }
    const isSame = there.id === decodeId(batch.id) && there.hash === batch.hash && there.deleted === batch.deleted
    if (!isSame) throw conflict(dataset.id, batch, sequence, `there is another version of '${there.id}' at this place`)
  }
}

function versionAt({ log }: Tables, dataset: number, sequence: number) {
  const start = logKey(dataset, sequence)
  const [key] = keysIn(log, { start, end: datasetKey(dataset), reverse: true, limit: 1 })
  if (key === undefined) return undefined
  const row = get(log, key) as Buffer
  const block = new Block(row, row.length, dataset, sequenceOf(key))
  const entry = block.find(sequence)
  return entry < 0 ? undefined : block.versionAt(entry, true)
}

function conflict(dataset: string, batch: BatchReader, sequence: number, why: string): LogError {
  const entity = decodeId(batch.id)
  return new LogError(
    'sequence-conflict',
    `Version ${sequence} of entity '${entity}' does not fit into dataset '${dataset}': ${why}.`,
    {
      details: { dataset, entity, sequence },
      hint: 'It was numbered by another log than the one this dataset follows: delete the dataset and follow again.',
    },
  )
}
