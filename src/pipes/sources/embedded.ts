/** Reads entities that stand in the configuration itself. */

import { type Static, Type } from 'typebox'
import { dictOf, entries } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { decodeTransit } from '../../model/json.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { defineSource, type Offset } from '../contract.ts'
import {
  checkContinuation,
  continuationOf,
  continuationSettings,
  isNewer,
  updatedOf,
  withOffsets,
} from './continuation.ts'
import { ifSourceEmpty } from './empty-source.ts'

const config = Type.Object({
  type: Type.Literal('embedded'),
  entities: Type.Unsafe<readonly Value[]>({
    type: 'array',
    items: { type: 'object' },
    description: 'The entities. $ENV is not expanded in them.',
  }),
  system: Type.Optional(Type.String({ description: 'Shown as where the entities come from; nothing is asked.' })),
  ...continuationSettings,
  if_source_empty: ifSourceEmpty,
  comment: Type.Optional(Type.Unknown()),
})

type Config = Static<typeof config>

/** `embedded` (hub.md §14.5). */
export const embeddedSource = defineSource({
  type: 'embedded',
  summary: 'Entities written in the configuration.',
  config,
  examples: [{ type: 'embedded', entities: [{ _id: 'no', name: 'Norway' }] }],
  addsNamespaces: true,
  continuation: continuationOf,
  inputs: () => [],
  check: checkContinuation,
  open: (config, { batchSize }) => ({
    read: (since, signal) => withOffsets(entities(config, batchSize, since, signal), continuationOf(config), since),
  }),
})

async function* entities(
  { entities, supports_since }: Config,
  batchSize: number,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<readonly Entity[]> {
  const decoded = entities.map(withTypes) as Entity[]
  const asked = supports_since && since !== null ? decoded.filter((entity) => isAfter(entity, since)) : decoded
  for (let at = 0; at < asked.length; at += batchSize) {
    signal.throwIfAborted()
    yield asked.slice(at, at + batchSize)
  }
}

/** What has no `_updated` always comes. */
function isAfter(entity: Entity, since: Offset): boolean {
  const updated = updatedOf(entity)
  return updated === undefined || isNewer(updated, since)
}

/** Configuration knows only plain JSON; in entities `~:a:b` is a namespaced identifier. */
function withTypes(value: Value): Value {
  if (typeof value === 'string') return decodeTransit(value)
  if (isList(value)) return value.map(withTypes)
  return isDict(value) ? dictOf(entries(value).map(([name, one]) => [name, withTypes(one)] as const)) : value
}
