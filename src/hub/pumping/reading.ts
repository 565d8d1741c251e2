/** What a pipe makes of its source now, for previews and publishers: nothing is stored, no offset moves. */

import { type Dict, newDict } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { heldOf } from '../../pipes/holding-back.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { ReadPosition } from '../../pipes/position.ts'
import { runContext } from '../../pipes/run-context.ts'
import type { RunPorts } from '../../pipes/run-ports.ts'
import { noSecrets } from '../../pipes/secrets.ts'
import { isFiltered, type Stage, transformBatch } from '../../pipes/transform-batch.ts'

export interface ReadQuery {
  readonly since?: string | undefined
  readonly limit?: number | undefined
  /** `_B`. */
  readonly bound?: Dict
  /** Hears what was read, and what of it is given. */
  readonly note?: (read: readonly Entity[], made: readonly Entity[]) => void
  /** Transforms that change something in other systems run, too. */
  readonly withSideEffects?: boolean
}

export async function* entitiesOf(
  pipe: Pipe,
  ports: RunPorts,
  query: ReadQuery,
  stage: Stage,
  signal: AbortSignal,
): AsyncGenerator<readonly Entity[]> {
  const position = new ReadPosition(ports.log.snapshot())
  try {
    const { bound = newDict() } = query
    const { found, now, logger, secrets = noSecrets } = ports
    const context = runContext(pipe, position, { found, now, bound, logger, secrets })
    const held = heldOf(pipe, position.snapshot, context)
    if ('waits' in held) return
    const source = pipe.source.open({
      pipe: pipe.id,
      batchSize: Math.min(pipe.batchSize, query.limit ?? pipe.batchSize),
      system: ports.system,
      snapshot: () => position.snapshot,
      heldTo: held.to,
      namespacedIdentifiers: pipe.settings.namespacedIdentifiers,
      identityNamespace: pipe.settings.namespaces.identity,
      language: pipe.settings,
      naming: ports.naming,
      log: ports.logger,
      now: ports.now,
    })
    for (const index of pipe.indexes) {
      if (position.snapshot.dataset(index.dataset) !== undefined) await ports.assertIndex(index)
    }
    position.moveToPresent()
    const options = {
      stage,
      signal,
      turn: ports.turn,
      system: (id: string) => ports.system(id),
      skipsSideEffects: query.withSideEffects !== true,
    }
    let left = query.limit ?? Number.POSITIVE_INFINITY
    if (left <= 0) return
    // Where a source knows no since, all of it is given (rest-api.md §6.2).
    const since = pipe.source.continuation.supportsSince ? (query.since ?? null) : null
    for await (const batch of source.read(since, signal)) {
      let made = await transformBatch(pipe, batch.entities, context, options)
      if (stage === 'sink') made = made.filter((entity) => !isFiltered(entity))
      if (made.length > left) made = made.slice(0, left)
      left -= made.length
      query.note?.(batch.entities, made)
      if (made.length > 0) yield made
      if (left <= 0) return
      position.moveToPresent()
      await ports.turn?.pass()
    }
  } finally {
    position.close()
  }
}
