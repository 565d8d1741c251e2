/**
 * Entry of a thread that does what a pump does at the journal, batch by batch: reads where it was, begins a run, holds a
 * snapshot with a scan half done, commits entities with the offset. It goes on for ever, or until its memory runs out.
 */

import { type MessagePort, workerData } from 'node:worker_threads'
import { EntityPacker } from '../../src/log/batch.ts'
import type { DatasetView } from '../../src/log/contract.ts'
import { connectJournal } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { entityOf } from '../../src/log/stored.ts'
import { dictOf } from '../../src/model/dict.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { ENTITIES, idOf } from './crash-batches.ts'

export interface BatchThreadData {
  readonly path: string
  readonly port: MessagePort
  /** Batch in which it builds a value that is greater than its memory; null: none. */
  readonly bursts: number | null
}

const { path, port, bursts } = workerData as BatchThreadData
const journal = connectJournal(port)
const log = openLog(path)
const snapshot = log.snapshot()
const run = { pipe: 'p', number: await journal.beginRun('p') }
snapshot.renew()
const stored = snapshot.offset('batch')
const first = stored === undefined ? 0 : Number(stored) + 1

for (let batch = first; ; batch++) {
  const view = snapshot.dataset('d') as DatasetView
  const packer = new EntityPacker()
  let entities = 0
  for (const version of view.entities()) {
    // Some of the scan, then it stays as it is until the snapshot moves.
    if (entities++ === 40) break
    entityOf(version, { internal: true })
  }
  for (let i = 0; i < ENTITIES; i++) {
    if (batch - first === bursts && i === ENTITIES - 1) burst()
    packer.add(encodeEntity(dictOf({ _id: idOf(batch, i), batch, padding: 'x'.repeat((batch * 37 + i) % 900) })))
  }
  await journal.commit({
    run,
    writes: [{ dataset: 'd', entities: packer.finish(), indexSet: view.document.indexSet }],
    offsets: [['batch', `${batch}`]],
  })
  snapshot.renew()
}

function burst(): never {
  const values: string[][] = []
  for (;;) values.push(Array.from({ length: 100_000 }, (_, n) => `value ${n}`))
}
