/** Dictionaries: making them, taking them apart, reading paths, and applying rules to values (dtl.md §9.7). */

import { didYouMean } from '../../config/problems.ts'
import { type Dict, dictOf, entries, get, has, newDict, set, size, values as valuesOf } from '../../model/dict.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { firstOf, listOf } from '../coerce.ts'
import type { DtlSettings } from '../contract.ts'
import type { Frame } from '../frame.ts'
import { type NamespaceRules, namespacing, withoutNamespaces } from '../namespaces.ts'
import { type Reader, readerOf, traverse } from '../read.ts'
import type { Argument, ArgumentNode, FunctionDefinition, Report, RuleNameNode } from '../syntax.ts'
import {
  each,
  evaluateOf,
  example,
  mapping,
  mappingWith,
  ofFirsts,
  ofList,
  one,
  typeTest,
  VALUES,
} from './definition.ts'

const DICTS = one('DICTS')

export const dictionaries: readonly FunctionDefinition[] = [
  {
    name: 'dict',
    behaviour: '-',
    parameters: [],
    otherForms: [[one('ITEMS')], [each('KEY'), each('VALUE')]],
    summary: 'A dict: empty, of a list of [key, value] pairs, or of keys and values in turn.',
    examples: [
      example('["dict"]', '{}'),
      example('["dict", ["list", ["list", "a", 1], 2]]', '{"a": 1}'),
      example('["dict", "a", 1, "b", null]', '{"a": 1, "b": null}'),
    ],
    compile: (args) => {
      const parts = args.map(evaluateOf)
      if (parts.length === 1) return (frame) => dictOfItems(listOf(parts[0]?.(frame) ?? null))
      return (frame) => {
        const dict = newDict()
        for (let place = 0; place < parts.length; place += 2) {
          const key = firstOf(parts[place]!(frame))
          const value = parts[place + 1]!(frame)
          if (typeof key === 'string') set(dict, key, value)
        }
        return dict
      }
    },
  },
  ofFirsts({
    name: 'has-key',
    parameters: [one('KEY'), VALUES],
    summary: 'Whether the first value, a dict, has the key; null when it is not a dict.',
    examples: [
      example('["has-key", "a", {"a": null}]', 'true'),
      example('["has-key", "b", ["list", {"a": 1}, {"b": 1}]]', 'false'),
      example('["has-key", "a", 1]', 'null'),
    ],
    result: (key, value) => (isDict(value) ? typeof key === 'string' && has(value, key) : null),
  }),
  typeTest({
    name: 'is-dict',
    kinds: ['dict'],
    summary: 'Whether the first value is a dict.',
    examples: [example('["is-dict", ["list", {"a": 1}, 1]]', 'true'), example('["is-dict", null]', 'false')],
  }),
  ofList({
    name: 'items',
    behaviour: 'L',
    summary: 'The [key, value] pairs of all dicts.',
    examples: [example('["items", ["list", {"a": 1, "b": 2}, 3]]', '[["a", 1], ["b", 2]]')],
    result: (dicts, frame) => pairs(dicts, frame).map(([key, value]) => [key, value]),
  }),
  {
    name: 'key-values',
    behaviour: '-',
    parameters: [DICTS],
    summary: 'A dict with `key` and `value` for each pair of all dicts; a single dict with one key gives a single one.',
    examples: [
      example('["key-values", {"a": 1}]', '{"key": "a", "value": 1}'),
      example('["key-values", ["list", {"a": 1}]]', '[{"key": "a", "value": 1}]'),
      example('["key-values", null]', 'null'),
    ],
    compile: ([dicts]) => {
      const evaluate = evaluateOf(dicts)
      return (frame) => {
        const given = evaluate(frame)
        if (given === null) return null
        const made = pairs(listOf(given), frame).map(([key, value]) => dictOf({ key, value }))
        return isDict(given) && made.length === 1 ? (made[0] as Dict) : made
      }
    },
  },
  ofList({
    name: 'keys',
    behaviour: 'L',
    summary: 'The keys of all dicts, in order, with duplicates.',
    examples: [example('["keys", ["list", {"a": 1, "b": 2}, {"a": 3}]]', '["a", "b", "a"]')],
    result: (dicts, frame) => pairs(dicts, frame).map(([key]) => key),
  }),
  ofList({
    name: 'values',
    behaviour: 'L',
    summary: 'The values of all dicts, in order.',
    examples: [example('["values", ["list", {"a": 1, "b": [2]}, 3]]', '[1, [2]]')],
    result: (dicts, frame) => {
      const all: Value[] = []
      for (const dict of dicts) if (isDict(dict)) for (const value of valuesOf(dict)) all.push(value)
      frame.run.spend(all.length)
      return all
    },
  }),
  mappingWith({
    name: 'apply-ns',
    parameters: [one('NAMESPACE_OR_CONFIGDICT', 'constant string or dict'), VALUES],
    summary: 'Dicts with namespaces added to their keys and to the values of `_id`.',
    examples: [
      example(
        '["apply-ns", "crm", {"_id": "1", "a": 1, "$b": {"c": 2}}]',
        '{"_id": "crm:1", "crm:a": 1, "$b": {"c": 2}}',
      ),
      example(
        '["apply-ns", {"property_namespace": "x", "identity_namespace": null}, {"_id": "1", "a": 1}]',
        '{"_id": "1", "x:a": 1}',
      ),
    ],
    check: ([config], report) => checkNamespaces(config, report),
    bind: ([config], { settings }) => {
      const qualified = namespacing(namespaceRules(config as string | Dict, settings))
      return (value) => (isDict(value) ? qualified(value) : undefined)
    },
  }),
  mapping({
    name: 'strip-ns',
    summary: 'Dicts without the namespaces of their keys, at every depth; values stay.',
    examples: [example('["strip-ns", {"x:a": {"y:b": "z:c"}}]', '{"a": {"b": "z:c"}}')],
    convert: (value) => (isDict(value) ? withoutNamespaces(value, bareNames) : undefined),
  }),
  {
    name: 'path',
    behaviour: '-',
    parameters: [one('PROPERTY_PATH'), VALUES],
    summary: 'What is found at a path of property names; through lists all that is found, as one list.',
    examples: [
      example('["path", ["list", "a", "b"], {"a": [{"b": 1}, {"b": [2, 3]}]}]', '[1, 2, 3]'),
      example('["path", "x", {"a": 1}]', 'null'),
      example('["path", null, {"a": 1}]', '{"a": 1}'),
    ],
    compile: ([path, values], { settings }) => {
      const [evaluatePath, evaluate] = [evaluateOf(path), evaluateOf(values)]
      const readers = new Map<string, Reader>()
      const readersOf = (elements: Value) =>
        listOf(elements)
          .filter(isText)
          .map((element) => remembered(readers, element, settings))
      if (path?.constant !== undefined) {
        const constant = readersOf(path.constant)
        return (frame) => traverse(constant, evaluate(frame))
      }
      return (frame) => {
        const elements = readersOf(evaluatePath(frame))
        return traverse(elements, evaluate(frame))
      }
    },
  },
  {
    name: 'apply',
    behaviour: '-',
    parameters: [one('RULE_ID', 'rule-id'), VALUES],
    summary: 'The targets that a rule makes of the values; values it filters or discards are left out.',
    examples: [
      example('["apply", "line", "_S.lines"]', '[{"n": 1}, {"n": 2}]', {
        source: '{"lines": [{"no": 1}, {"no": 2}]}',
        rules: '{"line": [["add", "n", "_S.no"]]}',
      }),
    ],
    compile: ([rule, values], tools) => {
      const evaluate = evaluateOf(values)
      const apply = tools.rule((rule as Argument & { node: RuleNameNode }).node.rule)
      return (frame) => {
        const given = evaluate(frame)
        if (given === null) return null
        return isList(given) ? applyToAll(apply, given, frame) : (apply(given, frame) ?? null)
      }
    },
  },
  {
    name: 'apply-hops',
    behaviour: '-',
    reads: 'datasets',
    parameters: [one('RULE_ID', 'rule-id'), { name: 'HOPS_SPEC', kind: 'hops-spec', count: '>=1' }],
    summary: 'The targets that a rule makes of the result of hops; always a list.',
    examples: [
      example(
        '["apply-hops", "order", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.customer"]}]',
        '[{"n": 3}]',
        {
          source: '{"_id": "1"}',
          rules: '{"order": [["add", "n", "_S.amount"]]}',
          datasets:
            '{"orders": [{"_id": "o1", "customer": "1", "amount": 3}, {"_id": "o2", "customer": "2", "amount": 4}]}',
        },
      ),
    ],
    compile: ([rule, hops], tools) => {
      const apply = tools.rule((rule as Argument & { node: RuleNameNode }).node.rule)
      const found = evaluateOf(hops)
      return (frame) => applyToAll(apply, found(frame) as readonly Value[], frame)
    },
  },
]

const isText = (value: Value): value is string => typeof value === 'string'
const NAMES_KEPT = 1_000

function remembered(readers: Map<string, Reader>, element: string, settings: DtlSettings): Reader {
  let reader = readers.get(element)
  if (reader === undefined) {
    reader = readerOf(element, settings)
    if (readers.size >= NAMES_KEPT) readers.clear()
    readers.set(element, reader)
  }
  return reader
}

function applyToAll(
  apply: (value: Value, frame: Frame) => Value | undefined,
  values: readonly Value[],
  frame: Frame,
): Value[] {
  const targets: Value[] = []
  for (const value of values) {
    frame.run.spend(1)
    const target = apply(value, frame)
    if (target !== undefined) targets.push(target)
  }
  return targets
}

function dictOfItems(items: readonly Value[]): Dict {
  const dict = newDict()
  for (const item of items) {
    if (isList(item) && item.length === 2 && typeof item[0] === 'string') set(dict, item[0], item[1] as Value)
  }
  return dict
}

function pairs(dicts: readonly Value[], frame: Frame): [string, Value][] {
  const all: [string, Value][] = []
  for (const dict of dicts) {
    if (!isDict(dict)) continue
    frame.run.spend(size(dict))
    for (const pair of entries(dict)) all.push(pair)
  }
  return all
}

function bareNames(value: Value): Value {
  if (isList(value)) return value.map(bareNames)
  return isDict(value) ? withoutNamespaces(value, bareNames) : value
}

const NAMESPACES = ['property_namespace', 'identity_namespace']
const SWITCHES = ['skip_underscore', 'skip_dollar', 'recursive']

function checkNamespaces(node: ArgumentNode | undefined, report: Report): void {
  if (node?.kind !== 'constant' || !isDict(node.value)) return
  for (const [name, value] of entries(node.value)) {
    if (NAMESPACES.includes(name)) {
      if (value !== null && typeof value !== 'string')
        report(node, `'${name}' of apply-ns must be a string or null.`, 'Null adds no namespace.')
    } else if (SWITCHES.includes(name)) {
      if (typeof value !== 'boolean')
        report(node, `'${name}' of apply-ns must be true or false.`, 'Write it without quotes.')
    } else {
      const known = [...NAMESPACES, ...SWITCHES]
      report(
        node,
        `apply-ns does not know '${name}'.`,
        didYouMean(name, known) ?? `Properties are ${known.join(', ')}.`,
      )
    }
  }
}

function namespaceRules(config: string | Dict, { namespaces }: DtlSettings): NamespaceRules {
  if (typeof config === 'string') {
    return { property: config, identity: config, skipsUnderscore: true, skipsDollar: true, recursive: true }
  }
  const namespace = (name: string, otherwise: string) =>
    has(config, name) ? (get(config, name) as string | null) : otherwise
  return {
    property: namespace('property_namespace', namespaces.property),
    identity: namespace('identity_namespace', namespaces.identity),
    skipsUnderscore: get(config, 'skip_underscore') !== false,
    skipsDollar: get(config, 'skip_dollar') !== false,
    recursive: get(config, 'recursive') !== false,
  }
}
