/** The naive answer to which class has which minted id: who held it decides, and nothing else. */

import { expect } from 'vitest'
import { isDeleted } from '../../src/model/entity.ts'
import { composed, naiveClasses, naiveParts, type World } from './world.ts'

export class StableModel {
  readonly #world: World
  /** By member (`dataset:id`), what it was last emitted under. */
  #held = new Map<string, string>()
  /** Of a member that took its id along when it went. */
  readonly #remembered = new Map<string, string>()
  readonly #used = new Set<string>()

  constructor(world: World) {
    this.#world = world
    const [put, remove, change] = [world.put, world.remove, world.change]
    world.put = (dataset, id, keys) => {
      put.call(world, dataset, id, keys)
      this.#comes(`${dataset}:${id}`)
    }
    world.remove = (dataset, id) => {
      this.#goes(`${dataset}:${id}`, true)
      remove.call(world, dataset, id)
    }
    world.change = (merge) => {
      const leaving = world.merge.present.filter((dataset) => !merge.present.includes(dataset))
      for (const dataset of leaving) {
        for (const name of this.#namesOf(dataset)) this.#goes(name, false)
        for (const name of this.#namesOf(dataset)) this.#remembered.delete(name)
      }
      change.call(world, merge)
    }
  }

  /** After a run: everything is as it should be, and is what the next run begins with. */
  check(): void {
    const { sink } = this.#world
    const classes = naiveClasses(this.#world).map((members) => ({
      names: members.map(({ being }) => `${being.dataset}:${being.id}`),
      members,
    }))
    const ids = this.#idsOf(classes.map(({ names }) => names))
    const actual = this.#actual()
    const next = new Map<string, string>()
    for (const [at, { names, members }] of classes.entries()) {
      const id = actual.get(names[0] as string) as string
      for (const name of names) expect([name, actual.get(name)]).toEqual([name, id])
      if (ids[at] === undefined) expect([id, this.#used.has(id)]).toEqual([id, false])
      else expect([names, id]).toEqual([names, ids[at]])
      expect(sink.get(id)).toBe(composed(this.#world, id, members))
      for (const name of names) next.set(name, id)
    }
    expect(sink.size).toBe(classes.length)
    expect(new Set(next.values()).size).toBe(classes.length)
    for (const id of next.values()) this.#used.add(id)
    this.#held = next
  }

  #comes(name: string): void {
    const remembered = this.#remembered.get(name)
    if (remembered === undefined || !this.#isMerged(name)) return
    this.#remembered.delete(name)
    this.#held.set(name, remembered)
  }

  #goes(name: string, isRemembered: boolean): void {
    const id = this.#held.get(name)
    this.#held.delete(name)
    if (id !== undefined && isRemembered && ![...this.#held.values()].includes(id)) this.#remembered.set(name, id)
  }

  #isMerged(name: string): boolean {
    const dataset = Number(name.split(':')[0])
    return this.#world.merge.present.includes(dataset) && dataset < this.#world.options.visible
  }

  #namesOf(dataset: number): string[] {
    return [...this.#world.beings.values()]
      .filter((being) => being.dataset === dataset)
      .map(({ id }) => `${dataset}:${id}`)
  }

  #actual(): Map<string, string> {
    const held = this.#world.held()
    const actual = new Map<string, string>()
    for (const being of this.#world.beings.values()) {
      const node = this.#world.nodeOf(being)
      const id = node === undefined || isDeleted(being.entity) ? undefined : held.get(node)
      if (id !== undefined) actual.set(`${being.dataset}:${being.id}`, id)
    }
    return actual
  }

  /** What each class is called; undefined: something new. `classes` hold their members in order. */
  #idsOf(classes: readonly (readonly string[])[]): (string | undefined)[] {
    const order = classes.flat().sort((a, b) => this.#compare(a, b))
    const partOf = this.#parts()
    // An id first goes to the part that holds most of it, and within a class that is apart to the first.
    const keepers = new Map<string, string[]>()
    for (const id of new Set(this.#held.values())) {
      const groups = new Map<unknown, string[]>()
      for (const name of order) {
        if (this.#held.get(name) !== id) continue
        const part = partOf.get(name)
        groups.set(part, [...(groups.get(part) ?? []), name])
      }
      const most = Math.max(0, ...[...groups.values()].map(({ length }) => length))
      const kept = [...groups.values()].find(({ length }) => length === most)
      if (kept !== undefined) keepers.set(id, kept)
    }
    return classes.map((names) => {
      const claims = [...keepers].flatMap(([id, holders]) => {
        const mine = holders.filter((name) => names.includes(name))
        // Members of a class that is apart: only the first of those who hold an id has it.
        return mine.length > 0 && mine[0] === holders[0] ? [{ id, count: mine.length }] : []
      })
      claims.sort((a, b) => b.count - a.count || ageOf(a.id) - ageOf(b.id))
      return claims[0]?.id
    })
  }

  #parts(): Map<string, unknown> {
    const nameOf = new Map<string, string>()
    for (const being of this.#world.beings.values()) {
      const node = this.#world.nodeOf(being)
      if (node !== undefined) nameOf.set(node, `${being.dataset}:${being.id}`)
    }
    const partOf = new Map<string, unknown>()
    for (const part of naiveParts(this.#world)) for (const node of part) partOf.set(nameOf.get(node) as string, part)
    return partOf
  }

  #compare(a: string, b: string): number {
    const [left, right] = [a, b].map((name) => name.split(':')) as [string[], string[]]
    const place = ([dataset]: string[]) => this.#world.merge.present.indexOf(Number(dataset))
    return place(left) - place(right) || ((left[1] as string) < (right[1] as string) ? -1 : 1)
  }
}

const ageOf = (id: string): number => Number.parseInt(id.slice(id.lastIndexOf('-') + 1), 36)
