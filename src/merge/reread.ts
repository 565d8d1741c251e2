/** What was emitted of members, composed again as they are now; nothing of it is remembered. */

import type { Entity } from '../model/entity.ts'
import type { NodeKey } from './contract.ts'
import { idOfClass, inOrder } from './identity.ts'
import { membersOf, type Settlement, wholeOf } from './settle.ts'
import type { ClassState } from './state.ts'

/** Each class once. What waits to be composed anyway is left out, and so is what was never emitted. */
export function rereadSome(state: ClassState, how: Settlement, nodes: readonly NodeKey[]): Entity[] {
  const seen = new Set<string>()
  return nodes.flatMap((node) => {
    const row = state.nodes.get(node)
    if (row === undefined || !how.layout.isVisible(node)) return []
    const own = row.class === '' ? undefined : state.classes.get(row.class)
    const shown = own === undefined || own.apart ? null : row.class
    const key = shown === null ? `s${node}` : `c${shown}`
    if (seen.has(key)) return []
    seen.add(key)
    return (own === undefined || shown === null ? single(state, how, node) : whole(state, how, row.class)) ?? []
  })
}

function single(state: ClassState, how: Settlement, node: NodeKey): Entity | undefined {
  const row = state.nodes.get(node)
  const waits = state.dirty.get(`s${node}`) !== undefined || state.touched.get(node) !== undefined
  if (row === undefined || !row.emitted || waits) return undefined
  return again(state, how, row.stable === '' ? idOfClass(state, how.layout, [node]) : row.stable, [node])
}

function whole(state: ClassState, how: Settlement, id: string): Entity | undefined {
  const row = state.classes.get(id)
  if (row === undefined || row.emitted === '' || state.dirty.get(`c${id}`) !== undefined) return undefined
  const visible = state.sets.all(id, row.members).filter(how.layout.isVisible)
  return again(state, how, row.emitted, inOrder(state, how.layout, visible))
}

function again(state: ClassState, how: Settlement, id: string, nodes: readonly NodeKey[]): Entity | undefined {
  const members = membersOf(state, how, nodes)
  return members.length === 0 ? undefined : wholeOf(id, false, state.count('emission'), members, how)
}
