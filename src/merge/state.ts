/** The state of a merge: its tables over one store, with one page of changes at a time. */

import type { ClassStore, NodeKey, RowChange } from './contract.ts'
import { boundKey, shortIdOf } from './keys.ts'
import { MemberSets } from './member-set.ts'
import {
  bucketCodec,
  classCodec,
  countCodec,
  goneCodec,
  markCodec,
  nodeCodec,
  type OldRow,
  oldCodec,
  postingCodec,
  textCodec,
} from './rows.ts'
import { Table } from './table.ts'

/** What is counted: rows of classes, entities that were emitted, ids that were minted. */
export type Counter = 'class' | 'emission' | 'minted'

export class ClassState {
  readonly nodes
  readonly postings
  readonly classes
  readonly sets
  /** To be composed: `c` and a class, or `s` and an entity that is alone. */
  readonly dirty
  /** Classes in which something lost a value: to be searched. */
  readonly torn
  /** Ids of deleted entities, to be emitted as such. */
  readonly gone
  /** Ids that may be no more, by key of the id. */
  readonly old
  /** Members of a class that is apart, to be emitted again. */
  readonly touched
  /** Of a minted id that several members hold, how many (see stable.ts). */
  readonly holders
  /** Of a member that is gone, the minted id that went with it. */
  readonly remembered
  /** Of a minted id of a former beginning, who held it. */
  readonly hints
  readonly #counters
  readonly #buckets
  #page = 0
  #hasOld: boolean | undefined

  constructor(store: ClassStore) {
    this.nodes = new Table('N', nodeCodec, store)
    this.postings = new Table('P', postingCodec, store)
    this.classes = new Table('C', classCodec, store)
    this.#buckets = new Table('B', bucketCodec, store)
    this.sets = new MemberSets(this.#buckets)
    this.dirty = new Table('D', markCodec, store)
    this.torn = new Table('T', markCodec, store)
    this.gone = new Table('G', goneCodec, store)
    this.old = new Table('O', oldCodec, store)
    this.touched = new Table('U', markCodec, store)
    this.holders = new Table('S', countCodec, store)
    this.remembered = new Table('M', textCodec, store)
    this.hints = new Table('H', postingCodec, store)
    this.#counters = new Table('K', countCodec, store)
  }

  /** The next number: never the same twice. */

  next(counter: Counter): number {
    const number = this.count(counter)
    this.#counters.put(counter, number + 1)
    return number
  }

  /** What would be next. */
  count(counter: Counter): number {
    return this.#counters.get(counter) ?? 0
  }

  /** Goes on counting where a former state stopped. */
  countOn(counter: Counter, from: number): void {
    this.#counters.put(counter, Math.max(from, this.#counters.get(counter) ?? 0))
  }

  markClass(id: string): void {
    this.dirty.put(`c${id}`, true)
  }

  markSingle(node: NodeKey): void {
    this.dirty.put(`s${node}`, true)
  }

  /** Notes an id that is perhaps no longer in use; settling finds out. */
  noteOld(id: string, anchor: NodeKey, isClass: boolean): void {
    this.#hasOld = true
    this.old.put(boundKey(id), { id, anchor, isClass })
  }

  /** An id is in use, whatever was noted of it; gives what was. */
  unnoteOld(id: string): OldRow | undefined {
    // Mostly there are none at all, and nothing needs to be looked up.
    this.#hasOld ??= this.old.some(1).length > 0
    if (!this.#hasOld) return undefined
    const old = this.old.get(boundKey(id))
    if (old !== undefined) this.old.delete(boundKey(id))
    return old
  }

  idOf(node: NodeKey): string {
    return shortIdOf(node) ?? this.nodes.get(node)?.longId ?? ''
  }

  /** Everything that changed since the last drain, to be committed as one page. */
  drain(): { readonly page: number; readonly changes: RowChange[] } {
    const page = ++this.#page
    const changes: RowChange[] = []
    for (const table of this.#tables()) table.drain(page, changes)
    return { page, changes }
  }

  /** The pages up to this one are in the store. */
  committed(page: number): void {
    for (const table of this.#tables()) table.committed(page)
  }

  #tables() {
    return [
      this.nodes,
      this.postings,
      this.classes,
      this.#buckets,
      this.dirty,
      this.torn,
      this.gone,
      this.old,
      this.touched,
      this.holders,
      this.remembered,
      this.hints,
      this.#counters,
    ]
  }
}
