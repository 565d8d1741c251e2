/** Who follows the log in other threads hears of each commit at once, from memory. */

import { existsSync, readFileSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startWriter } from '../../src/log/journal.ts'
import { startThread } from '../../src/log/thread.ts'
import type { FollowerData, Heard } from './follower-thread.ts'
import { folder, write } from './sample.ts'

const COMMITS = 100
const isLinux = existsSync('/proc/thread-self')

async function followed(threads: number, followers: number) {
  const writer = await startWriter(folder())
  onTestFinished(() => writer.close())
  const { number } = await writer.journal.assertDataset('d')
  const workerData: FollowerData = { feed: writer.feed, dataset: number, followers, until: COMMITS }
  const workers = Array.from({ length: threads }, () =>
    startThread(import.meta.url, './follower-thread.ts', { workerData }),
  )
  onTestFinished(async () => void (await Promise.all(workers.map((one) => one.terminate()))))
  const tasks = await Promise.all(workers.map((one) => message<{ task: string }>(one)))
  return { journal: writer.journal, workers, tasks: tasks.map(({ task }) => task) }
}

const message = <T>(worker: Worker): Promise<T> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

const percentile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))] as number

describe.runIf(isLinux)('a follower in another thread', () => {
  it.each([
    [1, 1],
    [2, 50],
  ])('hears of growth within 10 ms of the answer: in %i threads %i each', async (threads, followers) => {
    const { journal, workers } = await followed(threads, followers)
    const told = Promise.all(workers.map((one) => message<Heard>(one)))
    const answeredAt: number[] = []
    for (let n = 1; n <= COMMITS; n++) {
      await journal.commit({ writes: [write('d', [{ _id: `${n}` }])] })
      answeredAt[n] = performance.timeOrigin + performance.now()
      // Commits with pauses between them, as in life.
      await new Promise((resolve) => setTimeout(resolve, 3))
    }
    const heard = (await told).flatMap((one) => one.heard)
    // Each follower heard the end; what it did not hear by itself it heard with the next.
    expect(heard.filter(([end]) => end === COMMITS)).toHaveLength(threads * followers)
    const delays = heard.map(([end, at]) => at - (answeredAt[end] as number))
    expect(delays.length).toBeGreaterThan(threads * followers * (COMMITS / 4))
    // The best half, since this machine may have other things to do.
    expect(percentile(delays, 0.5)).toBeLessThan(10)
    if (process.env.LARGE === '1') {
      const shown = [0.5, 0.9, 0.99].map((part) => `p${part * 100} ${percentile(delays, part).toFixed(2)} ms`)
      console.log(`${threads * followers} followers: heard after the answer ${shown.join(', ')}.`)
    }
  })

  it('asks the operating system for nothing while nothing is written', async () => {
    const { journal, workers, tasks } = await followed(1, 100)
    const calls = () => readFileSync(`/proc/${tasks[0]}/io`, 'utf8')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const before = calls()
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(calls()).toBe(before)
    // It lives, and its calls are counted.
    const told = message<Heard>(workers[0] as Worker)
    const entities = Array.from({ length: COMMITS }, (_, n) => ({ _id: `${n}` }))
    await journal.commit({ writes: [write('d', entities)] })
    await told
    expect(before).toMatch(/syscr: [1-9]/)
  })
})
