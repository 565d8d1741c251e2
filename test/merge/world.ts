/** A small made-up world for the merge: entities with keys, a store that commits late, a sink, and the naive answer to all of it. */

import { expect } from 'vitest'
import { type Composition, compose } from '../../src/merge/compose.ts'
import type { ClassStore, NodeKey, RowChange } from '../../src/merge/contract.ts'
import { classId, type Layout } from '../../src/merge/identity.ts'
import { nodeKey, positionOf } from '../../src/merge/keys.ts'
import { Linker } from '../../src/merge/linker.ts'
import type { CommonValue } from '../../src/merge/report.ts'
import { layRules, linkOf, type Rules, type Side } from '../../src/merge/rules.ts'
import { settleSome } from '../../src/merge/settle.ts'
import { splitSome } from '../../src/merge/split.ts'
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

  *range(prefix: string): Iterable<readonly [string, Uint8Array]> {
    for (const key of [...this.rows.keys()].filter((key) => key.startsWith(prefix)).sort(compareText)) {
      yield [key, this.rows.get(key) as Uint8Array]
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
  readonly pairs: readonly (readonly [Side, Side])[]
  readonly identity?: 'composite' | 'first'
  readonly strategy?: Composition['strategy']
  readonly maxMerged?: number
  readonly maxShared?: number
  /** Datasets from this position are identity lists. */
  readonly visible?: number
}

export class World {
  readonly store = new MemoryStore()
  /** Newest version of everything, deleted ones included. */
  readonly entities = new Map<NodeKey, { entity: Entity; keys: Keys }>()
  /** What a dataset sink would hold: live entities by id. */
  readonly sink = new Map<string, string>()
  /** Everything emitted since it was last looked at. */
  emitted: Entity[] = []
  apart: { members: number; values: readonly CommonValue[] }[] = []
  readonly options: Required<WorldOptions>
  readonly rules: Rules
  readonly layout: Layout
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
      ...options,
    }
    const { visible, identity } = this.options
    this.rules = layRules(options.pairs)
    this.layout = { identity, datasets: visible, isVisible: (node) => positionOf(node) < visible }
    this.state = new ClassState(this.store)
  }

  put(position: number, id: string, keys: Keys): void {
    const entity = dictOf({ _id: id, _deleted: false, from: position, version: this.#version++ })
    this.entities.set(nodeKey(position, id), { entity, keys })
    const links = this.rules.slots
      .filter((slot) => slot.position === position)
      .flatMap((slot) => [...new Set(keys[slot.expression] ?? [])].map((key) => linkOf(slot, key)))
    this.#linker().upsert(nodeKey(position, id), id, links)
  }

  remove(position: number, id: string): void {
    const entity = dictOf({ _id: id, _deleted: true, from: position, version: this.#version++ })
    this.entities.set(nodeKey(position, id), { entity, keys: {} })
    this.#linker().remove(nodeKey(position, id), id)
  }

  /** The search and compose phases; `lag` pages are handed over but not committed yet. */
  run(lag = 0): void {
    const { maxMerged, maxShared } = this.options
    while (splitSome(this.state, { rules: this.rules, layout: this.layout, maxMerged, maxShared }, 3) > 0)
      this.page(lag)
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
        entityOf: (position, id) => this.entities.get(nodeKey(position, id))?.entity,
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

/** What the sink should hold: classes found by looking at every pair, composed from scratch. */
export function naively(world: World): Map<string, string> {
  const { maxMerged } = world.options
  const expected = new Map<string, string>()
  for (const part of naiveParts(world)) {
    const visible = part.filter(world.layout.isVisible).sort(compareText)
    const shown = maxMerged > 0 && visible.length > maxMerged ? visible.map((node) => [node]) : [visible]
    for (const nodes of shown) {
      if (nodes.length === 0) continue
      const members = nodes.map((node) => (world.entities.get(node) as { entity: Entity }).entity)
      const id = classId(
        world.layout.identity,
        nodes.map((node, at) => [positionOf(node), idOf(members[at] as Entity)]),
      )
      const entity = dictOf({ _id: id })
      compose(entity, members, world.composition)
      expected.set(id, contentOf(entity))
    }
  }
  return expected
}

export function naiveParts(world: World): NodeKey[][] {
  const live = [...world.entities]
    .filter(([, { entity }]) => !isDeleted(entity))
    .map(([node, { keys }]) => ({ node, keys }))
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

interface Live {
  readonly node: NodeKey
  readonly keys: Keys
}

function areSame(world: World, one: Live, other: Live, isCommon: (side: Side, key: string) => boolean): boolean {
  return world.options.pairs.some(([left, right]) => {
    if (positionOf(one.node) !== left.position || positionOf(other.node) !== right.position) return false
    const keys = one.keys[left.expression] ?? []
    return keys.some((key) => (other.keys[right.expression] ?? []).includes(key) && !isCommon(left, key))
  })
}

/** Whether a value is shared by more than `max_shared` entities, counted over the expressions that rules connect. */
function commonKeys(world: World, live: readonly Live[]): (side: Side, key: string) => boolean {
  const { maxShared } = world.options
  if (maxShared === 0) return () => false
  const { slots } = world.rules
  return (side, key) => {
    const space = slots.find((slot) => slot.position === side.position && slot.expression === side.expression)?.space
    const count = slots
      .filter((slot) => slot.space === space)
      .map(
        (slot) =>
          live.filter(({ node, keys }) => positionOf(node) === slot.position && keys[slot.expression]?.includes(key))
            .length,
      )
      .reduce((sum, one) => sum + one, 0)
    return count > maxShared
  }
}

/** Without what the merge adds by itself. */
const contentOf = (entity: Entity): string =>
  writeJson(dictOf(entries(entity).filter(([name]) => name === '_id' || !name.startsWith('_'))))
