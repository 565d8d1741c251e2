/** Reads several datasets, one after the other, each from where it left (hub.md §14.4). */

import { type Static, Type } from 'typebox'
import type { Version } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import { set } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { type Batch, defineSource, type Offset, type Surroundings } from '../contract.ts'
import { BatchBounds } from './batch-bounds.ts'
import { Bookmarks } from './bookmarks.ts'
import { initialSince } from './continuation.ts'
import { checkDatasets, datasetsSetting, inputSettings, overDatasets } from './several-datasets.ts'

/** Versions looked at for one batch, at most. */
const SPAN = 100_000

const config = Type.Object({
  type: Type.Literal('union_datasets'),
  datasets: datasetsSetting,
  include_previous_versions: Type.Boolean({ default: false, description: 'Also emit superseded versions.' }),
  prefix_ids: Type.Boolean({
    default: true,
    description: 'An `_id` becomes `<dataset>:<id>`, so that those of different datasets are different.',
  }),
  initial_since_value: initialSince,
  ...inputSettings,
})

type Config = Static<typeof config>

export const unionDatasetsSource = defineSource({
  type: 'union_datasets',
  summary: 'Entities of several datasets, one dataset after the other.',
  config,
  examples: [{ type: 'union_datasets', datasets: ['crm-person', 'erp-person'] }],
  ...overDatasets,
  check: checkDatasets,
  origin: ({ datasets, prefix_ids }) => ({
    datasets,
    carries: (property) => !prefix_ids || property !== '$ids',
    idPrefix: (dataset) => (prefix_ids ? `${dataset}:` : ''),
  }),
  open: (config, surroundings) => ({
    read: (since, signal) => unite(config, surroundings, since, signal),
    reread(dataset, ids) {
      const view = surroundings.snapshot().dataset(dataset)
      return ids.flatMap((id) => {
        const version = view?.latest(id)
        return version === undefined ? [] : [named(config, dataset, version)]
      })
    },
  }),
})

async function* unite(
  config: Config,
  { pipe, snapshot, batchSize, batchBytes }: Surroundings,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<Batch> {
  const bookmarks = new Bookmarks(config.datasets, pipe, snapshot(), since)
  // The ends are fixed once, so that a run ends however fast the datasets grow.
  const ends = config.datasets.map((dataset) => snapshot().dataset(dataset)?.counts().end ?? 0)
  for (const [place, dataset] of config.datasets.entries()) {
    const end = ends[place] as number
    while ((bookmarks.at[place] ?? -1) < end - 1 && !signal.aborted) {
      const view = snapshot().dataset(dataset)
      if (view === undefined) break
      const since = bookmarks.at[place] ?? null
      const to = Math.min((since ?? -1) + SPAN, end - 1)
      const entities: Entity[] = []
      const bounds = new BatchBounds(batchSize, batchBytes)
      let isFull = false
      for (const version of view.changes(since, { history: config.include_previous_versions, to })) {
        bookmarks.at[place] = version.sequence
        entities.push(named(config, dataset, version))
        isFull = bounds.add(version.body.length)
        if (isFull) break
      }
      // What follows the last version read is superseded.
      if (!isFull) bookmarks.at[place] = to
      yield { entities, offset: bookmarks.offset(), ...bookmarks.notes() }
    }
  }
}

function named({ prefix_ids }: Config, dataset: string, version: Version): Entity {
  const entity = entityOf(version, { internal: true })
  if (prefix_ids) set(entity, '_id', `${dataset}:${version.id}`)
  return entity
}
