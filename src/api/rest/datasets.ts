/** Datasets and their entities (rest-api.md §5, §6). */

import { type Static, Type } from 'typebox'
import { type Answer, json, jsonArray, jsonText } from '../answer.ts'
import { fieldsOf, valuesOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { count, flag, text, whole } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { entityText, sentForm, TRANSIT_TYPE, wantedForm } from '../text-form.ts'
import { DatasetShape, EntityShape, found, given, IndexShape, ObjectShape, ProblemShape } from './shapes.ts'
import { options, optionsAnswers, subscriptionQuery } from './subscriptions.ts'

const FORM = Type.Object({ operation: Type.String() }, { additionalProperties: true })
const RepostedShape = Type.Object({ num_entities: Type.Integer(), entities: Type.Array(EntityShape) })

const common = { tag: 'Datasets', resource: 'dataset' } as const

const EntitiesQuery = Type.Object({
  since: whole('Only entries with a greater `_updated`; with reverse a smaller one.'),
  limit: count('Entries at most.'),
  history: flag('All versions; false: the latest of each id.', true),
  deleted: flag('Deleted entities too; without effect while history is true.', true),
  reverse: flag('Newest first.'),
  populated: flag('404 until the dataset is populated.'),
  start: whole('As since, but the entry at this place is part of it.'),
  subset: text(
    'JSON of `["eq", expression, literal]`: only entities of this subset, and as deleted those that left it. Then history is false by default.',
  ),
  uncommitted: flag('Entities held back by a circuit breaker too.'),
})

export const datasetRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/datasets',
    action: 'read',
    summary: 'All datasets.',
    query: Type.Object({ 'include-internal-datasets': flag('Those of the hub itself too.') }),
    answers: given(Type.Array(DatasetShape), 'The datasets.'),
    handle: ({ tenant, query, may }) => {
      const ids = datasetIds(tenant).filter((id) => query['include-internal-datasets'] || !id.startsWith('system:'))
      const seen = ids.filter((id) => may('read_data', 'dataset', id))
      return jsonArray(seen.flatMap((id) => tenant.dataset(id) ?? []))
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/datasets/:id',
    action: 'read',
    summary: 'One dataset.',
    answers: found(DatasetShape, 'The dataset.'),
    handle: ({ tenant, params }) => jsonText(tenant.dataset(params.id as string) ?? unknown(params.id)),
  }),
  route({
    ...common,
    method: 'DELETE',
    path: '/api/datasets/:id',
    action: 'write',
    summary: 'Deletes a dataset and its indexes.',
    answers: found(ObjectShape, 'It is gone.'),
    handle: async ({ tenant, params }) =>
      (await tenant.deleteDataset(params.id as string)) ? json({}) : unknown(params.id),
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/datasets/:id',
    action: 'operate',
    summary: 'An operation on a dataset: commit-circuit-breaker, rollback-circuit-breaker, repost.',
    accepts: { 'application/x-www-form-urlencoded': FORM, 'multipart/form-data': FORM, 'application/json': FORM },
    answers: {
      ...found(Type.Union([DatasetShape, RepostedShape]), 'The dataset afterwards, or what was reposted.'),
      409: { description: 'The circuit breaker has tripped, or has not.', schema: ProblemShape },
    },
    handle: operate,
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/datasets/:id/entities',
    action: 'write',
    takesBulk: true,
    summary: 'Appends entities past any pipe, for debugging: in developer mode only.',
    query: Type.Object({ force: flag('Also those that are equal to what is there.') }),
    accepts: {
      'application/json': Type.Union([Type.Array(EntityShape), EntityShape]),
      [TRANSIT_TYPE]: Type.Array(Type.Any()),
    },
    answers: {
      ...found(Type.Object({ written: Type.Integer() }), 'How many versions were appended.'),
      409: { description: 'The hub is not in developer mode, or the dataset takes no writes.', schema: ProblemShape },
    },
    handle: async ({ node, tenant, params, query, body, contentType }) => {
      if (!node.developer) {
        throw new ApiError('not-developer', 'Entities are appended to a dataset by its pipe.', {
          hint: 'Post them to a receiver pipe, or start the hub in developer mode.',
        })
      }
      return json({ written: await tenant.append(params.id as string, body, query.force, sentForm({ contentType })) })
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/datasets/:id/entities',
    action: 'read',
    summary: 'Entities of a dataset in the order they changed.',
    query: EntitiesQuery,
    answers: found(Type.Array(EntityShape), 'Entities, streamed.'),
    handle: entities,
  }),
  route({
    ...common,
    method: 'OPTIONS',
    path: '/api/datasets/:id/entities',
    action: 'read',
    summary: 'What may be done here; with a webhook, be told when the dataset grows.',
    query: subscriptionQuery,
    answers: optionsAnswers,
    handle: (call) => {
      const id = call.params.id as string
      if (call.tenant.dataset(id) === undefined) unknown(id)
      return options(call, id, 'GET, HEAD, OPTIONS, POST')
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/datasets/:id/entity',
    action: 'read',
    summary: 'The latest version of one entity, or the one at an offset.',
    query: Type.Object({
      entity_id: text('Id of the entity.'),
      offset: count('The version at exactly this place.'),
      subset: text('JSON of `["eq", expression, literal]`: only if it is in this subset.'),
      uncommitted: flag('Also when held back by a circuit breaker.'),
    }),
    answers: found(EntityShape, 'The entity.'),
    handle: (call) => {
      const { entity_id: id, offset, subset, uncommitted } = call.query
      if (id === undefined) throw new ApiError('bad-parameter', "The parameter 'entity_id' is missing.")
      return entity(call, id, { offset, subset, uncommitted })
    },
  }),
  route({
    ...common,
    method: 'DELETE',
    path: '/api/datasets/:id/entity',
    action: 'administer',
    summary: 'Erases an entity with all its versions, for good; backups made before still hold it.',
    query: Type.Object({ entity_id: text('Id of the entity.') }),
    answers: found(Type.Object({ versions: Type.Integer() }), 'It is gone: how many versions there were.'),
    handle: async ({ tenant, params, query: { entity_id: id } }) => {
      if (id === undefined) throw new ApiError('bad-parameter', "The parameter 'entity_id' is missing.")
      return json({ versions: await tenant.eraseEntity(params.id as string, id) })
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/datasets/:id/entities/*',
    action: 'read',
    summary: 'One entity by its path; deprecated, use /entity?entity_id=.',
    answers: found(EntityShape, 'The entity.'),
    handle: (call) => entity(call, restOfPath(call.path, 4)),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/datasets/:id/indexes',
    action: 'read',
    summary: 'The indexes of a dataset.',
    answers: found(Type.Array(IndexShape), 'The indexes.'),
    handle: ({ tenant, params }) => jsonText(tenant.indexes(params.id as string) ?? unknown(params.id)),
  }),
  route({
    ...common,
    method: 'DELETE',
    path: '/api/datasets/:id/indexes/:number',
    action: 'write',
    summary: 'Removes an index that no pipe needs.',
    answers: {
      ...found(ObjectShape, 'It is gone.'),
      409: { description: 'A pipe needs it.', schema: ProblemShape },
    },
    handle: async ({ tenant, params }) => {
      const { id, number } = params as { readonly id: string; readonly number: string }
      await tenant.deleteIndex(id, /^\d+$/.test(number) ? Number(number) : -1)
      return json({})
    },
  }),
]

async function operate(call: Call): Promise<Answer> {
  const id = call.params.id as string
  const { operation } = await fieldsOf(call)
  switch (operation) {
    case 'commit-circuit-breaker':
    case 'rollback-circuit-breaker':
      await call.tenant.decideBreaker(id, operation === 'commit-circuit-breaker' ? 'commit' : 'rollback', call.user)
      return jsonText(call.tenant.dataset(id) ?? unknown(id))
    case 'repost': {
      const ids = await valuesOf(call, 'entity_id')
      if (ids.length === 0) {
        throw new ApiError('bad-request', "The operation 'repost' needs at least one field 'entity_id'.")
      }
      const entities = await call.tenant.repost(id, ids, call.user)
      return json({ num_entities: entities.length, entities })
    }
    default:
      throw new ApiError(
        'unsupported-operation',
        operation === undefined
          ? "The form field 'operation' is missing."
          : `The dataset '${id}' doesn't support the operation '${operation}'.`,
        { hint: 'Operations are commit-circuit-breaker, rollback-circuit-breaker and repost.' },
      )
  }
}

async function entities(call: Call<Static<typeof EntitiesQuery>>): Promise<Answer> {
  const { populated, start, ...query } = call.query
  const dataset = call.params.id as string
  // Before anything is read, so that the highest offset promises no more than the body holds (rest-api.md §6.2).
  const headers = call.doors.datasetHeaders(call.tenant, dataset)
  if (populated && headers['X-Dataset-Populated'] !== 'true') {
    throw new ApiError('dataset-not-populated', `The dataset '${dataset}' has not been populated yet.`, {
      hint: 'It is once the pipe that writes it has run through.',
    })
  }
  const isSubset = query.subset !== undefined
  if (query.subset !== undefined) await call.doors.feedSubset(call.tenant, dataset, query.subset)
  // The newest only is what a subset is unless more is asked for (hub.md §2.6).
  const history = isSubset && call.given.history === undefined ? false : query.history
  const form = wantedForm(call)
  const body = call.doors.datasetEntities(call.tenant, dataset, {
    ...query,
    ...sinceOf(query, start),
    history,
    ...(form === 'json' ? {} : { form }),
  })
  return entityText(form, body, isSubset ? { ...headers, 'X-Dataset-Filtered': 'true' } : headers)
}

/** `start` is `since` with the place itself. */
export function sinceOf(
  { since, reverse }: { readonly since?: number; readonly reverse: boolean },
  start: number | undefined,
): { readonly since?: number } {
  if (start === undefined) return {}
  if (since === undefined) return { since: reverse ? start + 1 : start - 1 }
  throw new ApiError('bad-parameter', "The parameters 'since' and 'start' exclude one another.", {
    hint: 'since is exclusive, start inclusive.',
  })
}

function entity(
  call: Call,
  id: string,
  query: {
    readonly offset?: number | undefined
    readonly subset?: string | undefined
    readonly uncommitted?: boolean
  } = {},
): Answer {
  const dataset = call.params.id as string
  const form = wantedForm(call)
  const found = call.doors.datasetEntity(call.tenant, dataset, id, form === 'json' ? query : { ...query, form })
  if (found !== undefined) return entityText(form, found)
  const { offset, subset } = query
  const place = offset === undefined ? '' : ` at offset ${offset}`
  const part = subset === undefined ? '' : `, in the subset ${subset}`
  throw new ApiError('unknown-entity', `There is no entity '${id}'${place} in the dataset '${dataset}'${part}.`)
}

export function datasetIds(tenant: Call['tenant']): string[] {
  const snapshot = tenant.snapshot()
  try {
    return snapshot.datasets().map(({ id }) => id)
  } finally {
    snapshot.close()
  }
}

/** What follows the first segments of a path, decoded once; it may hold slashes. */
function restOfPath(path: string, segments: number): string {
  return decodeURIComponent(
    path
      .split('/')
      .slice(segments + 1)
      .join('/'),
  )
}

function unknown(id: string | undefined): never {
  throw new ApiError('unknown-dataset', `There is no dataset '${id}'.`)
}
