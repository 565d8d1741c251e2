/** Marks everything to be emitted again: it is to be composed in another way, or under other ids. */

import type { ClassStore, NodeKey } from './contract.ts'
import { classId, type Layout } from './identity.ts'
import type { NodeRow } from './rows.ts'
import type { ClassState } from './state.ts'

export interface Marking {
  /** As of which the ids were made that were emitted; null: they stay as they are. */
  readonly former: Layout | null
  readonly limit: number
}

/** Looks at some rows after a key; gives the last of them, null when there are no more. */
export function markSome(state: ClassState, store: ClassStore, after: string | null, how: Marking): string | null {
  let last: string | null = null
  let left = how.limit
  for (const [kind, mark] of [
    ['C', markClass],
    ['N', markNode],
  ] as const) {
    if (after !== null && after[0] !== undefined && after[0] > kind) continue
    for (const [key] of store.range(kind, after?.startsWith(kind) ? after : undefined)) {
      mark(state, key.slice(1), how.former)
      last = key
      if (--left <= 0) return last
    }
  }
  return last
}

function markClass(state: ClassState, id: string, former: Layout | null): void {
  const row = state.classes.get(id)
  if (row === undefined) return
  if (former !== null && row.emitted !== '') {
    state.noteOld(row.emitted, row.anchor, true)
    state.classes.put(id, { ...row, emitted: '' })
  }
  state.markClass(id)
}

function markNode(state: ClassState, node: NodeKey, former: Layout | null): void {
  const row = state.nodes.get(node)
  if (row === undefined) return
  if (row.class === '') state.markSingle(node)
  else if (state.classes.get(row.class)?.apart === true) state.touched.put(node, true)
  if (former !== null && row.emitted) forgetEmitted(state, node, row, former)
}

function forgetEmitted(state: ClassState, node: NodeKey, row: NodeRow, former: Layout): void {
  state.noteOld(classId(former.identity, [[former.placeOf(node), state.idOf(node)]]), node, false)
  state.nodes.put(node, { ...row, emitted: false })
}
