/** Makes one class of two: the smaller goes into the larger, so that building a class of n costs n log n moves at most. */

import type { NodeKey } from './contract.ts'
import { idOfClass, type Layout, noteOldClass, noteOldSingle } from './identity.ts'
import { type ClassRow, emptySet, type NodeRow } from './rows.ts'
import type { ClassState } from './state.ts'

export function unite(state: ClassState, layout: Layout, one: NodeKey, other: NodeKey): void {
  if (one === other) return
  const first = state.nodes.get(one) as NodeRow
  const second = state.nodes.get(other) as NodeRow
  if (first.class === '' && second.class === '')
    join(state, layout, classOfOne(state, layout, one, first), other, second)
  else if (first.class === '') join(state, layout, second.class, one, first)
  else if (second.class === '') join(state, layout, first.class, other, second)
  else if (first.class !== second.class) {
    const [left, right] = [sizeOf(state, first.class), sizeOf(state, second.class)]
    if (left >= right) absorb(state, layout, first.class, second.class)
    else absorb(state, layout, second.class, first.class)
  }
}

const sizeOf = (state: ClassState, id: string): number => (state.classes.get(id) as ClassRow).members.count

/** A class with one member, for the moment: what follows gives it a second. */
function classOfOne(state: ClassState, layout: Layout, node: NodeKey, row: NodeRow): string {
  const id = state.next('class').toString(36)
  const members = emptySet()
  state.sets.add(id, members, node)
  const emitted = row.emitted ? idOfClass(state, layout, [node]) : ''
  state.classes.add(id, { members, visible: layout.isVisible(node) ? 1 : 0, apart: false, emitted, anchor: node })
  state.nodes.put(node, { ...row, class: id, emitted: false })
  state.dirty.delete(`s${node}`)
  state.dirty.add(`c${id}`, true)
  return id
}

function join(state: ClassState, layout: Layout, id: string, node: NodeKey, row: NodeRow): void {
  const to = state.classes.get(id) as ClassRow
  move(state, layout, id, to, node, row)
  if (layout.isVisible(node)) to.visible++
  // A newcomer of a class that is apart is emitted by itself, and none of the others is.
  if (to.apart) state.touched.put(node, true)
  state.classes.put(id, to)
  state.dirty.delete(`s${node}`)
  state.markClass(id)
}

function absorb(state: ClassState, layout: Layout, winner: string, loser: string): void {
  const to = state.classes.get(winner) as ClassRow
  const from = state.classes.get(loser) as ClassRow
  for (const node of state.sets.all(loser, from.members)) {
    if (to.apart && !from.apart) state.touched.put(node, true)
    move(state, layout, winner, to, node, state.nodes.get(node) as NodeRow)
  }
  noteOldClass(state, layout, from)
  to.visible += from.visible
  state.classes.put(winner, to)
  state.sets.clear(loser, from.members)
  state.classes.delete(loser)
  state.dirty.delete(`c${loser}`)
  state.markClass(winner)
  if (state.torn.get(loser) !== undefined) {
    state.torn.delete(loser)
    state.torn.put(winner, true)
  }
}

function move(state: ClassState, layout: Layout, id: string, to: ClassRow, node: NodeKey, row: NodeRow): void {
  // Members of a class that is apart are emitted one by one; those of any other are not.
  if (row.emitted && !to.apart) noteOldSingle(state, layout, node)
  state.nodes.put(node, { ...row, class: id, emitted: row.emitted && to.apart })
  state.sets.add(id, to.members, node)
}
