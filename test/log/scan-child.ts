/** Writes so many small entities, or reads so many of them, and prints how long it took and the memory at its highest. */

import { readFileSync } from 'node:fs'
import { EntityPacker } from '../../src/log/batch.ts'
import type { DatasetView } from '../../src/log/contract.ts'
import { openLog } from '../../src/log/reader.ts'
import { entityOf } from '../../src/log/stored.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { dictOf } from '../../src/model/dict.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'

const BATCH = 10_000
const [action, path, given] = process.argv.slice(2) as [string, string, string]
const count = Number(given)
const startedAt = performance.now()
let anonymousMb = 0
let seen = 0

function look(): void {
  const status = readFileSync('/proc/self/status', 'utf8')
  anonymousMb = Math.max(anonymousMb, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}

if (action === 'write') {
  const writer = await LogWriter.open(path)
  await writer.assertDataset('d')
  for (; seen < count; seen += BATCH) {
    const packer = new EntityPacker(BATCH * 150)
    for (let n = seen; n < seen + BATCH; n++) {
      packer.add(encodeEntity(dictOf({ _id: `e${n}`, name: `Entity ${n}`, group: n % 1000, active: n % 3 === 0 })))
    }
    await writer.commit({ writes: [{ dataset: 'd', entities: packer.finish(), indexSet: 0 }] })
    look()
  }
  await writer.close()
} else {
  const log = openLog(path)
  const snapshot = log.snapshot()
  for (const version of (snapshot.dataset('d') as DatasetView).changes(null, { limit: count })) {
    entityOf(version, { internal: true })
    if (++seen % BATCH === 0) look()
  }
  log.close()
}
process.stdout.write(JSON.stringify({ seen, seconds: (performance.now() - startedAt) / 1000, anonymousMb }))
