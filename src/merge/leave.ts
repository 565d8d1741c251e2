/** The entities of a dataset that is no longer merged leave, as if they had never been there. */

import { classId, type Layout } from './identity.ts'
import { letter } from './keys.ts'
import type { Linker } from './linker.ts'
import type { ClassState } from './state.ts'

export interface Leaving {
  readonly input: number
  /** Place of the input when its entities were emitted; -1: it was an identity list. */
  readonly place: number
}

/** Takes out up to `limit` of them; false when there were none. */
export function leaveSome(
  state: ClassState,
  linker: Linker,
  { identity }: Layout,
  { input, place }: Leaving,
  limit: number,
): boolean {
  const nodes = state.nodes.some(limit, letter(input))
  for (const [node] of nodes) linker.drop(node, place < 0 ? null : classId(identity, [[place, state.idOf(node)]]))
  return nodes.length > 0
}
