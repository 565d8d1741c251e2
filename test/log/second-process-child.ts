/** A process that writes and goes on until it is killed, or one that reads over and over: `second-process-child write|read PATH`. */

import type { Snapshot } from '../../src/log/contract.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { write } from './sample.ts'

const [, , what, path] = process.argv as [string, string, string, string]
if (what === 'write') await writeOn()
else await readOn()

async function writeOn(): Promise<void> {
  const writer = await LogWriter.open(path)
  await writer.assertDataset('d')
  for (let batch = 0; ; batch++) {
    const entities = Array.from({ length: 20 }, (_, i) => ({
      _id: `e${i}`,
      batch,
      text: 'x'.repeat((batch * 31) % 700),
    }))
    await writer.commit({ writes: [write('d', entities)], offsets: [['o', `${batch}`]] })
    process.send?.(batch)
  }
}

async function readOn(): Promise<void> {
  const log = openLog(path)
  const snapshots: Snapshot[] = []
  for (let round = 0; ; round++) {
    // Kept open: a killed process leaves them behind.
    if (snapshots.length < 5) snapshots.push(log.snapshot())
    await new Promise((resolve) => process.send?.(round, resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
