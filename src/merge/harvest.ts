/** A state that begins anew takes over from the one before only the ids it emitted, so that those not used again are deleted, and how many they were. */

import { compareText } from '../model/order.ts'
import type { ClassStore, RowChange } from './contract.ts'
import { classId, type Layout } from './identity.ts'
import { positionOf, shortIdOf } from './keys.ts'
import { classCodec, countCodec, nodeCodec, oldCodec } from './rows.ts'
import type { ClassState } from './state.ts'
import { textOf } from './table.ts'

/** Reads up to `limit` rows of the former state after a key and gives what deletes them; nothing when there are no more. */
export function harvestSome(
  former: ClassStore,
  identity: Layout['identity'],
  state: ClassState,
  after: string | null,
  limit: number,
): RowChange[] {
  const deletes: RowChange[] = []
  for (const [key, value] of former.range('')) {
    if (after !== null && compareText(key, after) <= 0) continue
    takeOver(key, textOf(value), identity, state)
    deletes.push([key, null])
    if (deletes.length >= limit) break
  }
  return deletes
}

function takeOver(key: string, value: string, identity: Layout['identity'], state: ClassState): void {
  const of = key.slice(1)
  switch (key[0]) {
    case 'N': {
      const { emitted, longId } = nodeCodec.decode(value)
      if (emitted) state.noteOld(classId(identity, [[positionOf(of), shortIdOf(of) ?? longId]]), of, false)
      break
    }
    case 'C': {
      const { emitted, anchor } = classCodec.decode(value)
      if (emitted !== '') state.noteOld(emitted, anchor, true)
      break
    }
    case 'O': {
      const { id, anchor, isClass } = oldCodec.decode(value)
      state.noteOld(id, anchor, isClass)
      break
    }
    case 'K':
      if (of === 'emission') state.countOn(of, countCodec.decode(value))
  }
}
