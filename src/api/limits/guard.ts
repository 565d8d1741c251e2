/** Stands before all doors: lets in by address, counts, queues, and watches how fast bytes move. Before anybody is asked who they are. */

import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isWithinAny, LOOPBACK, parseAddress } from '../../config/address.ts'
import type { NetworkPolicy } from '../../config/network-policy.ts'
import { decodedAgain } from '../decoded-again.ts'
import { ApiError } from '../errors.ts'
import type { Log } from '../log.ts'
import { type CallerAddress, callerAddress } from '../network/caller-address.ts'
import { problemOf } from '../problem.ts'
import { type Admission, Connections } from './connections.ts'
import { Gate } from './gate.ts'
import type { Limits, Work } from './limits.ts'
import { Pace } from './pace.ts'
import { Pipelines } from './pipelines.ts'
import { type Refusal, Refusals } from './refusals.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Where it comes from, proxies seen through. */
    from: CallerAddress
  }
  interface FastifyContextConfig {
    work?: Work
    /** The route is where a pipe takes in or gives out; `params.id` names it. */
    isEndpoint?: boolean
    /** What is held of the largest body. */
    bodyBytes?: number
  }
}

export interface GuardOptions {
  readonly limits: Limits
  readonly policy: () => NetworkPolicy
  readonly log: Log
}

/** Settings of Node's own server, which bounds heads and waits for them. */
export const serverSettings = (limits: Limits): ServerOptions => ({
  maxHeaderSize: limits['header-bytes'],
  headersTimeout: Math.min(limits['header-seconds'], limits['body-seconds']) * 1_000,
  requestTimeout: limits['body-seconds'] * 1_000,
  keepAliveTimeout: limits['idle-seconds'] * 1_000,
  connectionsCheckingInterval: CHECK_MS,
  // We ask for it ourselves, and say so.
  requireHostHeader: false,
})

const CHECK_MS = 1_000
/** Of connections that are too many, so many are still told so. */
const TOLD_SHARE = 10
const TOLD_LEAST = 100
/** They have so long to ask, and be told. */
const TOLD_MS = 2_000

export class Guard {
  readonly limits: Limits
  readonly gate: Gate
  readonly connections: Connections
  readonly refusals: Refusals
  readonly #policy: () => NetworkPolicy
  readonly #pace: Pace
  readonly #pipelines = new Pipelines()
  readonly #surplus = new WeakMap<Socket, Exclude<Admission, 'open'>>()

  constructor({ limits, policy, log }: GuardOptions) {
    this.limits = limits
    this.gate = new Gate(limits)
    this.connections = new Connections(limits)
    this.refusals = new Refusals(log)
    this.#policy = policy
    this.#pace = new Pace(limits, (side, response) => {
      this.refusals.count(side, response.socket?.remoteAddress ?? null)
      if (side === 'slow-reader' || response.headersSent) response.destroy()
      else cutSender(response)
    })
  }

  /** Before any other hook. */
  watch(app: FastifyInstance): void {
    const { server } = app
    const most = this.limits.connections
    server.maxConnections = most + Math.max(TOLD_LEAST, Math.ceil(most / TOLD_SHARE))
    // One more than is allowed, so that too many can be told from just enough.
    server.maxHeadersCount = this.limits['header-count'] + 1
    server.on('connection', (socket: Socket) => this.#admit(socket))
    server.on('drop', (dropped) => this.refusals.count('connections', dropped?.remoteAddress ?? null))
    app.decorateRequest('from')
    app.addHook('onRequest', (request, reply, done) => {
      // What came along with a request for which the connection was cut.
      if (request.raw.socket.destroyed) return
      try {
        this.check(request, reply)
      } catch (error) {
        done(error as Error)
        return
      }
      const { socket } = request.raw
      const isInLine = this.#pipelines.enter(socket, reply.raw, () => this.#enter(request, reply, done))
      if (isInLine) return
      this.refusals.count('pipeline', request.from.text)
      socket.destroy()
    })
    app.addHook('onClose', async () => this.#pace.close())
  }

  /** Throws what the caller is told who may not come in, or whose request is too much as it stands. */
  check(request: FastifyRequest, reply: FastifyReply): void {
    const surplus = this.#surplus.get(request.raw.socket)
    if (surplus !== undefined) {
      void reply.header('connection', 'close')
      throw this.#refusal(surplus, request, new ApiError('too-many-connections', 'Too many connections are open.'))
    }
    this.#checkAddress(request)
    const hosts = hostsOf(request.raw)
    if (hosts > 1 || (hosts === 0 && request.raw.httpVersion !== '1.0')) {
      throw this.#refusal('malformed', request, new ApiError('bad-request', 'The request needs one header Host.'))
    }
    if (request.raw.rawHeaders.length > this.limits['header-count'] * 2) {
      throw this.#refusal('headers', request, new ApiError('too-many-headers', 'The request has too many headers.'))
    }
    if (request.url.length > this.limits['url-bytes']) {
      throw this.#refusal('url', request, new ApiError('url-too-long', 'The address of the request is too long.'))
    }
  }

  #checkAddress(request: FastifyRequest): void {
    const policy = this.#policy()
    request.from = callerAddress(request.raw, policy)
    if (endpointsOf(request).every((endpoint) => policy.admits(request.from.address, endpoint))) return
    // Why, and what is here, is nothing to tell to a stranger; the log says it.
    throw this.#refusal('address', request, new ApiError('forbidden', 'Forbidden.'))
  }

  #refusal(reason: Refusal, request: FastifyRequest, error: ApiError): ApiError {
    this.refusals.count(reason, request.from?.text ?? request.raw.socket.remoteAddress ?? null)
    return error
  }

  #admit(socket: Socket): void {
    const { remoteAddress = null } = socket
    const address = remoteAddress === null ? undefined : parseAddress(remoteAddress)
    // Behind a proxy are many, and whoever is on this machine has other means.
    const isCounted = address !== undefined && !isWithinAny(address, LOOPBACK) && !this.#policy().isTrusted(address)
    const counted = isCounted ? remoteAddress : null
    const admission = this.connections.add(counted)
    socket.once('close', () => this.connections.remove(counted))
    if (admission === 'open') return
    this.#surplus.set(socket, admission)
    setTimeout(() => socket.destroy(), TOLD_MS).unref()
  }

  #enter(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    const { work = 'simple' } = request.routeOptions.config ?? {}
    let leave = () => {}
    const withdraw = this.gate.enter(work, this.#bodyBytes(request), (error, left) => {
      leave = left
      if (error !== null) return done(this.#refusal('busy', request, error))
      this.#pace.watch(request.raw, reply.raw)
      done()
    })
    reply.raw.once('close', () => {
      withdraw()
      leave()
    })
  }

  /** What is held in memory while the request is taken in. */
  #bodyBytes({ headers, routeOptions }: FastifyRequest): number {
    const most = routeOptions.config?.bodyBytes ?? this.limits['body-bytes']
    if (headers['transfer-encoding'] !== undefined || headers['content-encoding'] !== undefined) return most
    const length = Number(headers['content-length'] ?? 0)
    return Number.isFinite(length) ? Math.min(length, most) : 0
  }
}

/** Of two of them a proxy before us may have believed the other one. */
function hostsOf({ rawHeaders }: IncomingMessage): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}

interface Endpoint {
  readonly tenant: string
  readonly pipe: string
}

/** The node itself, where no endpoint of a pipe is asked for. */
const NONE = [undefined]

/**
 * The pipe whose endpoint is asked for; under both names that its id may stand for (see `decodedAgain`). An address that could
 * not be read has no parameters, and leads to no route.
 */
function endpointsOf(request: FastifyRequest): readonly (Endpoint | undefined)[] {
  const params = request.params as Readonly<Record<string, string>> | null
  if (params === null || request.routeOptions.config?.isEndpoint !== true) return NONE
  const names = [params.id, decodedAgain(params)?.id].filter((id) => id !== undefined)
  return names.map((pipe) => ({ tenant: params.tenant ?? 'default', pipe }))
}

/** It is told, and the connection goes: what is still to come would be taken for the next request. */
function cutSender(response: ServerResponse): void {
  const error = new ApiError('slow-sender', 'The request came too slowly.')
  const { body } = problemOf(error)
  response.writeHead(408, { 'content-type': 'application/json; charset=utf-8', connection: 'close' })
  response.end(JSON.stringify(body), () => response.socket?.destroySoon())
}
