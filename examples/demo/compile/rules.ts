/** Expressions of DTL that all compiled pipes are put together from. */

import type { Expression } from './lenses.ts'
import type { PropertyMap } from './mapping.ts'

export type Transform = readonly Expression[]
export type Rules = Readonly<Record<string, readonly Transform[]>> & { readonly default: readonly Transform[] }

export const dtl = (rules: Rules) => ({ type: 'dtl', rules })

/** `Human` → the class as a namespaced identifier. */
export const classNi = (name: string): string => `~:tm:${name}`

export const pipeOf = (system: string, datatype: string, step: string): string => `${system}-${datatype}-${step}`
/** Identifiers of a system's records, and their properties, have this namespace. */
export const namespaceOf = (system: string, datatype: string): string => `${system}-${datatype}`
export const globalOf = (id: string): string => `global-${id}`

/** What a rule makes of the source, without the properties that say nothing: null, the empty list, the empty text. */
export const present = (rule: string): Expression => [
  'dict',
  [
    'filter',
    ['and', ['is-not-empty', ['nth', 1, '_.']], ['neq', ['nth', 1, '_.'], '']],
    ['items', ['apply', rule, '_S.']],
  ],
]

/** A property of the source entity, as its system spells it; a step with a namespace of its own keeps that. */
const sourcePath = (path: readonly string[], namespace: string): string =>
  ['_S', ...path.map((step) => quoted(step.includes(':') ? step : `${namespace}:${step}`))].join('.')

const quoted = (step: string): string => (/[.']/.test(step) ? `'${step.replaceAll("'", "''")}'` : step)

/** From a record to the model: read, look through the lenses, follow the reference. */
export function forward(
  { path, lenses, cardinality, ref }: PropertyMap,
  system: string,
  namespace: string,
): Expression {
  const seen = lenses.reduce<Expression>((value, lens) => lens.get(value), sourcePath(path, namespace))
  const isOne = cardinality === 'one'
  if (ref?.by === 'iri') return ['ni', isOne ? ['first', seen] : ['distinct', seen]]
  if (ref?.by === 'id') {
    const numbers: Expression = ['filter', ['neq', '_.', ''], seen]
    return ['ni', namespaceOf(system, ref.to), ['string', isOne ? ['first', numbers] : ['distinct', numbers]]]
  }
  return isOne ? ['first', seen] : ['distinct', ['filter', ['and', ['is-not-null', '_.'], ['neq', '_.', '']], seen]]
}

/** From the model to a field of the system, which holds one value unless its mapping says otherwise. */
export function backward({ lenses, cardinality }: PropertyMap, from: string): Expression {
  const written = lenses.reduceRight<Expression>((value, lens) => lens.put(value), from)
  return cardinality === 'one' ? ['first', written] : written
}
