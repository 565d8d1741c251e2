/** Reads what changed in one dataset since the last run. */

import { Type } from 'typebox'
import { entityOf } from '../../log/stored.ts'
import { get } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { type Batch, defineSource } from '../contract.ts'

export const datasetSource = defineSource({
  type: 'dataset',
  summary: 'Entities of a dataset, in the order they changed.',
  config: Type.Object({
    type: Type.Literal('dataset'),
    dataset: Type.String({ minLength: 1, description: 'The dataset to read.' }),
    include_previous_versions: Type.Boolean({ default: false, description: 'Also emit superseded versions.' }),
    include_replaced: Type.Boolean({ default: true, description: 'false: leave out entities with `$replaced: true`.' }),
    supports_signalling: Type.Optional(
      Type.Boolean({
        description: 'Run as soon as the dataset changes; absent: unless the pump has a short schedule of its own.',
      }),
    ),
    require_populated_input: Type.Boolean({ default: false, description: 'Wait until the dataset is populated.' }),
    subset: Type.Optional(Type.Unknown({ description: 'Only the entities of a subset.' })),
    completeness: Type.Optional(Type.Unknown({ description: 'Hold back what is newer than a completeness value.' })),
    initial_completeness: Type.Optional(Type.Array(Type.String(), { description: 'Wait for completeness values.' })),
    if_source_empty: Type.Enum(['accept', 'fail'], {
      default: 'accept',
      description: 'fail: a full run that reads nothing fails.',
    }),
    comment: Type.Optional(Type.Unknown()),
  }),
  unsupported: {
    subset: 'subset feeds',
    completeness: 'completeness',
    initial_completeness: 'completeness',
  },
  examples: [{ type: 'dataset', dataset: 'crm-person' }],
  addsNamespaces: false,
  continuation: () => ({ supportsSince: true, isSinceComparable: true, isChronological: true }),
  inputs: ({ dataset }) => [dataset],
  populated: ({ dataset }, snapshot) => snapshot.dataset(dataset)?.document.populated ?? false,
  open: (config, { snapshot, batchSize }) => ({
    async *read(since, signal): AsyncIterable<Batch> {
      // The end is fixed once, so that a run ends however fast the dataset grows.
      const end = snapshot().dataset(config.dataset)?.counts().end ?? 0
      let at = since === null ? -1 : Number(since)
      while (at < end - 1 && !signal.aborted) {
        const view = snapshot().dataset(config.dataset)
        if (view === undefined) return
        const entities: Entity[] = []
        let full = false
        for (const version of view.changes(at < 0 ? null : at, { history: config.include_previous_versions })) {
          if (version.sequence >= end) break
          at = version.sequence
          const entity = entityOf(version, { internal: true })
          if (!config.include_replaced && get(entity, '$replaced') === true) continue
          entities.push(entity)
          if (entities.length >= batchSize) {
            full = true
            break
          }
        }
        // What follows the last version read is superseded: skipped for good.
        if (!full) at = end - 1
        yield { entities, offset: String(at) }
      }
    },
  }),
})
