/** What entities look like: inferred entity types, models, and tables for SQL sinks (rest-api.md §3.7, §4.1, §5.1). */

import { type Static, Type } from 'typebox'
import type { Problem } from '../../config/problems.ts'
import { writeJson } from '../../model/json.ts'
import { choose } from '../accept.ts'
import { type Answer, jsonText } from '../answer.ts'
import { textOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { count, flag, text } from '../parameters.ts'
import { problemOf } from '../problem.ts'
import { type Call, type Route, route } from '../route.ts'
import { EntityTypeShape, found, given, ModelShape, ObjectShape, ProblemShape } from './shapes.ts'

const pipes = { tag: 'Pipes', resource: 'pipe' } as const
const models = { tag: 'Models', resource: 'tenant' } as const

const effective = flag('What was uploaded together with what was inferred; false: what was uploaded, where that is.')
const ModelsQuery = Type.Object({
  effective,
  verbose: flag('The types themselves; false: their names.', true),
})
const DefinitionQuery = Type.Object({
  sample_size: count('Entities to look at; 1,000 unless said, 100,000 at most.'),
  keys_only: flag('Only the names of the properties.'),
})
const DEFAULT_SAMPLE = 1_000
const MAX_SAMPLE = 100_000

const ColumnsShape = Type.Union([
  Type.Array(Type.Object({ source_property: Type.String(), name: Type.String(), type: Type.String() })),
  Type.Array(Type.String()),
])

export const schemaRoutes: readonly Route[] = [
  ...(['source', 'sink'] as const).map((side) =>
    route({
      ...pipes,
      method: 'GET',
      path: `/api/pipes/:id/entity-types/${side}`,
      action: 'read',
      summary: `What the entities look like that the pipe ${side === 'source' ? 'reads' : 'hands to its sink'}, as far as was seen.`,
      answers: found(EntityTypeShape, 'A JSON Schema with counts and samples; empty while nothing is known.'),
      handle: async ({ tenant, params, may }) => {
        const id = params.id as string
        return jsonText(await tenant.entityType(id, side, may('read_data', 'pipe', id)))
      },
    }),
  ),
  route({
    ...pipes,
    method: 'GET',
    path: '/api/pipes/:id/generate-schema-definition',
    action: 'read',
    access: 'read_data',
    summary: 'A schema_definition of a SQL sink for what the pipe would write now.',
    query: DefinitionQuery,
    answers: found(ColumnsShape, 'Columns, or the names of properties.'),
    handle: (call) => definition(call, { pipe: call.params.id as string }),
  }),
  route({
    method: 'GET',
    path: '/api/datasets/:id/generate-schema-definition',
    tag: 'Datasets',
    resource: 'dataset',
    action: 'read',
    summary: 'A schema_definition of a SQL sink for the newest entities of the dataset.',
    query: DefinitionQuery,
    answers: found(ColumnsShape, 'Columns, or the names of properties.'),
    handle: (call) => definition(call, { dataset: call.params.id as string }),
  }),
  route({
    ...models,
    method: 'GET',
    path: '/api/models',
    action: 'read',
    summary: 'All models: those that pipes imply, and those that were uploaded.',
    query: Type.Object({ ...ModelsQuery.properties, with_property: text('Only entity types with this property.') }),
    answers: given(Type.Array(ModelShape), 'The models.'),
    handle: async ({ tenant, query }) =>
      jsonText(
        await tenant.models({
          isEffective: query.effective,
          isVerbose: query.verbose,
          withProperty: query.with_property || null,
        }),
      ),
  }),
  route({
    ...models,
    method: 'POST',
    path: '/api/models',
    action: 'write',
    summary:
      'Uploads models, which replace those of the same names: entity types as JSON Schemas, to say more about them.',
    query: Type.Object({ force: flag('Schemas are taken with their mistakes.') }),
    accepts: { 'application/json': Type.Union([Type.Array(ModelShape), ModelShape]) },
    answers: {
      ...given(Type.Array(ModelShape), 'As they are stored.'),
      400: { description: 'They have errors and nothing was changed.', schema: ProblemShape },
    },
    handle: upload,
  }),
  route({
    ...models,
    method: 'GET',
    path: '/api/models/:model',
    action: 'read',
    summary: 'One model; as Turtle its SHACL shapes.',
    query: ModelsQuery,
    answers: found(ModelShape, 'The model.'),
    handle: async (call) => {
      const { params, tenant, query } = call
      const model = params.model as string
      const asked = { isEffective: query.effective, isVerbose: query.verbose, withProperty: null }
      return isTurtle(call)
        ? turtle(await tenant.modelShapes(model, null, query.effective))
        : jsonText(await tenant.model(model, asked), VARY)
    },
  }),
  route({
    ...models,
    method: 'DELETE',
    path: '/api/models/:model',
    action: 'write',
    summary: 'Deletes what was uploaded of a model; what pipes imply stays.',
    answers: {
      ...found(ObjectShape, 'It is gone.'),
      409: { description: 'It was not uploaded: pipes imply it.', schema: ProblemShape },
    },
    handle: async ({ tenant, params }) => {
      await tenant.deleteModel(params.model as string)
      return jsonText('{}')
    },
  }),
  route({
    ...models,
    method: 'GET',
    path: '/api/models/:model/:type',
    action: 'read',
    summary: 'One entity type of a model; as Turtle its SHACL shape.',
    query: Type.Object({ effective }),
    answers: found(EntityTypeShape, 'A JSON Schema.'),
    handle: async (call) => {
      const { params, tenant, query } = call
      const { model, type } = params as { readonly model: string; readonly type: string }
      if (isTurtle(call)) return turtle(await tenant.modelShapes(model, type, query.effective))
      return jsonText(writeJson(await tenant.modelType(model, type, query.effective), { transit: false }), VARY)
    },
  }),
]

const VARY = { headers: { Vary: 'Accept' } }

const turtle = (body: string): Answer => ({ contentType: 'text/turtle; charset=utf-8', body, ...VARY })

function isTurtle({ headers }: Pick<Call, 'headers'>): boolean {
  const type = choose(headers.accept as string | undefined, ['application/json', 'text/turtle'])
  if (type === undefined) throw new ApiError('not-acceptable', 'Models are given as application/json or text/turtle.')
  return type === 'text/turtle'
}

async function definition(
  { tenant, query }: Call<Static<typeof DefinitionQuery>>,
  of: { readonly pipe: string } | { readonly dataset: string },
): Promise<Answer> {
  const { sample_size: sampleSize = DEFAULT_SAMPLE, keys_only: keysOnly } = query
  if (sampleSize < 1 || sampleSize > MAX_SAMPLE) {
    throw new ApiError('bad-parameter', `The parameter 'sample_size' must be from 1 to ${MAX_SAMPLE}.`)
  }
  return jsonText(await tenant.schemaDefinition(of, { sampleSize, keysOnly }))
}

async function upload({ tenant, query, body }: Call<{ readonly force: boolean }>): Promise<Answer> {
  try {
    return jsonText(await tenant.uploadModels(textOf({ body }), query.force))
  } catch (error) {
    const { problems } = error as { readonly problems?: readonly Problem[] }
    if (problems === undefined || problems.length === 0) throw error
    const { status, body: about } = problemOf(error)
    const named = [...new Set(problems.map(({ component }) => component))].map((id) => ({
      'posted-config': { _id: id },
      'config-errors': problems
        .filter(({ component }) => component === id)
        .map(({ level, message, pointer }) => ({ level, msg: message, elements: pointer })),
    }))
    return jsonText(JSON.stringify({ ...about, validation_errors: named }), { status })
  }
}
