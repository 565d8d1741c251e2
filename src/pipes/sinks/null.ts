/** Writes nothing anywhere. */

import { Type } from 'typebox'
import { defineSink } from '../contract.ts'

/** `null` (hub.md §15.2). */
export const nullSink = defineSink({
  type: 'null',
  summary: 'Discards everything.',
  config: Type.Object({ type: Type.Literal('null'), comment: Type.Optional(Type.Unknown()) }),
  examples: [{ type: 'null' }],
  kind: 'external',
  removesNamespaces: false,
  open: () => ({ write: async () => {} }),
})
