/** Scalars that GraphQL lacks. Results are made by `values.ts`; here they are described, and inputs are checked. */

import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql'
import { parseDatetime } from '../../model/datetime.ts'
import { parseDecimal } from '../../model/decimal.ts'

export const IntegerScalar = scalar(
  'Integer',
  'A whole number of any size: a number up to 2^53, beyond that a string of digits.',
  (input) =>
    (typeof input === 'number' && Number.isSafeInteger(input)) || (typeof input === 'string' && /^-?\d+$/.test(input)),
)

export const DecimalScalar = scalar(
  'Decimal',
  'An exact decimal number, as text: "12.50".',
  (input) => (typeof input === 'number' && Number.isFinite(input)) || isText(input, (text) => parseDecimal(text)),
)

export const DateScalar = scalar('Date', 'A calendar date: "2015-12-31".', (input) => isText(input, parseDatetime))

export const DateTimeScalar = scalar(
  'DateTime',
  'An instant in UTC, up to nanoseconds: "2015-12-31T23:59:59.5Z".',
  (input) => isText(input, parseDatetime),
)

export const JSONScalar = scalar('JSON', 'Any value; typed ones as tagged strings such as "~:ns:id".', () => true)

function scalar(name: string, description: string, isValid: (input: unknown) => boolean): GraphQLScalarType {
  const check = (input: unknown): unknown => {
    if (isValid(input)) return input
    throw new GraphQLError(`${name} cannot represent ${JSON.stringify(input)}.`)
  }
  return new GraphQLScalarType({
    name,
    description,
    serialize: (output) => output,
    parseValue: check,
    parseLiteral: (node, variables) => check(literal(node, variables)),
  })
}

/** Digits of an integer literal stay exact. */
function literal(node: ValueNode, variables: Parameters<typeof valueFromASTUntyped>[1]): unknown {
  if (node.kind === Kind.INT && !Number.isSafeInteger(Number(node.value))) return node.value
  return valueFromASTUntyped(node, variables)
}

const isText = (input: unknown, parse: (text: string) => unknown): boolean =>
  typeof input === 'string' && parse(input) !== null
