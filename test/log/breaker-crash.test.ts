import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { exposeStaged } from '../../src/log/expose.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { batchesOf, ENTITIES, outcomeOf } from './breaker-runs.ts'
import { bytes, folder, reading } from './sample.ts'

const CHILD = fileURLToPath(new URL('./breaker-child.ts', import.meta.url))
const KILLS = Number(process.env.CRASHES ?? 4)

it(
  'a run behind a circuit breaker is there in whole or not at all, whenever the process is killed',
  async () => {
    const path = folder()
    for (let round = 0; round < KILLS; round++) {
      const acknowledged = await killedAfter(path, Math.random() * 300)
      const writer = await LogWriter.open(path)
      const log = openLog(path)
      try {
        await settle(writer, log)
        examine(log, acknowledged)
      } finally {
        log.close()
        await writer.close()
      }
    }
  },
  60_000 + KILLS * 10_000,
)

/** Gives the newest run that it said was decided. */
async function killedAfter(path: string, milliseconds: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let acknowledged = -1
  const closed = once(child, 'close')
  await new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      acknowledged = Number(line)
      resolve()
    })
  })
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  child.kill('SIGKILL')
  await closed
  return acknowledged
}

/** What was decided is brought to its end; what was not, is undone by now or held back. */
async function settle(writer: LogWriter, log: ReturnType<typeof openLog>): Promise<void> {
  const state = () => reading(log, (snapshot) => snapshot.dataset('d')?.staging()?.state)
  await expect.poll(state, { timeout: 20_000 }).not.toBe('undoing')
  if (state() === 'exposing') await exposeStaged(writer, log, 'd', () => [])
  if (state() === 'tripped') await writer.discardStaged('d')
  expect(state()).toBeUndefined()
}

function examine(log: ReturnType<typeof openLog>, acknowledged: number): void {
  reading(log, (snapshot) => {
    const versions = new Map<number, number>()
    for (const { body } of snapshot.dataset('d')?.changes(null) ?? []) {
      const { run } = JSON.parse(Buffer.from(body).toString()) as { run: number }
      versions.set(run, (versions.get(run) ?? 0) + 1)
    }
    const kept = [...versions.keys()].sort((a, b) => a - b)
    for (const run of kept) expect([run, versions.get(run)]).toEqual([run, batchesOf(run) * ENTITIES])
    for (let run = 0; run <= acknowledged; run++) {
      expect([run, versions.has(run)]).toEqual([run, outcomeOf(run) === 'kept'])
    }
    const newest = kept.at(-1) as number
    // Offset and state are those of the newest run that is there, whatever ran after it.
    expect(snapshot.offset('source:p')).toBe(`${newest}.${batchesOf(newest) - 1}`)
    const state = Buffer.from(snapshot.state(bytes('s0')) ?? []).toString()
    expect(state).toBe(`${newest}.0`)
    expect(snapshot.dataset('d')?.document.isTripped).toBe(false)
  })
}
