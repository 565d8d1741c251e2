/** Which properties of an entity an expression over it reads, by the very names they are stored under. */

import type { DtlSettings } from './contract.ts'
import { readingOf } from './namespaces.ts'
import type { Node } from './syntax.ts'
import { walk } from './walk.ts'

/** Null: all of it, or properties of any namespace. */
export function rootNames(node: Node, settings: DtlSettings): readonly string[] | null {
  const names = new Set<string>()
  let isKnown = true
  walk(node, {
    path: ({ variable, elements }) => {
      // `_` stands for values that were read before.
      if (variable.name === '_') return
      const reading = elements[0] === undefined ? null : readingOf(elements[0], settings)
      if (reading?.kind !== 'key') isKnown = false
      else names.add(reading.name)
    },
  })
  // Made of the id where it is missing (dtl.md §2.2).
  if (names.has('$ids')) names.add('_id')
  return isKnown ? [...names] : null
}
