/** W1: ingest over HTTP, 200,000 persons in requests of 1,000: (a) all new, (b) the same again, (c) 1 % changed; (d) one at a time, 32 clients. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { bodies, type PlainEntity, persons } from './data.ts'
import { startHub } from './hub.ts'
import { type Figure, median, mustEqual } from './measure.ts'

const COUNT = 200_000
const COMPANIES = 10_000
/** Requests under way at once. */
const CLIENTS = 8
/** Of (d). */
const [SINGLES, SINGLE_CLIENTS] = [4_000, 32]

const RECEIVER = {
  _id: 'person',
  type: 'pipe',
  source: { type: 'http_endpoint' },
  sink: { type: 'dataset', dataset: 'person' },
}

interface Round {
  readonly a: number
  readonly b: number
  readonly c: number
  /** Milliseconds, p50 and p99. */
  readonly d: readonly [number, number]
  readonly notes: readonly string[]
}

export async function ingest(rounds: number): Promise<Figure[]> {
  const texts = bodies(persons(COUNT, COMPANIES), 1_000)
  const changed = bodies(changedPersons(), 1_000)
  const singles = bodies(newPersons(), 1)
  const jsonBytes = texts.reduce((sum, text) => sum + text.length, 0)
  const ours: Round[] = []
  const peers: Round[] = []
  // One warm-up of each, then in turn.
  for (let round = 0; round <= rounds; round++) {
    const [hub, peer] = [await hubRound(texts, changed, singles, jsonBytes), await peerRound(texts, changed, singles)]
    if (round > 0) {
      ours.push(hub)
      peers.push(peer)
    }
  }
  const notes = ours.at(-1)?.notes ?? []
  const figure = (part: 'a' | 'b' | 'c', name: string, target: number, notes: readonly string[]): Figure => ({
    name,
    unit: 'entities/s',
    values: ours.map((round) => round[part]),
    target,
    peer: { name: '20-line server on lmdb', values: peers.map((round) => round[part]) },
    notes,
  })
  const unchanged = median(ours.map((r) => r.b)) / median(ours.map((r) => r.a))
  return [
    figure('a', 'W1 (a) new, on disk before each answer', 100_000, notes),
    figure('b', 'W1 (b) the same again', 150_000, [`unchanged against new: ${unchanged.toFixed(2)}`]),
    figure('c', 'W1 (c) 1 % changed', 150_000, []),
    {
      name: 'W1 (d) one at a time, 32 clients, p99',
      unit: 'ms',
      values: ours.map(({ d }) => d[1]),
      target: 20,
      isLess: true,
      peer: { name: '20-line server on lmdb', values: peers.map(({ d }) => d[1]) },
      notes: [`p50 ${median(ours.map(({ d }) => d[0])).toFixed(1)} ms`],
    },
  ]
}

/** One of a hundred has another phone number. */
function* changedPersons(): Generator<PlainEntity> {
  let place = 0
  for (const person of persons(COUNT, COMPANIES)) {
    yield place++ % 100 === 50 ? { ...person, 'crm:phone': `+46${place}` } : person
  }
}

function* newPersons(): Generator<PlainEntity> {
  let place = 0
  for (const person of persons(SINGLES, COMPANIES, 44)) yield { ...person, _id: `new${place++}` }
}

async function hubRound(
  texts: readonly string[],
  changed: readonly string[],
  singles: readonly string[],
  jsonBytes: number,
): Promise<Round> {
  const hub = await startHub()
  try {
    await hub.request('PUT', '/api/config', JSON.stringify([RECEIVER]))
    const path = '/api/receivers/person/entities'
    const a = await send(hub.url, path, texts)
    const disk = await hub.diskBytes()
    const b = await send(hub.url, path, texts)
    await check(hub.url, persons(COUNT, COMPANIES))
    const c = await send(hub.url, path, changed)
    await check(hub.url, changedPersons())
    const d = await sendSingles(hub.url, path, singles)
    await check(hub.url, [...changedPersons(), ...newPersons()])
    const { anonymousMb, cpuSeconds } = hub.usage()
    return {
      a,
      b,
      c,
      d,
      notes: [
        `disk ${(disk / jsonBytes).toFixed(2)} × JSON; ${cpuSeconds.toFixed(1)} CPU s; ${Math.round(anonymousMb)} MB anonymous`,
      ],
    }
  } finally {
    await hub.stop()
  }
}

async function peerRound(
  texts: readonly string[],
  changed: readonly string[],
  singles: readonly string[],
): Promise<Round> {
  const folder = await mkdtemp(join(tmpdir(), 'samtale-peer-'))
  const program = fileURLToPath(new URL('./peers/lmdb-server.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, join(folder, 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const port = await new Promise<string>((resolve) =>
      child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())),
    )
    const url = `http://127.0.0.1:${port}`
    return {
      a: await send(url, '/', texts),
      b: await send(url, '/', texts),
      c: await send(url, '/', changed),
      d: await sendSingles(url, '/', singles),
      notes: [],
    }
  } finally {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await gone
    await rm(folder, { recursive: true, force: true })
  }
}

/** Entities per second, all clients together. */
async function send(url: string, path: string, texts: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  await sendAll(url, path, texts, CLIENTS)
  return COUNT / ((performance.now() - startedAt) / 1000)
}

/** Milliseconds to the answer, p50 and p99. */
async function sendSingles(url: string, path: string, texts: readonly string[]): Promise<readonly [number, number]> {
  const times = (await sendAll(url, path, texts, SINGLE_CLIENTS)).sort((a, b) => a - b)
  return [times[times.length >> 1] as number, times[Math.floor(0.99 * times.length)] as number]
}

async function sendAll(url: string, path: string, texts: readonly string[], clients: number): Promise<number[]> {
  const pool = new Pool(url, { connections: clients })
  const times: number[] = []
  let next = 0
  const client = async () => {
    while (next < texts.length) {
      const startedAt = performance.now()
      const body = texts[next++] as string
      const answer = await pool.request({ method: 'POST', path, body, headers: { 'content-type': 'application/json' } })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`)
      times.push(performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  await pool.close()
  return times
}

/** Everything is there, once, as it was sent last. */
async function check(url: string, sent: Iterable<PlainEntity>): Promise<void> {
  const answer = await fetch(`${url}/api/datasets/person/entities?history=false`)
  const stored = (await answer.json()) as Record<string, unknown>[]
  const [digest, expected] = [createHash('md5'), createHash('md5')]
  const byId = new Map(stored.map((entity) => [entity._id as string, entity]))
  let count = 0
  for (const one of sent) {
    const found = byId.get(one._id) ?? {}
    digest.update(JSON.stringify(Object.keys(one).map((name) => found[name])))
    expected.update(JSON.stringify(Object.values(one)))
    count++
  }
  mustEqual('persons', stored.length, count)
  mustEqual('hash of what is stored', digest.digest('hex'), expected.digest('hex'))
}
