/** Pipes and their pumps (rest-api.md §4). */

import { Type } from 'typebox'
import type { PipePart, PipeQuery } from '../../hub/contract.ts'
import { type Answer, json, jsonArray, jsonArrayChunks, jsonText } from '../answer.ts'
import { documentsOf, fieldsOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { count, flag, text, whole } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { entityText, wantedForm } from '../text-form.ts'
import { sinceOf } from './datasets.ts'
import {
  EntityShape,
  ExplanationShape,
  found,
  given,
  ObjectShape,
  PipeShape,
  PreviewShape,
  ProblemShape,
  PumpShape,
} from './shapes.ts'
import { options, optionsAnswers, subscriptionQuery } from './subscriptions.ts'

const common = { tag: 'Pipes', resource: 'pipe' } as const
const fields = text('Parts wanted, separated by commas: config, runtime, storage, graph.')
/** Of documents without `fields`: the heavier part of many is left out unless somebody asks. */
const [ALL_PARTS, LIGHT_PARTS]: readonly (readonly PipePart[])[] = [
  ['config', 'runtime', 'storage'],
  ['config', 'runtime'],
]
const PREVIEW = Type.Object({
  source: Type.Any({
    description:
      'One entity: JSON text in a form; in a JSON body also the object itself. With "_trace": true the run is told step by step.',
  }),
  'pipe-config': Type.Optional(
    Type.Any({ description: 'The configuration to try, likewise; without it the pipe as it is.' }),
  ),
})
const FORM = Type.Object(
  {
    operation: Type.String({ description: 'One of `supported-operations` in the document of the pump.' }),
    comment: Type.Optional(Type.String({ description: 'Of disable: why.' })),
    'last-seen': Type.Optional(Type.String({ description: 'Of update-last-seen: the offset; empty resets the pipe.' })),
    'dont-wait-for-pump-to-start': Type.Optional(Type.String({ description: 'Deprecated, and without effect.' })),
  },
  { additionalProperties: true },
)
const WEBHOOK = Type.Object({ token: Type.String() })

/** The documented names and those that older clients use. */
const STAGES: ReadonlyMap<string, PipeQuery['stage']> = new Map([
  ['source', 'source'],
  ['before-transforms', 'before-transforms'],
  ['before-transform', 'before-transforms'],
  ['after-transforms', 'after-transforms'],
  ['after-transform', 'after-transforms'],
  ['sink', 'sink'],
])

export const pipeRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes',
    action: 'read',
    summary: 'All pipes.',
    query: Type.Object({
      fields,
      verbose: flag('What is stored, too.'),
      'include-internal-pipes': flag('Also those that the hub, or another tool, made for itself.'),
    }),
    answers: given(Type.Array(PipeShape), 'The pipes.'),
    handle: ({ tenant, query, may }) => {
      const parts = partsOf(query.fields, query.verbose ? ALL_PARTS : LIGHT_PARTS)
      const all = tenant.pipeIds().filter((id) => may('read_config', 'pipe', id))
      const ids = query['include-internal-pipes'] ? all : all.filter((id) => !tenant.isInternal(id))
      return jsonArray(ids.flatMap((id) => tenant.pipe(id, parts) ?? []))
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes/:id',
    action: 'read',
    summary: 'One pipe.',
    query: Type.Object({ fields }),
    answers: found(PipeShape, 'The pipe.'),
    handle: (call) => jsonText(known(call, call.tenant.pipe(pipeId(call), partsOf(call.query.fields, ALL_PARTS)))),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes/:id/entities',
    action: 'read',
    access: 'read_data',
    summary: 'What the pipe makes now, without moving it.',
    query: Type.Object({
      stage: text('source, before-transforms, after-transforms, or sink (default).'),
      since: text('Offset of the source to read after.'),
      limit: count('Entities at most.'),
      'side-effects': flag('Also run transforms that may change something elsewhere.'),
    }),
    answers: found(Type.Array(EntityShape), 'Entities.'),
    handle: (call) => {
      known(call, call.tenant.pipeConfigText(pipeId(call)))
      const { since, limit } = call.query
      const form = wantedForm(call)
      const query = {
        stage: stageOf(call.query.stage),
        withSideEffects: call.query['side-effects'],
        ...(since ? { since } : {}),
        ...(limit === undefined ? {} : { limit }),
        ...(form === 'json' ? {} : { form }),
      }
      const entities = call.tenant.pipeEntities(pipeId(call), { ...query, cause: call.requestId }, call.signal)
      return entityText(form, jsonArrayChunks(entities))
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/pipes/:id/preview',
    action: 'read',
    access: 'read_data',
    summary: 'What the pipe, or an edited configuration of it, would make of one entity. Nothing is written.',
    accepts: {
      'application/x-www-form-urlencoded': PREVIEW,
      'multipart/form-data': PREVIEW,
      'application/json': PREVIEW,
    },
    answers: found(PreviewShape, 'What it makes, and what is wrong.'),
    handle: preview,
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes/:id/explain',
    action: 'read',
    summary: 'How the pipe finds what it joins, what is followed back, and where its properties come from.',
    answers: {
      ...found(ExplanationShape, 'The plan of each hops, the indexes it needs, the lineage of its properties.'),
      409: { description: 'The pipe has errors.', schema: ProblemShape },
    },
    handle: (call) => jsonText(call.tenant.explain(pipeId(call))),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes/:id/log',
    action: 'read',
    summary: 'The execution log of a pipe.',
    query: Type.Object({
      since: whole('Only entries after this `_updated`.'),
      start: count('Entries from this place on.'),
      limit: count('Entries at most.'),
      history: flag('Superseded versions too.', true),
      deleted: flag('Deleted entries too.', true),
      reverse: flag('Newest first.'),
    }),
    answers: found(Type.Array(EntityShape), 'Entries.'),
    handle: (call) => {
      known(call, call.tenant.pipeConfigText(pipeId(call)))
      const dataset = `system:pump_execution:${pipeId(call)}`
      const form = wantedForm(call)
      if (call.tenant.dataset(dataset) === undefined) return entityText(form, '[]')
      const { start, ...given } = call.query
      const query = { ...given, ...sinceOf(given, start), ...(form === 'json' ? {} : { form }) }
      return entityText(form, call.doors.datasetEntities(call.tenant, dataset, query))
    },
  }),
  route({
    ...common,
    method: 'OPTIONS',
    path: '/api/pipes/:id/log',
    action: 'read',
    summary: 'What may be done here; with a webhook, be told when the log grows.',
    query: subscriptionQuery,
    answers: optionsAnswers,
    handle: (call) => {
      known(call, call.tenant.pipeConfigText(pipeId(call)))
      return options(call, `system:pump_execution:${pipeId(call)}`, 'GET, HEAD, OPTIONS')
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/pipes/:id/webhook',
    action: 'operate',
    // The word that it brings along is known to nobody else.
    access: 'public',
    summary: 'Another hub says that there is news for the pipe: it runs soon.',
    accepts: { 'application/json': WEBHOOK, 'application/x-www-form-urlencoded': WEBHOOK },
    answers: found(ObjectShape, 'It was heard.'),
    handle: async (call) => {
      known(call, call.tenant.pipeConfigText(pipeId(call)))
      const { token = '' } = await fieldsOf(call)
      call.tenant.signalled(pipeId(call), token)
      return json({})
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes/:id/pump',
    action: 'read',
    summary: 'The pump of a pipe.',
    answers: found(PumpShape, 'The pump.'),
    handle: (call) => jsonText(known(call, call.tenant.pump(pipeId(call)))),
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/pipes/:id/pump',
    action: 'operate',
    summary:
      'An operation on the pump: start, start-rescan, stop, enable, disable, update-last-seen, set-last-seen-to-end, reset-tracking, set-tracking-to-start, reset-rescan, discard-retries.',
    accepts: { 'application/x-www-form-urlencoded': FORM, 'multipart/form-data': FORM, 'application/json': FORM },
    answers: {
      ...found(PumpShape, 'The pump afterwards.'),
      409: { description: 'It runs already.', schema: PumpShape },
    },
    handle: operate,
  }),
]

async function preview(call: Call): Promise<Answer> {
  const { source, 'pipe-config': config } = await documentsOf(call)
  if (source === undefined) {
    throw new ApiError('bad-request', "The field 'source' is missing: the entity, as JSON.", {
      hint: `Take one from /api/pipes/${encodeURIComponent(pipeId(call))}/entities?stage=source&limit=1.`,
    })
  }
  return jsonText(await call.tenant.preview({ pipe: pipeId(call), config: config ?? null, source }, call.user))
}

async function operate(call: Call): Promise<Answer> {
  const id = pipeId(call)
  known(call, call.tenant.pipeConfigText(id))
  const { operation, ...rest } = await fieldsOf(call)
  if (operation === undefined) {
    throw new ApiError('bad-request', "The form field 'operation' is missing.", {
      hint: 'Send for example operation=start.',
    })
  }
  if (/^(?:true|1)$/i.test(rest.profiler ?? '')) {
    throw new ApiError('not-supported', 'Runs are not profiled by this version.', {
      hint: "Leave 'profiler' out; the entries of /api/pipes/<id>/log say where the time of a run went.",
    })
  }
  try {
    await call.tenant.operate(id, operation, rest, call.user)
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'unsupported-operation') throw cause
    // Clients know the case by this phrase (rest-api.md §4.2).
    throw new ApiError(
      'unsupported-operation',
      `The pump of pipe '${id}' doesn't support the operation '${operation}'.`,
      {
        ...hintOf(cause),
        cause,
      },
    )
  }
  return jsonText(known(call, call.tenant.pump(id)))
}

const hintOf = (error: unknown): { hint?: string } => {
  const { hint } = error as { hint?: string }
  return hint === undefined ? {} : { hint }
}

const pipeId = (call: Call): string => call.params.id as string

function known(call: Call, text: string | undefined): string {
  if (text === undefined) throw new ApiError('unknown-pipe', `There is no pipe '${pipeId(call)}'.`)
  return text
}

function stageOf(name = 'sink'): PipeQuery['stage'] {
  const stage = STAGES.get(name)
  if (stage !== undefined) return stage
  throw new ApiError('bad-parameter', `There is no stage '${name}'.`, {
    hint: 'Stages are source, before-transforms, after-transforms and sink.',
  })
}

const PARTS: readonly PipePart[] = ['config', 'runtime', 'storage', 'graph']

/** Names that nobody knows ask for nothing. */
function partsOf(fields: string | undefined, otherwise: readonly PipePart[] | undefined): readonly PipePart[] {
  if (fields === undefined || fields === '') return otherwise ?? []
  const wanted = fields.split(',').map((name) => name.trim())
  return PARTS.filter((part) => wanted.includes(part))
}
