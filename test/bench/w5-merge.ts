/** W5: three sources merged, then one entity in a hundred given another key, then a change of a class of 60,000. */

import { bodies, type PlainEntity } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, mustEqual } from './measure.ts'
import { digestOf, LETTERS, type Merged, mergeNaively, PER_SOURCE, RULES, rekeyed, sourcesOfW5 } from './w5-world.ts'

const receiver = (id: string) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'http_endpoint' },
  sink: { type: 'dataset', dataset: id },
})

const pipe = (maxMerged: number) => ({
  _id: 'merged',
  type: 'pipe',
  source: {
    type: 'merge',
    version: 2,
    datasets: LETTERS.map((letter) => `${letter} ${letter}`),
    equality: RULES,
    max_merged: maxMerged,
  },
  pump: { mode: 'manual' },
})

export async function merge(rounds: number): Promise<Figure[]> {
  const sources = sourcesOfW5()
  const changes = rekeyed(sources)
  const changed = sources.map((entities, at) => withChanges(entities, changes[at] as PlainEntity[]))
  const [before, after] = [mergeNaively(sources), mergeNaively(changed)]
  const count = changes.reduce((sum, one) => sum + one.length, 0)
  const first: number[] = []
  const update: number[] = []
  const large: number[] = []
  const notes: string[] = []
  for (let round = 0; round <= rounds; round++) {
    const hub = await startHub({ withGraph: false })
    try {
      await hub.request('PUT', '/api/config', JSON.stringify([...LETTERS.map(receiver), pipe(0)]))
      await send(hub, sources)
      const cpuBefore = hub.usage().cpuSeconds
      const seconds = await run(hub)
      const cpu = hub.usage().cpuSeconds - cpuBefore
      await mustBe(hub, 'the first run', before)
      await send(hub, changes)
      const again = await run(hub)
      await mustBe(hub, 'the run after the change of keys', after)
      // A member of the class of 60,000 says something else, and all of it is composed again.
      await send(hub, [[{ ...(sources[0]?.[8] as PlainEntity), 'crm:note': 'changed' }], [], []])
      const composition = await run(hub)
      if (round === 0) continue
      first.push((3 * PER_SOURCE) / seconds)
      update.push((again * 1e6) / count)
      large.push(composition)
      notes[0] = `${((cpu * 1e6) / (3 * PER_SOURCE)).toFixed(1)} µs of CPU an entity in all threads; ${Math.round(hub.usage().anonymousMb)} MB anonymous at most; ${before.classes} classes`
    } finally {
      await hub.stop()
    }
  }
  return [
    { name: 'W5 merge of three sources, first run', unit: 'entities/s', values: first, target: 50_000, notes },
    { name: 'W5 1 % given other keys', unit: 'µs/change', values: update, target: 200, isLess: true },
    { name: 'W5 a change in the class of 60,000', unit: 's', values: large, target: 2, isLess: true },
    await guarded(sources),
  ]
}

/** With the default guard: the 60,000 stay apart, and nothing of them is held together. */
async function guarded(sources: readonly (readonly PlainEntity[])[]): Promise<Figure> {
  const hub = await startHub({ withGraph: false })
  try {
    await hub.request('PUT', '/api/config', JSON.stringify([...LETTERS.map(receiver), pipe(50_000)]))
    await send(hub, sources)
    const memory = hub.memoryMb()
    const seconds = await run(hub)
    const { anonymousMb } = hub.usage()
    return {
      name: 'W5 an e-mail of 60,000 that is left apart, memory that the run takes',
      unit: 'MB',
      values: [Math.max(0, anonymousMb - memory)],
      target: 300,
      isLess: true,
      notes: [`${Math.round((3 * PER_SOURCE) / seconds).toLocaleString('en')} entities/s`],
    }
  } finally {
    await hub.stop()
  }
}

function withChanges(entities: readonly PlainEntity[], changes: readonly PlainEntity[]): PlainEntity[] {
  const byId = new Map(changes.map((change) => [change._id, change]))
  return entities.map((entity) => byId.get(entity._id) ?? entity)
}

async function send(hub: Hub, sources: readonly (readonly PlainEntity[])[]): Promise<void> {
  for (const [at, entities] of sources.entries()) {
    for (const body of bodies(entities, 1_000)) {
      await hub.request('POST', `/api/receivers/${LETTERS[at]}/entities`, body)
    }
  }
}

async function mustBe(hub: Hub, what: string, expected: Merged): Promise<void> {
  const answer = await hub.request('GET', '/api/datasets/merged/entities?history=false&deleted=false')
  const found = digestOf(JSON.parse(await answer.text()) as Record<string, unknown>[])
  mustEqual(`Classes after ${what}`, found.classes, expected.classes)
  mustEqual(`Hash of what there is after ${what}`, found.digest, expected.digest)
}

interface PumpDocument {
  readonly runtime: {
    readonly 'is-running': boolean
    readonly 'last-outcome': string | null
    readonly 'last-message': string | null
  }
}

/** Seconds from the start of the pump to its end, as one outside sees it. */
async function run(hub: Hub): Promise<number> {
  const startedAt = performance.now()
  await hub.request('POST', '/api/pipes/merged/pump', 'operation=start', 'application/x-www-form-urlencoded')
  for (;;) {
    const { runtime } = await hub.json<PumpDocument>('/api/pipes/merged/pump')
    if (!runtime['is-running']) {
      mustEqual(`outcome of the run (${runtime['last-message']})`, runtime['last-outcome'], 'completed')
      return (performance.now() - startedAt) / 1000
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
