/** Opens the doors of a node: one HTTP server for all tenants. */

import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Node } from '../hub/contract.ts'
import type { Doors } from './doors.ts'
import { ApiError } from './errors.ts'
import { answerClientError } from './limits/client-error.ts'
import { Guard, serverSettings } from './limits/guard.ts'
import { defaultLimits, type Limits } from './limits/limits.ts'
import { detailsOf, type Log } from './log.ts'
import { callerOf, isLoopbackHost, may } from './may.ts'
import { forbidden, mount, userOf } from './mount.ts'
import { problemOf } from './problem.ts'
import { describeApi } from './reference.ts'
import { logRequests, requestIdOf } from './request-log.ts'
import { createRoutes } from './routes.ts'

export interface ServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly doors: Doors
  /** Hears of requests and of unexpected errors; otherwise the node's own. */
  readonly log?: Log
  /** What callers may ask of the hub at most; those that are not said are as usual. */
  readonly limits?: Partial<Limits>
  /** Longest time a SPARQL query may ask for. */
  readonly queryTimeoutMs?: number
}

export interface Server {
  readonly url: string
  /** Lets requests under way finish for a moment, then ends them. */
  close(): Promise<void>
}

const CLOSE_GRACE_MS = 2_000
const IDLE_MS = 20

export async function openServer(node: Node, options: ServerOptions): Promise<Server> {
  if (!isLoopbackHost(options.host)) {
    throw new ApiError(
      'host-not-loopback',
      `The hub serves this machine only; '${options.host}' is not a loopback address.`,
      {
        hint: 'Use 127.0.0.1, ::1 or localhost.',
      },
    )
  }
  const app = await createApp(node, options)
  await listen(app, options)
  const { address, port } = app.server.address() as AddressInfo
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    close: () => close(app),
  }
}

async function createApp(node: Node, options: ServerOptions): Promise<FastifyInstance> {
  const log = options.log ?? node.logs.logger('api')
  const limits = { ...defaultLimits, ...options.limits }
  const guard = new Guard({ limits, policy: () => node.network(), log })
  const app: FastifyInstance = fastify({
    logger: false,
    exposeHeadRoutes: false,
    genReqId: requestIdOf,
    http: serverSettings(limits),
    requestTimeout: limits['body-seconds'] * 1_000,
    keepAliveTimeout: limits['idle-seconds'] * 1_000,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, guard.refusals),
    // An address that cannot be decoded reaches no route, but gets the same kind of answer.
    frameworkErrors: (error, request, reply) => {
      answerError(refusalBefore(guard, request, reply) ?? error, request, reply, log)
    },
    bodyLimit: limits['body-bytes'],
    routerOptions: { maxParamLength: limits['url-bytes'], ignoreTrailingSlash: true },
  })
  logRequests(app, log, userOf)
  guard.watch(app)
  // Bodies stay bytes: only the route knows what they are, and large ones are parsed elsewhere.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  app.decorateRequest('caller')
  app.addHook('onRequest', async (request) => {
    request.caller = callerOf(request.raw)
    const isOpen = request.routeOptions.config.isOpen === true
    if (!isOpen && !may(request.caller, 'read', { kind: 'node', tenant: 'default' })) throw forbidden(request.caller)
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      throw new ApiError(
        'unsupported-media-type',
        `Bodies with Content-Encoding '${encoding}' are not read; send them plain.`,
      )
    }
  })
  answerErrors(app, log)
  const settings = {
    node,
    doors: options.doors,
    log,
    limits,
  }
  const { routes, measure } = createRoutes({
    node,
    doors: options.doors,
    queryTimeoutMs: options.queryTimeoutMs ?? 30_000,
    log,
    guard,
  })
  app.addHook('onResponse', async (request, reply) =>
    measure(request.method, request.routeOptions.url ?? '(none)', reply.statusCode, reply.elapsedTime / 1000),
  )
  await app.register(async (scope) => {
    await describeApi(scope, node)
    mount(scope, routes, settings)
  })
  return app
}

/** What an address that leads nowhere gets when its caller may not come in at all. */
function refusalBefore(guard: Guard, request: FastifyRequest, reply: FastifyReply): unknown {
  try {
    guard.check(request, reply)
    return undefined
  } catch (refusal) {
    return refusal
  }
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]
    return answerError(new ApiError('not-found', `There is nothing at ${request.method} ${path}.`), request, reply, log)
  })
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const { status, headers, body, isUnexpected } = problemOf(error)
  const path = request.url.split('?', 1)[0]
  if (isUnexpected)
    log.error('A request failed.', { request: request.id, method: request.method, path, ...detailsOf(error) })
  const type = problemType(request.url, request.headers.accept)
  return reply
    .code(status)
    .headers({ ...headers, 'X-Request-Id': request.id })
    .type(type)
    .send(JSON.stringify({ ...body, request_id: request.id }))
}

/** `application/json` below `/api`, where older clients look; problem details when asked for and at the other doors. */
function problemType(url: string, accept: string | undefined): string {
  const isApi = /^(?:\/t\/[^/]*)?\/api(?:[/?]|$)/.test(url)
  const asksForProblem = /application\/problem\+json/i.test(accept ?? '')
  const type = isApi && !asksForProblem ? 'application/json' : 'application/problem+json'
  return `${type}; charset=utf-8`
}

async function listen(app: FastifyInstance, { host, port }: ServerOptions): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new ApiError('port-in-use', `Port ${port} of ${host} is in use by another program.`, {
      hint: 'End that program, or choose another port with --port (0 picks a free one).',
      details: { host, port },
      cause,
    })
  }
}

async function close(app: FastifyInstance): Promise<void> {
  const end = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS)
  // A connection that was busy when the server closed stays open for another request, which will not be answered.
  const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_MS)
  try {
    await app.close()
  } finally {
    clearTimeout(end)
    clearInterval(idle)
  }
}
