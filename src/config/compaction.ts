/** How a pipe has the dataset it writes compacted, and what the node says about all (hub.md §2.7). */

import { Type } from 'typebox'

const Count = (minimum: number, description: string) =>
  Type.Optional(Type.Union([Type.Integer({ minimum }), Type.Null()], { description }))
const Amount = (minimum: number, description: string) =>
  Type.Optional(Type.Union([Type.Number({ minimum }), Type.Null()], { description }))

/** The least that `time_threshold_hours_pump` may be: 30 days. */
const MONTH_HOURS = 720

/** Where a property is missing or null, the node's default speaks. */
export const compactionSchema = Type.Object({
  automatic: Type.Boolean({ default: true, description: 'Compacted once a day when its sink does not do it.' }),
  sink: Type.Optional(Type.Boolean({ description: 'Compacted after each run of the pipe.' })),
  keep_versions: Count(0, 'Newest versions of each entity that stay; 0 needs a time threshold.'),
  time_threshold_hours: Count(0, 'Versions younger than this stay.'),
  time_threshold_hours_pump: Count(MONTH_HOURS, 'What is older goes from the execution log of the pipe.'),
  growth_threshold: Amount(1, 'Daily compaction begins when the log is this many times as long as after the last one.'),
  compaction_interval: Amount(0, 'Seconds between two compactions after runs, at least; 0: after each run.'),
  ttl_deletes_hours: Amount(0, 'Entities that have been deleted for longer go with all their versions.'),
  ttl_deletes_timeout_seconds: Type.Number({ minimum: 0, default: 60, description: 'Time for that in one run.' }),
  retract: Type.Boolean({
    default: false,
    description: 'A version with `$retract: true` takes all earlier ones of its entity away, for good.',
  }),
  retract_timeout_seconds: Type.Number({ minimum: 0, default: 60, description: 'Time for that in one run.' }),
})

/** Properties of `global_defaults`. */
export const compactionDefaults = {
  default_compaction_type: Type.Enum(['sink', 'background'], {
    default: 'sink',
    description: 'Whether datasets are compacted after runs of their pipe, or once a day.',
  }),
  compaction_interval: Type.Number({ minimum: 0, default: 0 }),
  compaction_keep_versions: Type.Integer({ minimum: 0, default: 2 }),
  compaction_time_threshold_hours: Count(0, 'Versions younger than this stay.'),
  compaction_time_threshold_hours_pump: Type.Integer({ minimum: MONTH_HOURS, default: MONTH_HOURS }),
  compaction_growth_threshold: Type.Number({ minimum: 1, default: 1 }),
}
