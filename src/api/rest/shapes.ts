/** The documents of the API as schemas, for its description (rest-api.md §2). */

import { type TSchema, Type } from 'typebox'

const open = (properties: Record<string, TSchema>, description: string) =>
  Type.Object(properties, { description, additionalProperties: true })

export const EntityShape = open(
  {
    _id: Type.String(),
    _deleted: Type.Optional(Type.Boolean()),
    _updated: Type.Optional(Type.Integer({ description: 'Place in the dataset, from 0.' })),
    _previous: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    _ts: Type.Optional(Type.Integer({ description: 'Microseconds since 1970.' })),
    _hash: Type.Optional(Type.String()),
  },
  'An entity; typed values are strings that begin with `~`.',
)

const ConfigError = open(
  { level: Type.String(), msg: Type.String(), elements: Type.String() },
  'A mistake in a configuration and where it is.',
)

const Configured = open(
  { original: Type.Any(), effective: Type.Any() },
  'As given, and with defaults and variables filled in.',
)

export const PipeShape = open(
  {
    _id: Type.String(),
    config: Configured,
    runtime: open(
      {
        state: Type.String(),
        'is-valid-config': Type.Boolean(),
        'is-running': Type.Boolean(),
        'is-disabled': Type.Boolean(),
        'config-errors': Type.Array(ConfigError),
        exactness: Type.Optional(
          Type.Union([
            Type.Null(),
            Type.Object({
              exact: Type.Boolean({
                description: 'Once all has settled, its dataset holds what a full run into an empty one would give.',
              }),
              reasons: Type.Array(
                open({ kind: Type.String(), pointer: Type.String(), message: Type.String() }, 'Why it is not exact.'),
              ),
            }),
          ]),
        ),
      },
      'How it is doing.',
    ),
  },
  'A pipe.',
)

const Finding = open(
  {
    level: Type.String(),
    component: Type.String(),
    pointer: Type.String({ description: 'JSON pointer within the pipe.' }),
    message: Type.String(),
    hint: Type.Optional(Type.String()),
  },
  'What is wrong and where; of a run also its code, the entity and the values.',
)
export const PreviewShape = Type.Object({
  result: Type.Array(EntityShape),
  errors: Type.Array(Finding),
  warnings: Type.Array(Finding),
  trace: Type.Array(
    open(
      {
        pointer: Type.String({ description: 'Of the transform; those of its steps are below it.' }),
        input: EntityShape,
        output: Type.Array(EntityShape),
        failed: Type.Boolean(),
        'is-cut': Type.Boolean({ description: 'There were more steps than are told.' }),
        steps: Type.Array(
          Type.Object({
            kind: Type.String({ description: 'transform, function or rule.' }),
            name: Type.String(),
            pointer: Type.String(),
            depth: Type.Integer(),
            input: Type.Array(Type.String(), {
              description: 'Values of its arguments as JSON text, cut where it is long.',
            }),
            output: Type.Union([Type.String(), Type.Null()]),
            failed: Type.Boolean(),
          }),
        ),
      },
      'One entity through one transform.',
    ),
  ),
})
export const ExplanationShape = open(
  {
    pipe: Type.String(),
    reads: Type.Array(Type.String()),
    indexes: Type.Array(open({ dataset: Type.String(), expression: Type.String() }, 'An index.')),
    deterministic: Type.Boolean(),
    transforms: Type.Array(open({ pointer: Type.String(), hops: Type.Any(), lineage: Type.Any() }, 'A transform.')),
  },
  'What a pipe will do.',
)
const Entry = open(
  {
    name: Type.String(),
    kind: Type.String({ description: 'function or transform: four names are both.' }),
    chapter: Type.String(),
    signatures: Type.Array(Type.String()),
    forms: Type.Array(
      Type.Array(open({ name: Type.String(), kind: Type.String(), count: Type.String() }, 'A parameter.')),
    ),
    arguments: Type.Object({ least: Type.Integer(), most: Type.Union([Type.Integer(), Type.Null()]) }),
    summary: Type.String(),
    examples: Type.Array(Type.Any()),
  },
  'A function or a transform.',
)
export const LanguageShape = open(
  {
    variables: Type.Array(Type.Object({ name: Type.String(), summary: Type.String() })),
    behaviours: Type.Record(Type.String(), Type.String(), {
      description: 'How functions treat null and lists, by letter.',
    }),
    transforms: Type.Array(Entry),
    functions: Type.Array(Entry),
    hops: Type.Array(open({ name: Type.String(), type: Type.String() }, 'A property of a hops spec.')),
  },
  'The reference of DTL.',
)
export const PumpShape = open({ _id: Type.String(), config: Type.Any(), runtime: Type.Any() }, 'A pump.')
export const SystemShape = open({ _id: Type.String(), config: Configured, runtime: Type.Any() }, 'A system.')
export const DatasetShape = open({ _id: Type.String(), config: Type.Any(), runtime: Type.Any() }, 'A dataset.')
export const IndexShape = open(
  {
    _id: Type.String(),
    number: Type.Integer({ description: 'Names it below its dataset.' }),
    dataset: Type.String(),
    expression: Type.String({ description: 'A path, or the JSON of a function expression.' }),
    status: Type.String({ description: '`up-to-date`, `orphaned` (nobody needs it) or `filling`.' }),
    progress: Type.Object({ indexed: Type.Integer(), total: Type.Integer() }, { description: 'In entities.' }),
    version: Type.Integer(),
  },
  'An index.',
)
export const EntityTypeShape = open(
  {
    properties: Type.Optional(
      Type.Record(
        Type.String(),
        open(
          {
            type: Type.Optional(Type.String()),
            subtype: Type.Optional(
              Type.String({
                description: 'decimal, date, datetime, uuid, ni, uri or bytes: what JSON has no type for.',
              }),
            ),
            anyOf: Type.Optional(Type.Array(Type.Any())),
            description: Type.Optional(Type.String()),
          },
          'A property: one kind of value, or several.',
        ),
      ),
    ),
  },
  'An entity type: a JSON Schema.',
)
export const ModelShape = open(
  {
    _id: Type.String(),
    'entity-types': Type.Union([Type.Record(Type.String(), EntityTypeShape), Type.Array(Type.String())]),
  },
  'A named set of entity types.',
)
export const BackupShape = open(
  { _id: Type.String(), status: Type.String(), started: Type.String() },
  'A backup; `status` is running, completed or failed.',
)
export const TenantShape = Type.Object({ name: Type.String(), base: Type.String() })
export const ObjectShape = open({}, 'An object.')
export const ComponentsShape = Type.Array(
  open({ _id: Type.String(), type: Type.String() }, 'A component of the configuration.'),
)

export const ProblemShape = open(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    message: Type.String({ description: 'Equal to detail.' }),
    code: Type.String({ description: 'Stable name of what went wrong.' }),
    hint: Type.Optional(Type.String({ description: 'What to do about it.' })),
    details: Type.Any(),
  },
  'What went wrong (RFC 9457).',
)

/** Answers of a route that gives one document and may find nothing. */
export const found = (schema: TSchema, description: string) => ({
  200: { description, schema },
  404: { description: 'There is no such thing.', schema: ProblemShape },
})

export const given = (schema: TSchema, description: string) => ({ 200: { description, schema } })
