/**
 * Ids that are minted once and stay: each member remembers under which id it was last emitted, its *own* one or that of
 * its class.
 *
 * Kept is this: all holders of an id are in one class. When a class comes apart, the part with most holders keeps the id,
 * and the others forget it. When classes become one, the id that most of its members hold wins, and the others are no more.
 * So what decides is what was emitted, not the way there.
 */

import type { NodeKey } from './contract.ts'
import { inOrder, type Layout } from './identity.ts'
import type { NodeRow } from './rows.ts'
import type { ClassState } from './state.ts'

/** `root` tells the ids of one merge from those of any other. */
export const mintedId = (root: string, number: number): string => `${root}-${number.toString(36)}`

const ageOf = (id: string): number => Number.parseInt(id.slice(id.lastIndexOf('-') + 1), 36)

/** The id of a class: what most of its members hold, of equals the oldest; undefined: none holds one. */
export function idHeldBy(state: ClassState, nodes: readonly NodeKey[]): string | undefined {
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const { stable } = state.nodes.get(node) as NodeRow
    if (stable !== '') counts.set(stable, (counts.get(stable) ?? 0) + 1)
  }
  return best(counts, (one, other) => ageOf(one) - ageOf(other))
}

/** From now on the members hold the id, and what some of them held before is no more. All holders of that are among them. */
export function hold(state: ClassState, nodes: readonly NodeKey[], id: string): void {
  for (const node of nodes) {
    const row = state.nodes.get(node) as NodeRow
    if (row.stable === id) continue
    if (row.stable !== '') retire(state, row.stable, node)
    state.nodes.put(node, { ...row, stable: id })
  }
  countHolders(state, id, nodes.length)
}

function retire(state: ClassState, id: string, node: NodeKey): void {
  state.holders.delete(id)
  state.noteOld(id, node, true)
}

/** A member goes: gives its id when nobody holds that any more. It comes back to it should it return. */
export function holderGone(state: ClassState, node: NodeKey, { stable }: NodeRow): string {
  if (stable === '' || !isLast(state, stable)) return ''
  state.remembered.put(node, stable)
  state.noteOld(stable, node, false)
  return stable
}

/** The parts of a class that came apart: the one with most holders of an id keeps it, of equals the one with the first member. */
export function partHolders(state: ClassState, layout: Layout, parts: readonly (readonly NodeKey[])[]): void {
  const holders = new Map<string, Map<number, NodeKey[]>>()
  for (const [at, part] of parts.entries()) {
    for (const node of part) {
      const { stable } = state.nodes.get(node) as NodeRow
      if (stable === '') continue
      const byPart = holders.get(stable) ?? new Map<number, NodeKey[]>()
      holders.set(stable, byPart)
      add(byPart, at, node)
    }
  }
  for (const byPart of holders.values()) if (byPart.size > 1) leaveToBest(state, layout, [...byPart.values()])
}

function leaveToBest(state: ClassState, layout: Layout, groups: readonly NodeKey[][]): void {
  const keeper = largestOf(state, layout, groups)
  for (const group of groups) if (group !== keeper) for (const node of group) forget(state, node)
}

/** The members of a class are to be emitted one by one: of those that hold an id together the first keeps it. */
export function holdApart(state: ClassState, nodes: readonly NodeKey[]): void {
  const taken = new Set<string>()
  for (const node of nodes) {
    const { stable } = state.nodes.get(node) as NodeRow
    if (stable === '') continue
    if (taken.has(stable)) forget(state, node)
    taken.add(stable)
  }
}

/** Others hold its id. */
function forget(state: ClassState, node: NodeKey): void {
  const row = state.nodes.get(node) as NodeRow
  isLast(state, row.stable)
  state.nodes.put(node, { ...row, stable: '' })
}

/** One holder fewer; whether that was the last. */
function isLast(state: ClassState, id: string): boolean {
  const count = state.holders.get(id) ?? 1
  countHolders(state, id, count - 1)
  return count === 1
}

/** Of an id with one holder, as most are, there is no row. */
function countHolders(state: ClassState, id: string, count: number): void {
  if (count > 1) state.holders.put(id, count)
  else if (state.holders.get(id) !== undefined) state.holders.delete(id)
}

/** A state that began anew gives the ids of the former one to those who held them, once it knows who belongs together. */
export function claimSome(state: ClassState, layout: Layout, members: number): number {
  let claimed = 0
  for (const [id, hints] of state.hints.some(members)) {
    const set = hints[0] ?? { count: 0, buckets: 0, inline: [] }
    const nodes = state.sets.all(hintOwner(id), set)
    state.sets.clear(hintOwner(id), set)
    state.hints.delete(id)
    claim(state, layout, id, nodes)
    claimed += nodes.length
    if (claimed >= members) break
  }
  return claimed
}

/** Names the buckets of an id's former holders. */
export const hintOwner = (id: string): string => `h/${id}`

function claim(state: ClassState, layout: Layout, id: string, nodes: readonly NodeKey[]): void {
  const byClass = new Map<string, NodeKey[]>()
  for (const node of nodes) {
    const row = state.nodes.get(node)
    if (row === undefined || row.stable !== '' || !layout.isVisible(node)) continue
    add(byClass, row.class === '' ? `s${node}` : `c${row.class}`, node)
  }
  if (byClass.size === 0) {
    // Nobody is left of them. Should the first return, it is the one.
    const [first] = inOrder(state, layout, nodes.filter(layout.isVisible))
    if (first !== undefined) state.remembered.put(first, id)
    return
  }
  const keepers = largestOf(state, layout, [...byClass.values()])
  for (const node of keepers) state.nodes.put(node, { ...(state.nodes.get(node) as NodeRow), stable: id })
  countHolders(state, id, keepers.length)
}

/** The group with most members; of equals the one that has the first member of all. */
function largestOf(state: ClassState, layout: Layout, groups: readonly NodeKey[][]): NodeKey[] {
  const most = Math.max(...groups.map(({ length }) => length))
  const largest = groups.filter(({ length }) => length === most)
  if (largest.length === 1) return largest[0] as NodeKey[]
  const [first] = inOrder(state, layout, largest.flat())
  return largest.find((group) => group.includes(first as NodeKey)) as NodeKey[]
}

function add<K>(groups: Map<K, NodeKey[]>, key: K, node: NodeKey): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [node])
  else group.push(node)
}

function best<T>(counts: ReadonlyMap<T, number>, order: (one: T, other: T) => number): T | undefined {
  const [first] = [...counts].sort(([one, many], [other, more]) => more - many || order(one, other))
  return first?.[0]
}
