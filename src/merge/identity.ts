/** The id of a class, made from its members in order. */

import { createHash } from 'node:crypto'
import { compareText } from '../model/order.ts'
import type { NodeKey } from './contract.ts'
import { positionOf, shortIdOf } from './keys.ts'
import type { ClassState } from './state.ts'

/** How members become one entity's id, and which members are only identity lists. */
export interface Layout {
  readonly identity: 'composite' | 'first'
  /** How many datasets are merged: positions from 0; those above are identity lists. */
  readonly datasets: number
  readonly isVisible: (node: NodeKey) => boolean
}

/** UTF-8 bytes of an id; a longer one is replaced by its first part and a hash. */
const LONGEST = 1024

/** Members in the order of the merge: by the position of the dataset, then by id. */
export function inOrder(state: ClassState, nodes: readonly NodeKey[]): NodeKey[] {
  if (nodes.length < 2) return [...nodes]
  const sorted = [...nodes].sort(compareText)
  if (sorted.every((node) => shortIdOf(node) !== undefined)) return sorted
  return sorted.sort((a, b) => positionOf(a) - positionOf(b) || compareText(state.idOf(a), state.idOf(b)))
}

/** Of members that are visible and in order. */
export function idOfClass(state: ClassState, layout: Layout, nodes: readonly NodeKey[]): string {
  return classId(
    layout.identity,
    nodes.map((node) => [positionOf(node), state.idOf(node)]),
  )
}

export function classId(
  identity: Layout['identity'],
  members: readonly (readonly [position: number, id: string])[],
): string {
  const [first] = members
  if (first === undefined) return ''
  if (identity === 'first') return first[1]
  const id = members.map(([position, one]) => `${position}|${one}`).join('|')
  if (id.length <= LONGEST / 3 || Buffer.byteLength(id) <= LONGEST) return id
  // Long ones are stored by hash; the part in front is for the reader.
  return `${first[0]}|${first[1].slice(0, 64)}|#${createHash('sha256').update(id).digest('hex')}`
}
