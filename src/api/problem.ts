/** Turns an error into a status and the body that serves both worlds: RFC 9457 and older clients (rest-api.md §1.4). */

import { STATUS_CODES } from 'node:http'
import type { Problem as ConfigProblem } from '../config/problems.ts'

export interface Problem {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** It is ours to look into: logged as an error, and its text is not shown. */
  readonly isUnexpected: boolean
}

/** The only table of statuses in the hub; codes come from every room. */
const STATUS: Readonly<Record<string, number>> = {
  'bad-json': 400,
  'bad-entity': 400,
  'bad-id': 400,
  // What was sent does not suit the program of the pipe that receives it.
  fail: 400,
  'bad-argument': 400,
  'too-much-work': 400,
  'too-much-memory': 503,
  'bad-request': 400,
  'bad-parameter': 400,
  'bad-body': 400,
  'body-broken': 400,
  'bad-url': 400,
  'bad-env': 400,
  'bad-zip': 400,
  'bad-secret': 400,
  'bad-name': 400,
  'not-supported': 400,
  'config-rejected': 400,
  'model-rejected': 400,
  'config-breaker-tripped': 400,
  'bad-tenant-name': 400,
  'unsupported-operation': 400,
  'query-invalid': 400,
  'bad-user': 400,
  'bad-password': 400,
  'bad-role': 400,
  'bad-token': 400,
  'bad-permissions': 400,
  unauthorized: 401,
  'invalid-token': 401,
  'wrong-password': 401,
  forbidden: 403,
  'pipe-forbidden': 403,
  'cross-site': 403,
  'tenant-protected': 403,
  'secrets-write-only': 403,
  'update-refused': 403,
  'developer-only': 403,
  'wrong-node': 400,
  'not-a-microservice': 400,
  'not-found': 404,
  'unknown-tenant': 404,
  'unknown-pipe': 404,
  'unknown-system': 404,
  'unknown-component': 404,
  'unknown-variable': 404,
  'unknown-secret': 404,
  'unknown-generation': 404,
  'unknown-dataset': 404,
  'unknown-entity': 404,
  'unknown-backup': 404,
  'unknown-subset': 404,
  'unknown-user': 404,
  'unknown-role': 404,
  'unknown-token': 404,
  'unknown-index': 404,
  'unknown-logger': 404,
  'unknown-rule': 404,
  'unknown-notification': 404,
  'bad-rule': 400,
  'too-many-rules': 409,
  'unknown-model': 404,
  'unknown-entity-type': 404,
  'unknown-link': 404,
  'dataset-not-populated': 404,
  'not-a-receiver': 404,
  'not-a-publisher': 404,
  'not-acceptable': 406,
  'tenant-exists': 409,
  'component-exists': 409,
  'no-containers': 409,
  'runner-active': 409,
  'user-exists': 409,
  'role-exists': 409,
  'last-admin': 409,
  'already-running': 409,
  'bad-webhook': 400,
  'bad-forwarded': 400,
  'bad-network-policy': 400,
  'would-lock-out': 409,
  'target-refused': 400,
  'unknown-webhook': 404,
  'too-many-webhooks': 429,
  'too-many-links': 429,
  'backup-running': 409,
  'no-backup-folder': 409,
  'index-in-use': 409,
  'model-implied': 409,
  'push-conflict': 409,
  'stale-entity': 409,
  'second-version': 409,
  'sequence-conflict': 409,
  'wrong-kind': 409,
  'breaker-open': 409,
  'breaker-tripped': 409,
  trip: 409,
  'breaker-not-tripped': 409,
  'not-developer': 409,
  'invalid-pipe': 409,
  'missing-secret': 409,
  'dataset-gone': 409,
  'since-too-old': 409,
  'not-erasable': 409,
  'slow-sender': 408,
  'body-too-large': 413,
  'entity-too-large': 413,
  'too-many-rows': 413,
  'url-too-long': 414,
  'models-too-large': 413,
  'unsupported-media-type': 415,
  'query-refused': 429,
  'headers-too-large': 431,
  'too-many-headers': 431,
  'too-many-logins': 429,
  'port-in-use': 500,
  // A preview asks the system behind the pipe, and it is that system which failed.
  'bad-status': 502,
  'invalid-system': 409,
  'system-unreachable': 502,
  'answer-broken': 502,
  'json-truncated': 502,
  'bad-header': 502,
  'bad-row': 502,
  'bad-encoding': 502,
  'bad-rdf': 502,
  'redirect-refused': 502,
  'no-next-page': 502,
  busy: 503,
  'too-many-connections': 503,
  'took-too-long': 503,
  'no-master-key': 503,
  'no-graph': 503,
  'graph-not-ready': 503,
  'graph-lost': 503,
  'pipe-unavailable': 503,
  'index-not-ready': 503,
  'pump-thread-lost': 503,
  'storage-failed': 503,
  'access-busy': 503,
  'writer-ended': 503,
  'tenant-restarting': 503,
  'query-timeout': 504,
}

/** When to come back, in seconds, for what passes by itself. */
const RETRY_AFTER: Readonly<Record<string, number>> = {
  busy: 2,
  'too-many-connections': 5,
  'took-too-long': 10,
  'graph-not-ready': 2,
  'graph-lost': 5,
  'pipe-unavailable': 10,
  'index-not-ready': 1,
  'pump-thread-lost': 2,
  'storage-failed': 30,
  'tenant-restarting': 1,
  'access-busy': 1,
}

/** Fastify's own refusals under our names. */
const RENAMED: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_BAD_URL: 'bad-url',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-body',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  // Of a body that is not what its Content-Encoding says.
  Z_DATA_ERROR: 'bad-body',
  Z_BUF_ERROR: 'bad-body',
}

/** Refusals of its plugins, which say no more than a status; their texts speak of folders of this machine. */
const OF_PLUGINS: Readonly<Record<number, string>> = {
  400: 'bad-request',
  403: 'forbidden',
  404: 'not-found',
}

const isOwn = (code: string): boolean => /^[a-z][a-z0-9-]*$/.test(code) && code !== 'unexpected'

const messageOf = ({ message, statusCode = 0 }: Coded, isOfPlugin: boolean): string =>
  isOfPlugin ? `${STATUS_CODES[statusCode]}.` : message

interface Coded extends Error {
  readonly statusCode?: number
  readonly code?: unknown
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly line?: number
  readonly column?: number
  readonly problems?: readonly ConfigProblem[]
}

export function problemOf(thrown: unknown): Problem {
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as Coded
  const given = typeof error.code === 'string' ? error.code : ''
  const byStatus = OF_PLUGINS[error.statusCode ?? 0]
  const code = RENAMED[given] ?? (byStatus !== undefined && !isOwn(given) ? byStatus : given)
  // Codes of the hub are lower case; those of Node (ENOENT) are not meant for callers.
  const isOurs = isOwn(code)
  const status = isOurs ? (STATUS[code] ?? 500) : 500
  const detail = isOurs ? messageOf(error, code === byStatus) : 'Something went wrong in the hub; its log says what.'
  const details = { ...position(error), ...error.details }
  const retryAfter = retryAfterOf(code, error)
  return {
    status,
    isUnexpected: !isOurs,
    headers: {
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
      ...(status === 401 ? { 'WWW-Authenticate': challengeOf(code) } : {}),
    },
    body: {
      type: isOurs ? `https://w3id.org/samtale/problem#${code}` : 'about:blank',
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail,
      message: detail,
      code: isOurs ? code : 'unexpected',
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details,
    },
  }
}

/** RFC 6750 §3: without a token nothing more is said than that one is needed. */
const challengeOf = (code: string): string => (code === 'invalid-token' ? 'Bearer error="invalid_token"' : 'Bearer')

/** Whoever throws knows best. */
function retryAfterOf(code: string, { details }: Coded): number | undefined {
  const said = details?.retryAfterSeconds
  return typeof said === 'number' ? Math.max(1, Math.ceil(said)) : RETRY_AFTER[code]
}

const position = ({ line, column }: Coded): Record<string, number> =>
  typeof line === 'number' && typeof column === 'number' ? { line, column } : {}
