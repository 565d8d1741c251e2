/** Reads several datasets as one: of each id what is newest, or what all of them hold (hub.md §14.3). */

import { Type } from 'typebox'
import { entityOf } from '../../log/stored.ts'
import { defineSource } from '../contract.ts'
import { initialSince } from './continuation.ts'
import { keyedByDataset, newestOf, readSameIds } from './same-id.ts'
import { checkDatasets, datasetsSetting, inputSettings, overDatasets } from './several-datasets.ts'

export const mergeDatasetsSource = defineSource({
  type: 'merge_datasets',
  summary: 'Entities of several datasets in the order of time, those with the same id as one.',
  config: Type.Object({
    type: Type.Literal('merge_datasets'),
    datasets: datasetsSetting,
    strategy: Type.Enum(['latest', 'all'], {
      default: 'latest',
      description:
        'latest: of each id the version that is newest in any dataset. all: the newest of each dataset, under its name.',
    }),
    initial_since_value: initialSince,
    ...inputSettings,
  }),
  examples: [{ type: 'merge_datasets', datasets: ['crm-person-all', 'crm-person-event'] }],
  ...overDatasets,
  check: checkDatasets,
  origin: ({ datasets, strategy }) => ({
    datasets,
    carries: (property) => property === '_id' || strategy === 'latest',
  }),
  open: ({ datasets, strategy }, surroundings) =>
    readSameIds(datasets, surroundings, (id, all) =>
      strategy === 'all' ? keyedByDataset(id, all, datasets) : entityOf(newestOf(all).version, { internal: true }),
    ),
})
