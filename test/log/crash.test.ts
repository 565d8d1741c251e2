import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { openLog } from '../../src/log/reader.ts'
import { verifyLog } from '../../src/log/verify/verify.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { get } from '../../src/model/dict.ts'
import { ENTITIES, idOf, keysOf } from './crash-batches.ts'
import { folder, reading } from './sample.ts'

const CHILD = fileURLToPath(new URL('./crash-child.ts', import.meta.url))
/** `npm run test:crash` does it 200 times. */
const KILLS = Number(process.env.CRASHES ?? 12)

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

it(
  'reopens to whole batches with every acknowledged one, whenever the process is killed',
  async () => {
    const path = folder()
    let before = -1
    for (let round = 0; round < KILLS; round++) {
      const { process: child, acknowledged, works } = hub(path)
      await works
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 250))
      await kill(child)
      const last = await examine(path, acknowledged())
      expect(last).toBeGreaterThan(before)
      before = last
    }
  },
  60_000 + KILLS * 5_000,
)

/** Number of the newest batch, after checking that all of them are whole, each once and in its place. */
async function examine(path: string, acknowledged: number): Promise<number> {
  const findings: unknown[] = []
  await verifyLog(path, {
    keysOf: (expression, _, entity) => keysOf(expression, Number(get(entity, 'batch'))),
    found: (finding) => findings.push(finding),
  })
  expect(findings).toEqual([])
  const log = openLog(path)
  try {
    return reading(log, (snapshot) => {
      const newest = Number(snapshot.offset('batch'))
      const view = snapshot.dataset('d')
      expect(newest).toBeGreaterThanOrEqual(acknowledged)
      expect(view?.counts().end).toBe(ENTITIES * (newest + 1))
      for (const { id, sequence, body } of view?.changes(null) ?? []) {
        const batch = Math.floor(sequence / ENTITIES)
        expect(id).toBe(idOf(batch, sequence % ENTITIES))
        expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ _id: id, batch })
      }
      // Nothing but superseded versions was taken away.
      const ids = new Set<string>()
      for (let batch = 0; batch <= newest; batch++) for (let i = 0; i < ENTITIES; i++) ids.add(idOf(batch, i))
      expect(view?.counts().existing).toBe(ids.size)
      return newest
    })
  } finally {
    log.close()
  }
}

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
