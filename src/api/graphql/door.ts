/** `/graphql`: GraphQL over HTTP for the datasets of a tenant. */

import { GraphQLError, type ParseOptions, parse, printSchema, validate } from 'graphql'
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import { Type } from 'typebox'
import type { Tenant } from '../../hub/contract.ts'
import { choose } from '../accept.ts'
import type { Answer } from '../answer.ts'
import { mediaType, textOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { detailsOf, type Log } from '../log.ts'
import { text } from '../parameters.ts'
import { problemOf } from '../problem.ts'
import { ObjectShape } from '../rest/shapes.ts'
import { type Call, type Route, route } from '../route.ts'
import type { Context } from './context.ts'
import { explorerPage } from './explorer.ts'
import type { Built, SchemaKeeper } from './keeper.ts'
import { MAX_TOKENS, refusal } from './limits.ts'
import { Reader } from './reader.ts'
import { viewOf } from './view.ts'

const Parameters = Type.Object({
  query: text('The document.'),
  operationName: text('Which of its operations.'),
  variables: text('Variables, as JSON.'),
})
const Body = Type.Object({ query: Type.String() }, { additionalProperties: true })

/** What may not be read is not in the schema. */
const common = { tag: 'Graph', action: 'read', resource: 'graph', access: 'open' } as const
const answers = { 200: { description: 'Data and errors.', schema: ObjectShape } }

export function graphqlRoutes(keeperOf: (tenant: Tenant) => SchemaKeeper, log: Log): readonly Route[] {
  const handle = (call: Call) => answer(call, keeperOf(call.tenant), log)
  return [
    route({
      ...common,
      method: 'GET',
      path: '/graphql',
      summary: 'A GraphQL query; in a browser, a page to write one.',
      query: Parameters,
      answers,
      handle,
    }),
    route({
      ...common,
      method: 'POST',
      path: '/graphql',
      summary: 'A GraphQL query.',
      accepts: { 'application/json': Body, 'application/x-www-form-urlencoded': Body },
      answers,
      handle,
    }),
    route({
      ...common,
      method: 'GET',
      path: '/graphql/schema.graphql',
      summary: 'The GraphQL schema as text.',
      answers: { 200: { description: 'Types.', schema: Type.String(), type: 'text/plain' } },
      handle: async (call) => ({
        contentType: 'text/plain; charset=utf-8',
        body: printSchema(seenBy(call, await keeperOf(call.tenant).current()).schema),
      }),
    }),
  ]
}

async function answer(call: Call, keeper: SchemaKeeper, log: Log): Promise<Answer> {
  if (call.method === 'GET' && call.given.query === undefined && prefersPage(call)) return explorerPage(call)
  checkType(call)
  if (mediaType(call.contentType) === 'application/x-www-form-urlencoded') checkFields(call)
  const built = await suited(call, keeper)
  const response = await yogaOf(built, log).fetch(
    `http://localhost/graphql${call.method === 'GET' ? `?${searchOf(call)}` : ''}`,
    {
      method: call.method,
      headers: headersOf(call),
      ...(call.method === 'GET' ? {} : { body: textOf(call) }),
    },
    { reader: new Reader(call.tenant, call.doors, built.plan) },
  )
  // It says so without a word.
  if (response.status === 406) {
    throw new ApiError('not-acceptable', 'GraphQL answers as application/json or application/graphql-response+json.')
  }
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? 'application/json; charset=utf-8',
    body: await response.text(),
  }
}

/** What reads it would refuse others without a word. */
function checkType({ method, contentType }: Call): void {
  if (method !== 'POST' || TYPES.has(mediaType(contentType))) return
  throw new ApiError('unsupported-media-type', `A GraphQL query is not sent as '${mediaType(contentType)}'.`, {
    hint: `Send it as ${[...TYPES].join(', ')}.`,
  })
}

const TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/graphql',
  'application/x-www-form-urlencoded',
])

const prefersPage = ({ headers }: Call): boolean =>
  choose(headers.accept as string | undefined, ['application/json', 'text/html']) === 'text/html'

/** The schema at hand; but when the data grew and the query asks for what is not there yet, the one that follows. */
async function suited(call: Call, keeper: SchemaKeeper): Promise<Built> {
  const built = seenBy(call, await keeper.current())
  if (keeper.isStale()) {
    if (isValid(built, queryText(call))) return built
    await keeper.refresh()
  }
  return seenBy(call, await keeper.current())
}

const seenBy = ({ may }: Call, built: Built): Built => viewOf(built, (dataset) => may('read_data', 'dataset', dataset))

function isValid({ schema }: Built, query: string): boolean {
  try {
    return validate(schema, parse(query, { maxTokens: MAX_TOKENS })).length === 0
  } catch {
    // It does not parse: no schema would help.
    return true
  }
}

function queryText(call: Call): string {
  if (call.method === 'GET') return String(call.given.query ?? '')
  try {
    if (mediaType(call.contentType) !== 'application/json') return new URLSearchParams(textOf(call)).get('query') ?? ''
    return String((JSON.parse(textOf(call)) as { query?: unknown } | null)?.query ?? '')
  } catch {
    return ''
  }
}

/** One server for each schema: documents are parsed and validated once by their text. */
const yogas = new WeakMap<Built, YogaServerInstance<Context, object>>()

function yogaOf(built: Built, log: Log): YogaServerInstance<Context, object> {
  let yoga = yogas.get(built)
  if (yoga === undefined) {
    yoga = createYoga<Context>({
      schema: built.schema,
      plugins: [limits],
      graphiql: false,
      landingPage: false,
      cors: false,
      multipart: false,
      logging: false,
      maskedErrors: { maskError: (error) => maskError(error, log) },
    })
    yogas.set(built, yoga)
  }
  return yoga
}

const limits: Plugin = {
  onParse({ setParseFn }) {
    // Only the parser can stop early; validation takes time that grows with the square of the fields.
    setParseFn((source: string, options: ParseOptions) => parse(source, { ...options, maxTokens: MAX_TOKENS }))
  },
  onExecute({ args, setResultAndStopExecution }) {
    const refused = refusal(args.schema, args.document, args.operationName, args.variableValues ?? {})
    if (refused !== null) setResultAndStopExecution({ errors: [refused] })
  },
}

/** Errors of the hub keep their code and hint; the unexpected say nothing of the inside. */
function maskError(error: unknown, log: Log): Error {
  const inner = (error as Partial<GraphQLError>).originalError ?? (error as Error)
  if (inner instanceof GraphQLError) return error as Error
  const { body, isUnexpected } = problemOf(inner)
  if (isUnexpected) log.error('A GraphQL field failed.', detailsOf(inner))
  const { nodes, source, positions, path } = error as Partial<GraphQLError>
  return new GraphQLError(String(body.message), {
    ...(nodes === undefined ? {} : { nodes }),
    ...(source === undefined ? {} : { source }),
    ...(positions === undefined ? {} : { positions }),
    ...(path === undefined ? {} : { path }),
    extensions: { code: body.code, ...(body.hint === undefined ? {} : { hint: body.hint }) },
  })
}

function searchOf({ given }: Call): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    const text = typeof value === 'string' ? value : String(value.at(-1))
    if (name === 'variables' || name === 'extensions') checkJson(name, text)
    search.set(name, text)
  }
  return search.toString()
}

/** Those of a form. */
function checkFields(call: Call): void {
  const form = new URLSearchParams(textOf(call))
  for (const name of ['variables', 'extensions']) {
    const text = form.get(name)
    if (text !== null) checkJson(name, text)
  }
}

/** What reads them takes it for a mistake of its own when they are no JSON. */
function checkJson(name: string, text: string): void {
  try {
    JSON.parse(text)
  } catch (cause) {
    throw new ApiError('bad-parameter', `The parameter '${name}' is not JSON.`, { details: { parameter: name }, cause })
  }
}

function headersOf({ headers, contentType }: Call): Record<string, string> {
  const { accept } = headers
  return {
    ...(contentType === '' ? {} : { 'content-type': contentType }),
    ...(typeof accept === 'string' ? { accept } : {}),
  }
}
