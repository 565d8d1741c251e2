/** `trigger_on`: which entities a transform is for; the others pass through (dtl.md §3.1). */

import type { Entity } from '../model/entity.ts'
import { equals } from '../model/order.ts'
import type { Value } from '../model/value.ts'
import type { DtlSettings } from './contract.ts'
import { frameOf } from './frame.ts'
import { compilePath } from './read.ts'
import type { ProgramNode } from './syntax.ts'
import { wildcard } from './wildcard.ts'

export function compileTrigger(
  trigger: NonNullable<ProgramNode['trigger']>,
  settings: DtlSettings,
): (entity: Entity) => boolean {
  const read = compilePath(trigger.path, settings)
  const matches = matcherOf(trigger.value)
  return (entity) => matches(read(frameOf(entity)))
}

/** Strings are patterns in which `*` alone is special; other values are compared. */
function matcherOf(wanted: Value): (value: Value) => boolean {
  if (typeof wanted !== 'string') return (value) => equals(value, wanted)
  const matches = wildcard(wanted, { question: false })
  return (value) => typeof value === 'string' && matches(value)
}
