import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { bytes, folder, reading } from './sample.ts'

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url))
const ENTITIES = 25

interface Hub {
  readonly process: ChildProcess
  /** Newest batch that it said is stored. */
  readonly acknowledged: () => number
  /** Resolves when it has stored a batch. */
  readonly works: Promise<void>
}

function hub(path: string): Hub {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let acknowledged = -1
  const works = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      acknowledged = Number(line)
      resolve()
    })
  })
  return { process: child, acknowledged: () => acknowledged, works }
}

async function kill(child: ChildProcess): Promise<void> {
  // 'close': all that it printed has been read.
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

it('reopens to whole batches with every acknowledged one, whenever the process is killed', async () => {
  const path = folder()
  let before = -1
  for (let round = 0; round < 5; round++) {
    const { process: child, acknowledged, works } = hub(path)
    await works
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 250))
    await kill(child)
    const writer = await LogWriter.open(path)
    const log = openLog(path)
    const last = reading(log, (snapshot) => {
      const newest = Number(snapshot.offset('batch'))
      const view = snapshot.dataset('d')
      expect(newest).toBeGreaterThanOrEqual(acknowledged())
      expect(view?.counts().versions).toBe(ENTITIES * (newest + 1))
      const perBatch = new Map<number, number>()
      for (const { body } of view?.changes(null) ?? []) {
        const { batch } = JSON.parse(Buffer.from(body).toString()) as { batch: number }
        perBatch.set(batch, (perBatch.get(batch) ?? 0) + 1)
      }
      expect([...perBatch]).toEqual(Array.from({ length: newest + 1 }, (_, batch) => [batch, ENTITIES]))
      // The index holds exactly the newest versions.
      for (let batch = Math.max(0, newest - 4); batch <= newest; batch++) {
        const ids = [...(view?.changes(null, { history: false }) ?? [])].filter(
          ({ body }) => (JSON.parse(Buffer.from(body).toString()) as { batch: number }).batch === batch,
        )
        expect(view?.lookup(0, bytes(`${batch}`))).toEqual(ids.map(({ id }) => id).sort())
      }
      return newest
    })
    expect(last).toBeGreaterThan(before)
    before = last
    log.close()
    await writer.close()
  }
}, 60_000)

it('refuses a folder that another process has, and takes it once that process was killed', async () => {
  const path = folder()
  const { process: child, works } = hub(path)
  await works
  await expect(LogWriter.open(path)).rejects.toMatchObject({
    code: 'data-in-use',
    message: expect.stringContaining(path),
    hint: expect.stringContaining('--data'),
  })
  await kill(child)
  const writer = await LogWriter.open(path)
  await writer.close()
}, 60_000)
