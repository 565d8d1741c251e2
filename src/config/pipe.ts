/** What all pipes share: their common properties and their pump (hub.md §3.1, §5.1). The rest is up to the types of their parts. */

import { Type } from 'typebox'
import { dependencyTracking } from './metadata.ts'
import { retryProperties } from './retry.ts'

const Comment = Type.Optional(Type.Unknown({ description: 'Ignored.' }))
const Count = (description: string, options = {}) =>
  Type.Optional(Type.Integer({ minimum: 1, description, ...options }))

export const pipeSchema = Type.Object({
  _id: Type.String({ minLength: 1, description: 'Unique in the node; no slash.' }),
  type: Type.Literal('pipe'),
  name: Type.Optional(Type.String({ description: 'Shown to people.' })),
  description: Comment,
  comment: Comment,
  source: Type.Object({}, { description: 'Where entities come from.' }),
  transform: Type.Optional(Type.Unknown({ description: 'One transform, or several in order.' })),
  sink: Type.Object({}, { description: 'Where entities go; a dataset named as the pipe when absent.' }),
  pump: Type.Object({}, { description: 'When the pipe runs.' }),
  batch_size: Count('Source entities that are read and written together.'),
  checkpoint_interval: Count('Batches between two saved offsets; 1 when absent.'),
  namespaced_identifiers: Type.Optional(Type.Boolean()),
  add_namespaces: Type.Optional(Type.Boolean()),
  remove_namespaces: Type.Optional(Type.Boolean()),
  namespaces: Type.Optional(
    Type.Object({ identity: Type.Optional(Type.String()), property: Type.Optional(Type.String()) }),
  ),
  metadata: Type.Optional(Type.Object({}, { description: 'Free; `global: true` makes its dataset a global one.' })),
  permissions: Type.Optional(
    Type.Unknown({ description: 'Who may do what: a list of `["allow" or "deny", [roles], [permissions]]`.' }),
  ),
  disable_set_last_seen: Type.Boolean({
    default: false,
    description: 'Nobody sets or resets the offset by hand.',
  }),
  enable_background_rescan: Type.Optional(Type.Boolean({ description: 'A rescan goes on beside incremental runs.' })),
  rescan_when_config_changes: Type.Optional(
    Type.Boolean({
      description: 'Another source, transform, sink or namespaces are a reason for it to be read again.',
    }),
  ),
  reprocessing_policy: Type.Optional(
    Type.Enum(['continue', 'automatic'], {
      description:
        'Out of sync, as when a dataset it reads was made again. continue: it goes on and says so; automatic: it reads again what it must.',
    }),
  ),
  infer_pipe_entity_types: Type.Optional(
    Type.Boolean({
      description:
        'What its entities look like is counted while it runs; absent: as `global_defaults` say, else unless the hub is in developer mode.',
    }),
  ),
  compaction: Type.Optional(Type.Object({}, { description: 'Which versions of its dataset stay.' })),
  exclude_completeness: Type.Optional(
    Type.Array(Type.String(), { description: 'Datasets whose completeness its dataset does not inherit.' }),
  ),
  include_completeness: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Datasets whose completeness its dataset inherits; absent: all it reads.',
    }),
  ),
  dependency_tracking: Type.Optional(dependencyTracking),
  trace_output: Type.Optional(
    Type.Boolean({
      description:
        'What was made of each source entity is remembered, and what it no longer makes is deleted; absent: as `global_defaults` say.',
    }),
  ),
  short_config: Type.Optional(Type.String()),
})

export const unsupportedOfPipe: Readonly<Record<string, string>> = {
  short_config: 'the short form of SQL pipes',
}

const Seconds = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }))

export const pumpSchema = Type.Object({
  schedule_interval: Seconds('Seconds between two starts.'),
  mode: Type.Enum(['scheduled', 'manual', 'off'], { default: 'scheduled' }),
  rescan_run_count: Count('Every n-th run reads everything again.'),
  run_at_startup: Type.Boolean({ default: false, description: 'Run when the node starts, whatever the schedule.' }),
  cron_expression: Type.Optional(
    Type.String({
      description:
        'When it runs, in UTC: minute, hour, day, month, weekday, and maybe year. It goes over the interval.',
    }),
  ),
  rescan_cron_expression: Type.Optional(Type.String({ description: 'When it reads everything again.' })),
  partial_rescan_run_count: Count('Every n-th run goes back a part of the way, by partial_rescan_delta.'),
  partial_rescan_delta: Count('How far back: a number, or seconds where the offset is a time.'),
  run_at_startup_if_not_populated: Type.Optional(
    Type.Boolean({ description: 'Run when the node starts and its dataset is not populated yet.' }),
  ),
  ...retryProperties,
  retry_backoff: Type.Enum(['constant', 'exponential'], {
    default: 'constant',
    description: 'exponential: each further delay is twice the one before, from 1 second on, up to 15 minutes.',
  }),
  fallback_to_single_entities_on_batch_fail: Type.Boolean({
    default: true,
    description: 'The entities of a batch that could not be written are tried one by one.',
  }),
  dead_letter_dataset: Type.Optional(
    Type.String({
      minLength: 1,
      pattern: '^(?!system:)[^/]+$',
      description: 'Where entities go that were given up; of this pipe alone.',
    }),
  ),
  use_dead_letter_dataset: Type.Boolean({
    default: false,
    description: 'Deprecated: they go to `system:dead-letter:<pipe>`.',
  }),
  track_dead_letters: Type.Boolean({
    default: false,
    description: 'A dead letter is deleted when a later version of its entity is written.',
  }),
  max_seconds_per_entity: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      description: 'A batch whose transforms take longer for an entity, on average, makes the run fail.',
    }),
  ),
  log_events_noop_runs: Type.Boolean({ default: false, description: 'Runs that did nothing are logged, too.' }),
  log_events_noop_runs_changes_only: Type.Boolean({
    default: true,
    description: 'To do nothing is to change nothing in the sink; false: to read nothing from the source.',
  }),
  notification_granularity: Type.Optional(
    Type.Integer({
      minimum: 0,
      description:
        'Seconds after the last logged run, from which on a run is logged though it did nothing; never when absent.',
    }),
  ),
  comment: Comment,
})

export const unsupportedOfPump: Readonly<Record<string, string>> = {}
