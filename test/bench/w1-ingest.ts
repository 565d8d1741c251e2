/** W1: ingest over HTTP, 200,000 persons in requests of 1,000: (a) all new, (b) the same again. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { bodies, persons } from './data.ts'
import { startHub } from './hub.ts'
import { type Figure, median, mustEqual } from './measure.ts'

const COUNT = 200_000
const COMPANIES = 10_000
/** Requests under way at once. */
const CLIENTS = 8

const RECEIVER = {
  _id: 'person',
  type: 'pipe',
  source: { type: 'http_endpoint' },
  sink: { type: 'dataset', dataset: 'person' },
}

interface Round {
  readonly a: number
  readonly b: number
  readonly notes: readonly string[]
}

export async function ingest(rounds: number): Promise<Figure[]> {
  const texts = bodies(persons(COUNT, COMPANIES), 1_000)
  const jsonBytes = texts.reduce((sum, text) => sum + text.length, 0)
  const ours: Round[] = []
  const peers: Round[] = []
  // One warm-up of each, then in turn.
  for (let round = 0; round <= rounds; round++) {
    const [hub, peer] = [await hubRound(texts, jsonBytes), await peerRound(texts)]
    if (round > 0) {
      ours.push(hub)
      peers.push(peer)
    }
  }
  const notes = ours.at(-1)?.notes ?? []
  const figure = (part: 'a' | 'b', name: string, target: number): Figure => ({
    name,
    unit: 'entities/s',
    values: ours.map((round) => round[part]),
    target,
    peer: { name: '20-line server on lmdb', values: peers.map((round) => round[part]) },
    notes:
      part === 'a'
        ? notes
        : [`unchanged against new: ${(median(ours.map((r) => r.b)) / median(ours.map((r) => r.a))).toFixed(2)}`],
  })
  return [figure('a', 'W1 (a) new, on disk before each answer', 100_000), figure('b', 'W1 (b) the same again', 150_000)]
}

async function hubRound(texts: readonly string[], jsonBytes: number): Promise<Round> {
  const hub = await startHub()
  try {
    await hub.request('PUT', '/api/config', JSON.stringify([RECEIVER]))
    const path = '/api/receivers/person/entities'
    const a = await send(hub.url, path, texts)
    const disk = await hub.diskBytes()
    const b = await send(hub.url, path, texts)
    await check(hub.url)
    const { anonymousMb, cpuSeconds } = hub.usage()
    return {
      a,
      b,
      notes: [
        `disk ${(disk / jsonBytes).toFixed(2)} × JSON; ${cpuSeconds.toFixed(1)} CPU s; ${Math.round(anonymousMb)} MB anonymous`,
      ],
    }
  } finally {
    await hub.stop()
  }
}

async function peerRound(texts: readonly string[]): Promise<Round> {
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
    return { a: await send(url, '/', texts), b: await send(url, '/', texts), notes: [] }
  } finally {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill()
    await gone
    await rm(folder, { recursive: true, force: true })
  }
}

/** Entities per second, all clients together. */
async function send(url: string, path: string, texts: readonly string[]): Promise<number> {
  const pool = new Pool(url, { connections: CLIENTS })
  const startedAt = performance.now()
  let next = 0
  const client = async () => {
    while (next < texts.length) {
      const body = texts[next++] as string
      const answer = await pool.request({ method: 'POST', path, body, headers: { 'content-type': 'application/json' } })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text}`)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  const seconds = (performance.now() - startedAt) / 1000
  await pool.close()
  return COUNT / seconds
}

/** Everything is there, once, as it was sent. */
async function check(url: string): Promise<void> {
  const answer = await fetch(`${url}/api/datasets/person/entities`)
  const stored = (await answer.json()) as Record<string, unknown>[]
  mustEqual('versions of person', stored.length, COUNT)
  const digest = createHash('md5')
  const byId = new Map(stored.map((entity) => [entity._id as string, entity]))
  for (const sent of persons(COUNT, COMPANIES)) {
    const found = byId.get(sent._id) ?? {}
    digest.update(JSON.stringify(Object.keys(sent).map((name) => found[name])))
  }
  const expected = createHash('md5')
  for (const sent of persons(COUNT, COMPANIES)) expected.update(JSON.stringify(Object.values(sent)))
  mustEqual('hash of what is stored', digest.digest('hex'), expected.digest('hex'))
}
