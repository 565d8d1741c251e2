/** Each request has an id, which its answer gives back and every line about it names; one line tells of it when it is over. */

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { User } from '../hub/contract.ts'
import type { Log } from './log.ts'

/** What an id from outside may be: it goes into headers and logs as it is. */
const SANE = /^[A-Za-z0-9][A-Za-z0-9._:@+/=-]{0,127}$/

/** The one that was sent along, when it is sane, or a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}

/** Asked by machines every few seconds: not worth a line unless somebody looks closely. */
const PROBES = /^(?:\/t\/:tenant)?\/api\/(?:health(?:\/live|\/ready)?|ping|metrics)$/

/** `userOf`: who asks, once the request is over. Before all other hooks, so that no refusal goes unnamed. */
export function logRequests(app: FastifyInstance, log: Log, userOf: (request: FastifyRequest) => User): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id)
    // An answer that is over may have let go of its connection.
    const { socket } = request
    const before = socket.bytesWritten
    // 'close' comes in any case, also when the client goes away.
    reply.raw.once('close', () => tell(log, request, reply, socket.bytesWritten - before, userOf(request)))
    done()
  })
}

function tell(log: Log, request: FastifyRequest, reply: FastifyReply, bytesOut: number, user: User): void {
  const { method, routeOptions, id, url } = request
  const status = reply.raw.statusCode
  const isWhole = reply.raw.writableFinished
  const route = routeOptions.url ?? null
  const path = url.split('?', 1)[0] as string
  const ms = Math.round(reply.elapsedTime * 10) / 10
  const level = status >= 500 ? 'warn' : route !== null && PROBES.test(route) ? 'debug' : 'info'
  log[level](`${method} ${path} ${status}${isWhole ? '' : ', broken off'} in ${ms} ms.`, {
    request: id,
    method,
    route,
    path,
    status,
    ms,
    bytes_in: bytesIn(request),
    bytes_out: Math.max(0, bytesOut),
    ...((request.params as Record<string, string> | undefined)?.tenant === undefined
      ? {}
      : { tenant: (request.params as Record<string, string>).tenant }),
    ...(user.user_id === null ? {} : { user: user.user_id }),
    remote: user.remote_addr,
    ...(isWhole ? {} : { broken_off: true }),
  })
}

/** Of the body: as it was read, or as it was announced. */
function bytesIn({ body, headers }: FastifyRequest): number {
  if (body instanceof Uint8Array) return body.length
  const announced = Number(headers['content-length'] ?? 0)
  return Number.isSafeInteger(announced) ? announced : 0
}
