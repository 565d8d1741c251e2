/** Transforms that read properties of the source under one name and write them under another (dtl.md §8.1). */

import { type Dict, getStored, nameOf, type StoredKey, setStored, storedKey } from '../../model/dict.ts'
import { compareText } from '../../model/order.ts'
import { isDict, isInteger, isList, NI, type Value } from '../../model/value.ts'
import { firstOf, listOf } from '../coerce.ts'
import type { DtlSettings } from '../contract.ts'
import { escaped, isSpecial, namespaceOf, readingOf } from '../namespaces.ts'
import { collect, IdentifierSite } from '../read.ts'
import type { Argument, TransformDefinition } from '../syntax.ts'
import { GO_ON } from '../syntax.ts'
import { example, one, optional, remembered } from './definition.ts'

export const renaming: readonly TransformDefinition[] = [
  {
    name: 'rename',
    parameters: [one('PROPERTY1'), one('PROPERTY2')],
    summary:
      'Copies a property of the source to another name on the target; each namespace for itself when the new name has none.',
    examples: [
      example('[["rename", "a", "b"]]', '{"_id": "1", "a": null}', '{"_id": "1", "b": null}'),
      example('[["rename", "a*", "b"]]', '{"_id": "1", "ab": 1}', '{"_id": "1"}'),
    ],
    compile: ([from, to], { settings }) => {
      const [find, place] = [finder(settings), placer(settings)]
      const [fromNames, toNames] = [from, to].map((argument) => (argument as Argument).evaluate)
      return (frame) => {
        const { source, target } = frame
        const [olds, news] = [listOf(fromNames!(frame)), listOf(toNames!(frame))]
        if (!isDict(source)) return GO_ON
        for (let pair = 0; pair < olds.length && pair < news.length; pair++) {
          const [old, name] = [olds[pair], news[pair]]
          if (typeof old !== 'string' || typeof name !== 'string') continue
          const matched = find(source, old)
          if (matched.length === 0) continue
          const fixed = place(name)
          if (fixed === null)
            for (const key of matched) setStored(target, inNamespaceOf(key, name), getStored(source, key) as Value)
          else
            setStored(
              target,
              fixed,
              matched.length === 1 ? (getStored(source, matched[0]!) as Value) : collect(source, matched),
            )
        }
        return GO_ON
      }
    },
  },
  {
    name: 'make-ni',
    parameters: [one('NAMESPACE', 'string'), one('FROM_PROPERTY', 'string'), optional('TO_PROPERTY', 'string')],
    summary: 'Makes namespaced identifiers of the strings and integers of a source property; of a list a sorted one.',
    examples: [
      example(
        '[["make-ni", "crm", "company"]]',
        '{"_id": "1", "company": ["b", 3, true, "a"]}',
        '{"_id": "1", "company-ni": ["~:crm:3", "~:crm:a", "~:crm:b"]}',
      ),
      example(
        '[["make-ni", "crm", "company", "employer"]]',
        '{"_id": "1", "company": "b"}',
        '{"_id": "1", "employer": "~:crm:b"}',
      ),
    ],
    compile: ([namespace, from, to], { settings }) => {
      const [find, place] = [finder(settings), placer(settings)]
      const [inNamespace, fromName] = [namespace, from].map((argument) => (argument as Argument).evaluate)
      return (frame) => {
        const { source, target } = frame
        const [space, old] = [firstOf(inNamespace!(frame)), firstOf(fromName!(frame))]
        const name = to === undefined ? undefined : firstOf(to.evaluate(frame))
        if (!isDict(source) || typeof space !== 'string' || typeof old !== 'string') return GO_ON
        const matched = find(source, old)
        if (name === undefined) {
          for (const key of matched)
            store(target, storedKey(`${nameOf(key)}-ni`), identifiersOf(getStored(source, key) as Value, space))
          return GO_ON
        }
        if (typeof name !== 'string' || matched.length === 0) return GO_ON
        const fixed = place(name)
        if (fixed === null) {
          for (const key of matched)
            store(target, inNamespaceOf(key, name), identifiersOf(getStored(source, key) as Value, space))
        } else {
          const values = matched.length === 1 ? (getStored(source, matched[0]!) as Value) : collect(source, matched)
          store(target, fixed, identifiersOf(values, space))
        }
        return GO_ON
      }
    },
  },
]

/** The properties of a dict that a name reads (dtl.md §7.3). */
function finder(settings: DtlSettings): (dict: Dict, name: string) => readonly StoredKey[] {
  const known = new Map<string, (dict: Dict) => readonly StoredKey[]>()
  return (dict, name) =>
    remembered(known, name, () => {
      const reading = readingOf(name, settings)
      if (reading.kind === 'key') {
        const only = [storedKey(reading.name)] as const
        return (dict) => (getStored(dict, only[0]) === undefined ? [] : only)
      }
      const site = new IdentifierSite(reading.name)
      return (dict) => site.find(dict)
    })(dict)
}

/**
 * The property that all matched ones are collected in, or null when each keeps its namespace: an unqualified name where
 * namespaces are on. Reserved names and those with `$` have none to keep (dtl.md §7.3).
 */
function placer(settings: DtlSettings): (name: string) => StoredKey | null {
  const fixed = (name: string) => {
    const plain = escaped(name, settings.namespacedIdentifiers ? settings.namespaces.property : null)
    if (plain !== null) return plain
    return !settings.namespacedIdentifiers || isSpecial(name) || name.includes(':') ? name : null
  }
  const known = new Map<string, { readonly key: StoredKey | null }>()
  return (name) =>
    remembered(known, name, () => {
      const plain = fixed(name)
      return { key: plain === null ? null : storedKey(plain) }
    }).key
}

function inNamespaceOf(key: StoredKey, identifier: string): StoredKey {
  const name = nameOf(key)
  return storedKey(name.includes(':') ? `${namespaceOf(name)}:${identifier}` : identifier)
}

function identifiersOf(value: Value, namespace: string): Value {
  if (!isList(value)) return identifierOf(value, namespace) ?? null
  return value
    .map((element) => identifierOf(element, namespace))
    .filter((identifier) => identifier !== undefined)
    .sort((a, b) => compareText(a.text, b.text))
}

const identifierOf = (value: Value, namespace: string): NI | undefined =>
  typeof value === 'string' || isInteger(value) ? new NI(`${namespace}:${value}`) : undefined

/** If nothing could be converted, nothing is added. */
function store(target: Dict, key: StoredKey, value: Value): void {
  if (value !== null && !(isList(value) && value.length === 0)) setStored(target, key, value)
}
