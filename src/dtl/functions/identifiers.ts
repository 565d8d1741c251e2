/** Namespaced identifiers (dtl.md §9.14). */

import { NI, URI, type Value } from '../../model/value.ts'
import { firstOf } from '../coerce.ts'
import type { DtlSettings } from '../contract.ts'
import { identifierOf, namespaceOf } from '../namespaces.ts'
import type { FunctionDefinition, Tools } from '../syntax.ts'
import { type Convert, example, mapping, mappingWith, optional, typeTest, VALUES } from './definition.ts'

export const identifiers: readonly FunctionDefinition[] = [
  typeTest({
    name: 'is-ni',
    kinds: ['ni'],
    summary: 'Whether the first value is a namespaced identifier.',
    examples: [example('["is-ni", "~:a:b"]', 'true'), example('["is-ni", "a:b"]', 'false')],
  }),
  mappingWith({
    name: 'ni',
    parameters: [optional('NAMESPACE', 'string'), VALUES],
    summary: 'Strings as namespaced identifiers; without NAMESPACE also URIs, by the longest prefix that covers them.',
    examples: [
      example('["ni", "crm", ["list", "a", "b:c", 1]]', '["~:crm:a", "~:crm:b:c"]'),
      example('["ni", "a:b"]', '"~:a:b"'),
      example('["ni", ["uri", "http://example.org/bar"]]', '"~:_:bar"'),
    ],
    bind: ([namespace], tools) => (namespace === undefined ? anyToNi(tools) : inNamespace(namespace)),
  }),
  mapping({
    name: 'ni-id',
    summary: 'What follows the last colon of identifiers or strings.',
    examples: [example('["ni-id", ["list", "~:a:b", "c"]]', '["b", "c"]')],
    convert: (value) => {
      const text = textOf(value)
      return text === undefined ? undefined : identifierOf(text)
    },
  }),
  mapping({
    name: 'ni-ns',
    summary: 'What stands before the last colon of identifiers or strings; nothing when there is none.',
    examples: [example('["ni-ns", ["list", "~:a:b", "c"]]', '["a", ""]')],
    convert: (value) => {
      const text = textOf(value)
      return text === undefined ? undefined : namespaceOf(text)
    },
  }),
]

const textOf = (value: Value): string | undefined =>
  value instanceof NI ? value.text : typeof value === 'string' ? value : undefined

function inNamespace(given: Value): Convert | null {
  const namespace = firstOf(given)
  if (typeof namespace !== 'string') return null
  return (value) => (typeof value === 'string' ? new NI(`${namespace}:${value}`) : undefined)
}

function anyToNi({ settings, namespaceFor }: Tools): Convert {
  const collapse = collapserOf(settings)
  const collapsed = (uri: string): NI | undefined => {
    const known = collapse(uri)
    if (known !== null) return known
    const end = Math.max(uri.lastIndexOf('/'), uri.lastIndexOf('#')) + 1
    const namespace = namespaceFor(uri.slice(0, end))
    return namespace === null ? undefined : new NI(`${namespace}:${uri.slice(end)}`)
  }
  return (value) => {
    if (typeof value === 'string') return new NI(value)
    if (value instanceof NI) return value
    return value instanceof URI ? collapsed(value.text) : undefined
  }
}

/** URIs as identifiers by the longest prefix that they start with; null when there is none (dtl.md §9.14). */
export function collapserOf({ prefixes }: DtlSettings): (uri: string) => NI | null {
  const longestFirst = Object.entries(prefixes).sort(([, a], [, b]) => b.length - a.length)
  return (uri) => {
    const found = longestFirst.find(([, prefix]) => uri.startsWith(prefix))
    return found === undefined ? null : new NI(`${found[0]}:${uri.slice(found[1].length)}`)
  }
}
