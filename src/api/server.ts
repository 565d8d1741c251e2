/** Opens the doors of a node: one HTTP server for all tenants. */

import type { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Node } from '../hub/contract.ts'
import { masked } from '../model/masked.ts'
import { choose } from './accept.ts'
import { told } from './audit-trail.ts'
import { Authenticator } from './authenticate.ts'
import { inflated } from './compress.ts'
import type { Doors } from './doors.ts'
import { ApiError } from './errors.ts'
import { answerClientError } from './limits/client-error.ts'
import { Guard, serverSettings } from './limits/guard.ts'
import { defaultLimits, type Limits } from './limits/limits.ts'
import { detailsOf, type Log } from './log.ts'
import { loginPage } from './login/page.ts'
import { callerOf, isLoopbackHost, may } from './may.ts'
import { mount, userOf } from './mount.ts'
import { problemOf } from './problem.ts'
import { describeApi } from './reference.ts'
import { refusal } from './refusal.ts'
import { logRequests, requestIdOf } from './request-log.ts'
import { createRoutes } from './routes.ts'

export interface ServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly doors: Doors
  /** Whoever comes must show who they are. Without it only this machine is answered. */
  readonly authenticates?: boolean
  /** Certificate and key, as PEM. */
  readonly tls?: Tls
  /** Hears of requests and of unexpected errors; otherwise the node's own. */
  readonly log?: Log
  /** What callers may ask of the hub at most; those that are not said are as usual. */
  readonly limits?: Partial<Limits>
  /** Longest time a SPARQL query may ask for. */
  readonly queryTimeoutMs?: number
}

export interface Tls {
  readonly cert: string
  readonly key: string
}

export interface Server {
  readonly url: string
  /** Another certificate for connections that come from now on. */
  renewTls(tls: Tls): void
  /** Lets requests under way finish for a moment, then ends them. */
  close(): Promise<void>
}

const CLOSE_GRACE_MS = 2_000
const IDLE_MS = 20

export async function openServer(node: Node, options: ServerOptions): Promise<Server> {
  if (options.authenticates !== true && !isLoopbackHost(options.host)) {
    throw new ApiError(
      'host-not-loopback',
      `Without authentication the hub serves this machine only; '${options.host}' is not a loopback address.`,
      {
        hint: 'Use 127.0.0.1, ::1 or localhost, or leave --developer out.',
      },
    )
  }
  const app = await createApp(node, options)
  await listen(app, options)
  const { address, port } = app.server.address() as AddressInfo
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${port}`,
    renewTls: (tls) => (app.server as unknown as SecureServer).setSecureContext(tls),
    close: () => close(app),
  }
}

async function createApp(node: Node, options: ServerOptions): Promise<FastifyInstance> {
  const mask = (text: string) => node.mask(text)
  const log = options.log ?? node.logs.logger('api')
  const limits = { ...defaultLimits, ...options.limits }
  const guard = new Guard({ limits, policy: () => node.network(), log })
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    genReqId: requestIdOf,
    ...(options.tls === undefined
      ? { http: serverSettings(limits) }
      : { https: { ...serverSettings(limits), ...options.tls, minVersion: 'TLSv1.2' as const } }),
    requestTimeout: limits['body-seconds'] * 1_000,
    keepAliveTimeout: limits['idle-seconds'] * 1_000,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, guard.refusals),
    // An address that cannot be decoded reaches no route, but gets the same kind of answer.
    frameworkErrors: (error, request, reply) => {
      answerError(refusalBefore(guard, request, reply) ?? error, request, reply, log, null, mask)
    },
    bodyLimit: limits['body-bytes'],
    routerOptions: { maxParamLength: limits['url-bytes'], ignoreTrailingSlash: true },
  }) as FastifyInstance
  logRequests(app, log, userOf)
  guard.watch(app)
  // Bodies stay bytes: only the route knows what they are, and large ones are parsed elsewhere.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  app.decorateRequest('caller')
  app.decorateRequest('about', null)
  app.decorateRequest('problem', null)
  const authenticator = options.authenticates === true ? new Authenticator(node) : null
  app.addHook('onRequest', async (request) => {
    request.caller = authenticator === null ? callerOf(request.raw) : await authenticator.callerOf(request)
    // Routes ask for what they need; the rest, and what is not there at all, is for those who may come in.
    const { isDoor: isOurs = false, isOpen = false } = request.routeOptions.config
    const isDoor = isOpen || (isOurs && request.caller.kind !== 'elsewhere')
    if (!isDoor && !may(request.caller, 'read', { kind: 'node', tenant: 'default' })) {
      throw refusal(request.caller, 'view')
    }
  })
  app.addHook('preParsing', async (request, _reply, payload) =>
    inflated(request.headers['content-encoding'], payload as Readable, limits['inflate-ratio']),
  )
  if (authenticator !== null) {
    app.addHook('onResponse', async (request, reply) => {
      const event = told(request, reply.statusCode)
      if (event !== null) node.audit.tell(event.tenant, event.event, event.isFrequent)
    })
  }
  answerErrors(app, log, authenticator, mask)
  const settings = {
    node,
    doors: options.doors,
    log,
    limits,
    linkOf: async (request: FastifyRequest) => (await authenticator?.linkOf(request)) ?? null,
  }
  const { routes, measure } = createRoutes({
    node,
    doors: options.doors,
    queryTimeoutMs: options.queryTimeoutMs ?? 30_000,
    authenticates: authenticator !== null,
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

function answerErrors(app: FastifyInstance, log: Log, authenticator: Authenticator | null, mask: Mask): void {
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log, authenticator, mask))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]
    const error = new ApiError('not-found', `There is nothing at ${request.method} ${path}.`)
    return answerError(error, request, reply, log, authenticator, mask)
  })
}

type Mask = (text: string) => string

/** No secret is told, whatever an error says of what somebody else has answered. */
function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
  authenticator: Authenticator | null,
  mask: Mask,
): FastifyReply {
  const { status, headers, body, isUnexpected } = problemOf(error)
  const path = request.url.split('?', 1)[0]
  if (isUnexpected)
    log.error('A request failed.', { request: request.id, method: request.method, path, ...detailsOf(error) })
  request.problem = String(body.code)
  if (authenticator !== null && status === 401 && wantsPage(request)) {
    // The pages of the reference come with a policy of their own, which would not suit this one.
    if (request.routeOptions.config.isDoor !== true) {
      return reply
        .code(303)
        .headers({ Location: `/login?next=${encodeURIComponent(request.url)}` })
        .send('')
    }
    const page = loginPage({ next: request.url, problem: null })
    return reply
      .code(status)
      .headers({ ...headers, ...page.headers })
      .type('text/html; charset=utf-8')
      .send(page.body)
  }
  const type = problemType(request.url, request.headers.accept)
  return reply
    .code(status)
    .headers({ ...headers, 'X-Request-Id': request.id })
    .type(type)
    .send(JSON.stringify(masked({ ...body, request_id: request.id }, mask)))
}

/** Somebody at a browser, who can log in and go on from there. */
const wantsPage = ({ method, headers }: FastifyRequest): boolean =>
  method === 'GET' &&
  headers.authorization === undefined &&
  choose(headers.accept, ['application/json', 'text/html']) === 'text/html'

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
