/** A small made-up world for the merge: entities with keys, a store that commits late, a sink, and the naive answer to all of it. */

import { expect } from 'vitest'
import { type Adaptation, adapt, type Setup, setUp, visible } from '../../src/merge/adapt.ts'
import { type Composition, compose } from '../../src/merge/compose.ts'
import type { ClassStore, NodeKey, RowChange } from '../../src/merge/contract.ts'
import { harvestSome, placeIn } from '../../src/merge/harvest.ts'
import { classId, type Identity, type Layout, layoutOf } from '../../src/merge/identity.ts'
import { inputOf, nodeKey } from '../../src/merge/keys.ts'
import { leaveSome } from '../../src/merge/leave.ts'
import { Linker } from '../../src/merge/linker.ts'
import { markSome } from '../../src/merge/mark.ts'
import type { CommonValue } from '../../src/merge/report.ts'
import { type Link, linkOf, type Pair, type Rules, type Side } from '../../src/merge/rules.ts'
import { settleSome } from '../../src/merge/settle.ts'
import { splitSome } from '../../src/merge/split.ts'
import { claimSome } from '../../src/merge/stable.ts'
import { ClassState } from '../../src/merge/state.ts'
import { dictOf, entries } from '../../src/model/dict.ts'
import { type Entity, idOf, isDeleted } from '../../src/model/entity.ts'
import { writeJson } from '../../src/model/json.ts'
import { compareText } from '../../src/model/order.ts'
import { NI } from '../../src/model/value.ts'

/** A store in memory. */
export class MemoryStore implements ClassStore {
  readonly rows = new Map<string, Uint8Array>()

  get(key: string): Uint8Array | undefined {
    return this.rows.get(key)
  }

  *range(prefix: string, after?: string): Iterable<readonly [string, Uint8Array]> {
    for (const key of [...this.rows.keys()].filter((key) => key.startsWith(prefix)).sort(compareText)) {
      if (after === undefined || compareText(key, after) > 0) yield [key, this.rows.get(key) as Uint8Array]
    }
  }

  apply(changes: readonly RowChange[]): void {
    for (const [key, value] of changes) {
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1_000)
      if (value === null) this.rows.delete(key)
      else this.rows.set(key, value)
    }
  }
}

/** Keys of an entity by name of the expression. */
export type Keys = Readonly<Record<string, readonly string[]>>

export interface WorldOptions {
  readonly datasets: number
  /** Inputs of the sides are datasets by number. */
  readonly pairs: readonly Pair[]
  readonly identity?: Identity
  readonly strategy?: Composition['strategy']
  readonly maxMerged?: number
  readonly maxShared?: number
  /** Datasets from this one on are identity lists. */
  readonly visible?: number
  /** A planted mistake: what comes apart stays together. */
  readonly forgetsUnmerge?: boolean
}

/** An entity of the world, whether its dataset is merged or not. */
export interface Being {
  readonly dataset: number
  readonly id: string
  readonly entity: Entity
  readonly keys: Keys
}

/** What is merged at a time: datasets in their order, and the rules between them. */
export interface Merge {
  readonly present: readonly number[]
  readonly pairs: readonly Pair[]
}

export class World {
  store = new MemoryStore()
  /** Newest version of everything, deleted ones included. */
  readonly beings = new Map<string, Being>()
  /** What a dataset sink would hold: live entities by id. */
  readonly sink = new Map<string, string>()
  /** Everything emitted since it was last looked at. */
  emitted: Entity[] = []
  apart: { members: number; values: readonly CommonValue[] }[] = []
  readonly options: Required<WorldOptions>
  merge: Merge
  setup: Setup
  layout: Layout
  state: ClassState
  #version = 0
  #waiting: { page: number; changes: RowChange[] }[] = []

  constructor(options: WorldOptions) {
    this.options = {
      identity: 'composite',
      strategy: 'default',
      maxMerged: 0,
      maxShared: 0,
      visible: options.datasets,
      forgetsUnmerge: false,
      ...options,
    }
    const all = Array.from({ length: options.datasets }, (_, dataset) => dataset)
    this.merge = { present: all, pairs: options.pairs }
    this.setup = setUp(this.options.identity, this.#wanted(this.merge))
    this.layout = layoutOf(this.options.identity, visible(this.setup.inputs))
    this.state = new ClassState(this.store)
  }

  get rules(): Rules {
    return this.setup.rules
  }

  put(dataset: number, id: string, keys: Keys): void {
    const entity = dictOf({ _id: id, _deleted: false, from: dataset, version: this.#version++ })
    const being = { dataset, id, entity, keys }
    this.beings.set(`${dataset}:${id}`, being)
    const node = this.nodeOf(being)
    if (node !== undefined) this.#linker().upsert(node, id, this.#linksOf(being))
  }

  remove(dataset: number, id: string): void {
    const entity = dictOf({ _id: id, _deleted: true, from: dataset, version: this.#version++ })
    const being = { dataset, id, entity, keys: {} }
    this.beings.set(`${dataset}:${id}`, being)
    const node = this.nodeOf(being)
    if (node !== undefined) this.#linker().remove(node, id)
  }

  /** Undefined: its dataset is not merged. */
  nodeOf({ dataset, id }: Pick<Being, 'dataset' | 'id'>): NodeKey | undefined {
    const input = this.setup.inputs.find(({ name }) => name === `d${dataset}`)
    return input === undefined ? undefined : nodeKey(input.number, id)
  }

  /** Other datasets or rules, in place: all pages of work at once. */
  change(merge: Merge): void {
    this.page()
    const adaptation = adapt(this.setup, this.#wanted(merge))
    this.merge = merge
    this.setup = adaptation.setup
    const former = this.layout
    this.layout = layoutOf(this.options.identity, visible(this.setup.inputs))
    this.#adapt(adaptation, former)
  }

  #adapt({ leaving, anew, marking }: Adaptation, former: Layout): void {
    for (const one of leaving) while (leaveSome(this.state, this.#linker(), this.layout, one, 2)) this.page(1)
    if (marking !== null) {
      this.page()
      const how = { former: marking.former === null ? null : former, limit: 2 }
      for (let last = markSome(this.state, this.store, null, how); last !== null; ) {
        this.page(1)
        last = markSome(this.state, this.store, last, how)
      }
    }
    for (const being of this.beings.values()) {
      const node = this.nodeOf(being)
      if (node === undefined) continue
      if (isDeleted(being.entity)) {
        if (!anew.includes(inputOf(node))) this.#linker().remove(node, being.id)
      } else
        this.#linker().upsert(node, being.id, this.#linksOf(being), {
          isAnew: anew.includes(inputOf(node)) || this.#isKnown(node),
        })
    }
  }

  #isKnown(node: NodeKey): boolean {
    return this.state.nodes.get(node) !== undefined
  }

  /** Begins anew, as after a reset: only what the former state emitted, and who held which id, is taken over. */
  beginAnew(): void {
    this.page()
    const before = this.store
    this.store = new MemoryStore()
    this.state = new ClassState(this.store)
    const { identity } = this.options
    const former = { identity, isContinued: identity === 'stable', placeOf: placeIn(this.layout.inputs) }
    for (let last: string | null = null; ; ) {
      const cleared = harvestSome(before, former, this.state, last, 2)
      if (cleared.length === 0) break
      last = cleared.at(-1)?.[0] ?? null
      this.page(1)
    }
    for (const being of this.beings.values()) {
      const node = this.nodeOf(being)
      if (node === undefined) continue
      if (isDeleted(being.entity)) this.#linker().remove(node, being.id)
      else this.#linker().upsert(node, being.id, this.#linksOf(being))
    }
  }

  /** The search and compose phases; `lag` pages are handed over but not committed yet. */
  run(lag = 0): void {
    const { maxMerged, maxShared, forgetsUnmerge } = this.options
    if (forgetsUnmerge)
      for (const [torn] of this.state.torn.some(Number.POSITIVE_INFINITY)) this.state.torn.delete(torn)
    while (splitSome(this.state, { rules: this.rules, layout: this.layout, maxMerged, maxShared }, 3) > 0)
      this.page(lag)
    while (claimSome(this.state, this.layout, 2) > 0) this.page(lag)
    for (let page = this.#settle(); page !== null; page = this.#settle()) {
      for (const entity of page) this.#emit(entity)
      this.page(lag)
    }
    this.page(lag)
  }

  /** Ends a page of changes. */
  page(lag = 0): void {
    this.#waiting.push(this.state.drain())
    while (this.#waiting.length > lag) {
      const { page, changes } = this.#waiting.shift() as { page: number; changes: RowChange[] }
      this.store.apply(changes)
      this.state.committed(page)
    }
  }

  /** As after a restart: only what is in the store is known. */
  restart(): void {
    this.page()
    this.state = new ClassState(this.store)
    this.#waiting = []
  }

  get composition(): Composition {
    return { strategy: this.options.strategy, includeInternal: false, identityOf: (id) => new NI(id) }
  }

  /** Minted ids by member, as of the state. */
  held(): Map<NodeKey, string> {
    const held = new Map<NodeKey, string>()
    for (const being of this.beings.values()) {
      const node = this.nodeOf(being)
      const stable = node === undefined ? undefined : this.state.nodes.get(node)?.stable
      if (node !== undefined && stable !== undefined && stable !== '') held.set(node, stable)
    }
    return held
  }

  #wanted({ present, pairs }: Merge) {
    const has = ({ input }: Side) => present.includes(input)
    return {
      inputs: present.map((dataset) => ({
        name: `d${dataset}`,
        isVisible: dataset < this.options.visible,
      })),
      pairs: pairs
        .filter(([one, other]) => has(one) && has(other))
        .map(
          ([one, other]) =>
            [one, other].map((side) => ({ ...side, input: present.indexOf(side.input) })) as never as Pair,
        ),
      composition: this.options.strategy,
    }
  }

  #linksOf(being: Being): Link[] {
    const node = this.nodeOf(being) as NodeKey
    return this.rules.slots
      .filter((slot) => slot.input === inputOf(node))
      .flatMap((slot) => [...new Set(being.keys[slot.expression] ?? [])].map((key) => linkOf(slot, key)))
  }

  #linker(): Linker {
    return new Linker(this.state, this.rules, this.layout, { maxShared: this.options.maxShared })
  }

  #settle(): Entity[] | null {
    return settleSome(
      this.state,
      {
        layout: this.layout,
        maxMerged: this.options.maxMerged,
        composition: this.composition,
        root: 'm',
        entityOf: (input, id) => {
          const name = this.setup.inputs.find(({ number }) => number === input)?.name.slice(1)
          return this.beings.get(`${name}:${id}`)?.entity
        },
        leftApart: (members, values) => this.apart.push({ members, values }),
      },
      3,
    )
  }

  #emit(entity: Entity): void {
    this.emitted.push(entity)
    if (isDeleted(entity)) this.sink.delete(idOf(entity))
    else this.sink.set(idOf(entity), contentOf(entity))
  }
}

interface Live {
  readonly node: NodeKey
  readonly being: Being
}

const liveOf = (world: World): Live[] =>
  [...world.beings.values()].flatMap((being) => {
    const node = world.nodeOf(being)
    return node === undefined || isDeleted(being.entity) ? [] : [{ node, being }]
  })

/** Members that are shown as one, in order, found by looking at every pair. */
export function naiveClasses(world: World): Live[][] {
  const { maxMerged } = world.options
  const live = new Map(liveOf(world).map((one) => [one.node, one]))
  return naiveParts(world).flatMap((part) => {
    const shown = part
      .filter(world.layout.isVisible)
      .map((node) => live.get(node) as Live)
      .sort(
        (a, b) => world.layout.placeOf(a.node) - world.layout.placeOf(b.node) || compareText(a.being.id, b.being.id),
      )
    if (shown.length === 0) return []
    return maxMerged > 0 && shown.length > maxMerged ? shown.map((one) => [one]) : [shown]
  })
}

/** What the sink should hold, composed from scratch. */
export function naively(world: World): Map<string, string> {
  const expected = new Map<string, string>()
  for (const members of naiveClasses(world)) {
    const id = classId(
      world.layout.identity,
      members.map(({ node, being }) => [world.layout.placeOf(node), being.id]),
    )
    expected.set(id, composed(world, id, members))
  }
  return expected
}

export function composed(world: World, id: string, members: readonly Live[]): string {
  const entity = dictOf({ _id: id })
  compose(
    entity,
    members.map(({ being }) => being.entity),
    world.composition,
  )
  return contentOf(entity)
}

export function naiveParts(world: World): NodeKey[][] {
  const live = liveOf(world)
  const isCommon = commonKeys(world, live)
  const parts = live.map(({ node }) => [node])
  const partOf = new Map(parts.map((part) => [part[0] as NodeKey, part]))
  for (const one of live) {
    for (const other of live) {
      if (one === other || !areSame(world, one, other, isCommon)) continue
      const [left, right] = [partOf.get(one.node) as NodeKey[], partOf.get(other.node) as NodeKey[]]
      if (left === right) continue
      left.push(...right)
      for (const node of right) partOf.set(node, left)
    }
  }
  return [...new Set(partOf.values())]
}

function areSame(world: World, one: Live, other: Live, isCommon: (side: Side, key: string) => boolean): boolean {
  return world.merge.pairs.some(([left, right]) => {
    if (one.being.dataset !== left.input || other.being.dataset !== right.input) return false
    const keys = one.being.keys[left.expression] ?? []
    return keys.some((key) => (other.being.keys[right.expression] ?? []).includes(key) && !isCommon(left, key))
  })
}

/** Whether a value is shared by more than `max_shared` entities, counted over the expressions that rules connect. */
function commonKeys(world: World, live: readonly Live[]): (side: Side, key: string) => boolean {
  const { maxShared } = world.options
  if (maxShared === 0) return () => false
  const { slots } = world.rules
  const datasetOf = (input: number) =>
    Number(world.setup.inputs.find(({ number }) => number === input)?.name.slice(1) ?? -1)
  return (side, key) => {
    const space = slots.find(
      (slot) => datasetOf(slot.input) === side.input && slot.expression === side.expression,
    )?.space
    const count = slots
      .filter((slot) => slot.space === space)
      .map(
        (slot) =>
          live.filter(
            ({ being }) => being.dataset === datasetOf(slot.input) && being.keys[slot.expression]?.includes(key),
          ).length,
      )
      .reduce((sum, one) => sum + one, 0)
    return count > maxShared
  }
}

/** Without what the merge adds by itself. */
export const contentOf = (entity: Entity): string =>
  writeJson(dictOf(entries(entity).filter(([name]) => name === '_id' || !name.startsWith('_'))))
