/** An entity is a dict with a string `_id`; root properties that start with `_` are the hub's (dtl.md §2.2). */

import { type Dict, get } from './dict.ts'
import { isDict, type Value } from './value.ts'

declare const entityMark: unique symbol
export type Entity = Dict & { readonly [entityMark]?: true }

export const idOf = (entity: Entity): string => get(entity, '_id') as string

/** Deleted if and only if `_deleted` is exactly `true` (dtl.md §2.2). */
export const isDeleted = (entity: Entity): boolean => get(entity, '_deleted') === true

export const isEntity = (value: Value): value is Entity => isDict(value) && typeof get(value, '_id') === 'string'
