/** `dependency_tracking` of a pipe over that of the node, as far as hops are concerned (dtl.md §10.7). */

import type { Static } from 'typebox'
import type { dependencyTracking } from '../config/metadata.ts'
import { defaultThresholds, type HopsThresholds } from './hops-meter.ts'

export type TrackingSettings = Static<typeof dependencyTracking>

/** Null: hops collect what they find. */
export function hopsThresholdsOf(pipe: TrackingSettings, node: TrackingSettings): HopsThresholds | null {
  const given = { ...node, ...pipe }
  if (given.enable_hops_thresholds !== true) return null
  return {
    warning: given.dependency_warning_threshold ?? defaultThresholds.warning,
    error: given.dependency_error_threshold ?? defaultThresholds.error,
    warningBytes: given.dependency_warning_threshold_total_bytes ?? defaultThresholds.warningBytes,
    errorBytes: given.dependency_error_threshold_total_bytes ?? defaultThresholds.errorBytes,
  }
}
