/** Hangs routes into Fastify: for the default tenant at the root and for the others below `/t/<tenant>`. */

import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { type TObject, type TSchema, Type } from 'typebox'
import type { Node, User } from '../hub/contract.ts'
import type { Answer } from './answer.ts'
import { COMPRESSED, compressed, compressedStream, isLarge, isWorthwhile } from './compress.ts'
import { decodedAgain } from './decoded-again.ts'
import { type Doors, doorsFor } from './doors.ts'
import { ApiError } from './errors.ts'
import { type Limits, limitOf } from './limits/limits.ts'
import { inTime } from './limits/time.ts'
import { turnFor } from './limits/turns.ts'
import { isEndpoint, workOf } from './limits/work.ts'
import { detailsOf, type Log } from './log.ts'
import { discard, type Incoming } from './long-body.ts'
import { type Access, type Action, accessOf, type Caller, may, type Resource } from './may.ts'
import { type Given, readParameters } from './parameters.ts'
import { refusal } from './refusal.ts'
import { ProblemShape } from './rest/shapes.ts'
import type { Call, Route } from './route.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** One of ours: it asks for itself whether somebody may. */
    isDoor?: boolean
    /** Anybody may ask. */
    isOpen?: boolean
  }
  interface FastifyRequest {
    caller: Caller
    /** What the route is about; null: there is no such route. */
    about: About | null
    /** Code of the error it was answered with. */
    problem: string | null
  }
}

/** What somebody wants to do to what. */
export interface About {
  readonly action: Action
  readonly access: Access
  readonly resource: Resource
}

export interface MountOptions {
  readonly node: Node
  readonly doors: Doors
  readonly log: Log
  readonly limits: Limits
  /** Who it is that holds a shareable link; null: it opens nothing here. */
  readonly linkOf: (request: FastifyRequest) => Promise<Caller | null>
}

const TENANT = 'tenant'
const NO_PARAMETERS = Type.Object({})
const LONG_HELD_BYTES = 16 * 1024 * 1024

export function mount(app: FastifyInstance, routes: readonly Route[], options: MountOptions): void {
  const all = (scope: FastifyInstance, some: readonly Route[]): void => {
    for (const route of some) {
      mountOne(scope, '', route, options)
      if (!route.isNodeOnly) mountOne(scope, `/t/:${TENANT}`, route, options)
    }
  }
  all(
    app,
    routes.filter(({ takesLong }) => takesLong !== true),
  )
  // Where bodies may be long, they are left where they are until somebody reads them.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    all(
      scope,
      routes.filter(({ takesLong }) => takesLong === true),
    )
  })
}

function mountOne(app: FastifyInstance, prefix: string, route: Route, options: MountOptions): void {
  const { node, log, limits } = options
  const work = workOf(route)
  const bodyBytes = limits[route.takesBulk ? 'bulk-bytes' : 'body-bytes']
  const definition: RouteOptions = {
    method: route.method,
    url: prefix + route.path,
    bodyLimit: bodyBytes,
    // What may be long goes on piece by piece; a part of it is held.
    config: {
      work,
      bodyBytes: route.takesLong ? Math.min(bodyBytes, LONG_HELD_BYTES) : bodyBytes,
      isEndpoint: isEndpoint(route),
      isDoor: true,
      isOpen: route.isOpen === true,
    },
    schema: { ...describe(route), hide: prefix !== '' },
    // Before the body is read: whoever may not do it need not send it.
    onRequest: async (request) => {
      assertExpected(node, request.headers['x-expected-node-id'])
      const { action } = route
      const access = needOf(route)
      const resource = resourceOf(route, request.params as Record<string, string>)
      request.about = { action, access, resource }
      if (route.isShareable === true) request.caller = (await options.linkOf(request)) ?? request.caller
      const isAllowed = route.isOpen === true || may(request.caller, action, resource, access)
      // Who may not come in does not learn which tenants there are.
      if (!isAllowed) throw refusal(request.caller, access)
      tenantOf(node, request)
    },
    handler: async (request, reply) => {
      const gone = new Gone(reply)
      try {
        const { body } = request
        // What is sent to receivers is read by other threads.
        if (body instanceof Uint8Array && !isEndpoint(route)) await turnFor(body.length)
        const made = begin(route, request, callOf(request, route, options, gone))
        return await send(
          request,
          reply,
          await inTime(made, limitOf(limits, work, 'seconds'), () => gone.giveUp()),
          log,
        )
      } finally {
        if (route.takesLong) discard(request.raw)
      }
    },
  }
  app.route(definition)
  if (route.method === 'GET') app.route({ ...definition, method: 'HEAD', schema: { hide: true } })
}

/** Whoever says which node it means is told when it is another one (rest-api.md §1.5). */
function assertExpected(node: Node, expected: string | readonly string[] | undefined): void {
  if (expected === undefined || expected === node.id) return
  throw new ApiError('wrong-node', `This is the node '${node.id}', not '${expected}'.`)
}

/** Some old clients escape ids twice: what is not found is looked for once more under its other name (rest-api.md §1.3). */
function handleTolerantly(route: Route, request: FastifyRequest, call: Call): Promise<Answer> | Answer {
  const again = (error: unknown): Promise<Answer> | Answer => {
    const params = isNotFound(error) ? decodedAgain(call.params) : null
    const isAllowed = params !== null && may(request.caller, route.action, resourceOf(route, params), needOf(route))
    if (!isAllowed) throw error
    // Its signal is made when it is asked for, here as well.
    return route.handle(Object.create(call, { params: { value: params } }) as Call)
  }
  try {
    const made = route.handle(call)
    return made instanceof Promise ? made.catch(again) : made
  } catch (error) {
    return again(error)
  }
}

const NOT_FOUND: ReadonlySet<unknown> = new Set(['unknown-pipe', 'unknown-system', 'unknown-dataset'])

const isNotFound = (error: unknown): boolean => NOT_FOUND.has((error as { readonly code?: unknown }).code)

const needOf = ({ access, isOpen, action, resource }: Route): Access =>
  isOpen === true ? 'public' : (access ?? accessOf(action, resource))

function callOf(request: FastifyRequest, route: Route, options: MountOptions, gone: Gone): Call {
  const { node, doors, limits } = options
  const params = request.params as Record<string, string>
  const given = request.query as Given
  const prefix = params[TENANT] === undefined ? '' : `/t/${params[TENANT]}`
  const path = request.url.split('?', 1)[0] as string
  return {
    node,
    tenant: tenantOf(node, request),
    origin: `${request.protocol}://${request.host}`,
    prefix,
    doors: doorsFor(request.caller, doors),
    params,
    query: readParameters(route.query ?? NO_PARAMETERS, given),
    given,
    headers: request.headers,
    method: request.method,
    path: prefix === '' ? path : path.slice(path.indexOf('/', '/t/'.length)),
    body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    incoming: request.body instanceof Readable ? incomingOf(request, request.body, limits['bulk-bytes']) : null,
    contentType: request.headers['content-type'] ?? '',
    caller: request.caller,
    user: userOf(request),
    from: request.from,
    requestId: request.id,
    may: (access, kind, id) => {
      const resource = { kind, tenant: params[TENANT] ?? 'default', ...(id === undefined ? {} : { id }) }
      return may(request.caller, 'read', resource, access)
    },
    // Made when it is asked for: most calls have answered before anybody could go away.
    get signal() {
      return gone.signal
    },
  }
}

/** What a compressed body will be as long as, its Content-Length does not say. */
function incomingOf({ headers }: FastifyRequest, stream: Readable, mostBytes: number): Incoming {
  const length = Number(headers['content-length'] ?? Number.NaN)
  const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity'
  return { stream, mostBytes, announced: isPlain && !Number.isNaN(length) ? length : null }
}

/** Without a token all that is known is the machine that asks. */
export function userOf(request: FastifyRequest): User {
  const { caller, from, id } = request
  if (caller?.kind === 'principal') return { ...caller.user, request_id: id }
  // Who was refused at once was not looked at; and an answer that is over may have let go of its connection.
  const socket: FastifyRequest['socket'] | null = request.socket
  return { user_id: null, email: null, remote_addr: from?.text ?? socket?.remoteAddress ?? null, request_id: id }
}

/** Tells whoever works for a call that nobody waits for it any more. */
class Gone {
  readonly #reply: FastifyReply
  #controller: AbortController | undefined

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#listen(new AbortController())
    return this.#controller.signal
  }

  giveUp(): void {
    this.#controller ??= new AbortController()
    this.#controller.abort()
  }

  #listen(controller: AbortController): AbortController {
    const { raw } = this.#reply
    raw.once('close', () => {
      if (!raw.writableFinished) controller.abort()
    })
    return controller
  }
}

function tenantOf(node: Node, request: FastifyRequest) {
  const name = (request.params as Record<string, string>)[TENANT] ?? 'default'
  const tenant = node.tenant(name)
  if (tenant === undefined) throw new ApiError('unknown-tenant', `There is no tenant '${name}'.`)
  return tenant
}

function resourceOf(route: Route, params: Readonly<Record<string, string>>): Resource {
  const id = params[route.resourceParameter ?? 'id']
  // A tenant that is named is what it is about, wherever the route hangs.
  const named = route.resource === 'tenant' && route.resourceParameter === 'name' ? id : undefined
  const tenant = params[TENANT] ?? named ?? 'default'
  return { kind: route.resource, tenant, ...(id === undefined ? {} : { id }) }
}

/** An answer whose first chunk is there, where it has any. */
interface Begun {
  readonly answer: Answer
  readonly chunks?: AsyncIterator<Chunk>
  readonly first?: IteratorResult<Chunk>
}

/** The first chunk is fetched before the status is sent, so that an error at the start still gets its own. */
function begin(route: Route, request: FastifyRequest, call: Call): Promise<Begun> | Begun {
  const made = handleTolerantly(route, request, call)
  return made instanceof Promise ? made.then((answer) => begun(answer, call)) : begun(made, call)
}

function begun(answer: Answer, { method }: Call): Promise<Begun> | Begun {
  if (typeof answer.body === 'string' || answer.body instanceof Uint8Array) return { answer }
  const chunks = answer.body[Symbol.asyncIterator]()
  const first = method === 'HEAD' ? chunks.return?.() : chunks.next()
  return (first ?? Promise.resolve(NOTHING)).then((one) => ({
    answer,
    chunks,
    first: method === 'HEAD' ? NOTHING : one,
  }))
}

const NOTHING: IteratorResult<Chunk> = { done: true, value: undefined }

async function send(request: FastifyRequest, reply: FastifyReply, { answer, chunks, first }: Begun, log: Log) {
  const { body, status = 200, contentType, headers = {} } = answer
  reply.code(status).headers(headers).type(contentType)
  const isHead = request.method === 'HEAD'
  const asked = request.headers['accept-encoding']
  const compresses = !isHead && isWorthwhile(asked, contentType)
  // Who keeps answers must not give a compressed one to somebody else.
  if (asked !== undefined) reply.header('vary', headers.Vary === undefined ? ENCODING : `${headers.Vary}, ${ENCODING}`)
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const isCompressed = compresses && isLarge(body.length)
    if (isCompressed) return reply.headers(COMPRESSED).send(await compressed(Buffer.from(body)))
    return reply.send(typeof body === 'string' ? body : Buffer.from(body))
  }
  if (chunks === undefined || first === undefined || first.done === true) return reply.send(Readable.from([]))
  const { gathered, isAll } = compresses ? await enough(first.value, chunks) : { gathered: [first.value], isAll: false }
  const path = request.url.split('?', 1)[0]
  const broken = (error: unknown) =>
    log.error('An answer broke off.', { request: request.id, path, ...detailsOf(error) })
  const stream = Readable.from(isAll ? gathered : follow(gathered, chunks, broken), { highWaterMark: 1 })
  if (!compresses || isAll) return reply.send(stream)
  return reply.headers(COMPRESSED).send(compressedStream(stream))
}

/** So many chunks that it is known whether it is worth while to compress them. */
async function enough(
  first: Chunk,
  chunks: AsyncIterator<Chunk>,
): Promise<{ readonly gathered: readonly Chunk[]; readonly isAll: boolean }> {
  const gathered = [first]
  for (let length = first.length; !isLarge(length); ) {
    const next = await chunks.next()
    if (next.done === true) return { gathered, isAll: true }
    gathered.push(next.value)
    length += next.value.length
  }
  return { gathered, isAll: false }
}

const ENCODING = 'Accept-Encoding'

type Chunk = string | Uint8Array

async function* follow(
  first: readonly Chunk[],
  rest: AsyncIterator<Chunk>,
  report: (error: unknown) => void,
): AsyncGenerator<Chunk> {
  try {
    yield* first
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } catch (error) {
    // The status is long gone: only the log can say it, and only a broken connection can show it.
    report(error)
    throw error
  } finally {
    // The reader may have gone: whatever makes the chunks must hear of it.
    await rest.return?.()
  }
}

/** What the API's description says of a route; nothing here is checked by Fastify. */
function describe(route: Route): Record<string, unknown> {
  const names = [...route.path.matchAll(/:(\w+)|\*$/g)].map(([, name = 'rest']) => name)
  const params =
    names.length === 0 ? undefined : Type.Object(Object.fromEntries(names.map((name) => [name, Type.String()])))
  return {
    operationId: operationOf(route),
    summary: route.summary,
    tags: [route.tag],
    ...(params === undefined ? {} : { params }),
    ...(route.query === undefined ? {} : { querystring: described(route.query) }),
    ...(route.accepts === undefined ? {} : { body: { content: contents(route.accepts) } }),
    response: responses({ ...route.answers, default: { description: 'What went wrong.', schema: ProblemShape } }),
  }
}

/** `get-pipes-id-config`: a name for programs that are made from the description. */
const operationOf = ({ method, path }: Route): string =>
  [
    method.toLowerCase(),
    ...path
      .replace(/^\/api/, '')
      .split('/')
      .map((part) => part.replace(/^:/, '')),
  ]
    .map((part) => (part === '*' ? 'rest' : part))
    .filter((part) => part !== '')
    .join('-')

/** What may be given: a parameter with a default need not be, and one that is always refused is better not known. */
function described(query: TObject): TSchema {
  const supported = Object.entries(query.properties).filter(([, property]) => !('x-unsupported' in property))
  return Type.Object(Object.fromEntries(supported.map(([name, property]) => [name, Type.Optional(property)])))
}

const contents = (types: Readonly<Record<string, TSchema>>): Record<string, { schema: TSchema }> =>
  Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema }]))

const responses = (answers: NonNullable<Route['answers']>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema = Type.Any(), type = 'application/json' }]) => [
      status,
      { description, content: { [type]: { schema } } },
    ]),
  )
