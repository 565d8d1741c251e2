/** Transforms that need more memory than there is: their pumps say so, and thread, hub and all other pipes go on. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Serving, serve } from '../cli/command-line.ts'
import { clientOf } from './live-hub.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-memory-'))
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

const GREEDY: Readonly<Record<string, unknown>> = {
  /** One list that is in another again and again: little to keep, and more than 80 MB to write. */
  again: ['map', ['list', ['range', 0, 1_000]], ['range', 0, 18_000]],
  /** All in one piece, far beyond the limit: the engine would end the process. */
  piece: ['range', '_S.n', 15_000_000],
  /** Piece by piece. */
  pieces: ['map', ['range', '_.', ['plus', '_.', 1_000]], ['range', 0, 18_000]],
  text: ['map', ['concat', ['map', ['string', '_.'], ['range', '_.', 10_000]]], ['range', 0, 1_500]],
}

/** A batch after the other, for a while: it is under way meanwhile. */
const slow = {
  type: 'dtl',
  rules: {
    default: [
      ['copy', '*'],
      ['add', 'count', ['count', ['range', 0, 50_000]]],
    ],
  },
}

function configure(greedy: Readonly<Record<string, unknown>>): void {
  const write = (id: string, pipe: object) =>
    writeFileSync(join(config, 'pipes', `${id}.conf.json`), JSON.stringify({ _id: id, type: 'pipe', ...pipe }))
  write('in', { source: { type: 'embedded', entities }, batch_size: 10 })
  write('sent', { source: { type: 'http_endpoint' } })
  write('slow', { source: { type: 'dataset', dataset: 'in' }, batch_size: 1, transform: slow })
  for (const [id, value] of Object.entries(greedy)) {
    write(id, {
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
}

/** As many as there are, each once and in order. */
async function written(dataset: string): Promise<string[]> {
  const { status, body } = await client.get(`/api/datasets/${dataset}/entities?history=true`)
  return status === 200 ? (body as { _id: string }[]).map(({ _id }) => _id) : []
}

const firsts = (count: number) => entities.slice(0, count).map(({ _id }) => _id)

it('fails pumps that need more memory than there is, keeps whole batches, and costs no thread', async () => {
  mkdirSync(join(config, 'pipes'), { recursive: true })
  const typed = ['--data', join(root, 'data'), '--config', config, '--threads', '1']
  configure(GREEDY)
  hub = await serve(typed, { env: { NODE_OPTIONS: '--max-old-space-size=120' } })
  for (const id of Object.keys(GREEDY)) {
    await expect.poll(() => written(id), { timeout: 40_000 }).toHaveLength(150)
    await expect.poll(async () => (await client.pump(id))['last-outcome'], { timeout: 40_000 }).toBe('failed')
    expect((await client.pump(id))['last-message']).toMatch(
      new RegExp(`Pipe '${id}' needed more memory than its thread has: .* of 120 MB`),
    )
  }
  await expect.poll(() => written('slow'), { timeout: 40_000 }).toHaveLength(COUNT)
  expect((await client.push('sent', [{ _id: 'a' }])).status).toBe(200)
  expect((await client.get('/api/status')).body.threads).toMatchObject([{ restarts: 0, 'last-loss': null }])
  await hub.end()

  configure(Object.fromEntries(Object.keys(GREEDY).map((id) => [id, 'none'])))
  hub = await serve(typed)
  for (const id of Object.keys(GREEDY)) {
    await client.ask('POST', `/api/pipes/${id}/pump`, 'operation=start', 'application/x-www-form-urlencoded')
    await expect.poll(() => written(id), { timeout: 20_000 }).toEqual(firsts(COUNT))
  }
}, 120_000)
