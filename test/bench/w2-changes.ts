/** W2: the change feed from 0 in pages of 10,000, in process and over HTTP; then a writer of 100/s and who follows it. */

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EntityPacker } from '../../src/log/batch.ts'
import type { DatasetView, Version } from '../../src/log/contract.ts'
import { openFeed } from '../../src/log/feed.ts'
import { startWriter } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { storedJson } from '../../src/log/stored.ts'
import type { Entity } from '../../src/model/entity.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { parseJson } from '../../src/model/json.ts'
import { bodies, persons } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, inTurn, mustEqual } from './measure.ts'
import { RawLog } from './peers/raw-lmdb.ts'

const COUNT = 200_000
const COMPANIES = 10_000
const PAGE = 10_000
/** Commits of the writer, and how far apart. */
const [WRITES, APART_MS] = [300, 10]

export async function changes(rounds: number): Promise<Figure[]> {
  return [...(await inProcess(rounds)), ...(await overHttp(rounds))]
}

async function inProcess(rounds: number): Promise<Figure[]> {
  const root = mkdtempSync(join(tmpdir(), 'samtale-bench-'))
  const writer = await startWriter(join(root, 'ours'))
  const raw = new RawLog(join(root, 'raw'))
  await writer.journal.assertDataset('person')
  const log = openLog(join(root, 'ours'))
  try {
    const encoded = [...persons(COUNT, COMPANIES)].map((one) => encodeEntity(parseJson(JSON.stringify(one)) as Entity))
    for (let at = 0; at < COUNT; at += 1_000) {
      const packer = new EntityPacker()
      for (const one of encoded.slice(at, at + 1_000)) packer.add(one)
      await writer.journal.commit({ writes: [{ dataset: 'person', entities: packer.finish(), indexSet: 0 }] })
      raw.append(encoded.slice(at, at + 1_000))
    }
    const pages = function* (): Generator<Version[]> {
      for (let since: number | null = null; ; ) {
        const snapshot = log.snapshot()
        const page = [...(snapshot.dataset('person') as DatasetView).changes(since, { limit: PAGE })]
        yield page
        snapshot.close()
        if (page.length < PAGE) return
        since = page.at(-1)?.sequence as number
      }
    }
    const [ours, theirs] = [createHash('md5'), createHash('md5')]
    for (const page of pages()) for (const { body } of page) ours.update(body)
    for (const body of raw.scan()) theirs.update(body)
    mustEqual('hash of the pages', ours.digest('hex'), theirs.digest('hex'))
    const feed = await inTurn(
      {
        ours: () => perSecond(() => [...pages()].reduce((sum, { length }) => sum + length, 0)),
        peer: () => perSecond(() => [...raw.scan()].length),
        text: () => perSecond(() => [...pages()].reduce((sum, page) => sum + textOf(page), 0)),
      },
      rounds,
    )
    const delays: number[][] = []
    for (let round = 0; round <= rounds; round++) {
      const times = await follow(writer, log, round)
      if (round > 0) delays.push(times)
    }
    return [
      {
        name: 'W2 change feed in pages of 10,000, in process',
        unit: 'versions/s',
        values: feed.ours,
        target: 300_000,
        peer: { name: 'raw lmdb, one scan', values: feed.peer },
        notes: [`and to JSON text ${Math.round(Math.max(...feed.text)).toLocaleString('en')} versions/s`],
      },
      {
        name: 'W2 written → visible to a follower, 100 writes/s, p99',
        unit: 'ms',
        values: delays.map((times) => percentile(times, 0.99)),
        target: 20,
        isLess: true,
        notes: [`p50 ${percentile(delays.flat(), 0.5).toFixed(2)} ms; from the call of the commit to the content read`],
      },
    ]
  } finally {
    log.close()
    await raw.close()
    await writer.close()
    rmSync(root, { recursive: true, force: true })
  }
}

const textOf = (page: readonly Version[]): number => (storedJsonOf(page).length > 0 ? page.length : 0)
const storedJsonOf = (page: readonly Version[]): string => page.map((version) => storedJson(version)).join(',')

/** Milliseconds from each commit to the moment when the follower has read it. */
async function follow(
  { journal, feed: buffer }: Awaited<ReturnType<typeof startWriter>>,
  log: ReturnType<typeof openLog>,
  round: number,
): Promise<number[]> {
  const { number } = await journal.assertDataset('followed')
  const feed = openFeed(buffer)
  const written = new Map<string, number>()
  const times: number[] = []
  let since = feed.end(number) - 1
  let seen = feed.commits()
  const following = (async () => {
    while (times.length < WRITES) {
      const snapshot = log.snapshot()
      for (const { id, sequence } of (snapshot.dataset('followed') as DatasetView).changes(since)) {
        times.push(performance.now() - (written.get(id) as number))
        since = sequence
      }
      snapshot.close()
      if (times.length < WRITES) seen = await feed.changed(seen, 10_000)
    }
  })()
  for (let n = 0; n < WRITES; n++) {
    const packer = new EntityPacker()
    packer.add(encodeEntity(parseJson(`{"_id":"${round}-${n}","n":${n}}`) as Entity))
    written.set(`${round}-${n}`, performance.now())
    await journal.commit({ writes: [{ dataset: 'followed', entities: packer.finish(), indexSet: 0 }] })
    await pause(APART_MS)
  }
  await following
  return times
}

async function overHttp(rounds: number): Promise<Figure[]> {
  const hub = await startHub()
  try {
    const receiver = (id: string) => ({ _id: id, type: 'pipe', source: { type: 'http_endpoint' } })
    await hub.request('PUT', '/api/config', JSON.stringify([receiver('person'), receiver('followed')]))
    for (const body of bodies(persons(COUNT, COMPANIES), 1_000))
      await hub.request('POST', '/api/receivers/person/entities', body)
    await checkPages(hub)
    const { feed } = await inTurn({ feed: () => pagesOverHttp(hub) }, rounds)
    const delays: number[][] = []
    for (let round = 0; round <= rounds; round++) {
      const times = await followOverHttp(hub, round)
      if (round > 0) delays.push(times)
    }
    return [
      { name: 'W2 change feed in pages of 10,000, over HTTP', unit: 'versions/s', values: feed, target: 150_000 },
      {
        name: 'W2 posted → in the change feed over HTTP, 100 posts/s, p99',
        unit: 'ms',
        values: delays.map((times) => percentile(times, 0.99)),
        target: 20,
        isLess: true,
        notes: [`p50 ${percentile(delays.flat(), 0.5).toFixed(2)} ms; the follower asks again and again`],
      },
    ]
  } finally {
    await hub.stop()
  }
}

const pagePath = (dataset: string, since: number | null): string =>
  `/api/datasets/${dataset}/entities?limit=${PAGE}${since === null ? '' : `&since=${since}`}`

/** Versions a second; the reader finds the place of the last one in the text. */
async function pagesOverHttp(hub: Hub): Promise<number> {
  const startedAt = performance.now()
  let since: number | null = null
  for (let left = COUNT; left > 0; left -= PAGE) {
    const text = await (await hub.request('GET', pagePath('person', since))).text()
    since = Number(/"_updated":(\d+)[^{}]*\}\s*\]\s*$/.exec(text.slice(-400))?.[1])
  }
  mustEqual('place of the last version', since, COUNT - 1)
  return (COUNT / (performance.now() - startedAt)) * 1000
}

async function checkPages(hub: Hub): Promise<void> {
  const [found, expected] = [createHash('md5'), createHash('md5')]
  for (let since: number | null = null, left = COUNT; left > 0; left -= PAGE) {
    const page = (await (await hub.request('GET', pagePath('person', since))).json()) as Record<string, unknown>[]
    mustEqual('versions of a page', page.length, PAGE)
    for (const one of page) found.update(JSON.stringify([one._id, one['crm:email'], one['crm:note']]))
    since = page.at(-1)?._updated as number
  }
  for (const one of persons(COUNT, COMPANIES))
    expected.update(JSON.stringify([one._id, one['crm:email'], one['crm:note']]))
  mustEqual('hash of the pages over HTTP', found.digest('hex'), expected.digest('hex'))
}

async function followOverHttp(hub: Hub, round: number): Promise<number[]> {
  const posted = new Map<string, number>()
  const times: number[] = []
  let since: number | null = round === 0 ? null : round * WRITES - 1
  const following = (async () => {
    while (times.length < WRITES) {
      const page = (await (await hub.request('GET', pagePath('followed', since))).json()) as Record<string, unknown>[]
      for (const { _id, _updated } of page) {
        times.push(performance.now() - (posted.get(_id as string) as number))
        since = _updated as number
      }
      if (page.length === 0) await pause(1)
    }
  })()
  for (let n = 0; n < WRITES; n++) {
    const id = `${round}-${n}`
    posted.set(id, performance.now())
    await hub.request('POST', '/api/receivers/followed/entities', JSON.stringify([{ _id: id, n }]))
    await pause(APART_MS)
  }
  await following
  return times
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const percentile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))] as number

/** `read` gives how many it read. */
function perSecond(read: () => number): number {
  const startedAt = performance.now()
  mustEqual('versions read', read(), COUNT)
  return (COUNT / (performance.now() - startedAt)) * 1000
}
