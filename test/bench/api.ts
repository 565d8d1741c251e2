/** How quick the API stays while every pump thread is busy: simple calls one after the other, eight at once, and 1,000 a second. */

import { bodies, type PlainEntity, persons } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, mustEqual } from './measure.ts'
import { openLoop } from './open-loop.ts'

const COUNT = 20_000
const PIPES = 4
const CALLS = 1_000
const CLIENTS = 8
const PER_SECOND = 1_000
const SECONDS = 10

/** What anybody asks for all the time. */
const SIMPLE = [
  '/api/ping',
  '/api/pipes/busy-0',
  '/api/pipes/busy-1/pump',
  '/api/datasets/person',
  '/api/datasets/person/entity?entity_id=p17',
]

const receiver = { _id: 'person', type: 'pipe', source: { type: 'http_endpoint' } }

/** Always at it: each run is a rescan, and the next comes at once. */
const busy = (n: number) => ({
  _id: `busy-${n}`,
  type: 'pipe',
  source: { type: 'dataset', dataset: 'person' },
  pump: { schedule_interval: 0.01, rescan_run_count: 1 },
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '*'],
        ['add', 'sum', ['sum', ['range', 0, 200]]],
        ['add', 'name', ['upper', ['concat', '_S.crm:first', ' ', '_S.crm:last', '-', ['string', '_S.crm:email']]]],
      ],
    },
  },
})

export async function api(rounds: number): Promise<Figure[]> {
  const idle: number[] = []
  const alone: number[] = []
  const several: number[] = []
  const steady: number[] = []
  const steadyIdle: number[] = []
  const steadyNotes: string[] = []
  const notes: string[] = []
  const people = [...persons(COUNT, 1_000)] as PlainEntity[]
  for (let round = 0; round <= rounds; round++) {
    const hub = await startHub({ threads: 2, authenticates: true })
    try {
      await hub.request('PUT', '/api/config', JSON.stringify([receiver]))
      for (const body of bodies(people, 1_000)) await hub.request('POST', '/api/receivers/person/entities', body)
      await hub.request(
        'PUT',
        '/api/config',
        JSON.stringify([receiver, ...Array.from({ length: PIPES }, (_, n) => off(n))]),
      )
      const first = await times(hub, 1)
      const calm = await openLoop(hub.url, SIMPLE, PER_SECOND, SECONDS, hub.headers)
      await hub.request(
        'PUT',
        '/api/config',
        JSON.stringify([receiver, ...Array.from({ length: PIPES }, (_, n) => busy(n))]),
      )
      const before = await untilBusy(hub)
      const [one, all] = [await times(hub, 1), await times(hub, CLIENTS)]
      const loop = await openLoop(hub.url, SIMPLE, PER_SECOND, SECONDS, hub.headers)
      const after = await threads(hub)
      // They were busy all the while, or the figure says nothing.
      for (const { thread, busy: share } of [...before, ...after]) {
        if (share < 0.5) throw new Error(`Thread ${thread} was busy ${share} of its time only.`)
      }
      mustEqual('threads', after.length, 2)
      if (round === 0) continue
      idle.push(quantile(first, 0.99))
      alone.push(quantile(one, 0.99))
      several.push(quantile(all, 0.99))
      steady.push(quantile(loop.due, 0.99))
      steadyIdle.push(quantile(calm.due, 0.99))
      steadyNotes.push(
        `round ${round}: ${loop.rate.toFixed(0)}/s, from when due ${shown(loop.due)}; from when sent ${shown(loop.sent)}`,
      )
      notes.push(
        `round ${round}: idle ${shown(first)}; busy, one client ${shown(one)}; busy, ${CLIENTS} clients ${shown(all)}`,
      )
    } finally {
      await hub.stop()
    }
  }
  const target = 0.05
  const peer = { name: 'the same with no pump running', values: idle }
  return [
    { name: 'API p99 with all pumps busy, one client', unit: 's', values: alone, target, isLess: true, peer, notes },
    { name: `API p99 with all pumps busy, ${CLIENTS} clients`, unit: 's', values: several, target, isLess: true },
    {
      name: `API p99 with all pumps busy, ${PER_SECOND.toLocaleString('en')} calls a second, from when each was due`,
      unit: 's',
      values: steady,
      target,
      isLess: true,
      peer: { name: 'the same with no pump running', values: steadyIdle },
      notes: steadyNotes,
    },
  ]
}

const off = (n: number) => ({ ...busy(n), pump: { mode: 'manual' } })

interface Thread {
  readonly thread: number
  readonly busy: number
}

const threads = async (hub: Hub): Promise<readonly Thread[]> =>
  (await hub.json<{ threads: Thread[] }>('/api/status')).threads

async function untilBusy(hub: Hub): Promise<readonly Thread[]> {
  for (let look = 0; look < 200; look++) {
    const now = await threads(hub)
    if (look > 10 && now.every(({ busy: share }) => share >= 0.7)) return now
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('The pump threads did not become busy.')
}

/** Seconds of each call, those of all clients together. */
async function times(hub: Hub, clients: number): Promise<number[]> {
  const all: number[] = []
  const client = async () => {
    for (let call = 0; call < CALLS / clients; call++) {
      const startedAt = performance.now()
      const answer = await hub.request('GET', SIMPLE[call % SIMPLE.length] as string)
      await answer.arrayBuffer()
      all.push((performance.now() - startedAt) / 1_000)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return all.sort((a, b) => a - b)
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number

const shown = (sorted: readonly number[]): string => {
  const ms = (share: number) => `${(quantile(sorted, share) * 1_000).toFixed(1)}`
  return `p50 ${ms(0.5)}, p99 ${ms(0.99)}, most ${ms(1)} ms`
}
