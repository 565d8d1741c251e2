/** Settings and compilers that the tests of the room share. */

import { compileDtl } from '../../src/dtl/compile.ts'
import type { DtlProblem, DtlSettings, DtlTransform } from '../../src/dtl/contract.ts'
import type { Dict } from '../../src/model/dict.ts'
import { builtinNamespaces } from '../../src/model/iri.ts'
import { fromPlain, parseJson, writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { contextOf, type Datasets, memoryLookup } from './memory-lookup.ts'

export const plain: DtlSettings = {
  pipe: 'shop',
  namespacedIdentifiers: false,
  namespaces: { identity: 'shop', property: 'shop' },
  prefixes: builtinNamespaces,
}

export const namespaced: DtlSettings = { ...plain, namespacedIdentifiers: true }

/** The problems of a program given as JavaScript data. */
export const problemsOf = (rules: unknown, more: object = {}, settings = plain): readonly DtlProblem[] =>
  compileDtl(fromPlain({ type: 'dtl', rules, ...more }), settings).problems

/** The program of rules given as JavaScript data; a mistake in them fails the test. */
export function programOf(rules: unknown, more: object = {}, settings = plain): DtlTransform {
  const { transform, problems } = compileDtl(fromPlain({ type: 'dtl', rules, ...more }), settings)
  if (transform === null) throw new Error(JSON.stringify(problems, null, 2))
  return transform
}

/** An entity, or any value, of JSON text. */
export const value = (json: string): Value => parseJson(json)
export const entity = (json: string): Dict => parseJson(json) as Dict

/** What a program makes of one source, as JSON text. */
export const applied = (transform: DtlTransform, source: string | Dict, datasets: Datasets = new Map()): string =>
  writeJson(transform.apply(typeof source === 'string' ? entity(source) : source, contextOf(memoryLookup(datasets))))

/** The value of one expression for a source, as JSON text. */
export function evaluated(
  expression: unknown,
  source = '{"_id": "1"}',
  settings = plain,
  datasets: Datasets = new Map(),
): string {
  const transform = programOf({ default: [['add', '::result', expression]] }, {}, settings)
  const [target] = transform.apply(entity(source), contextOf(memoryLookup(datasets)))
  return writeJson((target as unknown as Record<string, Value>).result as Value)
}

/** Datasets of JavaScript data: name → entities. */
export const datasets = (given: Record<string, readonly unknown[]>): Datasets =>
  new Map(
    Object.entries(given).map(([name, list]) => [name, list.map((one) => parseJson(JSON.stringify(one)) as Dict)]),
  )
