/** What a pump says of errors, dead letters and its log, and which of it contradicts or needs the rest (hub.md §5.1, §8). */

import type { Static } from 'typebox'
import type { pumpSchema } from '../../config/pipe.ts'
import { type Dict, has } from '../../model/dict.ts'
import { errorAt, type Finding, warningAt } from '../finding.ts'
import {
  defaultPatience,
  keepsPending,
  patienceFor,
  patienceOf,
  type RetrySettings,
  type RetryStrategy,
} from './settings.ts'

type Given = Static<typeof pumpSchema>

export interface DeadLetterSettings {
  readonly dataset: string
  /** A letter goes when a later version of its entity is written. */
  readonly isTracked: boolean
}

/** Which runs the execution log tells of, beside those with errors. */
export interface LogSettings {
  /** Those that did nothing as well. */
  readonly noopRuns: boolean
  /** To do nothing is to change nothing; false: to read nothing. */
  readonly changesOnly: boolean
  /** A run is logged in any case when the last one that was is older than this. */
  readonly granularitySeconds: number | null
}

/** The dataset of dead letters of a pipe that has none of its own choice (hub.md §2.10). */
const implicitDeadLetters = (pipe: string): string => `system:dead-letter:${pipe}`

export const retrySettingsOf = (pump: Given): RetrySettings => ({
  patience: patienceOf(pump),
  fallsBackToSingles: pump.fallback_to_single_entities_on_batch_fail,
  backoff: pump.retry_backoff,
})

export function deadLettersOf(pipe: string, pump: Given): DeadLetterSettings | null {
  const dataset = pump.dead_letter_dataset ?? (pump.use_dead_letter_dataset ? implicitDeadLetters(pipe) : null)
  return dataset === null ? null : { dataset, isTracked: pump.track_dead_letters }
}

export const logSettingsOf = (pump: Given): LogSettings => ({
  noopRuns: pump.log_events_noop_runs,
  changesOnly: pump.log_events_noop_runs_changes_only,
  granularitySeconds: pump.notification_granularity ?? null,
})

/** `strategy`: of the system that the pipe writes to; of its settings those of `default` are considered. */
export function* checkPumpErrors(
  given: Dict,
  pump: Given,
  strategies: { readonly read: RetryStrategy | null; readonly write: RetryStrategy | null },
): Iterable<Finding> {
  yield* checkDeadLetters(pump, strategies.write)
  yield* checkKeeping(given, pump, strategies.write)
  const isRead = patienceFor(patienceOf(pump), strategies.read, null).maxReadRetries > 0
  if (has(given, 'read_retry_delay') && !isRead && !anyStatus(strategies.read)) {
    yield idle('read_retry_delay', 'max_read_retries')
  }
}

function* checkDeadLetters(pump: Given, strategy: RetryStrategy | null): Iterable<Finding> {
  const { dead_letter_dataset: named, use_dead_letter_dataset: isImplicit, track_dead_letters: isTracked } = pump
  if (named !== undefined && isImplicit) {
    yield errorAt(
      '/pump/use_dead_letter_dataset',
      'dead_letter_dataset and use_dead_letter_dataset exclude one another.',
    )
  } else if (isImplicit) {
    yield warningAt(
      '/pump/use_dead_letter_dataset',
      'use_dead_letter_dataset is deprecated.',
      'Name a dataset of your own: dead_letter_dataset.',
    )
  }
  const hasLetters = named !== undefined || isImplicit
  if (isTracked && !hasLetters) yield idle('track_dead_letters', 'dead_letter_dataset')
  if (hasLetters && !keepsPending(patienceOf(pump), strategy)) {
    yield idle(
      named === undefined ? 'use_dead_letter_dataset' : 'dead_letter_dataset',
      'max_write_errors_in_retry_dataset',
    )
  }
}

/** What speaks of entities that are kept to be retried needs them to be kept. */
function* checkKeeping(given: Dict, pump: Given, strategy: RetryStrategy | null): Iterable<Finding> {
  const keeps = keepsPending(patienceOf(pump), strategy)
  for (const name of ['max_retries_per_entity', 'max_consecutive_write_errors'] as const) {
    const isDefault = pump[name] === { max_retries_per_entity: 5, max_consecutive_write_errors: 1 }[name]
    if (has(given, name) && !isDefault && !keeps) yield idle(name, 'max_write_errors_in_retry_dataset')
  }
  if (keeps && !pump.fallback_to_single_entities_on_batch_fail) {
    yield warningAt(
      '/pump/fallback_to_single_entities_on_batch_fail',
      'No entity is kept to be retried: only single ones are, and a batch that fails is not taken apart.',
    )
  }
}

const anyStatus = (strategy: RetryStrategy | null): boolean =>
  (strategy?.byStatus ?? []).some(({ patience }) => (patience.maxReadRetries ?? defaultPatience.maxReadRetries) > 0)

const idle = (name: string, needed: string): Finding =>
  warningAt(`/pump/${name}`, `${name} has no effect without ${needed}.`)
