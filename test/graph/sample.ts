/** A log with a few datasets, and projections of it, for the tests of the graph. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { GraphSettings, ProjectedDataset } from '../../src/graph/contract.ts'
import { Projection } from '../../src/graph/projection.ts'
import { EntityPacker } from '../../src/log/batch.ts'
import { startWriter, type WriterThread } from '../../src/log/journal.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import type { Entity } from '../../src/model/entity.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { parseJson } from '../../src/model/json.ts'

export const BASE = 'http://hub.example'

export interface SampleLog {
  readonly path: string
  readonly writer: WriterThread
  readonly log: LogReader
  write(dataset: string, ...entities: readonly (string | Readonly<Record<string, unknown>>)[]): Promise<void>
  deleteDataset(dataset: string): Promise<void>
}

/** A log in a folder of its own; both are gone after the test. */
export async function sampleLog(): Promise<SampleLog> {
  const path = mkdtempSync(join(tmpdir(), 'samtale-graph-'))
  const writer = await startWriter(path)
  const log = openLog(path)
  const { journal } = writer
  onTestFinished(async () => {
    await log.close()
    await writer.close()
    rmSync(path, { recursive: true, force: true })
  })
  return {
    path,
    writer,
    log,
    async write(dataset, ...entities) {
      const { indexSet } = await journal.assertDataset(dataset)
      const packer = new EntityPacker()
      for (const given of entities) {
        const json = typeof given === 'string' ? given : JSON.stringify(given)
        packer.add(encodeEntity(parseJson(json) as Entity), [])
      }
      await journal.commit({ writes: [{ dataset, entities: packer.finish(), indexSet }] })
    },
    async deleteDataset(dataset) {
      await journal.deleteDataset(dataset)
    },
  }
}

export const projected = (id: string, rest: Partial<ProjectedDataset> = {}): ProjectedDataset => ({
  id,
  global: false,
  pipe: null,
  derivedFrom: [],
  ...rest,
})

export const settingsOf = (...datasets: readonly ProjectedDataset[]): GraphSettings => ({
  base: BASE,
  namespaces: {},
  properties: {},
  datasets,
  budget: 1_000_000,
})

/** Takes in all that the log holds now. */
export function follow(projection: Projection, log: LogReader): Projection {
  const snapshot = log.snapshot()
  try {
    while (projection.step(snapshot));
  } finally {
    snapshot.close()
  }
  return projection
}

export const rebuilt = (settings: GraphSettings, log: LogReader): Projection => follow(new Projection(settings), log)

/** Every quad as canonical N-Quads, sorted: the graph has no blank nodes. */
export const quadsOf = (projection: Projection): string[] =>
  projection.graph.store.dump({ format: 'application/n-quads' }).split('\n').filter(Boolean).sort()

/** Statements of the default graph, with the base in short. */
export const defaultGraphOf = (projection: Projection): string[] =>
  quadsOf(projection)
    .filter((line) => !/ <http:\/\/hub\.example\/graph\/[^>]*> \.$/.test(line))
    .map((line) => line.replaceAll(BASE, ''))
