/** Compares the entities of several datasets by id, and gives those that differ (hub.md §27; deprecated). */

import { type Static, Type } from 'typebox'
import { entityOf } from '../../log/stored.ts'
import { dictOf, set } from '../../model/dict.ts'
import { type Entity, isDeleted } from '../../model/entity.ts'
import { defineSource } from '../contract.ts'
import { warningAt } from '../finding.ts'
import { initialSince } from './continuation.ts'
import { type Compared, differences } from './diff.ts'
import type { Placed } from './in-order-of-time.ts'
import { keyedByDataset, type MakeOne, readSameIds } from './same-id.ts'
import { checkDatasets, datasetsSetting, inputSettings, overDatasets } from './several-datasets.ts'

const config = Type.Object({
  type: Type.Literal('diff_datasets'),
  datasets: datasetsSetting,
  whitelist: Type.Optional(Type.Array(Type.String(), { description: 'Compare only these properties.' })),
  blacklist: Type.Optional(Type.Array(Type.String(), { description: 'Do not compare these properties.' })),
  treat_lists_as_sets: Type.Boolean({
    default: false,
    description: 'Order and duplicates in lists make no difference, however deep they lie.',
  }),
  ignore_deletes: Type.Boolean({ default: false, description: 'A deleted entity is as good as none.' }),
  initial_since_value: initialSince,
  ...inputSettings,
})

type Config = Static<typeof config>

export const diffDatasetsSource = defineSource({
  type: 'diff_datasets',
  summary: 'Entities that are not the same in all of several datasets, with what differs in `$diff`.',
  config,
  examples: [{ type: 'diff_datasets', datasets: ['crm-person', 'erp-person'] }],
  ...overDatasets,
  check: (config) => [
    warningAt('/type', 'The source type diff_datasets is deprecated.', 'Compare the datasets with hops, in a program.'),
    ...checkDatasets(config),
  ],
  origin: ({ datasets }) => ({ datasets, carries: (property) => property === '_id' }),
  open: (config, surroundings) => readSameIds(config.datasets, surroundings, comparing(config)),
})

/** What no longer differs is deleted; a full read need not say so, since it brings everything that does. */
function comparing(config: Config): MakeOne {
  return (id, all, { isFull }) => {
    const found = differences(compared(config, all), config)
    if (found === null) return isFull ? undefined : dictOf({ _id: id, _deleted: true })
    const entity = keyedByDataset(id, all, config.datasets)
    set(entity, '_deleted', false)
    set(entity, '$diff', found)
    return entity
  }
}

function compared({ datasets, ignore_deletes }: Config, all: readonly Placed[]): Compared[] {
  return datasets.map((dataset, at) => {
    const placed = all.find(({ place }) => place === at)
    const entity: Entity | undefined = placed === undefined ? undefined : entityOf(placed.version, { internal: false })
    return { dataset, entity: entity !== undefined && ignore_deletes && isDeleted(entity) ? undefined : entity }
  })
}
