/** W11: every one of 100,000 entities is replaced again and again, with compaction as it is by default: how large the files become. */

import { createHash } from 'node:crypto'
import { bodies, type PlainEntity, persons } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, mustEqual } from './measure.ts'

const COUNT = 100_000
const COMPANIES = 10_000
/** Replacements for each counted round: 100 with the usual five. */
const REPLACEMENTS = 20
const CLIENTS = 4

export async function replace(rounds: number): Promise<Figure[]> {
  const hub = await startHub()
  try {
    const pipe = { _id: 'person', type: 'pipe', source: { type: 'http_endpoint' } }
    await hub.request('PUT', '/api/config', JSON.stringify([pipe]))
    const texts = bodies(persons(COUNT, COMPANIES), 1_000)
    await send(hub, texts, 0)
    const one = await hub.diskBytes()
    const sizes: number[] = []
    const times: number[] = []
    const total = rounds * REPLACEMENTS
    for (let round = 1; round <= total; round++) {
      const startedAt = performance.now()
      await send(hub, texts, round)
      times.push(COUNT / ((performance.now() - startedAt) / 1000))
      sizes.push((await hub.diskBytes()) / one)
    }
    await check(hub, total)
    const { cpuSeconds, anonymousMb } = hub.usage()
    const half = sizes.slice(0, sizes.length / 2)
    return [
      {
        name: `W11 disk after ${total} rounds, of that after one`,
        unit: '×',
        values: [Math.max(...sizes)],
        target: 3,
        isLess: true,
        notes: [
          `in the first half ${Math.max(...half).toFixed(2)} ×, at last ${sizes.at(-1)?.toFixed(2)} ×; one round is ${Math.round(one / 2 ** 20)} MB`,
          `${Math.round(Math.min(...times)).toLocaleString('en')} to ${Math.round(Math.max(...times)).toLocaleString('en')} entities/s; ${cpuSeconds.toFixed(0)} CPU s; ${Math.round(anonymousMb)} MB anonymous`,
        ],
      },
    ]
  } finally {
    await hub.stop()
  }
}

const ofRound = (text: string, round: number): string =>
  text.replaceAll('"crm:active"', `"round":${round},"crm:active"`)

async function send(hub: Hub, texts: readonly string[], round: number): Promise<void> {
  let next = 0
  const client = async () => {
    while (next < texts.length) {
      await hub.request('POST', '/api/receivers/person/entities', ofRound(texts[next++] as string, round))
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

/** What is there are the entities of the last round. */
async function check(hub: Hub, round: number): Promise<void> {
  const stored = await hub.json<PlainEntity[]>('/api/datasets/person/entities?history=false')
  mustEqual('entities', stored.length, COUNT)
  const byId = new Map(stored.map((entity) => [entity._id, entity]))
  const [found, expected] = [createHash('md5'), createHash('md5')]
  for (const person of persons(COUNT, COMPANIES)) {
    const one = byId.get(person._id) ?? ({} as PlainEntity)
    found.update(JSON.stringify([one._id, one['crm:email'], one.round]))
    expected.update(JSON.stringify([person._id, person['crm:email'], round]))
  }
  mustEqual('hash of what is stored', found.digest('hex'), expected.digest('hex'))
}
