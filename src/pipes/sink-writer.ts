/** The writer of what a run brings to the dataset of its sink. */

import { DatasetWriter } from './dataset-writer.ts'
import type { PipeSink } from './pipe.ts'
import type { Run } from './run.ts'

export function sinkWriter(
  run: Run,
  { dataset, tracksChildren, rules }: PipeSink & { kind: 'dataset' },
): DatasetWriter {
  const { journal, indexes } = run.ports
  return new DatasetWriter(
    journal,
    indexes,
    dataset,
    () => run.view(dataset).document,
    () => run.position.moveToPresent(),
    tracksChildren ? () => run.stored(dataset) : null,
    rules,
  )
}
