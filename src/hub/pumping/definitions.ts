/** Proposals for the tables of SQL sinks, from entities of a pipe or a dataset (hub.md §23.2). */

import type { LogReader } from '../../log/reader.ts'
import { entityOf } from '../../log/stored.ts'
import type { Entity } from '../../model/entity.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import type { RunPorts } from '../../pipes/run-ports.ts'
import { type Column, ColumnsFold } from '../../pipes/schema/columns.ts'
import { entitiesOf } from './reading.ts'

export interface SchemaDefinition {
  readonly keys: readonly string[]
  readonly columns: readonly Column[]
}

/** Of what the pipe would hand to its sink now. */
export async function pipeDefinition(
  pipe: Pipe,
  ports: RunPorts,
  sampleSize: number,
  signal: AbortSignal,
): Promise<SchemaDefinition> {
  const fold = new ColumnsFold()
  for await (const batch of entitiesOf(pipe, ports, { limit: sampleSize }, 'sink', signal)) fold.seeAll(batch)
  return { keys: fold.keys(), columns: fold.columns() }
}

/** Of the dataset's newest entities; null: there is no such dataset. */
export function datasetDefinition(log: LogReader, dataset: string, sampleSize: number): SchemaDefinition | null {
  const snapshot = log.snapshot()
  try {
    const view = snapshot.dataset(dataset)
    if (view === undefined) return null
    const fold = new ColumnsFold()
    fold.seeAll(newest(view.changes(null, { reverse: true, limit: sampleSize })))
    return { keys: fold.keys(), columns: fold.columns() }
  } finally {
    snapshot.close()
  }
}

function* newest(versions: Iterable<Parameters<typeof entityOf>[0]>): Generator<Entity> {
  for (const version of versions) if (!version.deleted) yield entityOf(version, { internal: false })
}
