/** Datasets in memory, answering hops by scanning: slow, and plainly right. */

import { compileIndex } from '../../src/dtl/compile.ts'
import type { Lookup, RunContext } from '../../src/dtl/contract.ts'
import { type Dict, entries, newDict } from '../../src/model/dict.ts'
import { type Entity, idOf, isDeleted } from '../../src/model/entity.ts'
import { compareText, equals } from '../../src/model/order.ts'
import { isList } from '../../src/model/value.ts'

export interface MemoryLookup extends Lookup {
  /** Index lookups made so far. */
  readonly lookups: () => number
}

/** Dataset id → its entities. */
export type Datasets = ReadonlyMap<string, readonly Entity[]>

export function memoryLookup(datasets: Datasets): MemoryLookup {
  let lookups = 0
  const live = (dataset: string) => (datasets.get(dataset) ?? []).filter((entity) => !isDeleted(entity))
  return {
    lookups: () => lookups,
    joined: ({ dataset, expression }, keys) => {
      lookups++
      const index = compileIndex(expression)
      return live(dataset)
        .filter((entity) => index.keys(entity).some((value) => keys.some((key) => equals(value, key))))
        .sort((a, b) => compareText(idOf(a), idOf(b)))
    },
    entity: (dataset, id) => live(dataset).find((entity) => idOf(entity) === id),
  }
}

/** The datasets of a dict: name → list of entities. */
export const datasetsOf = (dict: Dict | undefined): Datasets =>
  new Map(entries(dict ?? newDict()).map(([name, list]) => [name, (isList(list) ? list : []) as readonly Entity[]]))

/** The time of all runs. */
export const NOW = 1_700_000_000_000_000_000n

/** A run with a standing clock and counted ids. */
export function contextOf(lookup: Lookup, bound: Dict = newDict(), more: Partial<RunContext> = {}): RunContext {
  let made = 0
  return {
    lookup,
    now: () => NOW,
    uuid: () => `00000000-0000-4000-8000-${String(made++).padStart(12, '0')}`,
    bound,
    completeness: (via, dataset) => (via === dataset ? NOW : null),
    ...more,
  }
}

/** A context without datasets. */
export const plainContext = (): RunContext => contextOf(memoryLookup(new Map<string, readonly Entity[]>()))
