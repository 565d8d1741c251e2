/** A hub that commits numbered batches for ever, prints each number once it is stored, and waits to be killed. */

import { EntityPacker } from '../../src/log/batch.ts'
import { startWriter } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { encodeEntity } from '../../src/model/canonical.ts'
import { dictOf } from '../../src/model/dict.ts'

const ENTITIES = 25

const path = process.argv[2] as string
const { journal } = await startWriter(path)
await journal.assertDataset('d')
const { number: index } = await journal.assertIndex('d', 'batch', '')
const log = openLog(path)
const snapshot = log.snapshot()
const stored = snapshot.offset('batch')
snapshot.close()
const run = await journal.beginRun('p')

for (let batch = stored === undefined ? 0 : Number(stored) + 1; ; batch++) {
  const packer = new EntityPacker()
  for (let i = 0; i < ENTITIES; i++) {
    // Some ids come again in each batch, some in every third, some once.
    const id = i < 10 ? `e${i}` : i < 20 ? `f${batch % 3}-${i}` : `g${batch}-${i}`
    const entity = dictOf({ _id: id, batch, padding: 'x'.repeat((batch * 37 + i) % 900) })
    packer.add(encodeEntity(entity), [[index, [Buffer.from(`${batch}`)]]])
  }
  await journal.commit({
    run: { pipe: 'p', number: run },
    writes: [{ dataset: 'd', entities: packer.finish(), indexSet: 1 }],
    offsets: [['batch', `${batch}`]],
    durable: batch % 2 === 0,
  })
  process.stdout.write(`${batch}\n`)
}
