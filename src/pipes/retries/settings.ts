/** How patient a pump is: what it says itself, else what its system says for the status of the answer, else the defaults (hub.md §8). */

import type { Static } from 'typebox'
import type { retrySchema } from '../../config/retry.ts'

type Given = Static<typeof retrySchema>

/** In force for one error. */
export interface Patience {
  readonly maxReadRetries: number
  readonly readRetryDelayMs: number
  readonly writeRetryDelayMs: number
  readonly maxRetriesPerEntity: number
  readonly maxConsecutiveWriteErrors: number
  /** Entities that are kept at most to be retried; 0: none is. */
  readonly maxPending: number
  readonly batchRetries: number
}

/** Of what is not said. */
export const defaultPatience: Patience = {
  maxReadRetries: 0,
  readRetryDelayMs: 0,
  writeRetryDelayMs: 0,
  maxRetriesPerEntity: 5,
  maxConsecutiveWriteErrors: 1,
  maxPending: 0,
  batchRetries: 3,
}

/** What a system says of errors, by the status of its answer. */
export interface RetryStrategy {
  readonly byStatus: readonly { readonly from: number; readonly to: number; readonly patience: Partial<Patience> }[]
  /** Of all others, those without an answer included. */
  readonly otherwise: Partial<Patience>
}

/** What a pump says of errors itself. */
export interface RetrySettings {
  readonly patience: Partial<Patience>
  readonly fallsBackToSingles: boolean
  readonly backoff: 'constant' | 'exponential'
}

/** `status`: of the answer that was the error; null where there was none. */
export function patienceFor(
  pump: Partial<Patience>,
  strategy: RetryStrategy | null | undefined,
  status: number | null,
): Patience {
  const fitting = (strategy?.byStatus ?? []).filter(({ from, to }) => status !== null && from <= status && status <= to)
  // The narrowest range that holds the status says most about it.
  const narrowest = fitting.sort((a, b) => a.to - a.from - (b.to - b.from))[0]
  return { ...defaultPatience, ...strategy?.otherwise, ...narrowest?.patience, ...pump }
}

/** Whether there is an error after which an entity is kept to be retried. */
export const keepsPending = (pump: Partial<Patience>, strategy: RetryStrategy | null | undefined): boolean => {
  const all = [strategy?.otherwise, ...(strategy?.byStatus ?? []).map(({ patience }) => patience)]
  return (pump.maxPending ?? Math.max(0, ...all.map((one) => one?.maxPending ?? 0))) > 0
}

export function patienceOf(given: Given): Partial<Patience> {
  const seconds = (value: number | undefined) => (value === undefined ? undefined : value * 1000)
  const patience: { [K in keyof Patience]: number | undefined } = {
    maxReadRetries: given.max_read_retries,
    readRetryDelayMs: seconds(given.read_retry_delay),
    writeRetryDelayMs: seconds(given.write_retry_delay),
    maxRetriesPerEntity: given.max_retries_per_entity,
    maxConsecutiveWriteErrors: given.max_consecutive_write_errors,
    maxPending: given.max_write_errors_in_retry_dataset,
    batchRetries: given.batch_retries,
  }
  const said = Object.entries(patience).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(said) as Partial<Patience>
}
