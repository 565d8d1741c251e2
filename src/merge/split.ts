/** Searches the classes in which something lost a value, once, and takes apart what nothing binds any more. */

import type { NodeKey } from './contract.ts'
import { type Layout, noteOldClass, noteOldSingle } from './identity.ts'
import { sharedBy } from './linker.ts'
import { type ClassRow, emptySet, type NodeRow } from './rows.ts'
import { postingOf, type Rules, slotOf, spaceOf } from './rules.ts'
import { partHolders } from './stable.ts'
import type { ClassState } from './state.ts'

export interface SplitOptions {
  readonly rules: Rules
  readonly layout: Layout
  readonly maxMerged: number
  readonly maxShared: number
}

/** Searches torn classes with some `members` in all; gives how many classes it looked at, 0 when none is torn. */
export function splitSome(state: ClassState, options: SplitOptions, members: number): number {
  let searched = 0
  let classes = 0
  for (const [id] of state.torn.some(members)) {
    state.torn.delete(id)
    const row = state.classes.get(id)
    classes++
    if (row === undefined) continue
    searched += row.members.count
    split(state, options, id, row)
    if (searched >= members) break
  }
  return classes
}

function split(state: ClassState, options: SplitOptions, id: string, row: ClassRow): void {
  const nodes = state.sets.all(id, row.members)
  const parts = partsOf(state, options, nodes)
  const [largest] = parts
  if (parts.length === 1 && largest !== undefined && largest.length > 1) return
  noteOldClass(state, options.layout, row)
  if (options.layout.identity === 'stable') partHolders(state, options.layout, parts)
  const kept = largest !== undefined && largest.length > 1 ? largest : undefined
  for (const part of parts) {
    if (part === kept) continue
    for (const node of part) state.sets.delete(id, row.members, node)
    if (part.length === 1) makeSingle(state, part[0] as NodeKey)
    else makeClass(state, options, part, row.apart)
  }
  if (kept === undefined) {
    state.sets.clear(id, row.members)
    state.classes.delete(id)
    state.dirty.delete(`c${id}`)
  } else {
    settleClass(state, options, id, row.members, kept, row.apart)
  }
}

function makeSingle(state: ClassState, node: NodeKey): void {
  state.nodes.put(node, { ...(state.nodes.get(node) as NodeRow), class: '' })
  state.touched.delete(node)
  state.markSingle(node)
}

function makeClass(state: ClassState, options: SplitOptions, part: readonly NodeKey[], wasApart: boolean): void {
  const id = state.next('class').toString(36)
  const members = emptySet()
  for (const node of part) {
    state.sets.add(id, members, node)
    state.nodes.put(node, { ...(state.nodes.get(node) as NodeRow), class: id })
  }
  settleClass(state, options, id, members, part, wasApart)
}

function settleClass(
  state: ClassState,
  { layout, maxMerged }: SplitOptions,
  id: string,
  members: ClassRow['members'],
  part: readonly NodeKey[],
  wasApart: boolean,
): void {
  const visible = part.filter(layout.isVisible).length
  const apart = wasApart && isTooLarge(visible, maxMerged)
  if (wasApart && !apart) for (const node of part) bringIn(state, layout, node)
  state.classes.put(id, { members, visible, apart, emitted: '', anchor: '' })
  state.markClass(id)
}

/** A member of a class that was apart and no longer is: its own id goes. */
export function bringIn(state: ClassState, layout: Layout, node: NodeKey): void {
  const row = state.nodes.get(node) as NodeRow
  state.touched.delete(node)
  if (!row.emitted) return
  noteOldSingle(state, layout, node)
  state.nodes.put(node, { ...row, emitted: false })
}

export const isTooLarge = (visible: number, maxMerged: number): boolean => maxMerged > 0 && visible > maxMerged

/**
 * Members that are bound to one another, the largest part first. Whatever binds two members has both of them in this
 * class, so their own links tell everything and no posting is read, except to see whether its value is too common.
 */
function partsOf(state: ClassState, { rules, maxShared }: SplitOptions, nodes: readonly NodeKey[]): NodeKey[][] {
  const postings = new Map<string, { readonly space: number; readonly slots: number[][] }>()
  nodes.forEach((node, at) => {
    for (const link of (state.nodes.get(node) as NodeRow).links) {
      const key = postingOf(link)
      let posting = postings.get(key)
      if (posting === undefined) {
        if (maxShared > 0 && sharedBy(state.postings.get(key) ?? []) > maxShared) continue
        posting = { space: spaceOf(link), slots: [] }
        postings.set(key, posting)
      }
      const slots = posting.slots
      const slot = slotOf(link)
      slots[slot] ??= []
      slots[slot].push(at)
    }
  })
  const parent = nodes.map((_, at) => at)
  const root = (at: number): number => {
    let top = at
    while (parent[top] !== top) {
      parent[top] = parent[parent[top] as number] as number
      top = parent[top] as number
    }
    return top
  }
  for (const { space, slots } of postings.values()) {
    slots.forEach((members, slot) => {
      for (const other of rules.spaces[space]?.[slot] ?? []) {
        const first = slots[other]?.[0]
        if (first === undefined) continue
        for (const member of members) parent[root(member)] = root(first)
      }
    })
  }
  const parts = new Map<number, NodeKey[]>()
  nodes.forEach((node, at) => {
    const top = root(at)
    const part = parts.get(top)
    if (part === undefined) parts.set(top, [node])
    else part.push(node)
  })
  return [...parts.values()].sort((a, b) => b.length - a.length)
}
