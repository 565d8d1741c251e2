/** Writes entities to a dataset of the hub, which keeps only what changed. The engine does the writing. */

import { Type } from 'typebox'
import { MAX_ENTITY_BYTES } from '../../log/contract.ts'
import type { Value } from '../../model/value.ts'
import { defineSink } from '../contract.ts'
import { explicitIndexes } from '../indexes.ts'

export const datasetSink = defineSink({
  type: 'dataset',
  summary: 'A dataset of the hub: entities that differ from their latest version are appended.',
  config: Type.Object({
    type: Type.Literal('dataset'),
    dataset: Type.String({
      minLength: 1,
      pattern: '^(?!system:)[^/]+$',
      description: 'The dataset; the id of the pipe when absent.',
    }),
    deletion_tracking: Type.Boolean({
      default: true,
      description: 'After a full read, entities that did not come are marked deleted.',
    }),
    mark_deletion_tracked: Type.Boolean({
      default: false,
      description: 'Such entities get `$deletion_tracked: true`.',
    }),
    set_initial_offset: Type.Enum(['if-source-populated', 'never', 'always', 'initially', 'onload'], {
      default: 'if-source-populated',
      description: 'When the dataset counts as populated (hub.md §2.4).',
    }),
    indexes: Type.Optional(
      Type.Unsafe<Value>(
        Type.Unknown({
          description: 'Indexes beside those that joins need: `"$ids"`, or a list of index expressions.',
        }),
      ),
    ),
    track_children: Type.Optional(
      Type.Boolean({
        description: 'Children that are gone stay in `$children`, deleted; absent: when a transform creates children.',
      }),
    ),
    enable_optimistic_locking: Type.Boolean({
      default: false,
      description: 'An entity is written only when its `_updated` is that of the latest version: otherwise nothing is.',
    }),
    circuit_breaker_threshold_factor: Type.Optional(
      Type.Number({ minimum: 0, description: 'A run may write this many times the entities there are.' }),
    ),
    circuit_breaker_threshold_count: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'A run may write this many versions; the larger of the two limits counts.',
      }),
    ),
    bitset_commit_interval: Type.Integer({
      default: 1_000_000,
      minimum: 1,
      description: 'A full run saves what it saw after so many entities at the latest, and every quarter of an hour.',
    }),
    prevent_multiple_versions: Type.Union([Type.Boolean(), Type.Literal('ignore')], {
      default: false,
      description: 'true: fail on a second version of an entity. "ignore": leave it out.',
    }),
    suppress_filtered: Type.Optional(
      Type.Boolean({
        description:
          'Filtered entities are not handed to the dataset. Absent: only in a full run over a dataset without its previous versions.',
      }),
    ),
    max_entity_bytes_size: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_ENTITY_BYTES,
        description: 'Bytes of the greatest entity, as JSON without what the hub adds; of the node when absent.',
      }),
    ),
    comment: Type.Optional(Type.Unknown()),
  }),
  examples: [
    { type: 'dataset', dataset: 'crm-person' },
    {
      type: 'dataset',
      dataset: 'crm-person',
      circuit_breaker_threshold_factor: 0.1,
      circuit_breaker_threshold_count: 1000,
    },
  ],
  needs: ({ dataset, indexes }, settings) => explicitIndexes(dataset, indexes, settings),
  kind: 'dataset',
  removesNamespaces: false,
})
