/** Which requests the audit log tells of: all that changes something, and all that is refused. Plain reading is not told. */

import type { FastifyRequest } from 'fastify'
import type { AuditEvent } from '../hub/access/audit.ts'

/** Ids come from whoever asks. */
const MAX_ID = 200

const REFUSED: ReadonlySet<number> = new Set([401, 403, 429])
/** These tell of themselves, with what only they know. */
const OWN: ReadonlySet<string> = new Set(['/api/jwt', '/login', '/logout'])

export interface Told {
  readonly tenant: string
  readonly event: AuditEvent
  /** At the pace of data: alike ones become one entry. */
  readonly isFrequent: boolean
}

export function told(request: FastifyRequest, status: number): Told | null {
  const { about = null, caller } = request
  const isRefused = REFUSED.has(status)
  const changes = about !== null && about.action !== 'read'
  if (!isRefused && !changes) return null
  const route = request.routeOptions?.url ?? '(none)'
  if (OWN.has(route)) return null
  const { kind = 'node', id, tenant = 'default' } = about?.resource ?? {}
  const known = caller?.kind === 'principal' ? caller : null
  // Strangers ask for whatever they like, as often as they like: what they asked for is told by kind.
  const isOfStranger = caller?.kind !== 'link' && (known?.tokenId ?? null) === null
  return {
    tenant,
    isFrequent: isRefused ? isOfStranger : about?.access === 'write_data',
    event: {
      event: isRefused ? 'refused' : 'request',
      user: known?.user.user_id ?? null,
      email: known?.user.email ?? null,
      token: caller?.kind === 'link' ? caller.id : (known?.tokenId ?? null),
      address: request.from?.text ?? null,
      method: request.method,
      route,
      resource: id === undefined || isOfStranger ? kind : `${kind}:${id.slice(0, MAX_ID)}`,
      action: about?.access ?? 'none',
      status,
      reason: request.problem ?? null,
    },
  }
}
