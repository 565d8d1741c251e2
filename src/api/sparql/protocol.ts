/** The SPARQL 1.1 protocol: queries by GET and both forms of POST; writing goes through datasets, not through here. */

import { Type } from 'typebox'
import type { Tenant } from '../../hub/contract.ts'
import { choose } from '../accept.ts'
import type { Answer } from '../answer.ts'
import { mediaType, textOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { text, texts } from '../parameters.ts'
import { ProblemShape } from '../rest/shapes.ts'
import { type Call, type Route, route } from '../route.ts'
import { type QueryForm, queryForm } from './query-form.ts'
import { serviceDescription } from './service-description.ts'

type GraphAnswer = Awaited<ReturnType<Tenant['sparql']>>

const Parameters = Type.Object({
  query: text('The query.'),
  'default-graph-uri': texts('Graphs that make up the default graph.'),
  'named-graph-uri': texts('Graphs that GRAPH may name.'),
  timeout: text('Seconds the query may take; never more than the hub allows.'),
})

/** What we write, by what a client may call it. */
const RESULTS: Readonly<Record<string, string>> = {
  'application/sparql-results+json': 'application/sparql-results+json',
  'application/json': 'application/sparql-results+json',
  'application/sparql-results+xml': 'application/sparql-results+xml',
  'application/xml': 'application/sparql-results+xml',
  'text/xml': 'application/sparql-results+xml',
  'text/csv': 'text/csv',
  'text/tab-separated-values': 'text/tab-separated-values',
}

const GRAPHS: Readonly<Record<string, string>> = {
  'text/turtle': 'text/turtle',
  'application/x-turtle': 'text/turtle',
  'application/n-triples': 'application/n-triples',
  'text/plain': 'application/n-triples',
  'application/ld+json': 'application/ld+json',
  'application/json': 'application/ld+json',
  'application/rdf+xml': 'application/rdf+xml',
  'application/xml': 'application/rdf+xml',
  'text/xml': 'application/rdf+xml',
}

const answers = {
  200: {
    description: 'The result in the form asked for.',
    schema: Type.Any(),
    type: 'application/sparql-results+json',
  },
  400: { description: 'The query is not SPARQL; `details` says where.', schema: ProblemShape },
  503: { description: 'The graph is not ready; come back after `Retry-After`.', schema: ProblemShape },
  504: { description: 'It took too long.', schema: ProblemShape },
}

const common = { path: '/sparql', tag: 'Graph', action: 'read', resource: 'graph', answers } as const

export function sparqlRoutes({ queryTimeoutMs }: { readonly queryTimeoutMs: number }): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      summary: 'A SPARQL query; without one, what this service is.',
      query: Parameters,
      handle: (call) => {
        if (call.given.update !== undefined) throw updateRefused()
        if (call.given.query === undefined) return serviceDescription(call)
        return ask(call, new Fields(call.given), queryTimeoutMs)
      },
    }),
    route({
      ...common,
      method: 'POST',
      summary: 'A SPARQL query, as a form or as the body.',
      query: Parameters,
      accepts: { 'application/sparql-query': Type.String(), 'application/x-www-form-urlencoded': Parameters },
      handle: (call) => ask(call, postedFields(call), queryTimeoutMs),
    }),
  ]
}

/** Parameters of the protocol, each of which may be repeated. */
class Fields {
  readonly #given: Readonly<Record<string, string | readonly string[]>>
  constructor(given: Readonly<Record<string, string | readonly string[]>>) {
    this.#given = given
  }

  all(name: string): readonly string[] {
    return [this.#given[name] ?? []].flat()
  }

  /** At most once: two queries in one request are a mistake (protocol §2.1.4). */
  one(name: string): string | undefined {
    const values = this.all(name)
    if (values.length > 1)
      throw new ApiError('bad-parameter', `The parameter '${name}' is there ${values.length} times.`)
    return values[0]
  }
}

function postedFields(call: Call): Fields {
  switch (mediaType(call.contentType)) {
    case 'application/sparql-query':
      return new Fields({ ...call.given, query: textOf(call) })
    case 'application/x-www-form-urlencoded': {
      const form = new URLSearchParams(textOf(call))
      if (form.has('update')) throw updateRefused()
      return new Fields({
        ...call.given,
        ...Object.fromEntries([...form.keys()].map((name) => [name, form.getAll(name)])),
      })
    }
    case 'application/sparql-update':
      throw updateRefused()
    default:
      throw new ApiError('unsupported-media-type', `A SPARQL query is not sent as '${call.contentType}'.`, {
        hint: 'Use application/sparql-query or application/x-www-form-urlencoded.',
      })
  }
}

async function ask(call: Call, fields: Fields, capMs: number): Promise<Answer> {
  const query = fields.one('query')
  if (query === undefined) throw new ApiError('bad-parameter', "The parameter 'query' is missing.")
  const form = queryForm(query)
  if (form === 'update') throw updateRefused()
  const defaultGraphs = fields.all('default-graph-uri')
  const namedGraphs = fields.all('named-graph-uri')
  const answer = await call.tenant.sparql({
    query,
    accept: formatOf(form, call.headers.accept as string | undefined),
    timeoutMs: timeoutOf(fields.one('timeout'), capMs),
    ...(defaultGraphs.length === 0 ? {} : { defaultGraphs }),
    ...(namedGraphs.length === 0 ? {} : { namedGraphs }),
  })
  return { contentType: withCharset(answer.contentType), headers: headersOf(call, answer), body: answer.body }
}

/** An unknown form gets a type too: the parser behind it knows best what is wrong. */
function formatOf(form: QueryForm, accept: string | undefined): string {
  const types = form === 'construct' || form === 'describe' ? GRAPHS : RESULTS
  const chosen = choose(accept, Object.keys(types))
  if (chosen !== undefined) return types[chosen] as string
  throw new ApiError('not-acceptable', `The result of this query cannot be written as '${accept}'.`, {
    details: { offered: [...new Set(Object.values(types))] },
    hint: `Ask for ${[...new Set(Object.values(types))].join(', ')}.`,
  })
}

function timeoutOf(given: string | undefined, capMs: number): number {
  if (given === undefined || given === '') return capMs
  const seconds = Number(given)
  if (!(seconds > 0))
    throw new ApiError('bad-parameter', `The parameter 'timeout' must be seconds above 0, not '${given}'.`)
  return Math.min(capMs, Math.ceil(seconds * 1000))
}

function headersOf({ tenant }: Call, { cut, rows }: GraphAnswer): Record<string, string> {
  return {
    // Bad news first: a result that is not all of it must say so.
    ...(cut ? { 'X-Samtale-Rows-Cut': 'true' } : {}),
    ...(rows === null ? {} : { 'X-Samtale-Rows': String(rows) }),
    'X-Samtale-Graph-Lag': String(tenant.graphStatus().lag),
    Vary: 'Accept',
  }
}

const withCharset = (type: string): string => (type.includes('charset') ? type : `${type}; charset=utf-8`)

const updateRefused = (): ApiError =>
  new ApiError('update-refused', 'The graph is a projection of the datasets and cannot be written to.', {
    hint: 'Write to a dataset, through a receiver or a pipe; the graph follows.',
  })
