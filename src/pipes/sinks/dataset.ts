/** Writes entities to a dataset of the hub, which keeps only what changed. The engine does the writing. */

import { Type } from 'typebox'
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
    enable_optimistic_locking: Type.Optional(Type.Boolean()),
    circuit_breaker_threshold_factor: Type.Optional(Type.Unknown()),
    circuit_breaker_threshold_count: Type.Optional(Type.Unknown()),
    bitset_commit_interval: Type.Integer({
      default: 1_000_000,
      minimum: 1,
      description: 'A full run saves what it saw after so many entities at the latest, and every quarter of an hour.',
    }),
    prevent_multiple_versions: Type.Optional(Type.Unknown()),
    suppress_filtered: Type.Optional(Type.Boolean()),
    max_entity_bytes_size: Type.Optional(Type.Integer()),
    comment: Type.Optional(Type.Unknown()),
  }),
  unsupported: {
    enable_optimistic_locking: 'optimistic locking',
    circuit_breaker_threshold_factor: 'circuit breakers',
    circuit_breaker_threshold_count: 'circuit breakers',
    prevent_multiple_versions: 'preventing several versions',
    suppress_filtered: 'suppressing filtered entities',
    max_entity_bytes_size: 'a size limit of its own',
  },
  examples: [{ type: 'dataset', dataset: 'crm-person' }],
  needs: ({ dataset, indexes }, settings) => explicitIndexes(dataset, indexes, settings),
  kind: 'dataset',
  removesNamespaces: false,
})
