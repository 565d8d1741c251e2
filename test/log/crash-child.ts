/**
 * A hub that commits numbered batches for ever, prints each number once it is stored, and waits to be killed. Beside it,
 * an index is filled and removed again and again, and superseded versions are taken out of the log.
 */

import { EntityPacker } from '../../src/log/batch.ts'
import type { DatasetView } from '../../src/log/contract.ts'
import { fillIndex } from '../../src/log/fill.ts'
import { startWriter } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { dictOf, get } from '../../src/model/dict.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { ENTITIES, idOf, keysOf } from './crash-batches.ts'

/** Of each id that many newest versions stay. */
const KEPT = 3
const path = process.argv[2] as string
const { journal } = await startWriter(path)
const { generation } = await journal.assertDataset('d')
await journal.assertIndex('d', 'batch', '')
const log = openLog(path)

const reading = <T>(read: (view: DatasetView) => T): T => {
  const snapshot = log.snapshot()
  try {
    return read(snapshot.dataset('d') as DatasetView)
  } finally {
    snapshot.close()
  }
}

async function commitBatches(): Promise<void> {
  const snapshot = log.snapshot()
  const stored = snapshot.offset('batch')
  snapshot.close()
  const run = { pipe: 'p', number: await journal.beginRun('p') }
  for (let batch = stored === undefined ? 0 : Number(stored) + 1; ; batch++) {
    for (let isStored = false; !isStored; ) {
      const commit = {
        run,
        writes: [packed(batch)],
        offsets: [['batch', `${batch}`]] as const,
        durable: batch % 2 === 0,
      }
      isStored = await journal.commit(commit).then(
        () => true,
        (error) => {
          if (error.code !== 'index-set-changed') throw error
          return false
        },
      )
    }
    process.stdout.write(`${batch}\n`)
  }
}

function packed(batch: number) {
  const { indexes, indexSet } = reading((view) => view.document)
  const packer = new EntityPacker()
  for (let i = 0; i < ENTITIES; i++) {
    const entity = dictOf({ _id: idOf(batch, i), batch, padding: 'x'.repeat((batch * 37 + i) % 900) })
    packer.add(
      encodeEntity(entity),
      indexes.map(({ number, expression }) => [number, keysOf(expression, batch)]),
    )
  }
  return { dataset: 'd', entities: packer.finish(), indexSet }
}

async function fillAgainAndAgain(): Promise<void> {
  for (;;) {
    await fillIndex(journal, log, 'd', 'again', (entity) => keysOf('again', Number(get(entity, 'batch'))))
    const index = reading((view) => view.document.indexes.find(({ expression }) => expression === 'again'))
    if (index !== undefined) await journal.deleteIndex('d', index.number)
  }
}

async function removeAgainAndAgain(): Promise<void> {
  for (;;) {
    const going = reading(superseded)
    await journal.remove({ dataset: 'd', generation, blocks: going, ids: [] })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function superseded(view: DatasetView): [block: number, sequences: number[]][] {
  const kept = new Map<string, number>()
  const blocks = new Map<number, number[]>()
  for (const { id, sequence, block } of [...view.places(null)].reverse()) {
    const newer = kept.get(id) ?? 0
    kept.set(id, newer + 1)
    if (newer >= KEPT) blocks.set(block, [sequence, ...(blocks.get(block) ?? [])])
  }
  return [...blocks]
}

await Promise.all([commitBatches(), fillAgainAndAgain(), removeAgainAndAgain()])
