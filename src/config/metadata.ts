/** Node metadata: what a configuration says about all its pipes (hub.md §22). */

import { Type } from 'typebox'
import { compactionDefaults } from './compaction.ts'
import { notificationsSchema } from './notifications.ts'

const Threshold = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }))

/** Thresholds of dependency tracking, and of hops where that is switched on, of the node and of a pipe (dtl.md §10.7, §11.4). */
export const dependencyTracking = Type.Object({
  enable_hops_thresholds: Type.Optional(
    Type.Boolean({ description: 'The thresholds hold for what one hops collects for one source entity.' }),
  ),
  dependency_warning_threshold: Threshold(
    'Entities that run again because of others; more are warned of. Absent: no limit, and for hops 10000.',
  ),
  dependency_error_threshold: Threshold(
    'Entities that run again because of others; more make the pump fail. Absent: no limit, and for hops 50000.',
  ),
  dependency_warning_threshold_total_bytes: Threshold(
    'Bytes of these entities; more are warned of. Absent: no limit, and for hops 32 MB.',
  ),
  dependency_error_threshold_total_bytes: Threshold(
    'Bytes of these entities; more make the pump fail. Absent: no limit, and for hops 128 MB.',
  ),
  dependency_reset_threshold: Threshold(
    'Changes of what a pipe hops to that wait to be followed back; with more the pipe reads all again. Absent: no limit.',
  ),
})

export const metadataSchema = Type.Object({
  _id: Type.Optional(Type.String()),
  type: Type.Literal('metadata'),
  namespaced_identifiers: Type.Boolean({ default: false, description: 'Pipes inherit it.' }),
  namespaces: Type.Optional(
    Type.Object({
      default: Type.Optional(
        Type.Record(
          Type.String(),
          Type.String({
            pattern: '^[a-zA-Z][a-zA-Z0-9+.-]*:[^\\s<>"{}|\\\\^`]*$',
            description: 'It must be an absolute IRI, such as "http://example.org/".',
          }),
          { description: 'Prefix to IRI.' },
        ),
      ),
    }),
  ),
  global_defaults: Type.Optional(Type.Object({})),
  dependency_tracking: Type.Optional(dependencyTracking),
  task_manager: Type.Optional(Type.Object({})),
  notifications: Type.Optional(notificationsSchema),
  pipe_cleanup_after_deletion: Type.Boolean({
    default: true,
    description: 'A deleted pipe takes its offset, state and internal datasets along; its dataset stays.',
  }),
  rdf: Type.Optional(Type.Unknown()),
  description: Type.Optional(Type.Unknown()),
  comment: Type.Optional(Type.Unknown()),
})

export const unsupportedOfMetadata: Readonly<Record<string, string>> = {
  rdf: 'the RDF registry',
}

export const globalDefaultsSchema = Type.Object({
  use_signalling_internally: Type.Boolean({
    default: true,
    description: 'A dataset that grows starts the pipes that read it.',
  }),
  use_signalling_externally: Type.Boolean({
    default: false,
    description: 'Sources that read other hubs, and do not say, ask to be told of news.',
  }),
  ...compactionDefaults,
  max_entity_bytes_size: Type.Integer({
    default: 104857600,
    minimum: 1,
    maximum: 104857600,
    description: 'Bytes of the greatest entity that dataset sinks take unless they say otherwise.',
  }),
  run_at_startup_if_not_populated: Type.Boolean({
    default: false,
    description: 'Pumps that do not say it themselves run when the node starts and their dataset is not populated yet.',
  }),
  infer_pipe_entity_types: Type.Optional(
    Type.Boolean({
      description:
        'For pipes that do not say it themselves: what their entities look like is counted while they run. Absent: unless the hub is in developer mode.',
    }),
  ),
  use_config_circuit_breaker: Type.Boolean({
    default: false,
    description:
      'An upload that would delete more than 10 components and more than 10 % of them is refused unless forced.',
  }),
  reprocessing_policy: Type.Enum(['continue', 'automatic'], {
    default: 'continue',
    description:
      'For pipes that do not say it themselves. automatic: a pipe that is out of sync reads again what it must.',
  }),
  rescan_when_config_changes: Type.Boolean({
    default: false,
    description: 'For pipes that do not say it themselves: another configuration is a reason to read everything again.',
  }),
  enable_background_rescan: Type.Boolean({
    default: false,
    description: 'For pipes that do not say it themselves: a rescan goes on beside incremental runs.',
  }),
  eager_load_microservices: Type.Boolean({
    default: true,
    description: 'Kept, and without effect: this hub runs no containers.',
  }),
  symmetric_namespace_collapse: Type.Boolean({ default: false }),
  max_merged: Type.Integer({
    default: 50000,
    minimum: 0,
    description:
      'For merge sources that do not say it themselves: a class with more members is left apart; 0: no limit.',
  }),
  always_index_ids: Type.Boolean({
    default: false,
    description: 'Every dataset has an index over the identities of its entities.',
  }),
  if_source_empty: Type.Enum(['accept', 'fail'], {
    default: 'accept',
    description: 'For sources that do not say it themselves. fail: a full run that reads nothing fails.',
  }),
  require_populated_input: Type.Boolean({
    default: false,
    description: 'For sources that do not say it themselves: wait until what they read is populated.',
  }),
  trace_output: Type.Boolean({
    default: false,
    description: 'For pipes that do not say it themselves: delete what a source entity no longer makes.',
  }),
  trace: Type.Unknown({ default: false }),
  verify_ssl: Type.Boolean({
    default: false,
    description: 'For systems that do not say it themselves: refuse one whose certificate does not prove who it is.',
  }),
  enable_cpp_extensions: Type.Boolean({ default: true, description: 'Kept, and without effect: there are none.' }),
})

export const unsupportedOfGlobalDefaults: Readonly<Record<string, string>> = {
  symmetric_namespace_collapse: 'symmetric collapse of namespaces',
  trace: 'tracing of requests',
}

export const taskManagerSchema = Type.Object({
  disable_pump_scheduler: Type.Boolean({ default: false, description: 'No pump runs by itself.' }),
  disable_user_pipes: Type.Boolean({ default: false, description: 'No pump of a user’s pipe runs by itself.' }),
})
