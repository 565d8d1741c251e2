/** Reads several datasets as one: of each id what is newest, or what all of them hold (hub.md §14.3). */

import { Type } from 'typebox'
import { entityOf } from '../../log/stored.ts'
import { defineSource } from '../contract.ts'
import { initialSince } from './continuation.ts'
import { endOf } from './end-of.ts'
import { keyedByDataset, newestOf, readSameIds } from './same-id.ts'
import { arePopulated, checkDatasets, datasetsSetting, inputSettings, ownContinuation } from './several-datasets.ts'

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
  addsNamespaces: false,
  check: checkDatasets,
  continuation: ownContinuation,
  inputs: ({ datasets }) => datasets,
  end: ({ datasets }, snapshot) => endOf(datasets, snapshot),
  populated: (config, snapshot) => arePopulated(config, config.datasets, snapshot),
  origin: ({ datasets, strategy }) => ({
    datasets,
    carries: (property) => property === '_id' || strategy === 'latest',
  }),
  open: ({ datasets, strategy }, surroundings) =>
    readSameIds(datasets, surroundings, (id, all) =>
      strategy === 'all' ? keyedByDataset(id, all, datasets) : entityOf(newestOf(all).version, { internal: true }),
    ),
})
