/** Reads entities for one GraphQL request: by id, by what they point to, and page by page; each entity once. */

import type { Tenant } from '../../hub/contract.ts'
import { type Entity, idOf } from '../../model/entity.ts'
import { compareText } from '../../model/order.ts'
import { NI } from '../../model/value.ts'
import { identities } from '../../rdf/statements.ts'
import type { GuardedDoors } from '../doors.ts'
import type { Test } from './filters.ts'
import type { DatasetPlan, Plan, RelationPlan, TargetPlan } from './plan.ts'

/** An entity and the dataset it was found in. */
export interface Found {
  readonly plan: DatasetPlan
  readonly entity: Entity
}

export interface Range {
  readonly first: number
  /** Id after which to begin. */
  readonly after?: string
}

export interface Page {
  readonly entities: readonly Entity[]
  readonly hasMore: boolean
  /** Where to go on when there is more: the last id looked at. */
  readonly end: string | null
}

/** Entities looked at before other work gets its turn. */
const SLICE = 250
/** Entities a filter looks at in one request; the cursor goes on from there. */
const MAX_SCANNED = 50_000

export class Reader {
  readonly tenant: Tenant
  readonly doors: GuardedDoors
  readonly #plans: ReadonlyMap<string, DatasetPlan>
  readonly #entities = new Map<string, Entity | undefined>()
  readonly #lookups = new Map<string, Promise<readonly Entity[]>>()

  constructor(tenant: Tenant, doors: GuardedDoors, plan: Plan) {
    this.tenant = tenant
    this.doors = doors
    this.#plans = new Map(plan.datasets.map((dataset) => [dataset.dataset, dataset]))
  }

  plan(dataset: string): DatasetPlan {
    return this.#plans.get(dataset) as DatasetPlan
  }

  get plans(): Iterable<DatasetPlan> {
    return this.#plans.values()
  }

  byId(plan: DatasetPlan, id: string): Found | null {
    const key = `${plan.dataset}\n${id}`
    let entity = this.#entities.get(key)
    if (entity === undefined && !this.#entities.has(key)) {
      entity = this.doors.entity(this.tenant, plan.dataset, id)
      this.#entities.set(key, entity)
    }
    return entity === undefined ? null : { plan, entity }
  }

  /** The entity an identifier means: tried in the datasets that may hold it, in order. */
  byIdentifier(ni: string, relation: RelationPlan): Found | null | Promise<Found | null> {
    return this.#try(ni, relation.leadsTo === null ? relation.targets : only(relation), 0)
  }

  #try(ni: string, targets: readonly TargetPlan[], from: number): Found | null | Promise<Found | null> {
    const namespace = ni.slice(0, Math.max(0, ni.lastIndexOf(':')))
    for (let at = from; at < targets.length; at++) {
      const { dataset, identityNamespaces } = targets[at] as TargetPlan
      const plan = this.plan(dataset)
      const direct = this.byId(plan, ni)
      if (direct !== null) return direct
      if (identityNamespaces.includes(namespace)) {
        return this.#lookup(dataset, '$ids', ni).then(([entity]) =>
          entity === undefined ? this.#try(ni, targets, at + 1) : { plan, entity },
        )
      }
    }
    return null
  }

  /** Entities whose property holds one of the identifiers of an entity, in the order of their ids. */
  async pointingAt(
    target: Found,
    dataset: string,
    property: string,
    { first, after }: Range,
  ): Promise<Page & { total: number }> {
    const found = await Promise.all(identifiersOf(target).map((ni) => this.#lookup(dataset, property, ni)))
    const byId = new Map(found.flat().map((entity) => [idOf(entity), entity]))
    const ids = [...byId.keys()].sort(compareText)
    const start = after === undefined ? 0 : ids.findIndex((id) => compareText(id, after) > 0)
    const rest = start < 0 ? [] : ids.slice(start)
    const page = rest.slice(0, first)
    return {
      entities: page.map((id) => byId.get(id) as Entity),
      hasMore: rest.length > first,
      end: page.at(-1) ?? null,
      total: ids.length,
    }
  }

  #lookup(dataset: string, property: string, ni: string): Promise<readonly Entity[]> {
    const key = `${dataset}\n${property}\n${ni}`
    let found = this.#lookups.get(key)
    if (found === undefined) {
      found = this.doors.lookup(this.tenant, dataset, property, new NI(ni))
      this.#lookups.set(key, found)
    }
    return found
  }

  /** A page of a dataset in the order of ids. Without a test it is there at once. */
  page(plan: DatasetPlan, range: Range, test: Test | null): Page | Promise<Page> {
    if (test !== null) return this.#filtered(plan, range, test)
    const { first, after } = range
    const entities = this.#scan(plan, first + 1, after)
    const page = entities.slice(0, first)
    return { entities: page, hasMore: entities.length > first, end: lastId(page) }
  }

  async #filtered(plan: DatasetPlan, { first, after }: Range, test: Test): Promise<Page> {
    const found: Entity[] = []
    let at = after
    for (let scanned = 0; scanned < MAX_SCANNED; scanned += SLICE) {
      const slice = this.#scan(plan, SLICE, at)
      for (const entity of slice) {
        if (!test(entity)) continue
        if (found.length === first) return { entities: found, hasMore: true, end: lastId(found) }
        found.push(entity)
      }
      if (slice.length < SLICE) return { entities: found, hasMore: false, end: lastId(found) }
      at = lastId(slice) as string
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { entities: found, hasMore: true, end: at ?? null }
  }

  /** How many entities of a dataset pass a test; null when that would take too long. */
  async count(plan: DatasetPlan, test: Test): Promise<number | null> {
    let count = 0
    let at: string | undefined
    for (let scanned = 0; scanned < MAX_SCANNED; scanned += SLICE) {
      const slice = this.#scan(plan, SLICE, at)
      for (const entity of slice) if (test(entity)) count++
      if (slice.length < SLICE) return count
      at = lastId(slice) as string
      await new Promise((resolve) => setImmediate(resolve))
    }
    return null
  }

  /** Live entities of a dataset. */
  total(plan: DatasetPlan): number {
    return this.doors.count(this.tenant, plan.dataset)
  }

  #scan(plan: DatasetPlan, limit: number, after: string | undefined): readonly Entity[] {
    const range = { limit, ...(after === undefined ? {} : { after }) }
    return [...this.doors.scan(this.tenant, plan.dataset, range)]
  }
}

const only = ({ targets, leadsTo }: RelationPlan): readonly TargetPlan[] =>
  targets.filter(({ dataset }) => dataset === leadsTo)

/** All names under which others may mean this entity. */
const identifiersOf = ({ entity }: Found): readonly string[] => [...new Set([idOf(entity), ...identities(entity)])]

const lastId = (entities: readonly Entity[]): string | null => {
  const last = entities.at(-1)
  return last === undefined ? null : idOf(last)
}
