/** What a GraphQL query would cost, found before it runs: how deep, how many aliases, how many fields it could resolve. */

import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { DEFAULT_FIRST } from './connections.ts'

/** Tokens of a document: the parser stops there. */
export const MAX_TOKENS = 2_000
const MAX_DEPTH = 16
const MAX_ALIASES = 100
const MAX_COST = 200_000
/** A list without `first` is as long as the data has it; this is what it is taken for. */
const LIST_LENGTH = 10

interface Measure {
  readonly depth: number
  readonly aliases: number
  readonly cost: number
}

/** The reason to refuse an operation, or null. */
export function refusal(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>>,
): GraphQLError | null {
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode =>
      definition.kind === Kind.OPERATION_DEFINITION && (!operationName || definition.name?.value === operationName),
  )
  const root = schema.getQueryType()
  if (operation === undefined || !root) return null
  const { depth, aliases, cost } = new Meter(schema, document, variables).measure(operation.selectionSet, root)
  if (depth > MAX_DEPTH)
    return tooMuch('query-too-deep', `The query is ${depth} levels deep; ${MAX_DEPTH} are allowed.`)
  if (aliases > MAX_ALIASES)
    return tooMuch('too-many-aliases', `The query has ${aliases} aliases; ${MAX_ALIASES} are allowed.`)
  if (cost > MAX_COST) {
    return tooMuch(
      'query-too-costly',
      `The query could read ${cost} fields; ${MAX_COST} are allowed. Ask for smaller pages.`,
    )
  }
  return null
}

const tooMuch = (code: string, message: string): GraphQLError => new GraphQLError(message, { extensions: { code } })

const NOTHING: Measure = { depth: 0, aliases: 0, cost: 0 }

class Meter {
  readonly #schema: GraphQLSchema
  readonly #variables: Readonly<Record<string, unknown>>
  readonly #fragments = new Map<string, FragmentDefinitionNode>()
  /** A fragment is measured once however often it is spread. */
  readonly #measured = new Map<string, Measure>()

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Readonly<Record<string, unknown>>) {
    this.#schema = schema
    this.#variables = variables
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition)
    }
  }

  measure(selections: SelectionSetNode, parent: GraphQLNamedType): Measure {
    let [depth, aliases, cost] = [0, 0, 0]
    for (const selection of selections.selections) {
      const part =
        selection.kind === Kind.FIELD
          ? this.#field(selection, parent)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? this.#fragment(selection.name.value)
            : this.measure(selection.selectionSet, this.#typeOr(parent, selection.typeCondition?.name.value))
      depth = Math.max(depth, part.depth)
      aliases += part.aliases
      cost += part.cost
    }
    return { depth, aliases, cost }
  }

  #field(field: FieldNode, parent: GraphQLNamedType): Measure {
    const alias = field.alias === undefined ? 0 : 1
    // What the schema says of itself is bounded by a rule of its own when the document is validated.
    if (field.name.value.startsWith('__')) return { depth: 1, aliases: alias, cost: 1 }
    const known = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field.name.value] : undefined
    if (known === undefined || field.selectionSet === undefined) return { depth: 1, aliases: alias, cost: 1 }
    const inner = this.measure(field.selectionSet, getNamedType(known.type))
    const type = isNonNullType(known.type) ? known.type.ofType : known.type
    const isPaged = known.args.some(({ name }) => name === 'first')
    // The nodes of a connection were counted where it was asked for.
    const isCounted = field.name.value === 'nodes' || field.name.value === 'edges'
    const times = isPaged ? this.#first(field) : isListType(type) && !isCounted ? LIST_LENGTH : 1
    return { depth: 1 + inner.depth, aliases: alias + inner.aliases, cost: 1 + times * inner.cost }
  }

  #first(field: FieldNode): number {
    const value = field.arguments?.find(({ name }) => name.value === 'first')?.value
    const given =
      value?.kind === Kind.INT
        ? Number(value.value)
        : value?.kind === Kind.VARIABLE
          ? this.#variables[value.name.value]
          : undefined
    return typeof given === 'number' && given >= 0 ? given : DEFAULT_FIRST
  }

  #fragment(name: string): Measure {
    const known = this.#measured.get(name)
    if (known !== undefined) return known
    const fragment = this.#fragments.get(name)
    const type = fragment && this.#schema.getType(fragment.typeCondition.name.value)
    const measured = fragment && type ? this.measure(fragment.selectionSet, type) : NOTHING
    this.#measured.set(name, measured)
    return measured
  }

  #typeOr(parent: GraphQLNamedType, name: string | undefined): GraphQLNamedType {
    const type = name === undefined ? undefined : this.#schema.getType(name)
    return type !== undefined && isCompositeType(type) ? type : parent
  }
}
