/** The two coercions of the language (dtl.md §6.1). */

import { isList, type Value } from '../model/value.ts'

const NOTHING: readonly Value[] = []

/** Null as the empty list, a list as itself, anything else as a list of one. */
export const listOf = (value: Value): readonly Value[] => (value === null ? NOTHING : isList(value) ? value : [value])

/** The first element of a list, null when it is empty; anything else as itself. */
export const firstOf = (value: Value): Value => (isList(value) ? (value[0] ?? null) : value)
