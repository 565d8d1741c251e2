/** Why a class is so large: the values that bind most of its members. */

import type { NodeKey } from './contract.ts'
import type { NodeRow } from './rows.ts'
import { type Link, postingOf } from './rules.ts'
import type { ClassState } from './state.ts'

export interface CommonValue {
  /** One of the links that carry it, and one of the members that have it. */
  readonly link: Link
  readonly node: NodeKey
  /** Members that have it. */
  readonly count: number
}

const NAMED = 5

export function commonest(state: ClassState, members: readonly NodeKey[]): CommonValue[] {
  const counts = new Map<string, { link: Link; node: NodeKey; count: number }>()
  for (const node of members) {
    const seen = new Set<string>()
    for (const link of (state.nodes.get(node) as NodeRow).links) {
      const posting = postingOf(link)
      if (seen.has(posting)) continue
      seen.add(posting)
      const known = counts.get(posting)
      if (known === undefined) counts.set(posting, { link, node, count: 1 })
      else known.count++
    }
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.link < b.link ? -1 : 1)).slice(0, NAMED)
}
