/** The link phase: entities come and go with the values they bind by, and classes follow. Only ids are touched. */

import type { NodeKey } from './contract.ts'
import { type Layout, noteOldSingle } from './identity.ts'
import { shortIdOf } from './keys.ts'
import { emptySet, type NodeRow, type PostingRow, type SetRow } from './rows.ts'
import { isBinding, type Link, postingOf, type Rules, slotOf, spaceOf } from './rules.ts'
import { holderGone } from './stable.ts'
import type { ClassState } from './state.ts'
import { unite } from './unite.ts'

export interface LinkerOptions {
  /** A value that more entities share binds nobody; 0: no limit. */
  readonly maxShared: number
}

/**
 * Keeps this: members that a value binds are in one class. When a value is lost the class is only marked torn, and may
 * be too large until it is searched (split.ts).
 */
export class Linker {
  readonly #state: ClassState
  readonly #rules: Rules
  readonly #layout: Layout
  readonly #maxShared: number

  constructor(state: ClassState, rules: Rules, layout: Layout, options: LinkerOptions) {
    this.#state = state
    this.#rules = rules
    this.#layout = layout
    this.#maxShared = options.maxShared === 0 ? Number.POSITIVE_INFINITY : options.maxShared
  }

  /** The entity is there, with these values. It is to be emitted again, unless only the values are looked at anew. */
  upsert(node: NodeKey, id: string, links: readonly Link[], { isAnew = false } = {}): void {
    const state = this.#state
    const former = state.nodes.get(node)
    if (former === undefined) {
      this.#add(node, id, links)
      return
    }
    if (!isAnew) this.#touch(node, former)
    const lost = without(former.links, links)
    const gained = without(links, former.links)
    if (lost.length === 0 && gained.length === 0) return
    state.nodes.put(node, { ...former, links })
    for (const link of lost) this.#release(node, link)
    for (const link of gained) this.#bind(node, link)
  }

  #add(node: NodeKey, id: string, links: readonly Link[]): void {
    const state = this.#state
    const longId = shortIdOf(node) === undefined ? id : ''
    const stable = this.#layout.identity === 'stable' ? (state.remembered.get(node) ?? '') : ''
    if (stable !== '') state.remembered.delete(node)
    state.nodes.add(node, { class: '', emitted: false, stable, links, longId })
    state.dirty.add(`s${node}`, true)
    for (const link of links) this.#bind(node, link)
  }

  /** The entity is deleted, and will be emitted so. */
  remove(node: NodeKey, id: string): void {
    const isVisible = this.#layout.isVisible(node)
    const row = this.#unlink(node, isVisible)
    if (row?.emitted === true) noteOldSingle(this.#state, this.#layout, node, id)
    const stable = row === undefined ? '' : holderGone(this.#state, node, row)
    // It may be there again before it is emitted as deleted, and then in a class.
    if (isVisible) this.#state.gone.put(node, { id, stable })
  }

  /** Its input is no longer merged; `id` is what it was emitted under by itself, null if it was of an identity list. */
  drop(node: NodeKey, id: string | null): void {
    const row = this.#unlink(node, id !== null)
    const isNoted = row?.emitted === true && id !== null && this.#layout.identity !== 'stable'
    if (isNoted) this.#state.noteOld(id, node, false)
    if (row !== undefined) holderGone(this.#state, node, row)
    this.#state.remembered.delete(node)
    this.#state.gone.delete(node)
  }

  #unlink(node: NodeKey, isVisible: boolean): NodeRow | undefined {
    const state = this.#state
    const links = state.nodes.get(node)?.links
    if (links === undefined) return undefined
    for (const link of links) this.#release(node, link)
    const row = state.nodes.get(node) as NodeRow
    state.nodes.delete(node)
    state.touched.delete(node)
    if (row.class === '') state.dirty.delete(`s${node}`)
    else this.#leave(node, row, isVisible)
    return row
  }

  #touch(node: NodeKey, row: NodeRow): void {
    if (row.class === '') {
      this.#state.markSingle(node)
      return
    }
    this.#state.markClass(row.class)
    if (this.#state.classes.get(row.class)?.apart === true) this.#state.touched.put(node, true)
  }

  #leave(node: NodeKey, row: NodeRow, isVisible: boolean): void {
    const state = this.#state
    const left = state.classes.get(row.class)
    if (left === undefined) return
    state.sets.delete(row.class, left.members, node)
    if (isVisible) left.visible--
    state.classes.put(row.class, left)
    state.torn.put(row.class, true)
    state.markClass(row.class)
  }

  #bind(node: NodeKey, link: Link): void {
    const state = this.#state
    const key = postingOf(link)
    const slot = slotOf(link)
    const former = state.postings.get(key)
    const posting = former ?? []
    while (posting.length <= slot) posting.push(emptySet())
    const members = posting[slot] as SetRow
    const hadSome = members.count > 0
    const before = sharedBy(posting)
    state.sets.add(ownerOf(key, slot), members, node)
    if (former === undefined) state.postings.add(key, posting)
    else state.postings.put(key, posting)
    if (before >= this.#maxShared) {
      if (before === this.#maxShared) this.#tearBound(key, posting, spaceOf(link))
      return
    }
    const neighbours = this.#rules.spaces[spaceOf(link)] ?? []
    for (const other of neighbours[slot] ?? []) {
      const others = posting[other]
      if (others === undefined || others.count === 0) continue
      // Bound already among themselves: one of them stands for all.
      const isOne = hadSome || isBinding(neighbours, posting, other, slot)
      const owner = ownerOf(key, other)
      if (isOne) unite(state, this.#layout, node, state.sets.any(owner, others, node) ?? node)
      else for (const member of state.sets.all(owner, others)) unite(state, this.#layout, node, member)
    }
  }

  #release(node: NodeKey, link: Link): void {
    const state = this.#state
    const key = postingOf(link)
    const slot = slotOf(link)
    const posting = state.postings.get(key)
    const members = posting?.[slot]
    if (posting === undefined || members === undefined) return
    const before = sharedBy(posting)
    state.sets.delete(ownerOf(key, slot), members, node)
    if (before === 1) {
      state.postings.delete(key)
      return
    }
    state.postings.put(key, posting)
    if (before === this.#maxShared + 1) this.#bindAll(key, posting, spaceOf(link))
    const id = state.nodes.get(node)?.class ?? ''
    // Of a slot of former rules nobody knows what it bound.
    const isFormer = (this.#rules.spaces[spaceOf(link)]?.[slot] ?? null) === null
    if (id !== '' && (isFormer || before <= this.#maxShared)) {
      state.torn.put(id, true)
      state.markClass(id)
    }
  }

  /** The value has become too common: it binds nobody any more. */
  #tearBound(key: string, posting: PostingRow, space: number): void {
    const neighbours = this.#rules.spaces[space] ?? []
    posting.forEach((set, slot) => {
      if (!isBinding(neighbours, posting, slot)) return
      for (const member of this.#state.sets.all(ownerOf(key, slot), set)) {
        const id = this.#state.nodes.get(member)?.class ?? ''
        if (id !== '') {
          this.#state.torn.put(id, true)
          this.#state.markClass(id)
        }
      }
    })
  }

  /** The value is rare enough again. */
  #bindAll(key: string, posting: PostingRow, space: number): void {
    const neighbours = this.#rules.spaces[space] ?? []
    posting.forEach((set, slot) => {
      for (const other of neighbours[slot] ?? []) {
        const first = this.#state.sets.any(ownerOf(key, other), posting[other] ?? emptySet())
        if (first === undefined) continue
        for (const member of this.#state.sets.all(ownerOf(key, slot), set))
          unite(this.#state, this.#layout, member, first)
      }
    })
  }
}

function without(links: readonly Link[], others: readonly Link[]): Link[] {
  if (others.length <= 8) return links.filter((link) => !others.includes(link))
  const set = new Set(others)
  return links.filter((link) => !set.has(link))
}

/** Entities that have the value, by any of its slots. */
export const sharedBy = (posting: PostingRow): number => posting.reduce((sum, set) => sum + set.count, 0)

/** Names the buckets of one slot of a posting. */
const ownerOf = (posting: string, slot: number): string => `${slot}/${posting}`
