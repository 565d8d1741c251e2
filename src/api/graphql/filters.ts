/** Filters of a list: input types for the schema, and closures that decide about an entity. */

import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLString,
} from 'graphql'
import { getStored, type StoredKey, storedKey } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { compare, equals, rankOf } from '../../model/order.ts'
import type { Value } from '../../model/value.ts'
import type { DatasetPlan, PropertyPlan, ScalarName } from './plan.ts'
import { DateScalar, DateTimeScalar, DecimalScalar, IntegerScalar, JSONScalar } from './scalars.ts'
import { operandsOf, plainText } from './values.ts'

export type Test = (entity: Entity) => boolean
type Input = Readonly<Record<string, unknown>>

const ORDERED = { gt: true, gte: true, lt: true, lte: true } as const
const TEXTUAL = { contains: true, startsWith: true } as const

/** One input type for each scalar, shared by all schemas. */
const FILTERS: Readonly<Record<ScalarName | 'ID', GraphQLInputObjectType>> = {
  Boolean: filterType('Boolean', GraphQLBoolean),
  Integer: filterType('Integer', IntegerScalar, ORDERED),
  Float: filterType('Float', GraphQLFloat, ORDERED),
  Decimal: filterType('Decimal', DecimalScalar, ORDERED),
  Date: filterType('Date', DateScalar, ORDERED),
  DateTime: filterType('DateTime', DateTimeScalar, ORDERED),
  String: filterType('String', GraphQLString, { ...ORDERED, ...TEXTUAL }),
  JSON: filterType('JSON', JSONScalar, { ...ORDERED, ...TEXTUAL }),
  ID: filterType('ID', GraphQLID, { ...ORDERED, ...TEXTUAL }),
}

function filterType(
  name: string,
  type: GraphQLInputType,
  more: Partial<Record<'gt' | 'gte' | 'lt' | 'lte' | 'contains' | 'startsWith', true>> = {},
): GraphQLInputObjectType {
  const text = (operator: string) => operator === 'contains' || operator === 'startsWith'
  return new GraphQLInputObjectType({
    name: `${name}Filter`,
    description: 'All that is given must hold. Of a list, one element must pass; with `ne`, all.',
    fields: {
      eq: { type },
      ne: { type },
      in: { type: new GraphQLList(new GraphQLNonNull(type)) },
      ...Object.fromEntries(
        Object.keys(more).map((operator) => [operator, { type: text(operator) ? GraphQLString : type }]),
      ),
      exists: { type: GraphQLBoolean, description: 'Whether there is a value other than null.' },
    },
  })
}

/** Filters by the name of a field: its property, or the text of its identifier. */
export function filterInput(plan: DatasetPlan): GraphQLInputObjectType {
  const type: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${plan.typeName}Filter`,
    fields: () => {
      const own = new GraphQLList(new GraphQLNonNull(type))
      const fields: GraphQLInputFieldConfigMap = {
        and: { type: own, description: 'All of these hold.' },
        or: { type: own, description: 'One of these holds.' },
        not: { type, description: 'This does not hold.' },
        _id: { type: FILTERS.ID },
      }
      for (const property of plan.properties) fields[filterField(property)] = { type: FILTERS[property.scalar] }
      return fields
    },
  })
  return type
}

const filterField = ({ field, relation }: PropertyPlan): string => (relation === null ? field : relation.textField)

/** The test that a filter means for entities of a dataset. */
export function compileFilter(plan: DatasetPlan, filter: Input): Test {
  const byField = new Map(plan.properties.map((property) => [filterField(property), property]))
  const compileAll = (input: Input): Test => {
    const tests = Object.entries(input).flatMap(([name, operand]) => (operand ? [compileOne(name, operand)] : []))
    return (entity) => tests.every((test) => test(entity))
  }
  const compileOne = (name: string, operand: unknown): Test => {
    if (name === 'and') return every((operand as Input[]).map(compileAll))
    if (name === 'or') return some((operand as Input[]).map(compileAll))
    if (name === 'not') return negate(compileAll(operand as Input))
    if (name === '_id') return compileProperty(storedKey('_id'), 'String', ['string'], operand as Input)
    const property = byField.get(name) as PropertyPlan
    return compileProperty(property.key, property.scalar, property.kinds, operand as Input)
  }
  return compileAll(filter)
}

const every =
  (tests: readonly Test[]): Test =>
  (entity) =>
    tests.every((test) => test(entity))
const some =
  (tests: readonly Test[]): Test =>
  (entity) =>
    tests.some((test) => test(entity))
const negate =
  (test: Test): Test =>
  (entity) =>
    !test(entity)

function compileProperty(key: StoredKey, scalar: ScalarName, kinds: readonly string[], filter: Input): Test {
  const tests = Object.entries(filter).flatMap(([operator, operand]): ((values: readonly Value[]) => boolean)[] => {
    if (operand === undefined) return []
    const operands = (input: unknown) => operandsOf(scalar, kinds, input)
    switch (operator) {
      case 'eq':
        return [operand === null ? isMissing : isOneOf(operands(operand))]
      case 'ne':
        return [operand === null ? (values) => !isMissing(values) : not(isOneOf(operands(operand)))]
      case 'in':
        return operand === null ? [] : [isOneOf((operand as unknown[]).flatMap(operands))]
      case 'exists':
        return operand === null ? [] : [operand === true ? not(isMissing) : isMissing]
      case 'contains':
        return operand === null ? [] : [textTest((text) => text.includes(operand as string))]
      case 'startsWith':
        return operand === null ? [] : [textTest((text) => text.startsWith(operand as string))]
      default:
        return operand === null ? [] : [orderTest(operator as keyof typeof HOLDS, operands(operand))]
    }
  })
  return (entity) => {
    const values = valuesOf(getStored(entity, key))
    return tests.every((test) => test(values))
  }
}

const HOLDS = {
  gt: (order: number) => order > 0,
  gte: (order: number) => order >= 0,
  lt: (order: number) => order < 0,
  lte: (order: number) => order <= 0,
}

/** Values of different kinds have no order here: `"abc" > 5` is neither true nor of use. */
const orderTest =
  (operator: keyof typeof HOLDS, operands: readonly Value[]) =>
  (values: readonly Value[]): boolean =>
    values.some((value) =>
      operands.some((operand) => rankOf(value) === rankOf(operand) && HOLDS[operator](compare(value, operand))),
    )

const isOneOf =
  (operands: readonly Value[]) =>
  (values: readonly Value[]): boolean =>
    values.some((value) => operands.some((operand) => equals(value, operand)))

const textTest =
  (holds: (text: string) => boolean) =>
  (values: readonly Value[]): boolean =>
    values.some((value) => {
      const text = plainText(value)
      return text !== null && holds(text)
    })

const not =
  (test: (values: readonly Value[]) => boolean) =>
  (values: readonly Value[]): boolean =>
    !test(values)

const isMissing = (values: readonly Value[]): boolean => values.length === 0

/** Null is no value, and a list is its elements. */
function valuesOf(value: Value | undefined): readonly Value[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? (value as readonly Value[]).filter((element) => element !== null) : [value]
}
