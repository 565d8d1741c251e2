/** Functions of former times, kept for the configurations that use them (dtl.md §9.22). */

import { copyOf, type Dict, dictOf, entries, get, set } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { isDict, isList, NI, URI, type Value } from '../../model/value.ts'
import { firstOf, listOf } from '../coerce.ts'
import type { DtlSettings } from '../contract.ts'
import type { Frame } from '../frame.ts'
import { identifierOf, namespaceOf } from '../namespaces.ts'
import { referenceTo, referred } from '../reference-uri.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { applying, evaluateOf, example, mappingWith, one, optional, VALUES } from './definition.ts'
import { collapserOf } from './identifiers.ts'

export const deprecated: readonly FunctionDefinition[] = [
  mappingWith({
    name: 'curie',
    deprecated: 'Use namespaced identifiers: ["ni", …].',
    parameters: [one('PREFIX', 'string'), VALUES],
    summary: 'Strings as URIs `PREFIX:value`.',
    examples: [example('["curie", "foo", ["list", "bar", 1]]', '["~rfoo:bar"]')],
    bind: ([given]) => {
      const prefix = firstOf(given as Value)
      if (typeof prefix !== 'string') return null
      return (value) => (typeof value === 'string' ? new URI(`${prefix}:${value}`) : undefined)
    },
  }),
  mappingWith({
    name: 'reference',
    deprecated: 'Use namespaced identifiers: ["ni", …].',
    parameters: [one('DATASET_ID', 'string'), one('ENTITY_IDS')],
    summary: 'Ids of a dataset as URIs `sesam:dataset/id`.',
    examples: [example('["reference", "foo", ["list", "a/b", 1]]', '["~rsesam:foo/a%2Fb"]')],
    bind: ([given]) => {
      const dataset = firstOf(given as Value)
      if (typeof dataset !== 'string') return null
      return (value) => (typeof value === 'string' ? new URI(referenceTo(dataset, value)) : undefined)
    },
  }),
  {
    name: 'lookup',
    deprecated: 'Use lookup-entity, or hops.',
    behaviour: '-',
    reads: 'datasets',
    parameters: [optional('DATASET_IDS'), one('ENTITY_REFERENCES')],
    summary:
      'Entities by reference: `sesam:` URIs, or ids in the first of the datasets that has them; each with its `_dataset`.',
    examples: [
      example(
        '["lookup", ["list", "~rsesam:codes/a", "~rsesam:codes/b"]]',
        '[{"_id": "a", "v": 1, "_dataset": "codes"}]',
        {
          datasets: '{"codes": [{"_id": "a", "v": 1}]}',
        },
      ),
      example('["lookup", ["list", "other", "codes"], "a"]', '{"_id": "a", "v": 1, "_dataset": "codes"}', {
        datasets: '{"codes": [{"_id": "a", "v": 1}], "other": []}',
      }),
    ],
    compile: ([datasets, references]) => {
      const evaluate = evaluateOf(references)
      return (frame) => {
        const { context } = frame.run
        const inDatasets = datasets === undefined ? (context.dataset ?? null) : datasets.evaluate(frame)
        const names = listOf(inDatasets).filter((name) => typeof name === 'string') as string[]
        return overEach(evaluate(frame), (reference) => entityAt(reference, names, frame))
      }
    },
  },
  mappingWith({
    name: 'ni-collapse',
    deprecated: 'Use ["ni", ["uri", …]].',
    parameters: [VALUES],
    summary: 'URLs as namespaced identifiers, by the longest prefix that covers them; the whole text where none does.',
    examples: [
      example('["ni-collapse", "http://example.org/bar"]', '"~:_:bar"'),
      example('["ni-collapse", ["list", "~rhttp://a.no/path", 1]]', '["~:http://a.no/path"]'),
    ],
    bind: (_, { settings }) => {
      const collapse = collapserOf(settings)
      return (value) => {
        const url = value instanceof URI ? value.text : value
        return typeof url === 'string' ? (collapse(url) ?? new NI(url)) : undefined
      }
    },
  }),
  mappingWith({
    name: 'ni-expand',
    deprecated: 'Keep namespaced identifiers as they are.',
    parameters: [VALUES],
    summary: 'Namespaced identifiers as URLs; those of an unknown namespace as their text.',
    examples: [example('["ni-expand", ["list", "~:_:bar", "~:x:a", "x"]]', '["http://example.org/bar", "x:a"]')],
    bind: (_, { settings }) => {
      return (value) => (value instanceof NI ? expanded(value.text, settings) : undefined)
    },
  }),
  {
    name: 'uri-expand',
    deprecated: 'Use namespaced identifiers; the graph expands them.',
    behaviour: '-',
    parameters: [optional('FUNCTION', 'function-expression'), one('ENTITIES')],
    summary:
      'Entities with the names and ids as full URIs: those without a namespace get that of their `_dataset`, or the one that FUNCTION gives.',
    examples: [
      example(
        '["uri-expand", "foaf", {"_id": "mary", "name": "M", "dc:title": "T"}]',
        '{"_id": "http://xmlns.com/foaf/0.1/mary", "http://xmlns.com/foaf/0.1/name": "M", "http://purl.org/dc/elements/1.1/title": "T"}',
      ),
      example('["uri-expand", ["list", {"_id": "mary", "name": "M"}]]', '[]'),
    ],
    compile: ([fn, entities], { settings }) => {
      const evaluate = evaluateOf(entities)
      const nameOf = fn === undefined ? (entity: Value) => get(entity as Dict, '_dataset') : applying(fn)
      return (frame) =>
        overEach(evaluate(frame), (entity) => {
          if (!isDict(entity)) return undefined
          const name = firstOf(nameOf(entity, frame) ?? null)
          const base = typeof name === 'string' ? prefixOf(name, settings) : undefined
          return base === undefined ? undefined : withUris(entity, base, settings)
        })
    },
  },
]

/** Null as null, a list as the list of what was found, one value as what was found for it. */
function overEach(values: Value, find: (value: Value) => Value | undefined): Value {
  if (values === null) return null
  if (!isList(values)) return find(values) ?? null
  return values.map(find).filter((found) => found !== undefined)
}

function entityAt(reference: Value, datasets: readonly string[], frame: Frame): Entity | undefined {
  const text = reference instanceof URI ? reference.text : reference
  if (typeof text !== 'string') return undefined
  frame.run.spend(1)
  const absolute = reference instanceof URI ? referred(text) : null
  if (absolute !== null) return entityIn(absolute.dataset, absolute.id, frame)
  for (const dataset of datasets) {
    const found = entityIn(dataset, text, frame)
    if (found !== undefined) return found
  }
  return undefined
}

function entityIn(dataset: string, id: string, { run }: Frame): Entity | undefined {
  const found = run.context.lookup.entity(dataset, id)
  if (found === undefined) return undefined
  const entity = copyOf(found)
  set(entity, '_dataset', dataset)
  return entity
}

const prefixOf = (namespace: string, { prefixes }: DtlSettings): string | undefined =>
  Object.hasOwn(prefixes, namespace) ? prefixes[namespace] : undefined

function expanded(name: string, settings: DtlSettings): string {
  const prefix = prefixOf(namespaceOf(name), settings)
  return prefix === undefined || !name.includes(':') ? name : prefix + identifierOf(name)
}

/** Reserved properties keep their names. */
function withUris(entity: Dict, base: string, settings: DtlSettings): Dict {
  const full = (name: string) => (name.includes(':') ? expanded(name, settings) : base + name)
  return dictOf(
    entries(entity).map(([name, value]): readonly [string, Value] => {
      if (name === '_id' && typeof value === 'string') return [name, full(value)]
      return name.startsWith('_') || name.startsWith('$') ? [name, value] : [full(name), value]
    }),
  )
}
