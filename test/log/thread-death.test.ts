/**
 * A thread that reads and commits is ended at any instant, or runs out of memory within a batch: nothing is torn, no lock
 * and no reader stays behind, and the next thread goes on where it was.
 *
 * `CRASHES` says how often; `npm run test:crash` does it 200 times.
 */

import type { Worker } from 'node:worker_threads'
import { open } from 'lmdb'
import { expect, it, onTestFinished } from 'vitest'
import type { DatasetView } from '../../src/log/contract.ts'
import { startWriter, type WriterThread } from '../../src/log/journal.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import { endThread, startThread } from '../../src/log/thread.ts'
import { verifyLog } from '../../src/log/verify/verify.ts'
import type { BatchThreadData } from './batch-thread.ts'
import { ENTITIES, idOf } from './crash-batches.ts'
import { folder, reading } from './sample.ts'

const ENDS = Number(process.env.CRASHES ?? 16)

interface Place {
  readonly path: string
  readonly writer: WriterThread
  readonly log: LogReader
}

async function started(): Promise<Place> {
  const path = folder()
  const writer = await startWriter(path)
  await writer.journal.assertDataset('d')
  const log = openLog(path)
  onTestFinished(async () => {
    log.close()
    await writer.close()
  })
  return { path, writer, log }
}

function batchThread({ path, writer }: Place, bursts: number | null = null): Worker {
  const port = writer.connect()
  const workerData: BatchThreadData = { path, port, bursts }
  return startThread(import.meta.url, './batch-thread.ts', {
    workerData,
    transferList: [port],
    ...(bursts === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: 64 } }),
  })
}

const batches = ({ log }: Place): number =>
  reading(log, (snapshot) => (snapshot.dataset('d')?.counts().end as number) / ENTITIES)

/** All batches are whole, each once and in its place. */
async function examine({ path, log }: Place): Promise<void> {
  reading(log, (snapshot) => {
    const view = snapshot.dataset('d') as DatasetView
    const { end } = view.counts()
    if (end > 0) expect(Number(snapshot.offset('batch'))).toBe(end / ENTITIES - 1)
    let place = 0
    for (const { id, sequence } of view.changes(null)) {
      expect(sequence).toBe(place++)
      expect(id).toBe(idOf(Math.floor(sequence / ENTITIES), sequence % ENTITIES))
    }
    expect(place).toBe(end)
  })
  const findings: unknown[] = []
  await verifyLog(path, { found: (finding) => findings.push(finding) })
  expect(findings).toEqual([])
}

/** Read transactions that are open, over all threads. */
function openReaders(path: string): number {
  const environment = open({ path, noSubdir: false, readOnly: true })
  const rows = environment.readerList().trim().split('\n').slice(1)
  void environment.close()
  return rows.filter((row) => !row.trim().endsWith('-')).length
}

it(
  'goes on after a thread was ended at any instant',
  async () => {
    const place = await started()
    const { writer } = place
    let before = 0
    for (let end = 0; end < ENDS; end++) {
      const thread = batchThread(place)
      // Sometimes while it starts or takes its first steps, sometimes at work.
      if (end % 4 !== 0)
        await expect.poll(() => batches(place), { timeout: 20_000, interval: 1 }).toBeGreaterThan(before)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * (end % 4 === 0 ? 600 : 30)))
      await endThread(thread)
      // Nobody holds the writer up: what another client sends is answered.
      await writer.journal.commit({ meta: [['after', `${end}`]] })
      before = batches(place)
      expect(before).toBe(Math.floor(before))
    }
    await examine(place)
    expect(before).toBeGreaterThan(ENDS / 2)
    expect(openReaders(place.path)).toBe(0)
    // It would have been seen.
    place.log.snapshot()
    expect(openReaders(place.path)).toBe(1)
  },
  60_000 + ENDS * 3_000,
)

it('goes on after a thread ran out of memory within a batch', async () => {
  const place = await started()
  for (const bursts of [0, 3]) {
    const before = batches(place)
    const thread = batchThread(place, bursts)
    const error = await new Promise((resolve) => thread.once('error', resolve))
    expect(error).toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' })
    await endThread(thread)
    expect(batches(place)).toBe(before + bursts)
    await examine(place)
  }
  const before = batches(place)
  const thread = batchThread(place)
  await expect.poll(() => batches(place), { timeout: 20_000 }).toBeGreaterThan(before)
  await endThread(thread)
  await examine(place)
  expect(openReaders(place.path)).toBe(0)
}, 60_000)

it('lets the file reuse its pages after a thread was ended in the middle of a read', async () => {
  const place = await started()
  const { writer, path } = place
  for (let end = 0; end < 3; end++) {
    const thread = batchThread(place)
    const before = batches(place)
    await expect.poll(() => batches(place), { timeout: 20_000 }).toBeGreaterThan(before)
    await endThread(thread)
  }
  const pagesAfter = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      await writer.journal.commit({ meta: [['round', String(round).padStart(60_000, 'x')]] })
    }
    const environment = open({ path, noSubdir: false, readOnly: true })
    const { lastPageNumber } = environment.getStats() as { lastPageNumber: number }
    void environment.close()
    return lastPageNumber
  }
  const first = await pagesAfter(30)
  expect(await pagesAfter(300)).toBeLessThan(first + 100)
}, 60_000)
