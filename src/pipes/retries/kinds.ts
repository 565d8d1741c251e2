/** Which errors are about one entity, and which end a run whatever is tried instead (dtl.md §14, hub.md §8). */

import { DtlError } from '../../dtl/errors.ts'
import { LogError } from '../../log/errors.ts'
import { PipeError } from '../errors.ts'

/** Of the log: all others say that nothing can be written. */
const OF_ENTITIES = ['entity-too-large', 'bad-id', 'id-collision', 'second-version', 'stale-entity']

/** Of programs: the run is meant to stop, or nothing would go better with another entity. */
const OF_PROGRAMS = ['fail', 'trip', 'hops-threshold', 'missing-package', 'too-much-memory']

const OF_PIPES = [
  'breaker-tripped',
  'dataset-gone',
  'push-conflict',
  'unknown-system',
  'invalid-system',
  'bad-config',
  'target-refused',
  'redirect-refused',
  'too-slow',
  'nothing-to-run',
]

/** Whether the run cannot go on: an error of anything but one entity, or of the other end for a while. */
export function endsRun(error: unknown): boolean {
  if (error instanceof LogError) return !OF_ENTITIES.includes(error.code)
  if (error instanceof PipeError) return OF_PIPES.includes(error.code)
  if (!(error instanceof DtlError)) return false
  return OF_PROGRAMS.includes(error.code) || (error.code === 'failed' && error.cause instanceof LogError)
}

/** Whether a system that a transform asked may answer another time. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof PipeError)) return false
  if (error.code === 'system-unreachable' || error.code === 'answer-broken') return true
  const status = statusOf(error) ?? 0
  return error.code === 'bad-status' && (status >= 500 || [408, 425, 429].includes(status))
}

/** The status of the answer that was the error; null where there was none. */
export function statusOf(error: unknown): number | null {
  const { details } = error as { details?: { status?: unknown } }
  return typeof details?.status === 'number' ? details.status : null
}
