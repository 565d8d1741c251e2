/** A hub that is killed again and again while it collects and is pushed to: nothing acknowledged is lost, nothing comes twice. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest'
import { readConfiguration } from '../../src/cli/configuration.ts'
import { runUntilSettled } from '../../src/hub/settle.ts'
import { type Serving, serve } from '../cli/command-line.ts'
import { type FakeServer, startFakeServer } from '../fakes/http-server.ts'
import { live, openHub } from '../hub/running-hub.ts'
import { clientOf } from './live-hub.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-kill-'))
const config = join(root, 'config')
const KILLS = 3
const PEOPLE = 6_000
const PAGE = 200
const COMPANIES = 800

let systems: FakeServer
/** How slow they are, so that a kill falls into a run. */
let pauseMs = 30
let hub: Serving
const client = clientOf(() => hub.url, root)

/** People in pages, a fifth of them twice, later with another name. */
const person = (n: number) => ({
  _id: `p${n % (PEOPLE * 0.8)}`,
  _updated: n,
  name: `Person ${n}`,
  company: `c${n % (COMPANIES * 2)}`,
})

beforeAll(async () => {
  systems = await startFakeServer()
  systems.on('/people', async (response, { query }) => {
    const from = query.since === undefined ? 0 : Number(query.since) + 1
    const page = Array.from({ length: Math.min(PAGE, PEOPLE - from) }, (_, place) => person(from + place))
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page))
  })
  systems.on('/companies.csv', async (response) => {
    response.writeHead(200, { 'content-type': 'text/csv' }).write('id,label\n')
    for (let n = 0; n < COMPANIES; n++) {
      if (n % 100 === 0 && pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
      response.write(`c${n},Company ${n}\n`)
    }
    response.end()
  })
  for (const kind of ['pipes', 'systems']) mkdirSync(join(config, kind), { recursive: true })
  const write = (kind: string, id: string, component: object) =>
    writeFileSync(join(config, kind, `${id}.conf.json`), JSON.stringify({ _id: id, ...component }))
  const pipe = (id: string, source: object, more: object = {}) => write('pipes', id, { type: 'pipe', source, ...more })
  const dtl = (...rules: unknown[]) => ({ transform: { type: 'dtl', rules: { default: rules } } })
  write('systems', 'crm', { type: 'system:url', url_pattern: `${systems.url}%s` })
  const paged = { page_size: PAGE, supports_since: true, is_chronological: true }
  pipe('people', { type: 'json', system: 'crm', url: 'people', ...paged }, { pump: { schedule_interval: 1 } })
  // Read in full again and again, so that deletion tracking is interrupted, too.
  pipe(
    'companies',
    { type: 'csv', system: 'crm', url: 'companies.csv', primary_key: 'id' },
    { pump: { schedule_interval: 0.3 } },
  )
  pipe(
    'employed',
    { type: 'dataset', dataset: 'people' },
    dtl(
      ['copy', '*'],
      ['filter', ['neq', '_S.company', 'c7']],
      [
        'add',
        'employer',
        ['hops', { datasets: ['companies c'], where: ['eq', '_S.company', 'c._id'], return: 'c.label' }],
      ],
    ),
  )
  pipe('together', {
    type: 'merge',
    version: 2,
    datasets: ['people p', 'companies c'],
    equality: [['eq', 'p.company', 'c.id']],
    identity: 'first',
    strategy: 'compact',
  })
  pipe('in', { type: 'http_endpoint' })
  pipe('in-copy', { type: 'dataset', dataset: 'in' })
})
afterAll(async () => {
  await hub.end()
  await systems.close()
  rmSync(root, { recursive: true, force: true })
})

const KEYS = 20
let acknowledged = 0

/** Sends batch after batch, the one that got no answer again, until the hub is gone. */
async function pushUntilGone(): Promise<void> {
  for (;;) {
    const batch = [{ _id: `once-${acknowledged}` }, { _id: `key-${acknowledged % KEYS}`, n: acknowledged }]
    const answer = await client.push('in', batch).catch(() => null)
    if (answer === null) return
    expect(answer.status).toBe(200)
    acknowledged++
  }
}

interface Version {
  readonly _id: string
  readonly _updated: number
  readonly _previous: number | null
  readonly _hash: string
  readonly _deleted: boolean
  readonly n?: number
}

/** All versions of a dataset, after checking that they follow one another as they should. */
async function versionsOf(dataset: string): Promise<Version[]> {
  const versions = (await client.get(`/api/datasets/${dataset}/entities?history=true`)).body as Version[]
  const latest = new Map<string, Version>()
  for (const [place, version] of versions.entries()) {
    const former = latest.get(version._id)
    expect(version, dataset).toMatchObject({ _updated: place, _previous: former?._updated ?? null })
    expect(version._hash, `${dataset} ${version._id}`).not.toBe(former?._hash)
    latest.set(version._id, version)
  }
  return versions
}

it('ends as if nothing had happened, with all that was acknowledged, each once', async () => {
  const moments: string[] = []
  onTestFailed(() => console.error(`Killed after ${moments.join(', ')}.`))
  const typed = ['--data', join(root, 'killed'), '--config', config]
  for (let round = 0; round < KILLS; round++) {
    hub = await serve(typed)
    const pushed = pushUntilGone()
    const [pushes, ms] = [1 + Math.floor(Math.random() * 40), Math.floor(Math.random() * 400)]
    moments.push(`${pushes} pushes and ${ms} ms`)
    const enough = acknowledged + pushes
    await expect.poll(() => acknowledged, { timeout: 10_000, interval: 5 }).toBeGreaterThanOrEqual(enough)
    await new Promise((resolve) => setTimeout(resolve, ms))
    await hub.end('SIGKILL')
    await pushed
  }

  hub = await serve(typed)
  const total = acknowledged
  const settled = async () => ({
    people: (await client.get('/api/datasets/people')).body.runtime['max-updated'],
    pumps: await Promise.all(
      ['people', 'employed', 'together', 'in-copy'].map(async (id) => (await client.pump(id)).queues.source ?? 0),
    ),
    populated: (await client.get('/api/datasets/employed')).body.runtime.populated,
  })
  await expect
    .poll(settled, { timeout: 30_000, interval: 50 })
    .toEqual({ people: PEOPLE - 1, pumps: [0, 0, 0, 0], populated: true })

  // The source said each thing once, so there is one version of each.
  expect(await versionsOf('people')).toHaveLength(PEOPLE)
  expect(await versionsOf('companies')).toHaveLength(COMPANIES)
  for (const dataset of ['employed', 'together', 'in-copy']) await versionsOf(dataset)
  const received = await versionsOf('in')
  const once = received.filter(({ _id }) => _id.startsWith('once-')).map(({ _id }) => _id)
  expect(once).toEqual(expect.arrayContaining(Array.from({ length: total }, (_, n) => `once-${n}`)))
  expect(new Set(once).size).toBe(once.length)
  const numbers = received.filter(({ _id }) => _id.startsWith('key-')).map(({ n }) => n)
  expect(numbers).toEqual(Array.from({ length: once.length }, (_, n) => n))
  expect(await client.live('in-copy')).toEqual(await client.live('in'))

  pauseMs = 0
  const undisturbed = await openHub()
  const { files, folder, env } = readConfiguration(config, {})
  await undisturbed.tenant.replaceEnv(env)
  await undisturbed.tenant.replaceConfig(files, false, folder)
  expect(await runUntilSettled(undisturbed.tenant)).toMatchObject({ isSettled: true })
  for (const dataset of ['people', 'companies', 'employed', 'together']) {
    expect(await client.live(dataset), dataset).toEqual(await live(undisturbed.tenant, dataset))
  }
}, 60_000)
