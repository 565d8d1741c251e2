/** What pipes keep of an entity beside their datasets: what waits to be retried, and what their logs tell of it. */

import type { DatasetView, Snapshot } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import { get } from '../../model/dict.ts'
import { isDict } from '../../model/value.ts'
import { executionDataset } from '../../pipes/execution/event.ts'
import type { Pipe } from '../../pipes/pipe.ts'

/** Pipes that have read the entity, or written it: what goes wrong with it is told in their logs. */
export const pipesAround = (pipes: readonly Pipe[], dataset: string): readonly Pipe[] =>
  pipes.filter(({ source, sink }) => {
    const isWritten = sink.kind === 'dataset' && sink.dataset === dataset
    return isWritten || source.inputs.includes(dataset)
  })

/** Entries of a pipe's log that hold the entity: those of its own errors, and that of failed runs if it made one fail. */
export function mentioned(snapshot: Snapshot, pipe: string, id: string): readonly string[] {
  const view = snapshot.dataset(executionDataset(pipe))
  if (view === undefined) return []
  const own = `write-error:${id}`
  return [...(view.head(own) === undefined ? [] : [own]), ...(madeFail(view, id) ? ['pump-failed'] : [])]
}

/** One version after the other, the newest first. */
function madeFail(view: DatasetView, id: string): boolean {
  for (let version = view.latest('pump-failed'); version !== undefined; ) {
    const exception = get(entityOf(version, { internal: false }), 'exception_entity')
    if (exception !== undefined && isDict(exception) && get(exception, '_id') === id) return true
    version = version.previous === null ? undefined : view.version(version.previous)
  }
  return false
}
