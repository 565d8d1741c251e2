/** A change at the head of a chain of six pipes: how long until the last dataset has it. No other work, pumps signalled. */

import { bodies, persons } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, mustEqual } from './measure.ts'

const PIPES = 6
const COUNT = 10_000
/** Changes for each counted round. */
const CHANGES = 20
const PAUSE_MS = 50

export async function chain(rounds: number): Promise<Figure[]> {
  const hub = await startHub({ withGraph: false })
  try {
    await hub.request('PUT', '/api/config', JSON.stringify([receiver, ...links()]))
    for (const body of bodies(persons(COUNT, 100), 1_000)) await push(hub, body)
    await reaches(hub, COUNT)
    const times: number[] = []
    for (let n = 1; n <= rounds * CHANGES; n++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      const startedAt = performance.now()
      await push(hub, JSON.stringify([{ _id: 'the-one', n }]))
      await reaches(hub, COUNT + n)
      times.push(performance.now() - startedAt)
    }
    const last = await hub.json<{ n: number }>(`/api/datasets/link-${PIPES}/entity?entity_id=the-one`)
    mustEqual('what the last dataset holds', last.n, rounds * CHANGES)
    times.sort((a, b) => a - b)
    const at = (share: number) => times[Math.floor(share * (times.length - 1))] as number
    return [
      {
        name: `a change through a chain of ${PIPES} pipes, sent to seen`,
        unit: 'ms',
        values: times,
        target: 100,
        isLess: true,
        notes: [`median ${at(0.5).toFixed(1)} ms, p90 ${at(0.9).toFixed(1)} ms, most ${at(1).toFixed(1)} ms`],
      },
    ]
  } finally {
    await hub.stop()
  }
}

const receiver = { _id: 'link-0', type: 'pipe', source: { type: 'http_endpoint' } }

const links = (): object[] =>
  Array.from({ length: PIPES }, (_, at) => ({
    _id: `link-${at + 1}`,
    type: 'pipe',
    source: { type: 'dataset', dataset: `link-${at}` },
    transform: { type: 'dtl', rules: { default: [['copy', '*']] } },
  }))

const push = (hub: Hub, body: string) => hub.request('POST', '/api/receivers/link-0/entities', body)

/** Asks as often as answers come. */
async function reaches(hub: Hub, end: number): Promise<void> {
  type Document = { runtime: { 'max-updated': number | null } }
  for (;;) {
    const { runtime } = await hub.json<Document>(`/api/datasets/link-${PIPES}`)
    if ((runtime['max-updated'] ?? -1) >= end - 1) return
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
