/** What a program's result depends on beside its source, the datasets it hops to, and itself. */

import { listOf } from './coerce.ts'
import type { DtlSettings, Place, Purity } from './contract.ts'
import { readingOf } from './namespaces.ts'
import { lookedUpIn, readsOf } from './reads.ts'
import type { CallNode, PathNode, RuleNode } from './syntax.ts'
import { walk } from './walk.ts'

/** Fields that the hub keeps about an entity, and that change when its content does not (dtl.md §2.2). */
const INTERNAL: ReadonlySet<string> = new Set(['_updated', '_previous', '_ts', '_hash', '_tracked'])

/** Functions that read what an entity, or the hub, was before. */
const HISTORY: ReadonlySet<string> = new Set(['is-changed', 'completeness'])

/** Functions that read another dataset and are not followed backwards. */
const UNFOLLOWED: ReadonlySet<string> = new Set(['lookup-entity', 'lookup'])

export function purityOf(rules: readonly RuleNode[], settings: DtlSettings): Purity {
  const found: { [kind in keyof Purity]: Place[] } = { time: [], chance: [], history: [], internal: [], lookups: [] }
  for (const { block } of rules) {
    walk(block, {
      call: (node) => {
        const place = { pointer: node.pointer, what: node.definition.name }
        const reads = readsOf(node)
        if (reads === 'time' || reads === 'chance') found[reads].push(place)
        if (place.what === 'encrypt-pgp') found.chance.push(place)
        if (HISTORY.has(place.what) || makesNamespaces(node)) found.history.push(place)
        if (UNFOLLOWED.has(place.what))
          for (const dataset of namedIn(node)) found.lookups.push({ ...place, what: dataset })
        if (place.what === 'path') for (const name of constantNames(node)) addField(name, place.pointer)
      },
      path: (node) => {
        const field = rootField(node)
        if (field !== undefined) addField(readingOf(field, settings).name, node.pointer)
      },
    })
  }
  return found

  function addField(name: string, pointer: string): void {
    if (INTERNAL.has(name)) found.internal.push({ pointer, what: name })
  }
}

/** URIs that no prefix covers get namespaces in the order in which a program comes upon them (dtl.md §9.14). */
const makesNamespaces = ({ definition, arguments: [namespace, values] }: CallNode): boolean =>
  definition.name === 'ni' && namespace === undefined && values?.kind !== 'constant'

/** The property of an entity that a path reads first. */
function rootField({ variable, elements }: PathNode): string | undefined {
  if (variable.name === '_T' || variable.name === '_B') return undefined
  const isContext = variable.name === '_P' || variable.name === '_R'
  return isContext ? elements.find((element) => element !== '_P' && element !== '_S') : elements[0]
}

function constantNames({ arguments: [names] }: CallNode): readonly string[] {
  if (names?.kind === 'constant') return listOf(names.value).filter((name) => typeof name === 'string')
  if (names?.kind !== 'call' || names.definition.name !== 'list') return []
  return names.arguments.flatMap((one) =>
    one?.kind === 'constant' && typeof one.value === 'string' ? [one.value] : [],
  )
}

/** The datasets that are known; one that only the entity says has none. */
function namedIn(call: CallNode): readonly string[] {
  const named = lookedUpIn(call)
  return named.length === 0 ? [UNKNOWN] : named
}

/** Stands for a dataset that is known at run time alone; no dataset is called so. */
export const UNKNOWN = '?'
