/** Turns a plan into a GraphQL schema. */

import {
  GraphQLBoolean,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  GraphQLFloat,
  GraphQLID,
  type GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql'
import { get, getStored } from '../../model/dict.ts'
import { idOf } from '../../model/entity.ts'
import { NI, type Value } from '../../model/value.ts'
import { type Connection, connectionType, pageArguments, rangeOf } from './connections.ts'
import type { Context } from './context.ts'
import { compileFilter, filterInput } from './filters.ts'
import type { DatasetPlan, InversePlan, Plan, PropertyPlan, RelationPlan, ScalarName } from './plan.ts'
import type { Found, Range } from './reader.ts'
import { DateScalar, DateTimeScalar, DecimalScalar, IntegerScalar, JSONScalar } from './scalars.ts'
import { jsonOutput, OUTPUT } from './values.ts'

type Field = GraphQLFieldConfig<Found, Context>

const SCALAR_TYPES: Readonly<Record<ScalarName, GraphQLScalarType>> = {
  Boolean: GraphQLBoolean,
  Integer: IntegerScalar,
  Float: GraphQLFloat,
  Decimal: DecimalScalar,
  Date: DateScalar,
  DateTime: DateTimeScalar,
  String: GraphQLString,
  JSON: JSONScalar,
}

const MAX_HISTORY = 100

export function buildSchema(plan: Plan): GraphQLSchema {
  const types = new Map<string, Types>()
  const entity = entityInterface(types)
  for (const dataset of plan.datasets) types.set(dataset.dataset, typesOf(dataset, types, entity))
  const fields: GraphQLFieldConfigMap<unknown, Context> = {
    _datasets: { type: datasetList, description: 'The datasets and their fields here.', resolve: () => plan.datasets },
    _entity: {
      type: entity,
      description: 'An entity by its id, from the first dataset that holds it, global ones first.',
      args: { id: { type: new GraphQLNonNull(GraphQLID) } },
      resolve: (_, { id }: { id: string }, { reader }) => {
        for (const dataset of plan.datasets) {
          const found = reader.byId(dataset, id)
          if (found !== null) return found
        }
        return null
      },
    },
  }
  for (const dataset of plan.datasets) Object.assign(fields, rootFields(dataset, types.get(dataset.dataset) as Types))
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields }),
    types: [...types.values()].map(({ node }) => node),
  })
}

/** What a dataset becomes. */
interface Types {
  readonly node: GraphQLObjectType<Found, Context>
  readonly connection: GraphQLObjectType<Connection, Context>
  readonly filter: GraphQLInputObjectType
}

function typesOf(plan: DatasetPlan, types: ReadonlyMap<string, Types>, entity: GraphQLInterfaceType): Types {
  const node = new GraphQLObjectType<Found, Context>({
    name: plan.typeName,
    description: `An entity of the dataset \`${plan.dataset}\`.`,
    interfaces: [entity],
    fields: () => ({
      ...systemFields,
      ...Object.assign({}, ...plan.properties.map((property) => propertyFields(property, types, entity))),
      ...Object.fromEntries(plan.inverses.map((inverse) => [inverse.field, inverseField(inverse, types)])),
    }),
  })
  return { node, connection: connectionType(plan, node), filter: filterInput(plan) }
}

function rootFields(plan: DatasetPlan, { node, connection, filter }: Types): GraphQLFieldConfigMap<unknown, Context> {
  return {
    [plan.field]: {
      type: node,
      description: `One entity of \`${plan.dataset}\`.`,
      args: { id: { type: new GraphQLNonNull(GraphQLID) } },
      resolve: (_, { id }: { id: string }, { reader }) => reader.byId(plan, id),
    },
    [plan.listField]: {
      type: new GraphQLNonNull(connection),
      description: `Entities of \`${plan.dataset}\` in the order of their ids.`,
      args: { ...pageArguments, filter: { type: filter } },
      resolve: (_, args: ListArguments, { reader }) => {
        const range = rangeOf(args)
        const test = args.filter === null || args.filter === undefined ? null : compileFilter(plan, args.filter)
        const total = () => (test === null ? reader.total(plan) : reader.count(plan, test))
        const page = reader.page(plan, range, test)
        const connect = (ready: Awaited<typeof page>): Connection => ({
          nodes: ready.entities.map((entity) => ({ plan, entity })),
          page: ready,
          range,
          total,
        })
        return page instanceof Promise ? page.then(connect) : connect(page)
      },
    },
  }
}

type ListArguments = {
  readonly first?: number | null
  readonly after?: string | null
  readonly filter?: Readonly<Record<string, unknown>> | null
}

function propertyFields(
  property: PropertyPlan,
  types: ReadonlyMap<string, Types>,
  entity: GraphQLInterfaceType,
): Record<string, Field> {
  const { field, relation } = property
  if (relation === null) return { [field]: scalarField(property) }
  const target = relation.leadsTo === null ? entity : (types.get(relation.leadsTo) as Types).node
  return {
    [field]: relationField(property, relation, target),
    [relation.textField]: {
      ...scalarField(property),
      description: `The identifier in \`${property.property}\`, as text.`,
    },
  }
}

function scalarField({ key, property, scalar, isList }: PropertyPlan): Field {
  const type = SCALAR_TYPES[scalar]
  const write = OUTPUT[scalar]
  const writeOne = (value: Value) => (value === null ? null : write(value))
  return {
    type: isList ? new GraphQLList(type) : type,
    description: `\`${property}\``,
    resolve: ({ entity }) => {
      const value = getStored(entity, key)
      if (value === undefined || value === null) return null
      if (!isList) return write(value)
      // Some entities hold a list, so all give one.
      return Array.isArray(value) ? (value as readonly Value[]).map(writeOne) : [write(value)]
    },
  }
}

function relationField(
  { key, property, isList }: PropertyPlan,
  relation: RelationPlan,
  target: GraphQLOutputType,
): Field {
  return {
    type: isList ? new GraphQLList(target) : target,
    description: `What \`${property}\` points to; null when it is not here.`,
    resolve: ({ entity }, _args, { reader }) => {
      const value = getStored(entity, key)
      const follow = (one: Value) => (one instanceof NI ? reader.byIdentifier(one.text, relation) : null)
      if (value === undefined || value === null) return null
      if (!isList) return follow(value)
      return Array.isArray(value) ? (value as readonly Value[]).map(follow) : [follow(value)]
    },
  }
}

function inverseField({ dataset, property }: InversePlan, types: ReadonlyMap<string, Types>): Field {
  const { connection } = types.get(dataset) as Types
  return {
    type: new GraphQLNonNull(connection),
    description: `Entities of \`${dataset}\` whose \`${property}\` points here.`,
    args: pageArguments,
    resolve: async (found, args: Partial<Range>, { reader }): Promise<Connection> => {
      const range = rangeOf(args)
      const plan = reader.plan(dataset)
      const page = await reader.pointingAt(found, dataset, property, range)
      return { nodes: page.entities.map((entity) => ({ plan, entity })), page, range, total: () => page.total }
    },
  }
}

/** What each entity has. */
const systemFields: Record<string, Field> = {
  _id: { type: new GraphQLNonNull(GraphQLID), resolve: ({ entity }) => idOf(entity) },
  _iri: {
    type: new GraphQLNonNull(GraphQLString),
    description: 'Its name in the graph.',
    resolve: ({ entity }, _args, { reader }) => reader.tenant.naming().entityIri(idOf(entity)),
  },
  _dataset: {
    type: new GraphQLNonNull(GraphQLString),
    description: 'The dataset it was read from.',
    resolve: ({ plan }) => plan.dataset,
  },
  _pipe: { type: GraphQLString, description: 'The pipe that wrote it.', resolve: ({ plan }) => plan.pipe },
  _updated: { type: IntegerScalar, description: 'Its place in the dataset.', resolve: internal('_updated') },
  _previous: { type: IntegerScalar, description: 'Place of the version before.', resolve: internal('_previous') },
  _ts: { type: IntegerScalar, description: 'When it was written, microseconds since 1970.', resolve: internal('_ts') },
  _hash: { type: GraphQLString, description: 'Hash of its content.', resolve: internal('_hash') },
  _json: {
    type: new GraphQLNonNull(JSONScalar),
    description: 'All of it.',
    resolve: ({ entity }) => jsonOutput(entity),
  },
  _history: {
    type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(JSONScalar))),
    description: 'Its versions, newest first, as far as they are kept.',
    args: { first: { type: GraphQLInt, defaultValue: 10, description: `How many, ${MAX_HISTORY} at most.` } },
    resolve: (found, { first }: { first?: number | null }, { reader }) => history(found, first ?? 10, reader),
  },
}

function internal(name: string): NonNullable<Field['resolve']> {
  return ({ entity }) => {
    const value = get(entity, name)
    return value === undefined ? null : jsonOutput(value)
  }
}

function history({ plan, entity }: Found, first: number, reader: Context['reader']): unknown[] {
  const versions: unknown[] = []
  let offset: unknown = get(entity, '_updated')
  while (typeof offset === 'number' && versions.length < Math.min(first, MAX_HISTORY)) {
    const text = reader.doors.datasetEntity(reader.tenant, plan.dataset, idOf(entity), { offset })
    if (text === undefined) break
    const version = JSON.parse(text) as { _previous?: unknown }
    versions.push(version)
    offset = version._previous
  }
  return versions
}

function entityInterface(types: ReadonlyMap<string, Types>): GraphQLInterfaceType {
  return new GraphQLInterfaceType({
    name: 'Entity',
    description: 'An entity of any dataset.',
    fields: () =>
      Object.fromEntries(Object.entries(systemFields).map(([name, { resolve: _, ...field }]) => [name, field])),
    resolveType: ({ plan }: Found) => (types.get(plan.dataset) as Types).node.name,
  })
}

const DatasetInfo = new GraphQLObjectType<DatasetPlan, Context>({
  name: 'DatasetInfo',
  fields: {
    id: { type: new GraphQLNonNull(GraphQLString), resolve: ({ dataset }) => dataset },
    isGlobal: { type: new GraphQLNonNull(GraphQLBoolean), resolve: ({ isGlobal }) => isGlobal },
    pipe: { type: GraphQLString, resolve: ({ pipe }) => pipe },
    type: { type: new GraphQLNonNull(GraphQLString), resolve: ({ typeName }) => typeName },
    field: { type: new GraphQLNonNull(GraphQLString), resolve: ({ field }) => field },
    listField: { type: new GraphQLNonNull(GraphQLString), resolve: ({ listField }) => listField },
    count: { type: new GraphQLNonNull(GraphQLInt), resolve: (plan, _args, { reader }) => reader.total(plan) },
  },
})

const datasetList = new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(DatasetInfo)))
