/** Reads nothing. */

import { Type } from 'typebox'
import { defineSource } from '../contract.ts'

/** `empty` (hub.md §14.6). */
export const emptySource = defineSource({
  type: 'empty',
  summary: 'No entities: for a pipe whose entities are made or sent in another way.',
  config: Type.Object({ type: Type.Literal('empty'), comment: Type.Optional(Type.Unknown()) }),
  examples: [{ type: 'empty' }],
  addsNamespaces: false,
  continuation: () => ({ supportsSince: false, isSinceComparable: true, isChronological: true }),
  inputs: () => [],
  open: () => ({
    async *read() {},
  }),
})
