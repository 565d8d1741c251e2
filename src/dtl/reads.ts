/** What a call reads besides its arguments: other datasets, the clock, chance, former versions. */

import { isList, URI, type Value } from '../model/value.ts'
import { datasetIn } from './reference-uri.ts'
import type { ArgumentNode, CallNode, FunctionDefinition } from './syntax.ts'

/** Undefined: nothing. `uuid` takes chance only when it has nothing to convert. */
export const readsOf = ({ definition, arguments: args }: CallNode): FunctionDefinition['reads'] =>
  definition.name === 'uuid' && args[0] !== undefined ? undefined : definition.reads

/** Datasets that a call looks entities up in by id, as far as its constants name them. */
export function lookedUpIn({ definition, arguments: args }: CallNode): readonly string[] {
  const texts = (node: ArgumentNode | undefined) => constantsIn(node).filter((value) => typeof value === 'string')
  if (definition.name === 'lookup-entity') return texts(args[0]) as string[]
  if (definition.name !== 'lookup') return []
  const uris = constantsIn(args[1]).flatMap((value) => (value instanceof URI ? (datasetIn(value.text) ?? []) : []))
  return [...(texts(args[0]) as string[]), ...uris]
}

/** A constant, or those in a `list` of them. */
function constantsIn(node: ArgumentNode | undefined): readonly Value[] {
  if (node?.kind === 'constant') return isList(node.value) ? node.value : [node.value]
  return node?.kind === 'call' && node.definition.name === 'list' ? node.arguments.flatMap(constantsIn) : []
}
