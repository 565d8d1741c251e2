/**
 * A hub that is killed again and again while it collects, is pushed to, tracks deletions and fills indexes: whenever that
 * happens, nothing acknowledged is lost, nothing comes twice, and every pump goes on where it was.
 *
 * `CRASHES` says how often; `npm run test:crash` does it 200 times.
 */

import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest'
import { readConfiguration } from '../../src/cli/configuration.ts'
import { indexKeys, readingPositions } from '../../src/hub/log-knowledge.ts'
import { runUntilSettled } from '../../src/hub/settle.ts'
import type { DatasetView } from '../../src/log/contract.ts'
import { LogError } from '../../src/log/errors.ts'
import { openLog } from '../../src/log/reader.ts'
import { verifyLog } from '../../src/log/verify/verify.ts'
import { type Serving, samtale, serve } from '../cli/command-line.ts'
import { type FakeServer, startFakeServer } from '../fakes/http-server.ts'
import { live, openHub } from '../hub/running-hub.ts'
import { clientOf } from './live-hub.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-kill-'))
const config = join(root, 'config')
const typed = ['--data', join(root, 'killed'), '--config', config, '--threads', '3']
const logFolder = join(root, 'killed/tenants/default/log')
const KILLS = Number(process.env.CRASHES ?? 4)
/** Of them, this part while the hub starts. */
const STARTING = 0.2
const COMPANIES = 800
const STOCK = 300
/** People of a page, and of a run. */
const [PAGE, RUN] = [20, 200]

let systems: FakeServer
let hub: Serving
/** Whether a hub has answered: from then on there is a log. */
let hasServed = false
const client = clientOf(() => hub.url, root)

/** How slow the systems are, so that a kill falls into a run. */
let pauseMs = 10
/** People there are at last; until then there is always one more. */
let people = Number.POSITIVE_INFINITY
/** What was asked for, in order. */
const asked: (number | null)[] = []
let stockReads = 0
let isStockWhole = false

const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs))

/** A fifth of the people come again, later, with another name. */
const person = (n: number) => ({
  _id: `p${n % 5 === 4 ? Math.floor(n / 10) : n}`,
  _updated: n,
  name: `Person ${n}`,
  company: `c${n % (COMPANIES * 2)}`,
})

let lastEmptyAt = 0

beforeAll(async () => {
  systems = await startFakeServer()
  systems.on('/people', async (response, { query }) => {
    const since = query.since === undefined ? null : Number(query.since)
    asked.push(since)
    const from = since === null ? 0 : since + 1
    // Now and then an empty page, which ends the run; the next run goes on.
    const isEnd = people === Number.POSITIVE_INFINITY && from % RUN === 0 && from !== lastEmptyAt
    if (isEnd) lastEmptyAt = from
    const count = isEnd ? 0 : Math.min(PAGE, Math.max(0, people - from))
    await pause()
    const page = Array.from({ length: count }, (_, place) => person(from + place))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page))
  })
  const table = (path: string, rows: () => Iterable<string>) =>
    systems.on(path, async (response) => {
      response.writeHead(200, { 'content-type': 'text/csv' }).write('id,label\n')
      let written = 0
      for (const row of rows()) {
        if (written++ % 100 === 0 && pauseMs > 0) await pause()
        response.write(row)
      }
      response.end()
    })
  table('/companies.csv', function* () {
    for (let n = 0; n < COMPANIES; n++) yield `c${n},Company ${n}\n`
  })
  // In each read another tenth of the stock is missing.
  table('/stock.csv', function* () {
    const read = stockReads++
    for (let n = 0; n < STOCK; n++) if (isStockWhole || n % 10 !== read % 10) yield `s${n},Thing ${n}\n`
  })
  for (const kind of ['pipes', 'systems']) mkdirSync(join(config, kind), { recursive: true })
  write('systems', 'crm', { type: 'system:url', url_pattern: `${systems.url}%s` })
  const paged = { page_size: PAGE, supports_since: true, is_chronological: true }
  pipe('people', { type: 'json', system: 'crm', url: 'people', ...paged }, { pump: { schedule_interval: 0.1 } })
  // Read in full again and again, so that deletion tracking is interrupted, too.
  for (const id of ['companies', 'stock']) {
    const source = { type: 'csv', system: 'crm', url: `${id}.csv`, primary_key: 'id' }
    pipe(id, source, { pump: { schedule_interval: 0.2 } })
  }
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
  await hub?.end()
  await systems?.close()
  rmSync(root, { recursive: true, force: true })
})

const write = (kind: string, id: string, component: object) =>
  writeFileSync(join(config, kind, `${id}.conf.json`), JSON.stringify({ _id: id, ...component }))
const pipe = (id: string, source: object, more: object = {}) => write('pipes', id, { type: 'pipe', source, ...more })
const dtl = (...rules: unknown[]) => ({ transform: { type: 'dtl', rules: { default: rules } } })

/** A pipe that needs another index over the people in each of six rounds, so that a kill falls into the fill of one. */
function declareIndex(round: number): void {
  const where = ['eq', ['concat', '_S.id', `-${round % 6}`], ['concat', 'p.company', `-${round % 6}`]]
  const staff = ['hops', { datasets: ['people p'], where, return: 'p._id' }]
  pipe('staffed', { type: 'dataset', dataset: 'companies' }, dtl(['copy', '*'], ['add', 'staff', ['count', staff]]))
}

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

/** Starts the hub and kills it: as it starts, or while it works. How it was done, in words. */
async function runAndKill(): Promise<string> {
  if (Math.random() < STARTING) {
    const ms = 200 + Math.floor(Math.random() * 800)
    const kill = (child: ChildProcess) => setTimeout(() => child.kill('SIGKILL'), ms)
    await samtale(['serve', ...typed], { env: { SAMTALE_PORT: '0' }, began: kill })
    return `${ms} ms after its start`
  }
  hub = await serve(typed)
  hasServed = true
  const pushed = pushUntilGone()
  const [pushes, ms] = [1 + Math.floor(Math.random() * 20), Math.floor(Math.random() * 400)]
  const enough = acknowledged + pushes
  await expect.poll(() => acknowledged, { timeout: 60_000, interval: 5 }).toBeGreaterThanOrEqual(enough)
  await new Promise((resolve) => setTimeout(resolve, ms))
  await hub.end('SIGKILL')
  await pushed
  return `${pushes} pushes and ${ms} ms`
}

/** What the killed hub left behind is whole. Gives the number that its source is to be asked from next. */
async function examine(): Promise<number | null> {
  if (!hasServed && !isThereALog()) return null
  const findings: unknown[] = []
  const found = (finding: unknown) => void findings.push(finding)
  await verifyLog(logFolder, { keysOf: indexKeys(), positionsOf: readingPositions, found })
  expect(findings).toEqual([])
  const log = openLog(logFolder)
  const snapshot = log.snapshot()
  try {
    for (const { id } of snapshot.datasets()) {
      expectNothingTwice(snapshot.dataset(id) as DatasetView)
    }
    const stored = snapshot.offset('source:people')
    const from = stored === undefined ? null : Number(JSON.parse(stored))
    const people = snapshot.dataset('people')
    // What the source numbered n is version n: nothing is missing up to the offset, nothing came twice.
    for (const { sequence, body } of people?.changes(null) ?? []) {
      expect(textOf(body)).toContain(`"Person ${sequence}"`)
    }
    const came = from === null ? 0 : from + 1
    expect(people?.counts().end ?? 0).toBe(came)
    expect(people?.counts().existing ?? 0).toBe(new Set(Array.from({ length: came }, (_, n) => person(n)._id)).size)
    examinePushed(snapshot.dataset('in'))
    const stock = snapshot.dataset('stock')
    // A read that was cut short deletes nothing.
    if (stock?.document.populated) expect(stock.counts().existing).toBeGreaterThanOrEqual(0.9 * STOCK)
    return from
  } finally {
    log.close()
  }
}

/** The first hub may be killed before it has made one. */
function isThereALog(): boolean {
  try {
    openLog(logFolder).close()
    return true
  } catch (error) {
    if (error instanceof LogError && error.code === 'no-log') return false
    throw error
  }
}

/** Batch n brought versions 2n and 2n + 1. */
function examinePushed(view: DatasetView | undefined): void {
  const batches = (view?.counts().end ?? 0) / 2
  expect(batches).toBeGreaterThanOrEqual(acknowledged)
  const once = [...(view?.changes(null) ?? [])].filter(({ sequence }) => sequence % 2 === 0)
  expect(once.map(({ id }) => id)).toEqual(Array.from({ length: batches }, (_, n) => `once-${n}`))
  for (let n = Math.max(0, batches - KEYS); n < batches; n++) {
    expect(textOf(view?.latest(`key-${n % KEYS}`)?.body ?? new Uint8Array())).toContain(`"n":${n}}`)
  }
}

/** No version follows one that was the same. */
function expectNothingTwice(view: DatasetView): void {
  const former = new Map<string, { readonly sequence: number; readonly hash: string; readonly deleted: boolean }>()
  for (const { id, sequence, previous, hash, deleted } of view.changes(null)) {
    const before = former.get(id)
    if (before !== undefined && before.sequence === previous) {
      expect([hash, deleted], `${view.document.id} ${id}`).not.toEqual([before.hash, before.deleted])
    }
    former.set(id, { sequence, hash, deleted })
  }
}

const textOf = (body: Uint8Array): string => Buffer.from(body).toString()

it(
  'is whole after every kill, and ends as if nothing had happened',
  async () => {
    const moments: string[] = []
    onTestFailed(() => console.error(`Killed after ${moments.join(', ')}.`))
    let from: number | null = null
    for (let round = 0; round < KILLS; round++) {
      declareIndex(round)
      const before = asked.length
      moments.push(await runAndKill())
      // The first thing that this hub asked for was what the one before it had not stored yet.
      if (asked.length > before) expect(asked[before]).toBe(from)
      from = await examine()
    }
    // Enough people came for it to be a test.
    expect(from).toBeGreaterThan(KILLS * PAGE)

    people = 1 + Math.max(...asked.map((since) => since ?? 0)) + PAGE
    isStockWhole = true
    pauseMs = 0
    hub = await serve(typed)
    const settled = async () => ({
      people: (await client.get('/api/datasets/people')).body.runtime['max-updated'],
      stock: (await client.live('stock')).length,
      pumps: await Promise.all(
        ['people', 'employed', 'together', 'in-copy'].map(async (id) => (await client.pump(id)).queues.source ?? 0),
      ),
      populated: (await client.get('/api/datasets/employed')).body.runtime.populated,
    })
    await expect
      .poll(settled, { timeout: 30_000, interval: 50 })
      .toEqual({ people: people - 1, stock: STOCK, pumps: [0, 0, 0, 0], populated: true })

    expect(await client.live('in-copy')).toEqual(await client.live('in'))

    const undisturbed = await openHub()
    const { files, folder, env } = readConfiguration(config, {})
    await undisturbed.tenant.replaceEnv(env)
    await undisturbed.tenant.replaceConfig(files, false, folder)
    expect(await runUntilSettled(undisturbed.tenant)).toMatchObject({ isSettled: true })
    for (const dataset of ['people', 'companies', 'stock', 'employed', 'together']) {
      expect(await client.live(dataset), dataset).toEqual(await live(undisturbed.tenant, dataset))
    }
    await hub.end()
    expect(await examine()).toBe(people - 1)
  },
  60_000 + KILLS * 30_000,
)
