/** The functions the api reads datasets with, gathered to be handed to it. */

import type { Tenant } from './contract.ts'
import { datasetEntities, datasetEntity, datasetHeaders, entity, feedSubset, lookup, scan } from './datasets.ts'
import { datasetExport } from './exchange.ts'
import type { HubTenant } from './tenant.ts'

export const doors = {
  datasetEntities,
  datasetEntity,
  datasetHeaders,
  datasetExport,
  scan,
  entity,
  feedSubset: (tenant: Tenant, dataset: string, subset: string) => feedSubset(tenant as HubTenant, dataset, subset),
  lookup: (tenant: Tenant, ...rest: [dataset: string, property: string, value: Parameters<typeof lookup>[3]]) =>
    lookup(tenant as HubTenant, ...rest),
}
