/** Publishers: all that a pipe makes, streamed over HTTP in flat memory; as the dataset has it, through a program, and as CSV. */

import { createHash } from 'node:crypto'
import { request } from 'undici'
import { bodies, persons } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, inTurn, mustEqual } from './measure.ts'

const COUNT = 200_000
const COMPANIES = 10_000
const TARGET = 150_000

const publisher = (_id: string, sink: object, more: object = {}) => ({
  _id,
  type: 'pipe',
  source: { type: 'dataset', dataset: 'person' },
  sink,
  ...more,
})

const PROGRAM = {
  type: 'dtl',
  rules: {
    default: [
      ['copy', '*', ['list', 'crm:note', '_*']],
      ['copy', '_id'],
      ['rename', 'crm:email', 'mail'],
    ],
  },
}

const COLUMNS = ['_id', 'crm:first', 'crm:last', 'crm:email', 'crm:revenue', 'crm:note']

export async function publishers(rounds: number): Promise<Figure[]> {
  const hub = await startHub({ withGraph: false })
  try {
    const components = [
      { _id: 'person', type: 'pipe', source: { type: 'http_endpoint' } },
      publisher('plain', { type: 'http_endpoint' }),
      publisher('made', { type: 'http_endpoint' }, { transform: PROGRAM }),
      publisher('csv', { type: 'csv_endpoint', columns: COLUMNS }),
    ]
    await hub.request('PUT', '/api/config', JSON.stringify(components))
    for (const body of bodies(persons(COUNT, COMPANIES), 1_000)) {
      await hub.request('POST', '/api/receivers/person/entities', body)
    }
    await check(hub)
    const paths = { plain: 'plain/entities', made: 'made/entities', csv: 'csv/csv' }
    const hashes = new Map<string, string>()
    const memory: Record<string, number> = {}
    const cpu: Record<string, number> = {}
    const read = (name: keyof typeof paths) => async () => {
      const before = { mb: hub.memoryMb(), cpu: hub.usage().cpuSeconds }
      const { perSecond, hash, mostMb } = await stream(hub, paths[name])
      mustEqual(`hash of ${name}`, hash, hashes.get(name) ?? hash)
      hashes.set(name, hash)
      memory[name] = Math.max(memory[name] ?? 0, mostMb - before.mb)
      cpu[name] = hub.usage().cpuSeconds - before.cpu
      return perSecond
    }
    const found = await inTurn({ plain: read('plain'), made: read('made'), csv: read('csv') }, rounds)
    const figure = (name: keyof typeof paths, what: string): Figure => ({
      name: `Publisher, ${what}, ${COUNT.toLocaleString('en')} entities`,
      unit: 'entities/s',
      values: found[name],
      target: TARGET,
      notes: [
        `${(((cpu[name] ?? 0) / COUNT) * 1e6).toFixed(1)} µs of the hub's CPU an entity; anonymous memory at most ${(memory[name] ?? 0).toFixed(0)} MB more than before`,
      ],
    })
    return [
      figure('plain', 'as the dataset has it'),
      figure('made', 'through a program of three steps'),
      figure('csv', 'CSV of six columns'),
    ]
  } finally {
    await hub.stop()
  }
}

/** What comes is what was sent. */
async function check(hub: Hub): Promise<void> {
  const [found, expected] = [createHash('md5'), createHash('md5')]
  type Person = Record<string, unknown>
  const lines = (all: readonly Person[], into: ReturnType<typeof createHash>, mail: string) => {
    for (const one of all) into.update(JSON.stringify([one._id, one[mail], one['crm:tags']]))
  }
  const plain = await hub.json<Person[]>('/api/publishers/plain/entities')
  lines(plain, found, 'crm:email')
  const made = await hub.json<Person[]>('/api/publishers/made/entities')
  mustEqual('entities through the program', made.length, COUNT)
  lines(made, found, 'mail')
  const all = [...persons(COUNT, COMPANIES)]
  lines(all, expected, 'crm:email')
  lines(all, expected, 'crm:email')
  mustEqual('hash of what is published', found.digest('hex'), expected.digest('hex'))
}

/** Reads to the end, looking at memory meanwhile. */
async function stream(hub: Hub, path: string): Promise<{ perSecond: number; hash: string; mostMb: number }> {
  const startedAt = performance.now()
  const { body } = await request(`${hub.url}/api/publishers/${path}`)
  const hash = createHash('md5')
  let mostMb = 0
  const watch = setInterval(() => {
    mostMb = Math.max(mostMb, hub.memoryMb())
  }, 20)
  for await (const chunk of body) hash.update(chunk as Buffer)
  const seconds = (performance.now() - startedAt) / 1_000
  clearInterval(watch)
  return { perSecond: COUNT / seconds, hash: hash.digest('hex'), mostMb: Math.max(mostMb, hub.memoryMb()) }
}
