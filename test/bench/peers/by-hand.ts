/** W3 kept up to date in memory by hand: maps, and a reverse index for each join. */

import type { PlainEntity } from '../data.ts'
import { enrichByHand } from '../w3-transform.ts'

export type Input = 'person' | 'company' | 'country'

/** Entities of one dataset that come, change, or with `_deleted` go. */
export interface Change {
  readonly dataset: Input
  readonly entities: readonly PlainEntity[]
}

export class ByHand {
  readonly person = new Map<string, PlainEntity>()
  readonly company = new Map<string, PlainEntity>()
  readonly country = new Map<string, PlainEntity>()
  readonly #made = new Map<string, PlainEntity>()
  readonly #employed = new Map<string, Set<string>>()
  readonly #within = new Map<string, Set<string>>()

  /** Gives who was worked out again. */
  apply({ dataset, entities }: Change): number {
    const touched = new Set<string>()
    for (const entity of entities) {
      if (dataset === 'person')
        this.#move(this.#employed, entity._id, this.person.get(entity._id), entity, 'crm:company')
      if (dataset === 'company')
        this.#move(this.#within, entity._id, this.company.get(entity._id), entity, 'erp:country')
      if (entity._deleted === true) this[dataset].delete(entity._id)
      else this[dataset].set(entity._id, entity)
      for (const id of this.#dependants(dataset, entity._id)) touched.add(id)
    }
    for (const id of touched) this.#make(id)
    return touched.size
  }

  /** All that there is, from scratch. */
  fresh(): PlainEntity[] {
    return [...this.person.values()].flatMap((one) => enrichByHand(one, this.company, this.country) ?? [])
  }

  #dependants(dataset: Input, id: string): Iterable<string> {
    if (dataset === 'person') return [id]
    if (dataset === 'company') return this.#employed.get(id) ?? []
    return [...(this.#within.get(id) ?? [])].flatMap((one) => [...(this.#employed.get(one) ?? [])])
  }

  #make(id: string): void {
    const one = this.person.get(id)
    const made = one === undefined ? null : enrichByHand(one, this.company, this.country)
    if (made === null) this.#made.delete(id)
    else this.#made.set(id, made)
  }

  #move(
    index: Map<string, Set<string>>,
    id: string,
    before: PlainEntity | undefined,
    now: PlainEntity,
    by: string,
  ): void {
    if (before !== undefined) index.get(local(before[by]))?.delete(id)
    if (now._deleted === true) return
    const key = local(now[by])
    const ids = index.get(key) ?? new Set()
    index.set(key, ids.add(id))
  }
}

/** `~:company:c1` → `c1`. */
const local = (ni: unknown): string => String(ni).slice(String(ni).lastIndexOf(':') + 1)
