/** The plainest walk backwards through an inverse, all in memory: what the law of the inverse is tried with (dtl.md §11.3). */

import { compileIndex } from '../../src/dtl/compile.ts'
import type { CompiledIndex, Inverse, InverseStep } from '../../src/dtl/contract.ts'
import { type Entity, idOf } from '../../src/model/entity.ts'
import type { Value } from '../../src/model/value.ts'

/**
 * Entities of the dataset (null: that of the source) with one of the keys in the index. Deleted ones must be among them:
 * a source that is deleted is processed again, too.
 */
export type FindBack = (dataset: string | null, index: string, keys: readonly Value[]) => Iterable<Entity>

/** The sources, by id, that one version of an entity leads to from a place; several places and versions can share `into`. */
export function walkBack(
  { places }: Inverse,
  start: number,
  entity: Entity,
  find: FindBack,
  into = new Map<string, Entity>(),
): Map<string, Entity> {
  /** Fewest turns of a recursion with which an entity came to a place: with fewer there is nothing new to find. */
  const seen = new Map<string, number>()
  const open: { readonly place: number; readonly entity: Entity; readonly turns: number }[] = []
  const arrive = (place: number, entity: Entity, turns: number) => {
    const visit = `${place} ${idOf(entity)}`
    if ((seen.get(visit) ?? Number.POSITIVE_INFINITY) <= turns) return
    seen.set(visit, turns)
    open.push({ place, entity, turns })
  }
  // Its own version counts at the start, whatever is stored under its id by now.
  open.push({ place: start, entity, turns: 0 })
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const step of places[at.place]?.steps ?? []) {
      const turns = step.again === null ? 0 : at.turns + 1
      if (step.again?.limit != null && turns > step.again.limit) continue
      for (const found of take(step, at.entity, find)) {
        if (step.to === null) into.set(idOf(found), found)
        else arrive(step.to, found, isWithinSpec(places, at.place, step.to) ? Math.max(turns, at.turns) : turns)
      }
    }
  }
  return into
}

/** From alias to alias of one spec the turns of its recursion go on being counted. */
const isWithinSpec = (places: Inverse['places'], from: number, to: number): boolean =>
  places[from]?.pointer === places[to]?.pointer

function* take({ dataset, lookups }: InverseStep, entity: Entity, find: FindBack): Generator<Entity> {
  for (const { key, index } of lookups) {
    const keys = compiled(key).keys(entity)
    if (keys.length > 0) yield* find(dataset, index, keys)
  }
}

const known = new Map<string, CompiledIndex>()

/** Texts are few: those of the programs of a node. */
const KEPT = 10_000

function compiled(text: string): CompiledIndex {
  let index = known.get(text)
  if (index === undefined) {
    index = compileIndex(text)
    if (known.size >= KEPT) known.clear()
    known.set(text, index)
  }
  return index
}
