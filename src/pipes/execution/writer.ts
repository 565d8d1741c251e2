/** Appends to the execution log of a pipe, which is made with its first entry. */

import type { DatasetDocument, Journal } from '../../log/contract.ts'
import type { LogReader } from '../../log/reader.ts'
import type { Entity } from '../../model/entity.ts'
import { maskedValue } from '../../model/masked.ts'
import { DatasetWriter, type IndexCompiler } from '../dataset-writer.ts'
import { noSecrets, type Secrets } from '../secrets.ts'
import { executionDataset } from './event.ts'

export interface LogPorts {
  readonly journal: Journal
  readonly log: LogReader
  readonly indexes: IndexCompiler
  /** Taken out of all that the log tells; absent: there are none. */
  readonly secrets?: Secrets
}

/** Resolves with the place of the first of the events in the log. */
export async function writeEvents(ports: LogPorts, pipe: string, events: readonly Entity[]): Promise<number> {
  const { mask } = ports.secrets ?? noSecrets
  const told = events.map((event) => maskedValue(event, mask) as Entity)
  const { end } = await writeTo(ports, executionDataset(pipe), told)
  return end - events.length
}

/** Writes entities to a dataset of the hub's own, which is made if it is not there; gives its next sequence. */
export async function writeTo(
  { journal, log, indexes }: LogPorts,
  dataset: string,
  entities: readonly Entity[],
): Promise<{ readonly end: number }> {
  let document: DatasetDocument = await journal.assertDataset(dataset)
  const refresh = () => {
    const snapshot = log.snapshot()
    try {
      document = snapshot.dataset(dataset)?.document ?? document
    } finally {
      snapshot.close()
    }
  }
  const writer = new DatasetWriter(journal, indexes, dataset, () => document, refresh)
  // An event that is equal to the last of its kind happened once more.
  const { end } = await writer.write(entities, {}, { force: true })
  return { end: end as number }
}
