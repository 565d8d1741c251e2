/** The id of a class, made from its members in order. */

import { createHash } from 'node:crypto'
import { compareText } from '../model/order.ts'
import type { NodeKey } from './contract.ts'
import { inputOf, shortIdOf } from './keys.ts'
import type { ClassState } from './state.ts'

export type Identity = 'composite' | 'first' | 'stable'

/** How members become one entity's id, and which members are only identity lists. */
export interface Layout {
  readonly identity: Identity
  /** The inputs that are merged, by number, in the order of the merge. All others are identity lists. */
  readonly inputs: readonly number[]
  /** Place of the member's input in that order; -1: it is of an identity list. */
  placeOf(node: NodeKey): number
  isVisible(node: NodeKey): boolean
}

export function layoutOf(identity: Identity, inputs: readonly number[]): Layout {
  const placeOf = (node: NodeKey): number => inputs.indexOf(inputOf(node))
  return { identity, inputs, placeOf, isVisible: (node) => placeOf(node) >= 0 }
}

/** UTF-8 bytes of an id; a longer one is replaced by its first part and a hash. */
const LONGEST = 1024

/** Members in the order of the merge: by the place of the dataset, then by id. */
export function inOrder(state: ClassState, layout: Layout, nodes: readonly NodeKey[]): NodeKey[] {
  if (nodes.length < 2) return [...nodes]
  const isAscending = layout.inputs.every((input, place) => place === 0 || input > (layout.inputs[place - 1] as number))
  if (isAscending && nodes.every((node) => shortIdOf(node) !== undefined)) return [...nodes].sort(compareText)
  return [...nodes].sort((a, b) => layout.placeOf(a) - layout.placeOf(b) || compareText(state.idOf(a), state.idOf(b)))
}

/** Of members that are visible and in order; '' where ids are minted, since members do not tell them. */
export function idOfClass(state: ClassState, layout: Layout, nodes: readonly NodeKey[]): string {
  if (layout.identity === 'stable') return ''
  return classId(
    layout.identity,
    nodes.map((node) => [layout.placeOf(node), state.idOf(node)]),
  )
}

export function classId(identity: Identity, members: readonly (readonly [place: number, id: string])[]): string {
  const [first] = members
  if (first === undefined) return ''
  if (identity !== 'composite') return first[1]
  const id = members.map(([place, one]) => `${place}|${one}`).join('|')
  if (id.length <= LONGEST / 3 || Buffer.byteLength(id) <= LONGEST) return id
  // Long ones are stored by hash; the part in front is for the reader.
  return `${first[0]}|${first[1].slice(0, 64)}|#${createHash('sha256').update(id).digest('hex')}`
}

/** Notes that an entity which was emitted by itself no longer is. Of a minted id its holders tell when it is no more. */
export function noteOldSingle(state: ClassState, layout: Layout, node: NodeKey, id = state.idOf(node)): void {
  if (layout.identity !== 'stable') state.noteOld(classId(layout.identity, [[layout.placeOf(node), id]]), node, false)
}

/** Notes that a class is perhaps no longer emitted as it was. */
export function noteOldClass(
  state: ClassState,
  layout: Layout,
  { emitted, anchor }: { readonly emitted: string; readonly anchor: NodeKey },
): void {
  if (emitted !== '' && layout.identity !== 'stable') state.noteOld(emitted, anchor, true)
}
