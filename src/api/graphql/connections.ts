/** Lists as connections: edges, nodes, cursors and page information. */

import {
  GraphQLBoolean,
  type GraphQLFieldConfigArgumentMap,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
} from 'graphql'
import { idOf } from '../../model/entity.ts'
import { ApiError } from '../errors.ts'
import type { Context } from './context.ts'
import type { DatasetPlan } from './plan.ts'
import type { Found, Page, Range } from './reader.ts'

export interface Connection {
  readonly nodes: readonly Found[]
  readonly range: Range
  readonly page: Page
  readonly total: () => number | null | Promise<number | null>
}

export const DEFAULT_FIRST = 20
const MAX_FIRST = 1_000

export const pageArguments: GraphQLFieldConfigArgumentMap = {
  first: { type: GraphQLInt, defaultValue: DEFAULT_FIRST, description: `How many, ${MAX_FIRST} at most.` },
  after: { type: GraphQLString, description: 'Cursor of the one before the first.' },
}

const PageInfo = new GraphQLObjectType<Connection, Context>({
  name: 'PageInfo',
  fields: {
    hasNextPage: { type: new GraphQLNonNull(GraphQLBoolean), resolve: ({ page }) => page.hasMore },
    hasPreviousPage: { type: new GraphQLNonNull(GraphQLBoolean), resolve: ({ range }) => range.after !== undefined },
    startCursor: {
      type: GraphQLString,
      resolve: ({ nodes: [first] }) => (first === undefined ? null : cursorOf(idOf(first.entity))),
    },
    endCursor: {
      type: GraphQLString,
      description:
        'Where to go on. A filter may stop before the end with fewer than asked for; then there is a next page.',
      resolve: ({ page }) => (page.end === null ? null : cursorOf(page.end)),
    },
  },
})

export function connectionType(
  plan: DatasetPlan,
  node: GraphQLObjectType<Found, Context>,
): GraphQLObjectType<Connection, Context> {
  const edge = new GraphQLObjectType<Found, Context>({
    name: `${plan.typeName}Edge`,
    fields: () => ({
      cursor: { type: new GraphQLNonNull(GraphQLString), resolve: ({ entity }) => cursorOf(idOf(entity)) },
      node: { type: new GraphQLNonNull(node), resolve: (found) => found },
    }),
  })
  return new GraphQLObjectType<Connection, Context>({
    name: `${plan.typeName}Connection`,
    fields: () => ({
      edges: { type: listOf(edge), resolve: ({ nodes }) => nodes },
      nodes: { type: listOf(node), resolve: ({ nodes }) => nodes },
      pageInfo: { type: new GraphQLNonNull(PageInfo), resolve: (connection) => connection },
      totalCount: {
        type: GraphQLInt,
        description: 'How many there are on all pages; null when a filter would have to look at too many.',
        resolve: ({ total }) => total(),
      },
    }),
  })
}

const listOf = <T extends GraphQLObjectType>(type: T) => new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)))

export function rangeOf({ first, after }: { readonly first?: number | null; readonly after?: string | null }): Range {
  const wanted = first ?? DEFAULT_FIRST
  if (wanted < 0 || wanted > MAX_FIRST) {
    throw new ApiError('bad-parameter', `The argument 'first' must be from 0 to ${MAX_FIRST}, not ${wanted}.`)
  }
  return { first: wanted, ...(after === null || after === undefined ? {} : { after: idOfCursor(after) }) }
}

/** A cursor is the id of an entity, written so that nobody builds one by hand. */
const cursorOf = (id: string): string => Buffer.from(id).toString('base64url')

function idOfCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  if (cursorOf(id) === cursor) return id
  throw new ApiError('bad-parameter', `'${cursor}' is not a cursor of this list.`, {
    hint: 'Use endCursor of the page before, or the cursor of an edge.',
  })
}
