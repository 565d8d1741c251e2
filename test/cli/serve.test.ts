/** `samtale serve` as an operator sees it: started, asked, pushed to, ended and started again. */

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FakeServer, silence, startFakeServer } from '../fakes/http-server.ts'
import { clientOf } from '../journeys/live-hub.ts'
import { type Serving, samtale, serve } from './command-line.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-serve-'))
const [data, config] = [join(root, 'data'), join(root, 'config')]
const ENTITIES = 10_000
const PAGE = 250

let source: FakeServer
/** The source answers for what comes later only when this is raised, so that a run is under way for as long as a test needs it. */
let givenUpTo = ENTITIES / 3
let hub: Serving
const client = clientOf(() => hub.url, data)

beforeAll(async () => {
  source = await startFakeServer()
  source.on('/silent', silence)
  source.on('/long', async (response, { query }) => {
    const after = Number(query.since ?? -1)
    const page = Array.from({ length: Math.min(PAGE, ENTITIES - 1 - after) }, (_, place) => ({
      _id: `${after + 1 + place}`,
      _updated: after + 1 + place,
      name: `Entity ${after + 1 + place}`,
    }))
    do await new Promise((resolve) => setTimeout(resolve, 20))
    while (after >= givenUpTo && !response.destroyed)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page))
  })
  for (const kind of ['pipes', 'systems']) mkdirSync(join(config, kind), { recursive: true })
  const write = (kind: string, component: { _id: string }) =>
    writeFileSync(join(config, kind, `${component._id}.conf.json`), JSON.stringify(component))
  const pipe = (_id: string, source: object) => write('pipes', { _id, type: 'pipe', source } as never)
  write('systems', { _id: 'slow', type: 'system:url', url_pattern: `${source.url}%s` } as never)
  const paged = { page_size: PAGE, supports_since: true, is_chronological: true }
  pipe('long', { type: 'json', system: 'slow', url: 'long', ...paged })
  pipe('silent', { type: 'json', system: 'slow', url: 'silent' })
  pipe('after', { type: 'dataset', dataset: 'long' })
  pipe('in', { type: 'http_endpoint' })
  pipe('misspelt', { type: 'embeded', entities: [] })
})
afterAll(async () => {
  await source.close()
  rmSync(root, { recursive: true, force: true })
})

/** Pushes one entity after the other until the hub is gone; gives those that were acknowledged. */
async function pushUntilGone(prefix: string): Promise<string[]> {
  const acknowledged: string[] = []
  for (let n = 0; ; n++) {
    const answer = await client.push('in', [{ _id: `${prefix}${n}` }]).catch(() => null)
    if (answer === null) return acknowledged
    expect(answer.status).toBe(200)
    acknowledged.push(`${prefix}${n}`)
  }
}

const stored = async (dataset: string): Promise<number> =>
  (await client.get(`/api/datasets/${dataset}`)).body.runtime?.['count-log-exists'] ?? 0

/** Ends the hub in the middle of a run of `long`, while entities are pushed. */
async function endInTheMiddle(signal: 'SIGTERM' | 'SIGINT', atLeast: number): Promise<string[]> {
  const pushed = pushUntilGone(`${signal}-`)
  await expect.poll(() => stored('long'), { timeout: 20_000, interval: 20 }).toBeGreaterThan(atLeast)
  expect(await client.pump('long')).toMatchObject({ 'is-running': true })
  const { code, ms } = await hub.end(signal)
  expect(code).toBe(0)
  expect(ms).toBeLessThan(5_000)
  expect(hub.out()).toBe(`Samtale is listening on ${hub.url}\n`)
  const acknowledged = await pushed
  expect(acknowledged.length).toBeGreaterThan(0)
  return acknowledged
}

const acknowledged: string[] = []

it('takes its options from the environment, says one line when the API answers, and what is wrong with a pipe', async () => {
  hub = await serve([], {
    env: { SAMTALE_DATA: data, SAMTALE_CONFIG: config, SAMTALE_BASE: 'https://hub.example', SAMTALE_DEVELOPER: '1' },
  })
  expect((await client.get('/api/pipes')).body).toHaveLength(5)
  expect(hub.out()).toBe(`Samtale is listening on ${hub.url}\n`)
  const unscheduled = (pipe: string) => `warning pipes/${pipe}.conf.json /pump
        The pump has no schedule of its own: it runs about every 15 minutes. Set schedule_interval or cron_expression.
`
  expect(hub.err()).toBe(`${unscheduled('long')}error   pipes/misspelt.conf.json /source/type
        Unknown source type 'embeded'. Did you mean 'embedded'?
${unscheduled('silent')}`)
})

it('ends on SIGTERM within seconds in the middle of a run, and nothing acknowledged is lost', async () => {
  acknowledged.push(...(await endInTheMiddle('SIGTERM', PAGE)))
})

it('goes on where it was after a restart, and ends on SIGINT alike', async () => {
  const asked = source.requests.length
  hub = await serve(['--data', data, '--config', config])
  givenUpTo = (ENTITIES * 2) / 3
  acknowledged.push(...(await endInTheMiddle('SIGINT', ENTITIES / 3 + PAGE)))
  const [first] = source.requests.slice(asked).filter(({ path }) => path === '/long')
  expect(Number(first?.query.since)).toBeGreaterThan(0)
})

it('has everything once in the end, with the configuration it was given last', async () => {
  givenUpTo = ENTITIES
  hub = await serve(['--data', data])
  await expect.poll(() => stored('after'), { timeout: 20_000, interval: 50 }).toBe(ENTITIES)
  const { body } = await client.get('/api/datasets/long/entities?history=true')
  const versions = (body as { _id: string; _updated: number }[]).map(({ _id, _updated }) => `${_id} ${_updated}`)
  expect(versions).toEqual(Array.from({ length: ENTITIES }, (_, n) => `${n} ${n}`))
  const kept = new Set((await client.live('in')).map(({ _id }) => _id))
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
  expect((await client.push('in', [{ _id: 'x:1', name: 'a' }])).status).toBe(200)
  const query = 'SELECT ?s { GRAPH ?g { ?s ?p "a" } }'
  const ask = () => client.get(`/sparql?query=${encodeURIComponent(query)}`)
  await expect
    .poll(async () => (await ask()).body.results?.bindings, { timeout: 20_000 })
    .toEqual([{ s: { type: 'uri', value: 'https://hub.example/id/x/1' } }])
  expect((await hub.end()).code).toBe(0)
})

it('goes on when whoever read what it prints has gone', async () => {
  const port = await freePort()
  let hub: ChildProcess | undefined
  const ended = samtale(['serve', '--port', `${port}`, '--data', join(root, 'unread')], {
    env: { SAMTALE_DEVELOPER: '1' },
    began(child) {
      hub = child
      child.stdout?.destroy()
    },
  })
  const status = () => fetch(`http://127.0.0.1:${port}/api/datasets`).then((answer) => answer.status)
  await expect.poll(() => status().catch(() => 0), { timeout: 30_000 }).toBe(200)
  expect(await status()).toBe(200)
  hub?.kill('SIGTERM')
  expect((await ended).code).toBe(0)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
