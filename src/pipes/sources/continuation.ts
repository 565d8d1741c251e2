/** How a source goes on where it left: by the `_updated` of the entities it read (hub.md §14.0). */

import { type Static, Type } from 'typebox'
import { get } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { encodeTransit } from '../../model/json.ts'
import { compareText } from '../../model/order.ts'
import { Float, Typed, type TypedScalar } from '../../model/value.ts'
import type { Batch, Continuation, Offset } from '../contract.ts'
import { type Finding, warningAt } from '../finding.ts'

export const initialSince = Type.Optional(
  Type.Union([Type.String(), Type.Integer()], {
    description: 'The since value of the first run, and after a reset.',
  }),
)

/** The settings of a source whose continuation the configuration decides. */
export const continuationSettings = {
  supports_since: Type.Boolean({
    default: false,
    description: 'The source gives only what is newer when asked with a since value.',
  }),
  is_since_comparable: Type.Boolean({
    default: true,
    description: 'Of two `_updated` values the greater is the newer.',
  }),
  is_chronological: Type.Boolean({ default: false, description: 'Entities come in the order of their `_updated`.' }),
  initial_since_value: initialSince,
}

const settings = Type.Object(continuationSettings)
type Settings = Omit<Static<typeof settings>, 'initial_since_value'> & { readonly initial_since_value?: unknown }

export const continuationOf = (config: Settings): Continuation => ({
  supportsSince: config.supports_since,
  isSinceComparable: config.is_since_comparable,
  isChronological: config.is_chronological,
})

export function checkContinuation(config: Settings): readonly Finding[] {
  if (config.supports_since || config.initial_since_value === undefined) return []
  return [warningAt('/initial_since_value', 'initial_since_value does nothing without "supports_since": true.')]
}

/**
 * Adds the bookmarks. Chronological: after each batch its last `_updated`. Otherwise comparable: after all of it, in a
 * batch of its own, the greatest. Otherwise none.
 */
export async function* withOffsets(
  groups: AsyncIterable<readonly Entity[]>,
  continuation: Continuation,
  since: Offset | null,
): AsyncIterable<Batch> {
  const { supportsSince, isChronological, isSinceComparable } = continuation
  let reached = since
  for await (const entities of groups) {
    if (supportsSince && isChronological) reached = lastUpdated(entities) ?? reached
    else if (supportsSince && isSinceComparable) reached = greatest(entities, reached)
    yield { entities, offset: isChronological && supportsSince ? reached : null }
  }
  if (supportsSince && !isChronological && isSinceComparable && reached !== since)
    yield { entities: [], offset: reached }
}

/** `_updated` of the last entity that has one. */
export function lastUpdated(entities: readonly Entity[]): Offset | undefined {
  for (let place = entities.length - 1; place >= 0; place--) {
    const updated = updatedOf(entities[place] as Entity)
    if (updated !== undefined) return updated
  }
  return undefined
}

/** `_updated` as the text that is sent back as since. */
export function updatedOf(entity: Entity): Offset | undefined {
  const updated = get(entity, '_updated')
  if (typeof updated === 'string') return updated
  if (typeof updated === 'number' || typeof updated === 'bigint') return String(updated)
  if (updated instanceof Float) return String(updated.value)
  return updated instanceof Typed ? encodeTransit(updated as TypedScalar) : undefined
}

/** Whole numbers by value, so that 10 follows 9; everything else as text. */
export function isNewer(a: Offset, b: Offset): boolean {
  const whole = /^-?\d+$/
  return whole.test(a) && whole.test(b) ? BigInt(a) > BigInt(b) : compareText(a, b) > 0
}

function greatest(entities: readonly Entity[], start: Offset | null): Offset | null {
  let newest = start
  for (const entity of entities) {
    const updated = updatedOf(entity)
    if (updated !== undefined && (newest === null || isNewer(updated, newest))) newest = updated
  }
  return newest
}
