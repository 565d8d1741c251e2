/** What the execution log of a pipe is made of: entities that tell what happened (hub.md §9). */

import { dictOf, set } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { writeJson } from '../../model/json.ts'
import type { Value } from '../../model/value.ts'

/** Bytes of a property at most, as JSON; what is longer is cut. */
export const MAX_PROPERTY_BYTES = 10_485_760

/** The dataset of what happened to a pipe (hub.md §2.10). */
export const executionDataset = (pipe: string): string => `system:pump_execution:${pipe}`

export type EventType =
  | 'pump-started'
  | 'pump-completed'
  | 'pump-failed'
  | 'read-error'
  | 'write-error'
  | 'batch-write-error'
  | 'pump-offset-set'
  | 'entities-reposted'
  | 'pump-enabled'
  | 'pump-disabled'
  | 'pump-discard-retries'
  | 'pump-discard-inferred-schema'
  | 'circuit-breaker-commit'
  | 'circuit-breaker-rollback'
  | 'restore-completed'

/** Who started something. */
export interface User {
  readonly user_id: string | null
  readonly email: string | null
  readonly remote_addr: string | null
  /** Id of the request by which it was done, for logs. */
  readonly request_id?: string
}

/** An entry of the log of `pipe`. Its `_id` is the type, and of errors also what they are about. */
export function eventOf(
  pipe: string,
  type: EventType,
  properties: Readonly<Record<string, Value>>,
  about?: string,
): Entity {
  const event = dictOf({ _id: about === undefined ? type : `${type}:${about}`, event_type: type, pipe })
  for (const [name, value] of Object.entries(properties)) set(event, name, cut(value))
  return event as Entity
}

export const userOf = ({ user_id, email, remote_addr }: User): Value => dictOf({ user_id, email, remote_addr })

/** `YYYY-MM-DDTHH:MM:SS.ffffffZ`, of milliseconds since 1970. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

/** Nested dicts of names with dots: `entities.sink_time` is `sink_time` of `entities`. */
export function nested(flat: Readonly<Record<string, Value>>): Value {
  const parts = new Map<string, Record<string, Value>>()
  for (const [path, value] of Object.entries(flat)) {
    const [first = '', rest = ''] = path.split(/\.(.*)/s)
    parts.set(first, { ...parts.get(first), [rest]: value })
  }
  return dictOf([...parts].map(([name, inner]) => [name, dictOf(inner)] as const))
}

/** What an error says of itself. */
export function errorProperties(error: Error): Readonly<Record<string, Value>> {
  const original = originOf(error)
  return {
    traceback: error.stack ?? error.message,
    original_traceback: original.stack ?? original.message,
    original_error_message: original.message,
  }
}

/** Which it was that failed: the other end, which nothing came through to, or one entity. */
export const errorCode = (error: unknown): 0 | 1 => (isUnreachable(error) ? 0 : 1)

/** Statuses by which a server says that nobody, and nothing, gets through to it now. */
const CLOSED = [401, 403, 407, 429, 502, 503, 504]

export function isUnreachable(error: unknown): boolean {
  const { code, details } = error as { code?: unknown; details?: { status?: unknown } }
  if (code === 'system-unreachable' || code === 'answer-broken') return true
  return CLOSED.includes(details?.status as number)
}

function originOf(error: Error): Error {
  for (let at = error; ; at = at.cause as Error) if (!(at.cause instanceof Error)) return at
}

/** The beginning of what is too long: of a text its own, of anything else that of its JSON. */
function cut(value: Value): Value {
  if (typeof value === 'string') return shortened(value)
  if (typeof value !== 'object' || value === null) return value
  const text = writeJson(value)
  return text.length * 3 <= MAX_PROPERTY_BYTES || Buffer.byteLength(text) <= MAX_PROPERTY_BYTES
    ? value
    : shortened(text)
}

function shortened(text: string): string {
  if (text.length * 3 <= MAX_PROPERTY_BYTES) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_PROPERTY_BYTES) return text
  // Half a character at the end would be a replacement character.
  return `${bytes.toString('utf8', 0, MAX_PROPERTY_BYTES - 8).replace(/\uFFFD+$/, '')}…`
}
