/** What a receiver with optimistic locking answers: the versions that a caller needs to go on (rest-api.md §7.6). */

import type { DatasetView } from '../log/contract.ts'
import type { LogReader } from '../log/reader.ts'
import { storedJson } from '../log/stored.ts'
import { PipeError } from './errors.ts'
import type { Received } from './receiver.ts'

/** The stored version of the one entity that was sent, as JSON text; null when it was not one, or left nothing. */
export function updatedEntity(log: LogReader, dataset: string, received: Received): string | null {
  if (received.id === null) return null
  const { id, written } = received
  return withView(log, dataset, (view) => {
    // Of an entity that changed nothing, the version there is the one it was compared with.
    const version = written.changes > 0 && written.end !== null ? view.version(written.end - 1) : view.latest(id)
    return version?.id === id ? storedJson(version) : null
  })
}

/** A refusal of `stale-entity` with the latest version and the one the input was made from, as JSON texts; others as they are. */
export function withVersions(log: LogReader, error: unknown): unknown {
  if (!(error instanceof PipeError && error.code === 'stale-entity')) return error
  const { dataset, entity, expected } = error.details as { dataset: string; entity: string; expected: number | null }
  const versions = withView(log, dataset, (view) => {
    const existing = view.latest(entity)
    // It may have been compacted away, or be none of this entity's.
    const ancestor = expected === null ? undefined : view.version(expected)
    return {
      existing: existing === undefined ? null : storedJson(existing),
      ancestor: ancestor?.id === entity ? storedJson(ancestor) : null,
    }
  })
  return new PipeError(error.code, error.message, {
    details: { ...error.details, ...versions },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}

function withView<T>(log: LogReader, dataset: string, read: (view: DatasetView) => T): T | null {
  const snapshot = log.snapshot()
  try {
    const view = snapshot.dataset(dataset)
    return view === undefined ? null : read(view)
  } finally {
    snapshot.close()
  }
}
