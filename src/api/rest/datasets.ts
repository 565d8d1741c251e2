/** Datasets and their entities (rest-api.md §5, §6). */

import { type Static, Type } from 'typebox'
import { type Answer, json, jsonArray, jsonText } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { count, flag, text, unsupported, whole } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { DatasetShape, EntityShape, found, given, IndexShape, ObjectShape } from './shapes.ts'

const common = { tag: 'Datasets', resource: 'dataset' } as const

const EntitiesQuery = Type.Object({
  since: whole('Only entries with a greater `_updated`; with reverse a smaller one.'),
  limit: count('Entries at most.'),
  history: flag('All versions; false: the latest of each id.', true),
  deleted: flag('Deleted entities too; without effect while history is true.', true),
  reverse: flag('Newest first.'),
  populated: flag('404 until the dataset is populated.'),
  subset: unsupported('Only entities of a subset.'),
  uncommitted: unsupported('Entities held back by a circuit breaker too.'),
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
    handle: ({ tenant, query }) => {
      const ids = datasetIds(tenant).filter((id) => query['include-internal-datasets'] || !id.startsWith('system:'))
      return jsonArray(ids.flatMap((id) => tenant.dataset(id) ?? []))
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
    method: 'GET',
    path: '/api/datasets/:id/entity',
    action: 'read',
    summary: 'The latest version of one entity, or the one at an offset.',
    query: Type.Object({
      entity_id: text('Id of the entity.'),
      offset: count('The version at exactly this place.'),
      subset: unsupported('Only if it is in a subset.'),
      uncommitted: unsupported('Also when held back by a circuit breaker.'),
    }),
    answers: found(EntityShape, 'The entity.'),
    handle: (call) => {
      const { entity_id: id, offset } = call.query
      if (id === undefined) throw new ApiError('bad-parameter', "The parameter 'entity_id' is missing.")
      return entity(call, id, offset)
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
    handle: indexes,
  }),
]

function entities(call: Call<Static<typeof EntitiesQuery>>): Answer {
  const { populated, ...query } = call.query
  const dataset = call.params.id as string
  // Before anything is read, so that the highest offset promises no more than the body holds (rest-api.md §6.2).
  const headers = call.doors.datasetHeaders(call.tenant, dataset)
  if (populated && headers['X-Dataset-Populated'] !== 'true') {
    throw new ApiError('dataset-not-populated', `The dataset '${dataset}' has not been populated yet.`, {
      hint: 'It is once the pipe that writes it has run through.',
    })
  }
  return jsonText(call.doors.datasetEntities(call.tenant, dataset, query), { headers })
}

function entity(call: Call, id: string, offset?: number): Answer {
  const dataset = call.params.id as string
  const found = call.doors.datasetEntity(call.tenant, dataset, id, offset)
  if (found !== undefined) return jsonText(found)
  const place = offset === undefined ? '' : ` at offset ${offset}`
  throw new ApiError('unknown-entity', `There is no entity '${id}'${place} in the dataset '${dataset}'.`)
}

function indexes({ tenant, params }: Call): Answer {
  const id = params.id as string
  const snapshot = tenant.snapshot()
  try {
    const view = snapshot.dataset(id)
    if (view === undefined) return unknown(id)
    const total = view.counts().end
    return json(
      view.document.indexes.map(({ number, expression, state, filled, fingerprint }) => ({
        _id: `${id}:${number}`,
        dataset: id,
        number,
        expression,
        status: state === 'ready' ? 'up-to-date' : 'filling',
        progress: { indexed: state === 'ready' ? total : filled, total },
        version: fingerprint,
      })),
    )
  } finally {
    snapshot.close()
  }
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
