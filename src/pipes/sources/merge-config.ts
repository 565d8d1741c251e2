/** What a merge source can be told (hub.md §14.2). */

import { type Static, Type } from 'typebox'
import type { Value } from '../../model/value.ts'
import { inputSettings } from './several-datasets.ts'

const expression = () => Type.Unsafe<Value>(Type.Unknown())

export const mergeConfig = Type.Object({
  type: Type.Literal('merge'),
  version: Type.Union([Type.Literal(1), Type.Literal(2)], {
    default: 1,
    description: 'New pipes say 2. Version 1 is deprecated and does what version 2 does.',
  }),
  datasets: Type.Array(Type.String({ minLength: 1 }), {
    minItems: 1,
    description: 'Each `<dataset> <alias>`; the order decides whose values come first.',
  }),
  equality: Type.Optional(
    Type.Array(expression(), { description: 'Rules `["eq", a, b]`: entities whose values overlap are the same.' }),
  ),
  equality_sets: Type.Optional(
    Type.Array(Type.Array(expression()), {
      description: 'Each list stands for rules between each expression and the next.',
    }),
  ),
  identity_lists: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description:
        'Each `<dataset> <property>`: an entity there lists identities that are the same thing, and is not merged itself. Each `<dataset>` alone: an entity there says in `owl:sameAs` what it is the same as.',
    }),
  ),
  same_as: Type.Boolean({
    default: false,
    description: 'Entities are the same as those whose identities they name in `owl:sameAs`.',
  }),
  identity: Type.Union([Type.Literal('composite'), Type.Literal('first'), Type.Literal('stable')], {
    default: 'composite',
    description:
      'composite: the id names all members. first: the id of the first member. stable: an id that is made once and stays when members come and go.',
  }),
  strategy: Type.Union([Type.Literal('default'), Type.Literal('compact'), Type.Literal('list')], {
    default: 'default',
    description: 'default: values one after the other. compact: each value once. list: the members, in `$merged`.',
  }),
  include_internal_properties: Type.Boolean({
    default: false,
    description: 'With `list`: members keep `_ts` and the like.',
  }),
  max_merged: Type.Integer({
    default: 50_000,
    minimum: 0,
    description: 'A class with more members is left apart and reported; 0: no limit.',
  }),
  max_shared: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: 'A value that more entities share makes none of them the same; absent: no limit.',
    }),
  ),
  ...inputSettings,
  links: Type.Optional(Type.Unknown()),
})

export type MergeConfig = Static<typeof mergeConfig>
