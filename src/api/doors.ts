/** How the doors read datasets: functions of the hub, handed in, and asked only for what the caller may read. */

import type { Quad } from '@rdfjs/types'
import type { Tenant, TextForm } from '../hub/contract.ts'
import type { Entity } from '../model/entity.ts'
import type { Value } from '../model/value.ts'
import { ApiError } from './errors.ts'
import { type Caller, may } from './may.ts'

interface DatasetQuery {
  /** Only versions with a greater `_updated`; with `reverse` a smaller one. */
  readonly since?: number
  readonly limit?: number
  /** All versions; otherwise the latest of each id. */
  readonly history: boolean
  /** Deleted entities too; without effect while `history`. */
  readonly deleted: boolean
  readonly reverse: boolean
  /** What a circuit breaker holds back, too. */
  readonly uncommitted?: boolean
  /** JSON of `["eq", expression, literal]`. */
  readonly subset?: string
  /** JSON unless said. */
  readonly form?: TextForm
}

interface EntityQuery {
  /** The version at exactly this place. */
  readonly offset?: number | undefined
  /** JSON of `["eq", expression, literal]`: only when it is in it. */
  readonly subset?: string | undefined
  /** What a circuit breaker holds back, too. */
  readonly uncommitted?: boolean | undefined
  readonly form?: TextForm | undefined
}

export interface Doors {
  /**
   * Text of an array, in chunks. Throws at once `unknown-dataset`, `unknown-subset`, `index-not-ready`, `bad-request`,
   * `since-too-old`. Before a subset is read, `feedSubset` is to be called.
   */
  datasetEntities(tenant: Tenant, dataset: string, query: DatasetQuery): AsyncIterable<string | Uint8Array>
  /** Sees to it that it is noted from now on who leaves the subset. Codes: as above. */
  feedSubset(tenant: Tenant, dataset: string, subset: string): Promise<void>
  datasetEntity(tenant: Tenant, dataset: string, id: string, query?: EntityQuery): string | undefined
  /** Headers of rest-api.md §6.2; throws `unknown-dataset`. */
  datasetHeaders(tenant: Tenant, dataset: string): Record<string, string>
  /** Statements of one dataset, or of all that belong to the tenant. */
  datasetExport(tenant: Tenant, dataset: string | null): AsyncIterable<Quad>
  /** Live entities in `_id` order, after an id. */
  scan(tenant: Tenant, dataset: string, range: { readonly after?: string; readonly limit: number }): Iterable<Entity>
  /** A live entity with its internal properties. */
  entity(tenant: Tenant, dataset: string, id: string): Entity | undefined
  /** Live entities whose property holds the value, by an index. */
  lookup(tenant: Tenant, dataset: string, property: string, value: Value): Promise<readonly Entity[]>
}

/** The same doors, for one caller. */
export interface GuardedDoors extends Doors {
  /** Live entities of a dataset. */
  count(tenant: Tenant, dataset: string): number
}

export function doorsFor(caller: Caller, doors: Doors): GuardedDoors {
  const ask = (tenant: Tenant, dataset: string | null): void => {
    const resource =
      dataset === null
        ? { kind: 'tenant' as const, tenant: tenant.name }
        : { kind: 'dataset' as const, tenant: tenant.name, id: dataset }
    if (!may(caller, 'read', resource, 'read_data')) {
      throw new ApiError(
        'forbidden',
        `You may not read ${dataset === null ? 'this tenant' : `the dataset '${dataset}'`}.`,
      )
    }
  }
  return {
    datasetEntities: (tenant, dataset, query) => {
      ask(tenant, dataset)
      return doors.datasetEntities(tenant, dataset, query)
    },
    feedSubset: async (tenant, dataset, subset) => {
      ask(tenant, dataset)
      await doors.feedSubset(tenant, dataset, subset)
    },
    datasetEntity: (tenant, dataset, id, query) => {
      ask(tenant, dataset)
      return doors.datasetEntity(tenant, dataset, id, query)
    },
    datasetHeaders: (tenant, dataset) => {
      ask(tenant, dataset)
      return doors.datasetHeaders(tenant, dataset)
    },
    datasetExport: (tenant, dataset) => {
      ask(tenant, dataset)
      return doors.datasetExport(tenant, dataset)
    },
    scan: (tenant, dataset, range) => {
      ask(tenant, dataset)
      return doors.scan(tenant, dataset, range)
    },
    entity: (tenant, dataset, id) => {
      ask(tenant, dataset)
      return doors.entity(tenant, dataset, id)
    },
    lookup: (tenant, dataset, property, value) => {
      ask(tenant, dataset)
      return doors.lookup(tenant, dataset, property, value)
    },
    count: (tenant, dataset) => {
      ask(tenant, dataset)
      const snapshot = tenant.snapshot()
      try {
        return snapshot.dataset(dataset)?.counts().existing ?? 0
      } finally {
        snapshot.close()
      }
    },
  }
}
