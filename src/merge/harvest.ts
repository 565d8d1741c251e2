/** A state that begins anew takes over from the one before the ids it emitted, so that those not used again are deleted, who held the minted ones, and how many there were. */

import type { ClassStore, NodeKey, RowChange } from './contract.ts'
import { classId, type Identity } from './identity.ts'
import { inputOf, shortIdOf } from './keys.ts'
import { bucketCodec, classCodec, countCodec, nodeCodec, oldCodec, postingCodec } from './rows.ts'
import { hintOwner } from './stable.ts'
import type { ClassState, Counter } from './state.ts'
import { textOf } from './table.ts'

/** What is to be known of a former beginning of the state. */
export interface FormerState {
  readonly identity: Identity
  /** Whether minted ids live on. */
  readonly isContinued: boolean
  /** Place of the member's input when the member was last emitted. */
  placeOf(node: NodeKey): number
}

/** Reads up to `limit` rows of the former state after a key and gives what deletes them; nothing when there are no more. */
export function harvestSome(
  store: ClassStore,
  former: FormerState,
  state: ClassState,
  after: string | null,
  limit: number,
): RowChange[] {
  const deletes: RowChange[] = []
  for (const [key, value] of store.range('', after ?? undefined)) {
    takeOver(key, textOf(value), former, state)
    deletes.push([key, null])
    if (deletes.length >= limit) break
  }
  return deletes
}

function takeOver(key: string, value: string, former: FormerState, state: ClassState): void {
  const of = key.slice(1)
  switch (key[0]) {
    case 'N':
      takeOverNode(of, value, former, state)
      break
    case 'C': {
      const { emitted, anchor } = classCodec.decode(value)
      if (emitted !== '' && former.identity !== 'stable') state.noteOld(emitted, anchor, true)
      break
    }
    case 'O': {
      const { id, anchor, isClass } = oldCodec.decode(value)
      state.noteOld(id, anchor, isClass)
      break
    }
    case 'M':
      if (former.isContinued) state.remembered.put(of, value)
      break
    case 'H':
      for (const node of postingCodec.decode(value)[0]?.inline ?? []) hint(state, former, of, node)
      break
    case 'B': {
      const owner = of.slice(of.indexOf(':') + 1)
      if (!owner.startsWith(hintOwner(''))) break
      for (const node of bucketCodec.decode(value)) hint(state, former, owner.slice(hintOwner('').length), node)
      break
    }
    case 'K':
      if (of !== 'class') state.countOn(of as Counter, countCodec.decode(value))
  }
}

function takeOverNode(node: NodeKey, value: string, former: FormerState, state: ClassState): void {
  const { emitted, longId, stable } = nodeCodec.decode(value)
  if (former.identity !== 'stable') {
    const place = former.placeOf(node)
    if (emitted) state.noteOld(classId(former.identity, [[place, shortIdOf(node) ?? longId]]), node, false)
  } else if (stable !== '') {
    state.noteOld(stable, node, false)
    hint(state, former, stable, node)
  }
}

function hint(state: ClassState, { isContinued }: FormerState, id: string, node: NodeKey): void {
  if (!isContinued) return
  const hints = state.hints.get(id) ?? [{ count: 0, buckets: 0, inline: [] }]
  const [holders] = hints
  if (holders !== undefined) state.sets.add(hintOwner(id), holders, node)
  state.hints.put(id, hints)
}

/** Places by number of the input. */
export const placeIn =
  (inputs: readonly number[]) =>
  (node: NodeKey): number =>
    inputs.indexOf(inputOf(node))
