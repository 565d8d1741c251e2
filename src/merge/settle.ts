/** The compose phase: each class that something touched is emitted once, then deleted entities, then ids that are no more. */

import { dictOf, set } from '../model/dict.ts'
import { type Entity, isDeleted } from '../model/entity.ts'
import { type Composition, compose } from './compose.ts'
import type { NodeKey } from './contract.ts'
import { classId, idOfClass, inOrder, type Layout, noteOldClass } from './identity.ts'
import { inputOf, nodeKey } from './keys.ts'
import { type CommonValue, commonest } from './report.ts'
import type { ClassRow, GoneRow, NodeRow, OldRow } from './rows.ts'
import { bringIn, isTooLarge } from './split.ts'
import { hold, holdApart, idHeldBy, mintedId } from './stable.ts'
import type { ClassState } from './state.ts'
import type { Table } from './table.ts'

export interface Settlement {
  readonly layout: Layout
  readonly maxMerged: number
  readonly composition: Composition
  /** What minted ids begin with: no other merge has it. */
  readonly root: string
  /** Newest version of an entity, deleted or not. */
  entityOf(input: number, id: string): Entity | undefined
  /** What was read for the page is enough, however few entities it is; absent: only their number counts. */
  isFull?(): boolean
  /** A class is left apart, because it is too large. */
  leftApart?(members: number, values: readonly CommonValue[]): void
}

/** Does about `limit` entities' worth of what is left to do; null when nothing is. */
export function settleSome(state: ClassState, how: Settlement, limit: number): Entity[] | null {
  return new Page(state, how, limit).run()
}

class Page {
  readonly #state: ClassState
  readonly #how: Settlement
  readonly #limit: number
  readonly #emitted: Entity[] = []
  /** Entities read or made so far. */
  #work = 0

  constructor(state: ClassState, how: Settlement, limit: number) {
    this.#state = state
    this.#how = how
    this.#limit = limit
  }

  run(): Entity[] | null {
    const { dirty, touched, gone, old } = this.#state
    const isWork =
      this.#each(dirty, (key) => this.#dirty(key)) ||
      this.#each(touched, (node) => this.#touched(node)) ||
      this.#each(gone, (node, id) => this.#gone(node, id)) ||
      this.#each(old, (_, row) => this.#old(row))
    return isWork ? this.#emitted : null
  }

  /** Works off a page of a queue; false when it was empty. */
  #each<T>(queue: Table<T>, settle: (key: string, row: T) => void): boolean {
    const page = queue.some(this.#limit)
    for (const [key, row] of page) {
      if (this.#work >= this.#limit || this.#how.isFull?.() === true) break
      queue.delete(key)
      settle(key, row)
    }
    return page.length > 0
  }

  #dirty(key: string): void {
    const of = key.slice(1)
    if (key[0] === 's') this.#single(of)
    else this.#class(of)
  }

  #single(node: NodeKey): void {
    const row = this.#state.nodes.get(node)
    if (row === undefined || !this.#how.layout.isVisible(node)) return
    const id = this.#idOf([node])
    if (!this.#emit(id, [node])) return
    if (this.#isStable) hold(this.#state, [node], id)
    if (!row.emitted) this.#state.nodes.put(node, { ...(this.#state.nodes.get(node) as NodeRow), emitted: true })
  }

  #class(id: string): void {
    const { layout, maxMerged } = this.#how
    const state = this.#state
    const row = state.classes.get(id)
    if (row === undefined) return
    const visible = inOrder(state, layout, state.sets.all(id, row.members).filter(layout.isVisible))
    if (isTooLarge(visible.length, maxMerged)) {
      this.#leaveApart(id, row, visible)
      return
    }
    if (row.apart) for (const node of visible) bringIn(state, layout, node)
    const emitted = visible.length === 0 ? '' : this.#idOf(visible)
    if (emitted !== '' && !this.#emit(emitted, visible)) return
    if (this.#isStable) hold(state, visible, emitted)
    if (row.emitted !== emitted) noteOldClass(state, layout, row)
    if (row.apart || row.emitted !== emitted || row.anchor !== visible[0]) {
      state.classes.put(id, { ...row, apart: false, emitted, anchor: visible[0] ?? '' })
    }
  }

  get #isStable(): boolean {
    return this.#how.layout.identity === 'stable'
  }

  /** Of members in order. */
  #idOf(nodes: readonly NodeKey[]): string {
    const { layout, root } = this.#how
    if (!this.#isStable) return idOfClass(this.#state, layout, nodes)
    return idHeldBy(this.#state, nodes) ?? mintedId(root, this.#state.next('minted'))
  }

  /** A class above the limit stays apart: its members are emitted one by one, those that were already only when touched. */
  #leaveApart(id: string, row: ClassRow, visible: readonly NodeKey[]): void {
    const state = this.#state
    this.#work += visible.length
    this.#how.leftApart?.(visible.length, commonest(state, visible))
    if (this.#isStable) holdApart(state, visible)
    if (row.apart) return
    for (const node of visible) state.touched.put(node, true)
    noteOldClass(state, this.#how.layout, row)
    state.classes.put(id, { ...row, apart: true, emitted: '', anchor: '' })
  }

  #touched(node: NodeKey): void {
    const row = this.#state.nodes.get(node)
    if (row !== undefined && this.#state.classes.get(row.class)?.apart === true) this.#single(node)
  }

  #emit(id: string, nodes: readonly NodeKey[]): boolean {
    const members = membersOf(this.#state, this.#how, nodes)
    this.#work += nodes.length
    if (members.length === 0) return false
    this.#state.unnoteOld(id)
    this.#make(id, false, members)
    return true
  }

  #make(id: string, isDeleted: boolean, members: readonly Entity[]): Entity {
    const entity = wholeOf(id, isDeleted, this.#state.next('emission'), members, this.#how)
    this.#emitted.push(entity)
    return entity
  }

  /** A deleted source entity is emitted stand-alone with `_deleted: true` (hub.md §14.2), under an id of its own. */
  #gone(node: NodeKey, { id, stable }: GoneRow): void {
    this.#work++
    const { layout } = this.#how
    const emitted = this.#isStable ? stable : classId(layout.identity, [[layout.placeOf(node), id]])
    const member = this.#how.entityOf(inputOf(node), id)
    if (emitted === '' || member === undefined || !isDeleted(member) || this.#isUsed(emitted, node)) return
    const old = this.#state.unnoteOld(emitted)
    // A minted id that nobody deleted was taken up again.
    if (this.#isStable && old === undefined) return
    const entity = this.#make(emitted, true, [member])
    if (old?.isClass === true) set(entity, '$replaced', true)
  }

  /** When a class's id changes, a delete for the old id is emitted with `$replaced: true` as well (hub.md §14.2). */
  #old({ id, anchor, isClass }: OldRow): void {
    this.#work++
    if (this.#isUsed(id, anchor)) return
    const entity = this.#make(id, true, [])
    const isThere = !this.#isStable && this.#state.nodes.get(anchor) !== undefined
    if (isClass || isThere) set(entity, '$replaced', true)
  }

  /** Whether some class has the id now. Only the class of its first member can; of minted ids only those are noted that none has. */
  #isUsed(id: string, anchor: NodeKey): boolean {
    const { identity, inputs } = this.#how.layout
    if (identity === 'stable') return false
    if (identity === 'composite') return this.#hasId(anchor, id)
    return inputs.some((input) => this.#hasId(nodeKey(input, id), id))
  }

  #hasId(node: NodeKey, id: string): boolean {
    const { layout, maxMerged } = this.#how
    const row = this.#state.nodes.get(node)
    if (row === undefined || !layout.isVisible(node)) return false
    return idOfClass(this.#state, layout, this.#shownWith(node, row, maxMerged)) === id
  }

  #shownWith(node: NodeKey, row: NodeRow, maxMerged: number): NodeKey[] {
    const own = row.class === '' ? undefined : this.#state.classes.get(row.class)
    if (own === undefined || isTooLarge(own.visible, maxMerged)) return [node]
    const { layout } = this.#how
    return inOrder(this.#state, layout, this.#state.sets.all(row.class, own.members).filter(layout.isVisible))
  }
}

/** Those that are there. One that was deleted after it was linked is not: the next run hears of it. */
export function membersOf(state: ClassState, how: Settlement, nodes: readonly NodeKey[]): Entity[] {
  const members: Entity[] = []
  for (const node of nodes) {
    const member = how.entityOf(inputOf(node), state.idOf(node))
    if (member !== undefined && !isDeleted(member)) members.push(member)
  }
  return members
}

export function wholeOf(
  id: string,
  isDeleted: boolean,
  updated: number,
  members: readonly Entity[],
  { composition }: Settlement,
): Entity {
  const entity: Entity = dictOf([
    ['_id', id],
    ['_deleted', isDeleted],
    ['_updated', updated],
  ])
  if (members.length > 0) compose(entity, members, composition)
  return entity
}
