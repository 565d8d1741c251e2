/** A system that a pipe writes to, which takes and refuses what the test says, and remembers what it took. */

import { get } from '../../../src/model/dict.ts'
import type { Entity } from '../../../src/model/entity.ts'
import { PipeError } from '../../../src/pipes/errors.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'

export interface Target {
  /** What it took, in order: `_id` and `v`. */
  readonly taken: (readonly [id: string, version: number])[]
  /** Each request, by its ids, taken or not. */
  readonly requests: string[][]
  /** Says which status it answers with; null: it takes them. */
  refuses: (entities: readonly (readonly [id: string, version: number])[]) => number | null
  /** What it has by now. */
  latest(): Record<string, number>
}

export function newTarget(): Target {
  const taken: Target['taken'] = []
  return { taken, requests: [], refuses: () => null, latest: () => Object.fromEntries(taken) }
}

/** The pipe with the target in place of its sink. */
export function writingTo(target: Target, pipe: Pipe, more: Record<string, unknown> = {}): Pipe {
  return {
    ...pipe,
    sink: {
      kind: 'external',
      type: 'json',
      system: undefined,
      open: () => ({
        write: async (entities) => {
          const named = entities.map((entity) => [get(entity, '_id') as string, versionOf(entity)] as const)
          target.requests.push(named.map(([id]) => id))
          const status = target.refuses(named)
          if (status !== null)
            throw new PipeError('bad-status', `answered with ${status}`, { details: { status, ...more } })
          target.taken.push(...named)
        },
      }),
    },
  }
}

const versionOf = (entity: Entity): number => get(entity, 'v') as number
