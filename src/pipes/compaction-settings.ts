/** How the dataset that a pipe writes is compacted: what the pipe says, and the node's defaults for the rest (hub.md §2.7). */

import type { Static, TObject } from 'typebox'
import type { compactionDefaults, compactionSchema } from '../config/compaction.ts'
import type { CompactionRules } from '../log/compaction.ts'
import { errorAt, type Finding } from './finding.ts'

export interface CompactionSettings {
  readonly rules: CompactionRules
  /** After runs of the pipe, not sooner than `intervalMs` after the last time; else once a day, if at all. */
  readonly isBySink: boolean
  readonly intervalMs: number
  /** Once a day, when the log has grown by the factor `growth` since. */
  readonly isAutomatic: boolean
  readonly growth: number
  /** What is older goes from the pipe's execution log. */
  readonly executionHours: number
}

type Said = Static<typeof compactionSchema>
type Defaults = Static<TObject<typeof compactionDefaults>>

export const nodeCompaction: Defaults = {
  default_compaction_type: 'sink',
  compaction_interval: 0,
  compaction_keep_versions: 2,
  compaction_time_threshold_hours_pump: 720,
  compaction_growth_threshold: 1,
}

export function compactionOf(said: Said, node: Defaults): CompactionSettings {
  const ttlHours = said.ttl_deletes_hours ?? null
  return {
    rules: {
      keepVersions: said.keep_versions ?? node.compaction_keep_versions,
      thresholdHours: said.time_threshold_hours ?? node.compaction_time_threshold_hours ?? null,
      forget:
        ttlHours === null
          ? null
          : { which: 'deleted', hours: ttlHours, budgetMs: said.ttl_deletes_timeout_seconds * 1000 },
      retract: said.retract ? { budgetMs: said.retract_timeout_seconds * 1000 } : null,
    },
    isBySink: said.sink ?? node.default_compaction_type === 'sink',
    intervalMs: (said.compaction_interval ?? node.compaction_interval) * 1000,
    isAutomatic: said.automatic,
    growth: said.growth_threshold ?? node.compaction_growth_threshold,
    executionHours: said.time_threshold_hours_pump ?? node.compaction_time_threshold_hours_pump,
  }
}

/** What the schema cannot say. */
export function checkCompaction({ rules }: CompactionSettings): readonly Finding[] {
  if (rules.keepVersions > 0 || rules.thresholdHours !== null) return []
  return [
    errorAt('/keep_versions', "'keep_versions' is 0, and there is no time threshold.", 'Set time_threshold_hours too.'),
  ]
}
