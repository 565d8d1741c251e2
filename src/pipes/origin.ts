/** Of whose making a component is (hub.md §3.1): somebody's own, or what the hub or another tool has for itself. */

import { type Dict, get } from '../model/dict.ts'
import { isDict } from '../model/value.ts'

const OF_TOOLS: readonly string[] = ['system', 'search', 'replica', 'aggregator-storage-node']

/** What its metadata says, and `user` when that says nothing. */
export function originOf(effective: Dict): string {
  const metadata = get(effective, 'metadata')
  const origin = isDict(metadata) ? get(metadata, 'origin') : undefined
  return typeof origin === 'string' ? origin : 'user'
}

export const isInternal = (effective: Dict): boolean => OF_TOOLS.includes(originOf(effective))
