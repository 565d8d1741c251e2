/** Keeps the GraphQL schema of a tenant as its datasets grow: rebuilt in the background, never while a request waits. */

import type { GraphQLSchema } from 'graphql'
import type { DatasetShape, Tenant } from '../../hub/contract.ts'
import type { Doors } from '../doors.ts'
import type { Plan } from './plan.ts'
import { buildSchema } from './schema.ts'
import { type Surveyed, survey } from './survey.ts'

export interface Built {
  readonly plan: Plan
  readonly schema: GraphQLSchema
}

/** Growth is looked at this often at most. */
const PAUSE_MS = 500
/** And the time a look took counts this many times, so that looking takes a small part of one core. */
const REST = 10

interface Known {
  readonly end: number
  readonly shape: DatasetShape | undefined
}

export class SchemaKeeper {
  readonly #tenant: Tenant
  readonly #doors: Doors
  readonly #known = new Map<string, Known>()
  #built: Built | null = null
  #fingerprint = ''
  #seen = ''
  #refreshing: Promise<void> | null = null
  #notBefore = 0

  constructor(tenant: Tenant, doors: Doors) {
    this.#tenant = tenant
    this.#doors = doors
  }

  /** The schema as far as it is known; the first call waits for it, later ones never. */
  async current(): Promise<Built> {
    if (this.#built === null) await this.refresh()
    else if (Date.now() >= this.#notBefore && this.isStale()) this.refresh().catch(() => {})
    return this.#built as Built
  }

  /** Datasets grew, came or went since the schema was made. */
  isStale(): boolean {
    return this.#signature() !== this.#seen
  }

  /** What was there before the call is in the schema after it. One look at a time. */
  async refresh(): Promise<void> {
    if (this.#refreshing !== null) {
      // That one may have begun before what the caller knows of.
      await this.#refreshing
      if (!this.isStale()) return
    }
    this.#refreshing ??= this.#look().finally(() => {
      this.#refreshing = null
    })
    await this.#refreshing
  }

  async #look(): Promise<void> {
    const startedAt = Date.now()
    const seen = this.#signature()
    const plan = await survey(this.#tenant, this.#doors, await this.#shapes())
    const fingerprint = JSON.stringify(plan)
    if (this.#built === null || fingerprint !== this.#fingerprint) {
      this.#built = { plan, schema: buildSchema(plan) }
      this.#fingerprint = fingerprint
    }
    this.#seen = seen
    this.#notBefore = Date.now() + Math.max(PAUSE_MS, REST * (Date.now() - startedAt))
  }

  /** Shapes of the datasets that hold something; those that did not grow are known. */
  async #shapes(): Promise<Surveyed[]> {
    const ends = this.#ends()
    for (const dataset of this.#known.keys()) if (!ends.has(dataset)) this.#known.delete(dataset)
    const surveyed: Surveyed[] = []
    for (const [dataset, end] of ends) {
      let known = this.#known.get(dataset)
      if (known?.end !== end) {
        known = { end, shape: await this.#tenant.shape(dataset) }
        this.#known.set(dataset, known)
      }
      if (known.shape !== undefined) surveyed.push({ dataset, shape: known.shape })
    }
    return surveyed
  }

  #signature(): string {
    return JSON.stringify([...this.#ends(), ...this.#tenant.globalDatasets()])
  }

  /** The hub's own datasets stay out of the schema. */
  #ends(): ReadonlyMap<string, number> {
    return new Map(Object.entries(this.#tenant.ends()).filter(([dataset]) => !dataset.startsWith('system:')))
  }
}

/** One keeper for each tenant; it goes with the tenant. */
export function createKeepers(doors: Doors): (tenant: Tenant) => SchemaKeeper {
  const keepers = new WeakMap<Tenant, SchemaKeeper>()
  return (tenant) => {
    const keeper = keepers.get(tenant) ?? new SchemaKeeper(tenant, doors)
    keepers.set(tenant, keeper)
    return keeper
  }
}
