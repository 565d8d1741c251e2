/** Upload of a configuration of 1,000 pipes, and of the same with one pipe changed; meanwhile the API is asked for something small. */

import { type Hub, startHub } from './hub.ts'
import { type Figure, median, mustEqual } from './measure.ts'

const PIPES = 1_000
/** Receivers; the others read what they write, and join it. */
const INPUTS = 100
const CHANGES = 5
const PING_MS = 20

export async function upload(rounds: number): Promise<Figure[]> {
  const first: number[] = []
  const changed: number[] = []
  const same: number[] = []
  const waits: number[] = []
  const cpu = { first: [] as number[], changed: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const hub = await startHub()
    try {
      const answers = pinging(hub)
      const before = hub.usage().cpuSeconds
      first.push(await put(hub, configuration()))
      cpu.first.push(hub.usage().cpuSeconds - before)
      await mustHold(hub, 'factor', 1)
      waits.push(await answers.longest())
      for (let change = 1; change <= CHANGES; change++) {
        const since = hub.usage().cpuSeconds
        changed.push(await put(hub, configuration(change)))
        cpu.changed.push(hub.usage().cpuSeconds - since)
        await mustHold(hub, 'factor', change)
      }
      same.push(await put(hub, configuration(CHANGES)))
    } finally {
      await hub.stop()
    }
  }
  return [
    {
      name: `upload of ${PIPES.toLocaleString('en')} pipes`,
      unit: 's',
      values: first,
      target: 10,
      isLess: true,
      notes: [
        `${Math.round(median(waits))} ms was the longest that another call waited meanwhile`,
        `${median(cpu.first).toFixed(2)} CPU seconds`,
      ],
    },
    {
      name: `upload of the same, one pipe changed`,
      unit: 's',
      values: changed,
      target: 1,
      isLess: true,
      notes: [`${median(same).toFixed(3)} s with none changed`, `${median(cpu.changed).toFixed(2)} CPU seconds`],
    },
  ]
}

/** Until every pipe is there as it was sent. */
async function put(hub: Hub, text: string): Promise<number> {
  const startedAt = performance.now()
  await hub.request('PUT', '/api/config', text)
  const pipes =
    await hub.json<{ runtime: { state: string; 'is-valid-config': boolean } }[]>('/api/pipes?fields=runtime')
  const seconds = (performance.now() - startedAt) / 1000
  mustEqual('pipes', pipes.length, PIPES)
  mustEqual(
    'deployed',
    pipes.filter(({ runtime }) => runtime.state === 'Deployed' && runtime['is-valid-config']).length,
    PIPES,
  )
  return seconds
}

async function mustHold(hub: Hub, name: string, value: number): Promise<void> {
  const config = await hub.json<{ metadata: Record<string, unknown> }>(`/api/pipes/${pipeId(PIPES - 1)}/config`)
  mustEqual(name, config.metadata[name], value)
}

/** Asks for something small over and over; gives the longest answer in milliseconds. */
function pinging(hub: Hub) {
  let isOver = false
  let longest = 0
  const asking = (async () => {
    while (!isOver) {
      const askedAt = performance.now()
      await hub.request('GET', '/api/ping')
      longest = Math.max(longest, performance.now() - askedAt)
      await new Promise((resolve) => setTimeout(resolve, PING_MS))
    }
  })()
  // What else went wrong is told first.
  asking.catch(() => {})
  return {
    async longest() {
      isOver = true
      await asking
      return longest
    },
  }
}

const pipeId = (number: number): string => `pipe-${String(number).padStart(4, '0')}`

/** The last pipe says so when it has changed. */
export function configuration(change = 1): string {
  const node = { _id: 'node', type: 'metadata', task_manager: { disable_user_pipes: true } }
  const pipes = Array.from({ length: PIPES }, (_, number) => pipe(number, number === PIPES - 1 ? change : 1))
  return JSON.stringify([node, ...pipes])
}

function pipe(number: number, factor: number): object {
  const common = { _id: pipeId(number), type: 'pipe', metadata: { factor } }
  if (number < INPUTS) return { ...common, source: { type: 'http_endpoint' } }
  const [source, other] = [pipeId(number % INPUTS), pipeId((number * 7) % number)]
  return {
    ...common,
    source: { type: 'dataset', dataset: source },
    transform: { type: 'dtl', rules: rules(other, factor) },
  }
}

/** About as much as a pipe of everyday use: some thirty lines with a hop and a rule that is applied to lines. */
const rules = (other: string, factor: number) => ({
  default: [
    ['copy', '*', ['list', 'internal', 'secret*']],
    ['rename', 'firstname', 'first_name'],
    ['add', 'full_name', ['concat', '_S.firstname', ' ', '_S.lastname']],
    ['add', 'email', ['lower', ['strip', '_S.email']]],
    ['add', 'created', ['datetime-parse', '%Y-%m-%d', '_S.created']],
    ['add', 'total', ['*', factor, ['sum', ['map', '_.amount', '_S.lines']]]],
    ['if', ['eq', '_S.status', 'closed'], [['add', 'closed', true]], [['add', 'closed', false]]],
    ['add', 'lines', ['apply', 'line', '_S.lines']],
    ['add', 'other', ['hops', { datasets: [`${other} o`], where: ['eq', '_S.other_id', 'o.key'], return: 'o.name' }]],
    ...Array.from({ length: 12 }, (_, place) => [
      'add',
      `derived_${place}`,
      ['if', ['is-not-null', `_S.field_${place}`], ['upper', `_S.field_${place}`], ['string', place]],
    ]),
    ['filter', ['neq', '_S.hidden', true]],
  ],
  line: [
    ['copy', ['list', 'product', 'amount', 'currency']],
    ['add', 'price', ['/', '_S.amount', ['coalesce', ['list', '_S.quantity', 1]]]],
    ['discard', ['eq', '_S.amount', 0]],
  ],
})
