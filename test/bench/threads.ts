/** What a second pump thread brings where the transform is the larger part: the same pipes on one thread and on two, in turn. */

import { createHash } from 'node:crypto'
import { bodies, type PlainEntity, persons } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, median, mustEqual } from './measure.ts'

const COUNT = 20_000
const PIPES = ['one', 'two', 'three', 'four']

const receiver = { _id: 'person', type: 'pipe', source: { type: 'http_endpoint' } }

/** A few hundred microseconds for each person, and little to write. */
const heavy = (id: string) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset: 'person' },
  pump: { mode: 'manual' },
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['add', 'pipe', id],
        ['add', 'sum', ['sum', ['map', ['multiply', '_.', '_.'], ['range', 0, 400]]]],
        [
          'add',
          'words',
          ['count', ['distinct', ['split', ' ', ['lower', ['concat', '_S.crm:first', ' ', '_S.crm:last']]]]],
        ],
      ],
    },
  },
})

const SUM = Array.from({ length: 400 }, (_, n) => n * n).reduce((sum, one) => sum + one, 0)

export async function threads(rounds: number): Promise<Figure[]> {
  const people = [...persons(COUNT, 1_000)] as PlainEntity[]
  const rates: Record<1 | 2, number[]> = { 1: [], 2: [] }
  const notes: string[] = []
  for (let round = 0; round <= rounds; round++) {
    const seconds: Record<number, number> = {}
    const cpu: Record<number, number> = {}
    for (const count of [1, 2] as const) {
      const hub = await startHub({ threads: count, withGraph: false })
      try {
        await hub.request('PUT', '/api/config', JSON.stringify([receiver, ...PIPES.map(heavy)]))
        for (const body of bodies(people, 1_000)) await hub.request('POST', '/api/receivers/person/entities', body)
        // Both threads are there, and warm, before it counts.
        await runAll(hub, 1_000)
        const before = hub.usage().cpuSeconds
        seconds[count] = await runAll(hub, null)
        cpu[count] = hub.usage().cpuSeconds - before
        for (const id of PIPES) mustEqual(`what ${id} made`, await digestOf(hub, id), expected(people, id))
        if (round > 0) rates[count].push((COUNT * PIPES.length) / seconds[count])
      } finally {
        await hub.stop()
      }
    }
    if (round === 0) continue
    notes.push(
      `round ${round}: one thread ${seconds[1]?.toFixed(2)} s (${cpu[1]?.toFixed(2)} CPU s), two ${seconds[2]?.toFixed(2)} s (${cpu[2]?.toFixed(2)} CPU s); ${((seconds[1] as number) / (seconds[2] as number)).toFixed(2)} times`,
    )
  }
  const [one, two] = [median(rates[1]), median(rates[2])]
  return [
    {
      name: 'two pump threads, the transform being the larger part',
      unit: 'entities/s',
      values: rates[2],
      target: 1.7 * one,
      peer: { name: 'one pump thread', values: rates[1], least: 1.7 },
      notes: [`${(two / one).toFixed(2)} times one thread`, ...notes],
    },
  ]
}

interface PumpDocument {
  readonly runtime: {
    readonly 'is-running': boolean
    readonly 'last-outcome': string | null
    readonly 'last-message': string | null
    readonly 'last-run': string | null
  }
}

const FORM = 'application/x-www-form-urlencoded'

/** Seconds until all have run; with a number, only so far that everything is warm, and then from the begin. */
async function runAll(hub: Hub, warmUpMs: number | null): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(PIPES.map((id) => hub.request('POST', `/api/pipes/${id}/pump`, 'operation=start', FORM)))
  if (warmUpMs !== null) {
    await new Promise((resolve) => setTimeout(resolve, warmUpMs))
    await Promise.all(PIPES.map((id) => hub.request('POST', `/api/pipes/${id}/pump`, 'operation=stop', FORM)))
  }
  for (;;) {
    const pumps = await Promise.all(PIPES.map((id) => hub.json<PumpDocument>(`/api/pipes/${id}/pump`)))
    if (pumps.every(({ runtime }) => !runtime['is-running'])) {
      if (warmUpMs === null) {
        for (const { runtime } of pumps) mustEqual(`${runtime['last-message']}`, runtime['last-outcome'], 'completed')
      } else {
        for (const id of PIPES) {
          await hub.request('POST', `/api/pipes/${id}/pump`, 'operation=update-last-seen&last-seen=', FORM)
        }
      }
      return (performance.now() - startedAt) / 1_000
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function digestOf(hub: Hub, id: string): Promise<string> {
  const made = await hub.json<PlainEntity[]>(`/api/datasets/${id}/entities?history=false&deleted=false`)
  return digest(made.map(({ _id, pipe, sum, words }) => [_id, pipe, sum, words]))
}

function expected(people: readonly PlainEntity[], id: string): string {
  return digest(
    people.map((person) => {
      const words = `${person['crm:first']} ${person['crm:last']}`.toLowerCase().split(' ')
      return [person._id, id, SUM, new Set(words).size]
    }),
  )
}

function digest(rows: readonly (readonly unknown[])[]): string {
  const hash = createHash('md5')
  for (const row of [...rows].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))) hash.update(JSON.stringify(row))
  return hash.digest('hex')
}
