/** Linked data: each IRI of the hub answers at its own path, in the format the caller likes, whatever host it asked for. */

import type { Quad } from '@rdfjs/types'
import { Type } from 'typebox'
import type { Tenant } from '../../hub/contract.ts'
import { encode } from '../../model/percent.ts'
import { type FormatName, formats } from '../../rdf/formats.ts'
import { writeRdf } from '../../rdf/write.ts'
import type { Answer } from '../answer.ts'
import { ApiError } from '../errors.ts'
import type { SchemaKeeper } from '../graphql/keeper.ts'
import { text } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { datasetPage } from './dataset-page.ts'
import { type DatasetFacts, describeDataset, describeHolding, describeKnown, withoutGraphs } from './describe.ts'
import { entityPage, graphPage } from './entity-page.ts'
import { contentTypeOf, formatFor } from './format.ts'
import { type Holding, knownAs } from './holdings.ts'
import { usedPrefixes } from './used-prefixes.ts'

const common = { method: 'GET', tag: 'Graph', action: 'read' } as const
const format = text('Format by name, instead of Accept: ttl, trig, nq, nt, jsonld, rdf or html.')
const answers = { 200: { description: 'Its description.', schema: Type.Any(), type: 'text/turtle' } }

export function linkedRoutes(keeperOf: (tenant: Tenant) => SchemaKeeper): readonly Route[] {
  return [
    route({
      ...common,
      answers,
      path: '/id/*',
      resource: 'graph',
      access: 'open',
      summary: 'What the hub knows about an entity, from all datasets.',
      query: Type.Object({ format }),
      handle: (call) => entity(call, keeperOf(call.tenant)),
    }),
    route({
      ...common,
      answers,
      path: '/graph/*',
      resource: 'graph',
      access: 'open',
      summary: 'What one dataset says about an entity.',
      query: Type.Object({ format }),
      handle: (call) => graph(call, keeperOf(call.tenant)),
    }),
    route({
      ...common,
      answers,
      path: '/dataset/:id',
      resource: 'dataset',
      summary: 'A dataset.',
      query: Type.Object({ format, after: text('On the page: id after which to go on.') }),
      handle: (call) => dataset(call, keeperOf(call.tenant), call.query.after),
    }),
    route({
      ...common,
      path: '/pipe/:id',
      resource: 'pipe',
      summary: 'A pipe: leads to its document.',
      handle: ({ prefix, params }) => seeOther(`${prefix}/api/pipes/${encodeURIComponent(params.id as string)}`),
    }),
    route({
      ...common,
      path: '/run/:id/:sequence',
      resource: 'pipe',
      summary: 'A run of a pipe: leads to the log of the pipe.',
      handle: ({ prefix, params }) => seeOther(`${prefix}/api/pipes/${encodeURIComponent(params.id as string)}/log`),
    }),
  ]
}

async function entity(call: Call, keeper: SchemaKeeper): Promise<Answer> {
  const format = formatFor(call, { hasPage: true })
  const naming = call.tenant.naming()
  const ni = naming.iriToNi(iriOf(call))
  const known = ni === null ? { own: [], merged: [] } : await knownAs(call, ni, keeper)
  if (ni === null || known.own.length + known.merged.length === 0) {
    throw new ApiError('unknown-entity', `Nothing is known about ${iriOf(call)}.`)
  }
  if (format === 'html') return entityPage(call, ni, known)
  const inGraphs = format === 'trig' || format === 'n-quads'
  return rdfAnswer(call, format, describeKnown(known, naming, { inGraphs }))
}

async function graph(call: Call, keeper: SchemaKeeper): Promise<Answer> {
  const format = formatFor(call, { hasPage: true })
  const naming = call.tenant.naming()
  const holding = await holdingOf(call, keeper)
  if (format === 'html') return graphPage(call, holding)
  const quads = describeHolding(holding, naming)
  return rdfAnswer(call, format, formats[format].hasGraphs ? quads : withoutGraphs(quads))
}

async function holdingOf(call: Call, keeper: SchemaKeeper): Promise<Holding> {
  const parsed = call.tenant.naming().parseGraphIri(iriOf(call))
  if (parsed !== null && call.tenant.dataset(parsed.dataset) !== undefined) {
    const { own } = await knownAs(call, parsed.id, keeper)
    const holding = own.find((candidate) => candidate.dataset === parsed.dataset)
    if (holding !== undefined) return holding
  }
  throw new ApiError('unknown-entity', `There is no graph ${iriOf(call)}.`)
}

async function dataset(call: Call, keeper: SchemaKeeper, after: string | undefined): Promise<Answer> {
  const format = formatFor(call, { hasPage: true })
  const id = call.params.id as string
  if (call.tenant.dataset(id) === undefined) throw new ApiError('unknown-dataset', `There is no dataset '${id}'.`)
  const { plan } = await keeper.current()
  const facts: DatasetFacts = {
    id,
    count: call.doors.count(call.tenant, id),
    pipe: plan.datasets.find((candidate) => candidate.dataset === id)?.pipe ?? null,
    exportIri: `${call.tenant.base}/api/datasets/${encode(id)}/export`,
  }
  if (format === 'html') return datasetPage(call, facts, after)
  return rdfAnswer(call, format, describeDataset(facts, call.tenant.naming()))
}

const rdfAnswer = (call: Call, format: FormatName, quads: readonly Quad[]): Answer => ({
  contentType: contentTypeOf(format),
  headers: { Vary: 'Accept' },
  body: writeRdf(format, quads, usedPrefixes(call.tenant.naming(), quads)),
})

const seeOther = (path: string): Answer => ({
  status: 303,
  contentType: 'text/plain',
  headers: { Location: path },
  body: '',
})

/** The IRI a path means: under the tenant's base, each segment spelled as the hub spells it. */
function iriOf(call: Call): string {
  const path = call.path.split('/').map((segment) => encode(decodeURIComponent(segment)))
  return call.tenant.base + path.join('/')
}
