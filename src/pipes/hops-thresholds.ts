/** `dependency_tracking` of a pipe over that of the node, as far as hops are concerned (dtl.md §10.7). */

import type { Static } from 'typebox'
import type { dependencyTracking } from '../config/metadata.ts'
import { errorAt, type Finding } from './finding.ts'
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

const NAMES = {
  dependency_warning_threshold: 'warning',
  dependency_error_threshold: 'error',
  dependency_warning_threshold_total_bytes: 'warningBytes',
  dependency_error_threshold_total_bytes: 'errorBytes',
} as const satisfies Record<string, keyof HopsThresholds>

/** Without hops to hold for they are those of dependency tracking, which this version does not have. */
export function checkThresholds(own: TrackingSettings, thresholds: HopsThresholds | null): readonly Finding[] {
  if (thresholds !== null) return []
  return Object.entries(NAMES).flatMap(([name, of]) => {
    const given = own[name as keyof typeof NAMES]
    if (given === undefined || given === defaultThresholds[of]) return []
    return errorAt(
      `/dependency_tracking/${name}`,
      `'${name}' is not supported by this version but for hops: dependency tracking.`,
      'Set "enable_hops_thresholds": true to have hops kept within it.',
    )
  })
}
