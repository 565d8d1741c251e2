/** A transform that needs more memory than there is costs the hub its pump thread: it says so, ends, and goes on when started again. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openLog } from '../../src/log/reader.ts'
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

function configure(value: unknown): void {
  const write = (id: string, pipe: object) =>
    writeFileSync(join(config, 'pipes', `${id}.conf.json`), JSON.stringify({ _id: id, type: 'pipe', ...pipe }))
  write('in', { source: { type: 'embedded', entities }, batch_size: 10 })
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
async function written(): Promise<string[]> {
  const { status, body } = await client.get('/api/datasets/out/entities?history=true')
  return status === 200 ? (body as { _id: string }[]).map(({ _id }) => _id) : []
}

const firsts = (count: number) => entities.slice(0, count).map(({ _id }) => _id)

it('ends with what it lost and why, keeps whole batches, and goes on behind them', async () => {
  mkdirSync(join(config, 'pipes'), { recursive: true })
  const typed = ['--data', join(root, 'data'), '--config', config]
  const little = { env: { NODE_OPTIONS: '--max-old-space-size=120' } }
  // The most that a transform may make of one entity is more than there is here.
  configure(['range', 0, 19_000_000])
  for (let attempt = 0; attempt < 2; attempt++) {
    hub = await serve(typed, little)
    await expect.poll(() => hub.process.exitCode, { timeout: 40_000, interval: 20 }).toBe(1)
    expect(hub.err()).toMatch(/The thread that runs the pipes was lost: .*memory/)
  }
  const log = openLog(join(root, 'data/tenants/default/log'))
  const kept = log.snapshot().dataset('out')?.counts().end as number
  log.close()
  expect([140, 150]).toContain(kept)
  configure('none')
  hub = await serve(typed)
  await expect.poll(written, { timeout: 20_000 }).toHaveLength(COUNT)
  expect(await written()).toEqual(firsts(COUNT))
  expect((await client.pump('out'))['last-outcome']).toBe('completed')
}, 120_000)
