/** What is known of a pump between two runs, and what of it outlives a restart. */

import type { RunReport } from '../pipes/run-report.ts'
import type { RunKind } from '../pipes/schedule.ts'

export interface PumpState {
  isDisabled: boolean
  /** Said when it was disabled. */
  comment: string | null
  lastStartedAt: number | null
  lastEndedAt: number | null
  /** When it ran last because its schedule said so. */
  lastDueAt: number | null
  last: RunReport | null
  /** Runs that were counted for rescan_run_count and partial_rescan_run_count. */
  runs: number
  /** When the last rescan started. */
  rescannedAt: number | null
  /** When its schedule became what it is, and the text of that schedule. */
  scheduledAt: number | null
  schedule: string | null
  running: Running | null
  /** A background rescan was begun and not completed. */
  owesRescan: boolean
  lastRescan: RunReport | null
  /** The background rescan under way. */
  rescanning: Running | null
  /** A run of the pipe as it was has yet to end. */
  isDeploying: boolean
}

export interface Running {
  readonly startedAt: number
  read: number
  readonly kind: RunKind
}

export const fresh = (): PumpState => ({
  isDisabled: false,
  comment: null,
  lastStartedAt: null,
  lastEndedAt: null,
  lastDueAt: null,
  last: null,
  runs: 0,
  rescannedAt: null,
  scheduledAt: null,
  schedule: null,
  running: null,
  owesRescan: false,
  lastRescan: null,
  rescanning: null,
  isDeploying: false,
})

/** As it is kept over a restart: what is under way then is not. */
export function stateText({ running: _, rescanning: __, isDeploying: ___, ...kept }: PumpState): string {
  return JSON.stringify(kept)
}

export const stateOf = (text: string | undefined): PumpState => ({
  ...fresh(),
  ...(text === undefined ? {} : (JSON.parse(text) as Partial<PumpState>)),
})
