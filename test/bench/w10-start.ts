/** W10: the start of a hub with 1,000,000 entities, until the API answers, and its memory then. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EntityPacker } from '../../src/log/batch.ts'
import { LogWriter } from '../../src/log/writer.ts'
import type { Entity } from '../../src/model/entity.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { parseJson } from '../../src/model/json.ts'
import { persons } from './data.ts'
import { startHub } from './hub.ts'
import { type Figure, median, mustEqual } from './measure.ts'

const COUNT = 1_000_000
const BATCH = 10_000

export async function start(rounds: number): Promise<Figure[]> {
  const data = mkdtempSync(join(tmpdir(), 'samtale-bench-'))
  try {
    await fill(join(data, 'tenants/default/log'))
    const seconds: number[] = []
    const memory: number[] = []
    const withGraph: number[] = []
    // Without the graph, whose memory counts apart, and as it is served.
    for (let round = 0; round <= rounds; round++) {
      const bare = await startOnce(data, false)
      const served = await startOnce(data, true)
      if (round === 0) continue
      memory.push(bare.megabytes)
      seconds.push(served.seconds)
      withGraph.push(served.megabytes)
    }
    return [
      { name: 'W10 start until the API answers', unit: 's', values: seconds, target: 2, isLess: true },
      {
        name: 'W10 anonymous memory then, graph aside',
        unit: 'MB',
        values: memory,
        target: 300,
        isLess: true,
        notes: [`${Math.round(median(withGraph))} MB with the graph, which begins to load`],
      },
    ]
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

async function fill(path: string): Promise<void> {
  const writer = await LogWriter.open(path)
  await writer.assertDataset('person')
  let packer = new EntityPacker(BATCH * 600)
  for (const person of persons(COUNT, COUNT / 20)) {
    packer.add(encodeEntity(parseJson(JSON.stringify(person)) as Entity))
    if (packer.count < BATCH) continue
    await writer.commit({ writes: [{ dataset: 'person', entities: packer.finish(), indexSet: 0 }] })
    packer = new EntityPacker(BATCH * 600)
  }
  await writer.close()
}

async function startOnce(data: string, withGraph: boolean) {
  const startedAt = performance.now()
  const hub = await startHub({ data, withGraph })
  try {
    const { runtime } = await hub.json<{ runtime: Record<string, unknown> }>('/api/datasets/person')
    const seconds = (performance.now() - startedAt) / 1000
    mustEqual('newest place in the dataset', runtime['max-updated'], COUNT - 1)
    return { seconds, megabytes: hub.memoryMb() }
  } finally {
    await hub.stop()
  }
}
