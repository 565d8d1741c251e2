/** A transform that needs more memory than there is costs the hub a pump thread: its pump says so, and all others go on on the next one. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Serving, serve } from '../cli/command-line.ts'
import { clientOf } from './live-hub.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-lost-'))
const config = join(root, 'config')
const COUNT = 300
let hub: Serving
const client = clientOf(() => hub.url, root)
afterAll(async () => {
  await hub?.end()
  rmSync(root, { recursive: true, force: true })
})

/** The one whose transform is greedy lies in the middle of a batch. */
const entities = Array.from({ length: COUNT }, (_, n) => ({ _id: `e${n}`, n, greedy: n === 155 }))

/** A batch after the other, for a while: it is under way when the thread is lost. */
const slow = {
  type: 'dtl',
  rules: {
    default: [
      ['copy', '*'],
      ['add', 'count', ['count', ['range', 0, 50_000]]],
    ],
  },
}

function configure(value: unknown): void {
  const write = (id: string, pipe: object) =>
    writeFileSync(join(config, 'pipes', `${id}.conf.json`), JSON.stringify({ _id: id, type: 'pipe', ...pipe }))
  write('in', { source: { type: 'embedded', entities }, batch_size: 10 })
  write('sent', { source: { type: 'http_endpoint' } })
  write('slow', { source: { type: 'dataset', dataset: 'in' }, batch_size: 1, transform: slow })
  write('out', {
    source: { type: 'dataset', dataset: 'in' },
    batch_size: 10,
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['add', 'value', ['if', ['eq', '_S.greedy', true], value, '_S.n']],
        ],
      },
    },
  })
}

/** As many as there are, each once and in order. */
async function written(dataset: string): Promise<string[]> {
  const { status, body } = await client.get(`/api/datasets/${dataset}/entities?history=true`)
  return status === 200 ? (body as { _id: string }[]).map(({ _id }) => _id) : []
}

const firsts = (count: number) => entities.slice(0, count).map(({ _id }) => _id)

it('fails the pump whose thread was lost, keeps whole batches, and lets all others go on', async () => {
  mkdirSync(join(config, 'pipes'), { recursive: true })
  const typed = ['--data', join(root, 'data'), '--config', config, '--threads', '1']
  const little = { env: { NODE_OPTIONS: '--max-old-space-size=120' } }
  // Piece by piece: the engine ends the process when one piece alone goes far beyond the limit.
  configure(['map', ['list', ['range', 0, 1_000]], ['range', 0, 18_000]])
  hub = await serve(typed, little)
  await expect.poll(async () => (await client.pump('out'))['last-outcome'], { timeout: 40_000 }).toBe('failed')
  const failed = await client.pump('out')
  // On a machine that has little time for it, running out of memory takes too long.
  expect(failed['last-message']).toMatch(
    /^Pipe 'out' (needed more memory than its thread has|held its thread for more than 10 seconds)/,
  )
  const { body: status } = await client.get('/api/status')
  // Where memory is that short, it may run out in the turn of another before.
  expect(status.threads).toMatchObject([{ 'last-loss': { pipe: 'out' } }])
  expect(status.threads[0].restarts).toBeGreaterThan(0)
  const kept = (await written('out')).length
  expect([140, 150]).toContain(kept)
  // The one beside it lost its thread, too, and nothing else.
  await expect.poll(() => written('slow'), { timeout: 90_000 }).toHaveLength(COUNT)
  expect(await written('slow')).toEqual(firsts(COUNT))
  expect((await client.push('sent', [{ _id: 'a' }])).status).toBe(200)
  expect(hub.process.exitCode).toBeNull()
  await hub.end()
  configure('none')
  hub = await serve(typed)
  await expect.poll(() => written('out'), { timeout: 20_000 }).toHaveLength(COUNT)
  expect(await written('out')).toEqual(firsts(COUNT))
  expect((await client.pump('out'))['last-outcome']).toBe('completed')
}, 180_000)
