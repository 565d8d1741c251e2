/**
 * The language once more, as slowly and simply as it can be said: straight from the specification, over the program as it
 * is written, with none of the compiler's parts. What it and the compiled program say must be the same.
 */

import type { DtlSettings } from '../../src/dtl/contract.ts'
import { dictOf, entries } from '../../src/model/dict.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { compare, compareText, equals, rankOf } from '../../src/model/order.ts'
import { decodeTransit } from '../../src/model/transit.ts'
import {
  Bytes,
  Datetime,
  Decimal,
  integer as integerOf,
  isDict,
  isInteger,
  isList,
  isTrue,
  NI,
  URI,
  UUID,
  type Value,
} from '../../src/model/value.ts'
import { NOW } from './memory-lookup.ts'
import { hash128 } from './naive-hash.ts'
import * as time from './naive-time.ts'
import * as scalars from './naive-values.ts'

/** Properties in order: the simplest dict there is. */
type Pairs = [string, Value][]

interface Context {
  readonly source: Value
  readonly target: Pairs
  readonly parent: Context | null
}

interface Program {
  readonly rules: ReadonlyMap<string, Value>
  readonly settings: DtlSettings
  /** Dataset id → live entities. */
  readonly datasets: ReadonlyMap<string, readonly Value[]>
  readonly emitted: Value[]
  /** The version of the source entity before this one. */
  readonly previous: Value
}

interface Place {
  readonly program: Program
  readonly context: Context
  /** The context of the default rule, `_R`. */
  readonly root: Context
  /** `_`, undefined where it is not bound. */
  readonly current: Value | undefined
  readonly aliases: ReadonlyMap<string, Value>
}

/** More than anybody makes of one value. */
const MANY = 1_000_000

/** What the specification calls an error of the entity. */
export class NaiveError extends Error {}

type Outcome = 'on' | 'filtered' | 'discarded'

/** Runs the default rule on an entity; emitted entities in order. */
export function naive(
  rules: Value,
  settings: DtlSettings,
  source: Value,
  datasets: ReadonlyMap<string, readonly Value[]> = new Map(),
  previous: Value = null,
): readonly Value[] {
  const program: Program = { rules: new Map(entries(rules as never)), settings, datasets, emitted: [], previous }
  const start = pairsOf(source).filter(([name, value]) => name === '_id' || (name === '_deleted' && value === true))
  // The id comes first, whatever the order of the source.
  start.sort(([a], [b]) => Number(b === '_id') - Number(a === '_id'))
  const context: Context = { source, target: start, parent: null }
  const outcome = runRule('default', { program, context, root: context, current: undefined, aliases: new Map() })
  if (outcome === 'filtered') put(context.target, '_filtered', true)
  if (outcome !== 'discarded' && typeof find(context.target, '_id') === 'string')
    program.emitted.push(dictOf(context.target))
  return program.emitted
}

const pairsOf = (value: Value): Pairs => (isDict(value) ? entries(value) : [])
const find = (pairs: Pairs, name: string): Value | undefined => pairs.find(([key]) => key === name)?.[1]

function put(pairs: Pairs, name: string, value: Value): void {
  const pair = pairs.find(([key]) => key === name)
  if (pair === undefined) pairs.push([name, value])
  else pair[1] = value
}

const listOf = (value: Value): Value[] => (value === null ? [] : isList(value) ? [...value] : [value])
const firstOf = (value: Value): Value => (isList(value) ? (value.length === 0 ? null : (value[0] as Value)) : value)
const isText = (value: Value | undefined): value is string => typeof value === 'string'

// ————— rules and transforms

function runRule(id: string, place: Place): Outcome {
  return runAll(place.program.rules.get(id) as Value, place)
}

function runAll(block: Value, place: Place): Outcome {
  const list = block as readonly Value[]
  const transforms = isText(list[0]) ? [list] : list
  for (const transform of transforms) {
    const outcome = runTransform(transform as readonly Value[], place)
    if (outcome !== 'on') return outcome
  }
  return 'on'
}

function runTransform([name, ...args]: readonly Value[], place: Place): Outcome {
  const { source, target } = place.context
  const { settings } = place.program
  const value = (at: number) => evaluate(args[at] as Value, place)
  const sourcePairs = pairsOf(source)
  switch (name) {
    case 'add': {
      const names = listOf(value(0)).filter(isText)
      const given = value(1)
      for (const one of names) write(target, one, given, settings)
      return 'on'
    }
    case 'default': {
      const missing = listOf(value(0))
        .filter(isText)
        .filter((one) => find(target, qualify(one, settings)) === undefined)
      if (missing.length === 0) return 'on'
      const given = value(1)
      for (const one of missing) write(target, one, given, settings)
      return 'on'
    }
    case 'add-if': {
      const given = value(args.length - 1)
      const holds =
        args.length === 2 ? given !== null : isTrue(evaluate(args[1] as Value, { ...place, current: given }))
      if (holds) for (const one of listOf(value(0)).filter(isText)) write(target, one, given, settings)
      return 'on'
    }
    case 'copy':
      for (const [key, given] of sourcePairs) {
        if (
          isChosen(key, args[0] as Value, settings) &&
          !(args.length === 2 && isChosen(key, args[1] as Value, settings))
        )
          put(target, key, given)
      }
      return 'on'
    case 'remove':
      for (const key of target.map(([one]) => one)) {
        if (isChosen(key, args[0] as Value, settings))
          target.splice(
            target.findIndex(([one]) => one === key),
            1,
          )
      }
      return 'on'
    case 'merge':
      for (const dict of listOf(value(0)))
        for (const [key, given] of pairsOf(dict)) if (!key.startsWith('_')) put(target, key, given)
      return 'on'
    case 'merge-union':
      for (const dict of listOf(value(0))) {
        for (const [key, given] of pairsOf(dict)) {
          if (key.startsWith('_')) continue
          const before = find(target, key)
          put(
            target,
            key,
            before === undefined
              ? given
              : [...(isList(before) ? before : [before]), ...(isList(given) ? given : [given])],
          )
        }
      }
      return 'on'
    case 'rename': {
      const [olds, news] = [listOf(value(0)), listOf(value(1))]
      for (let pair = 0; pair < Math.min(olds.length, news.length); pair++) {
        const [old, to] = [olds[pair], news[pair]]
        if (isDict(source) && isText(old) && isText(to))
          moved(matched(sourcePairs, old, settings), to, settings, (key, given) => put(target, key, given))
      }
      return 'on'
    }
    case 'make-ni': {
      const [namespace, from] = [firstOf(value(0)), firstOf(value(1))]
      const to = args.length === 3 ? firstOf(value(2)) : undefined
      if (!isText(namespace) || !isText(from) || (to !== undefined && !isText(to))) return 'on'
      const store = (key: string, given: Value) => {
        const made = madeNi(given, namespace)
        if (made !== null && !(isList(made) && made.length === 0)) put(target, key, made)
      }
      const found = matched(sourcePairs, from, settings)
      if (to === undefined) for (const [key, given] of found) store(`${key}-ni`, given)
      else moved(found, to, settings, store)
      return 'on'
    }
    case 'if':
      if (isTrue(value(0))) return runAll(args[1] as Value, place)
      return args.length === 3 ? runAll(args[2] as Value, place) : 'on'
    case 'case': {
      for (let at = 0; at + 1 < args.length; at += 2) if (isTrue(value(at))) return runAll(args[at + 1] as Value, place)
      return args.length % 2 === 1 ? runAll(args.at(-1) as Value, place) : 'on'
    }
    case 'case-eq': {
      const wanted = value(0)
      for (let at = 1; at + 1 < args.length; at += 2)
        if (isEqual(wanted, value(at))) return runAll(args[at + 1] as Value, place)
      return args.length % 2 === 0 ? runAll(args.at(-1) as Value, place) : 'on'
    }
    case 'filter':
      return args.length === 1 && isTrue(value(0)) ? 'on' : 'filtered'
    case 'discard':
      return args.length === 1 && isTrue(value(0)) ? 'on' : 'discarded'
    case 'create':
      for (const one of listOf(value(0))) if (isText(find(pairsOf(one), '_id'))) place.program.emitted.push(one)
      return 'on'
    case 'create-child': {
      const children = listOf(value(0)).filter((one) => isText(find(pairsOf(one), '_id')))
      if (children.length > 0)
        put(target, '$children', unique([...listOf(find(target, '$children') ?? null), ...children]))
      return 'on'
    }
    case 'comment':
      return 'on'
    default:
      throw new TypeError(`The naive interpreter has no transform ${String(name)}.`)
  }
}

function write(target: Pairs, name: string, value: Value, settings: DtlSettings): void {
  const key = qualify(name, settings)
  put(target, key, key === '_id' && isText(value) ? qualifyId(value, settings) : value)
}

function qualify(name: string, { namespacedIdentifiers, namespaces }: DtlSettings): string {
  if (name.startsWith('::')) return name.slice(2)
  if (name.startsWith(':')) return namespacedIdentifiers ? `${namespaces.property}${name}` : name.slice(1)
  if (!namespacedIdentifiers || name.startsWith('_') || name.startsWith('$') || name.includes(':')) return name
  return `${namespaces.property}:${name}`
}

function qualifyId(id: string, { namespacedIdentifiers, namespaces }: DtlSettings): string {
  if (id.startsWith('::')) return id.slice(2)
  if (id.startsWith(':')) return namespacedIdentifiers ? `${namespaces.identity}${id}` : id.slice(1)
  return !namespacedIdentifiers || id.includes(':') ? id : `${namespaces.identity}:${id}`
}

const identifierOf = (name: string): string => name.split(':').at(-1) as string
const namespaceOf = (name: string): string | null =>
  name.includes(':') ? name.split(':').slice(0, -1).join(':') : null

/** The properties that a name reads, in order (dtl.md §7.3). */
function matched(pairs: Pairs, name: string, settings: DtlSettings): Pairs {
  const exact = (key: string) => pairs.filter(([one]) => one === key)
  if (name.startsWith('::')) return exact(name.slice(2))
  if (!settings.namespacedIdentifiers) return exact(name.startsWith(':') ? name.slice(1) : name)
  if (name.startsWith(':')) return exact(settings.namespaces.property + name)
  return name.includes(':') ? exact(name) : pairs.filter(([one]) => identifierOf(one) === name)
}

/** Where matched properties go under another name (dtl.md §8.1, rename and make-ni). */
function moved(found: Pairs, to: string, settings: DtlSettings, store: (key: string, value: Value) => void): void {
  if (found.length === 0) return
  const isFixed = !settings.namespacedIdentifiers || to.includes(':') || to.startsWith('_') || to.startsWith('$')
  if (!isFixed) {
    for (const [key, value] of found) store(namespaceOf(key) === null ? to : `${namespaceOf(key)}:${to}`, value)
  } else
    store(
      qualify(to, settings),
      found.length === 1
        ? (found[0] as [string, Value])[1]
        : found.flatMap(([, value]) => (isList(value) ? value : [value])),
    )
}

function madeNi(value: Value, namespace: string): Value {
  const one = (given: Value) => (isText(given) || isInteger(given) ? new NI(`${namespace}:${given}`) : null)
  if (!isList(value)) return one(value)
  return value
    .map(one)
    .filter((made) => made !== null)
    .sort((a, b) => compareText(a.text, b.text))
}

function isChosen(name: string, given: Value, settings: DtlSettings): boolean {
  const patterns = (isList(given) ? given.slice(1) : [given]) as string[]
  return patterns.some((pattern) => {
    if (!settings.namespacedIdentifiers) return wildcard(pattern.replace(/^::?/, ''), name)
    if (pattern.startsWith('::')) return wildcard(pattern.slice(2), name)
    if (pattern.startsWith(':'))
      return namespaceOf(name) === settings.namespaces.property && wildcard(pattern.slice(1), identifierOf(name))
    const namespace = namespaceOf(pattern)
    if (namespace === null) return wildcard(pattern, identifierOf(name))
    const own = namespaceOf(name)
    return own !== null && wildcard(namespace, own) && wildcard(identifierOf(pattern), identifierOf(name))
  })
}

/** One character after the other, with every choice tried. */
export function wildcard(pattern: string, text: string): boolean {
  const [first, ...rest] = [...pattern]
  const characters = [...text]
  if (first === undefined) return text === ''
  const others = rest.join('')
  if (first === '*')
    return wildcard(others, text) || (characters.length > 0 && wildcard(pattern, characters.slice(1).join('')))
  return (
    characters.length > 0 &&
    (first === '?' || first === characters[0]) &&
    wildcard(others, characters.slice(1).join(''))
  )
}

// ————— expressions

const BUILT_IN = ['_S', '_T', '_P', '_R', '_B', '_']

function evaluate(expression: Value, place: Place): Value {
  if (isText(expression)) {
    const dot = expression.indexOf('.')
    const name = dot > 0 ? expression.slice(0, dot) : ''
    if (BUILT_IN.includes(name) || place.aliases.has(name))
      return path(elementsOf(expression.slice(dot + 1)), name, place)
    return decodeTransit(expression)
  }
  if (isList(expression)) return call(expression[0] as string, expression.slice(1), place)
  return decoded(expression)
}

function decoded(value: Value): Value {
  if (isText(value)) return decodeTransit(value)
  if (isList(value)) return value.map(decoded)
  return isDict(value) ? dictOf(entries(value).map(([name, given]) => [name, decoded(given)] as const)) : value
}

function elementsOf(text: string): string[] {
  const elements: string[] = []
  let [element, isQuoted] = ['', false]
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    if (char === "'" && isQuoted && text[at + 1] === "'") {
      element += char
      at++
    } else if (char === "'" && (isQuoted || element === '')) isQuoted = !isQuoted
    else if (char === '.' && !isQuoted) {
      elements.push(element)
      element = ''
    } else element += char
  }
  return element === '' ? elements : [...elements, element]
}

function path(elements: string[], variable: string, place: Place): Value {
  const { context, program } = place
  const isIds =
    elements[0]?.replace(/^::?/, '') === '$ids' &&
    !(program.settings.namespacedIdentifiers && /^:[^:]/.test(elements[0] as string))
  switch (variable) {
    case '_S':
      return readEntity(context.source, elements, isIds, program.settings)
    case '_T':
      return traverse(dictOf(context.target), elements, program.settings)
    case '_':
      return traverse(place.current as Value, elements, program.settings)
    case '_B':
      return traverse(dictOf([]), elements, program.settings)
    case '_P':
      return context.parent === null ? null : contextPath(context.parent, elements, true, place)
    case '_R':
      return contextPath(place.root, elements, false, place)
    default:
      return readEntity(place.aliases.get(variable) as Value, elements, isIds, program.settings)
  }
}

function contextPath(context: Context, elements: string[], hasParent: boolean, place: Place): Value {
  const { settings } = place.program
  const [first, ...rest] = elements
  if (first === '_S') return path(rest, '_S', { ...place, context })
  if (first === '_T') return path(rest, '_T', { ...place, context })
  if (first === '_P' && hasParent)
    return context.parent === null ? null : contextPath(context.parent, rest, true, place)
  return traverse(contextDict(context, hasParent), elements, settings)
}

function contextDict(context: Context, hasParent: boolean): Value {
  const pairs: Pairs = [
    ['_S', context.source],
    ['_T', dictOf(context.target)],
  ]
  if (hasParent && context.parent !== null) pairs.push(['_P', contextDict(context.parent, true)])
  return dictOf(pairs)
}

/** `$ids` is made up of the id where an entity has none (dtl.md §2.2). */
function readEntity(value: Value, elements: string[], isIds: boolean, settings: DtlSettings): Value {
  if (!isIds) return traverse(value, elements, settings)
  const withIds = (one: Value): Value => {
    if (isList(one)) return one.map(withIds)
    const id = find(pairsOf(one), '_id')
    if (!isDict(one) || matched(pairsOf(one), elements[0] as string, settings).length > 0 || !isText(id)) return one
    const text = settings.namespacedIdentifiers && !id.includes(':') ? `${settings.namespaces.identity}:${id}` : id
    return dictOf([...pairsOf(one), ['$ids', [new NI(text)]]])
  }
  return traverse(withIds(value), elements, settings)
}

const MISSING = Symbol('missing')

function traverse(value: Value, elements: readonly string[], settings: DtlSettings): Value {
  let reached: Value | typeof MISSING = value
  for (const element of elements) {
    reached = step(element, reached, settings)
    if (reached === MISSING) return null
  }
  return reached as Value
}

function step(element: string, value: Value | typeof MISSING, settings: DtlSettings): Value | typeof MISSING {
  if (value === MISSING) return MISSING
  if (isDict(value)) {
    const found = matched(entries(value), element, settings).map(([, given]) => given)
    if (found.length === 0) return MISSING
    return found.length === 1 ? (found[0] as Value) : found.flatMap((given) => (isList(given) ? given : [given]))
  }
  if (!isList(value)) return MISSING
  return value
    .map((one) => step(element, one, settings))
    .filter((one) => one !== MISSING)
    .flatMap((one) => (isList(one) ? one : [one])) as Value[]
}

function isEqual(a: Value, b: Value): boolean {
  return equals(listOf(a), listOf(b))
}

/** Without those equal to one before. */
const unique = (values: readonly Value[]): Value[] =>
  values.filter((value, at) => values.findIndex((other) => equals(other, value)) === at)
const isIn = (value: Value, values: readonly Value[]): boolean => values.some((other) => equals(other, value))

function mapOver(values: Value, convert: (value: Value) => Value | undefined): Value {
  if (values === null) return null
  if (!isList(values)) return convert(values) ?? null
  return values
    .filter((value) => value !== null)
    .map(convert)
    .filter((value) => value !== undefined)
}

const onText = (values: Value, convert: (text: string) => Value): Value =>
  mapOver(values, (value) => (isText(value) ? convert(value) : undefined))

function fromNanoseconds(nanoseconds: bigint): Datetime | undefined {
  const nanos = ((nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n
  return time.datetimeOf(Number((nanoseconds - nanos) / 1_000_000n), Number(nanos))
}

const MANY_PLACES = 1_000
const isParsable = (one: Value): boolean => isText(one) && /^\s*null\s*$/.test(one)

const charactersIn = (text: string) => [...text]

/** A position from the end when negative, cut to the length. */
const inside = (position: number, length: number) =>
  position < 0 ? Math.max(0, position + length) : Math.min(position, length)

function call(name: string, args: readonly Value[], place: Place): Value {
  const { settings } = place.program
  const value = (at: number): Value => evaluate(args[at] as Value, place)
  const last = () => value(args.length - 1)
  const having = (at: number, current: Value): Value => evaluate(args[at] as Value, { ...place, current })
  /** FUNCTION?, VALUES. */
  const key = (one: Value): Value => (args.length === 1 ? one : having(0, one))
  /** DEFAULT?, VALUES: what takes the place of a value that is not accepted. */
  const cast = (one: Value): Value | undefined => (args.length === 2 ? having(0, one) : undefined)
  const integer = (given: Value): number | null => {
    const first = firstOf(given)
    return isInteger(first) ? Number(first) : null
  }
  switch (name) {
    case 'literal':
      return decoded(args[0] as Value)
    // boolean logic
    case 'all':
      return listOf(last()).every((one) => isTrue(key(one)))
    case 'any':
      return listOf(last()).some((one) => isTrue(key(one)))
    case 'and':
      return args.every((_, at) => isTrue(value(at)))
    case 'or':
      return args.some((_, at) => isTrue(value(at)))
    case 'not':
      return !args.every((_, at) => isTrue(value(at)))
    case 'boolean':
      return mapOver(last(), (one) => {
        if (typeof one === 'boolean') return one
        if (isText(one) && ['true', 'false'].includes(one.toLowerCase())) return one.toLowerCase() === 'true'
        return args.length === 2 ? having(0, one) : undefined
      })
    case 'is-boolean':
      return typeof firstOf(value(0)) === 'boolean'
    // comparisons
    case 'eq':
      return isEqual(value(0), value(1))
    case 'neq':
      return !isEqual(value(0), value(1))
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      const [a, b] = [firstOf(value(0)), firstOf(value(1))]
      if (a === null || b === null || isList(a) || isDict(a) || rankOf(a) !== rankOf(b)) return false
      const difference = compare(a, b)
      return name === 'gt'
        ? difference > 0
        : name === 'gte'
          ? difference >= 0
          : name === 'lt'
            ? difference < 0
            : difference <= 0
    }
    // conditionals
    case 'if':
      return isTrue(value(0)) ? value(1) : args.length === 3 ? value(2) : null
    case 'case':
      for (let at = 0; at + 1 < args.length; at += 2) if (isTrue(value(at))) return value(at + 1)
      return args.length % 2 === 1 ? last() : null
    case 'case-eq': {
      const wanted = value(0)
      for (let at = 1; at + 1 < args.length; at += 2) if (isEqual(wanted, value(at))) return value(at + 1)
      return args.length % 2 === 0 ? last() : null
    }
    // date and time
    case 'datetime':
      return mapOver(last(), (one) => {
        const moment = time.momentOf(one)
        const made =
          moment !== null
            ? time.datetimeOf(moment.ms, moment.nanos)
            : isInteger(one)
              ? fromNanoseconds(BigInt(one))
              : isText(one)
                ? time.iso(one)
                : undefined
        return made ?? (args.length === 2 ? having(0, one) : undefined)
      })
    case 'datetime-diff': {
      const [first, second] = [value(1), value(2)].map((one) => time.momentOf(firstOf(one)))
      if (first == null || second == null) return null
      return integerOf(time.difference(args[0] as string, first, second))
    }
    case 'datetime-format':
    case 'datetime-parse': {
      const [zone, pattern] = [args.length === 3 ? (args[0] as string) : 'UTC', args.at(-2) as string]
      return mapOver(last(), (one) => {
        if (name === 'datetime-parse') return isText(one) ? time.parse(zone, pattern, one) : undefined
        const moment = time.momentOf(one)
        return moment === null ? undefined : time.format(zone, pattern, moment)
      })
    }
    case 'datetime-plus': {
      const [count, values] = [firstOf(value(1)), value(2)]
      if (!isInteger(count)) return null
      return mapOver(values, (one) => {
        const moment = time.momentOf(one)
        return moment === null ? undefined : time.plus(args[0] as string, BigInt(count), moment)
      })
    }
    case 'datetime-shift':
      return mapOver(last(), (one) => {
        const moment = time.momentOf(one)
        if (moment === null) return undefined
        const instant = time.instantOf(args[0] as string, moment.ms)
        return time.datetimeOf(instant + time.offsetAt(args[1] as string, instant), moment.nanos)
      })
    case 'is-datetime':
      return time.momentOf(firstOf(value(0))) !== null
    case 'now':
      return new Datetime(NOW)
    // dictionaries
    case 'dict': {
      const pairs: Pairs = []
      if (args.length === 1) {
        for (const item of listOf(value(0)))
          if (isList(item) && item.length === 2 && isText(item[0])) put(pairs, item[0], item[1] as Value)
      } else {
        for (let at = 0; at < args.length; at += 2) {
          const [name, given] = [firstOf(value(at)), value(at + 1)]
          if (isText(name)) put(pairs, name, given)
        }
      }
      return dictOf(pairs)
    }
    case 'has-key': {
      const [wanted, dict] = [firstOf(value(0)), firstOf(value(1))]
      return isDict(dict) ? entries(dict).some(([one]) => one === wanted) : null
    }
    case 'is-dict':
      return isDict(firstOf(value(0)))
    case 'items':
      return listOf(value(0)).flatMap((dict) => pairsOf(dict).map((pair): Value => [...pair]))
    case 'key-values': {
      const given = value(0)
      if (given === null) return null
      const made = listOf(given).flatMap((dict) => pairsOf(dict).map(([key, value]) => dictOf({ key, value })))
      return isDict(given) && made.length === 1 ? (made[0] as Value) : made
    }
    case 'keys':
      return listOf(value(0)).flatMap((dict) => pairsOf(dict).map(([one]) => one))
    case 'values':
      return listOf(value(0)).flatMap((dict) => pairsOf(dict).map(([, given]) => given))
    case 'path':
      return traverse(value(1), listOf(value(0)).filter(isText), settings)
    case 'apply-ns':
      return mapOver(value(1), (one) => scalars.namespaced(one, args[0] as Value, settings))
    case 'strip-ns':
      return mapOver(value(0), (one) => (isDict(one) ? stripped(one) : undefined))
    case 'apply': {
      const given = value(1)
      if (given === null) return null
      const made = listOf(given).flatMap((one) => applied(args[0] as string, one, place))
      return isList(given) ? made : (made[0] ?? null)
    }
    // lists
    case 'combine':
      return args.flatMap((_, at) => listOf(value(at)))
    case 'count':
      return listOf(value(0)).length
    case 'distinct': {
      const list = listOf(last())
      const keys = list.map(key)
      return list.filter((_, at) => keys.findIndex((other) => equals(other, keys[at] as Value)) === at)
    }
    case 'enumerate': {
      const start = args.length === 2 ? firstOf(value(0)) : 0
      const given = last()
      if (given === null || !isInteger(start)) return null
      const made = listOf(given).map((one, at) => dictOf({ key: integerOf(BigInt(start) + BigInt(at)), value: one }))
      return isList(given) ? made : (made[0] as Value)
    }
    case 'filter':
      return listOf(value(1)).filter((one) => isTrue(having(0, one)))
    case 'first':
      return firstOf(value(0))
    case 'flatten':
      return listOf(value(0)).flatMap(listOf)
    case 'group': {
      const groups: [Value, Value[]][] = []
      for (const one of listOf(value(2))) {
        const [key, given] = [having(0, one), having(1, one)]
        const group = groups.find(([other]) => equals(other, key))
        if (group === undefined) groups.push([key, [given]])
        else group[1].push(given)
      }
      return groups
    }
    case 'group-by': {
      const pairs: Pairs = []
      for (const one of listOf(last())) {
        const key = having(0, one)
        const text = args.length === 3 ? having(1, key) : scalars.jsonOf(key, true)
        if (!isText(text)) continue
        put(pairs, text, [...listOf(find(pairs, text) ?? null), one])
      }
      return dictOf(pairs)
    }
    case 'in': {
      const [values, items] = [listOf(value(0)), listOf(value(1))]
      return values.length > 0 && values.every((one) => isIn(one, items))
    }
    case 'insert': {
      const [at, list, object] = [integer(value(0)), listOf(value(1)), value(2)]
      if (at === null) return null
      const cut = inside(at, list.length)
      return [...list.slice(0, cut), object, ...list.slice(cut)]
    }
    case 'is-empty':
      return listOf(value(0)).length === 0
    case 'is-not-empty':
      return listOf(value(0)).length > 0
    case 'is-list':
      return isList(value(0))
    case 'last': {
      const given = value(0)
      return isList(given) ? (given.length === 0 ? null : (given[given.length - 1] as Value)) : given
    }
    case 'list':
      return args.map((_, at) => value(at))
    case 'map':
      return listOf(value(1)).map((one) => having(0, one))
    case 'map-dict':
      return mapOver(value(2), (dict) => {
        if (!isDict(dict)) return undefined
        const pairs: Pairs = []
        for (const [name, given] of entries(dict)) {
          const [key, made] = [having(0, name), having(1, given)]
          if (isText(key)) put(pairs, key, made)
        }
        return pairs.length === 0 ? undefined : dictOf(pairs)
      })
    case 'map-values':
      return listOf(value(1)).flatMap((dict) => pairsOf(dict).map(([, given]) => having(0, given)))
    case 'max':
    case 'min': {
      const sign = name === 'max' ? 1 : -1
      const keyed = listOf(last()).map((one) => [one, key(one)] as const)
      const best = keyed.find(([, one]) => keyed.every(([, other]) => compare(one, other) * sign >= 0))
      return best === undefined ? null : best[0]
    }
    case 'nth': {
      const [at, given] = [integer(value(0)), value(1)]
      if (at === null) return null
      if (!isList(given)) return at === 0 ? given : null
      return given[at < 0 ? at + given.length : at] ?? null
    }
    case 'range': {
      const [start, stop, step] = [value(0), value(1), args.length === 3 ? value(2) : 1].map(firstOf)
      if (![start, stop, step].every((one) => isInteger(one as Value)) || step === 0) throw new NaiveError('range')
      const made: Value[] = []
      const [from, to, by] = [start, stop, step].map((one) => BigInt(one as number)) as [bigint, bigint, bigint]
      if ((to - from) / by > MANY) throw new NaiveError('range')
      for (let at = from; by > 0n ? at < to : at > to; at += by) made.push(integerOf(at))
      return made
    }
    case 'reversed': {
      const given = value(0)
      return isList(given) ? [...given].reverse() : given
    }
    case 'slice': {
      const optional = (at: number) => (at < args.length - 1 ? firstOf(value(at)) : null)
      const given = [optional(0), optional(1), optional(2)]
      const list = listOf(last())
      if (given.some((one) => one !== null && !isInteger(one))) return null
      const [start, end, stride] = given.map((one) => (one === null ? null : Number(one)))
      if (stride === 0) throw new NaiveError('slice')
      return sliced(list, start ?? null, end ?? null, stride ?? 1)
    }
    case 'sorted':
    case 'sorted-descending': {
      const given = last()
      if (!isList(given)) return given
      const sign = name === 'sorted' ? 1 : -1
      const keyed = given.map((one) => [one, key(one)] as const)
      // Insertion sort: an element goes behind all that do not come after it.
      const sorted: (readonly [Value, Value])[] = []
      for (const one of keyed) {
        let at = sorted.length
        while (at > 0 && compare((sorted[at - 1] as readonly [Value, Value])[1], one[1]) * sign > 0) at--
        sorted.splice(at, 0, one)
      }
      return sorted.map(([one]) => one)
    }
    case 'tuples': {
      if (args.length === 0) return []
      const lists = args.map((_, at) => listOf(value(at)).filter((one) => one !== null))
      return lists.reduce<Value[][]>((made, list) => made.flatMap((tuple) => list.map((one) => [...tuple, one])), [[]])
    }
    // identifiers
    case 'is-ni':
      return firstOf(value(0)) instanceof NI
    case 'ni': {
      if (args.length === 1)
        return mapOver(value(0), (one) => (isText(one) ? new NI(one) : one instanceof NI ? one : undefined))
      const [namespace, values] = [firstOf(value(0)), value(1)]
      return isText(namespace) ? onText(values, (text) => new NI(`${namespace}:${text}`)) : null
    }
    case 'ni-id':
    case 'ni-ns':
      return mapOver(value(0), (one) => {
        const text = one instanceof NI ? one.text : one
        if (!isText(text)) return undefined
        return name === 'ni-id' ? identifierOf(text) : (namespaceOf(text) ?? '')
      })
    // nulls
    case 'coalesce':
      return listOf(last()).find((one) => (args.length === 1 ? one !== null : isTrue(having(0, one)))) ?? null
    case 'coalesce-args':
      for (let at = 0; at < args.length; at++) {
        const given = value(at)
        if (given !== null) return given
      }
      return null
    case 'if-null': {
      const given = value(0)
      return firstOf(given) === null ? value(1) : given
    }
    case 'is-null':
      return firstOf(value(0)) === null
    case 'is-not-null':
      return firstOf(value(0)) !== null
    // sets
    case 'difference':
    case 'intersection': {
      const [a, b] = [listOf(value(0)), listOf(value(1))]
      return a.filter((one) => isIn(one, b) === (name === 'intersection'))
    }
    case 'intersects': {
      const [a, b] = [listOf(value(0)), listOf(value(1))]
      return a.some((one) => isIn(one, b))
    }
    case 'union':
      return unique([...listOf(value(0)), ...listOf(value(1))])
    // strings
    case 'concat':
      return args
        .flatMap((_, at) => listOf(value(at)))
        .filter(isText)
        .join('')
    case 'is-string':
      return isText(firstOf(value(0)))
    case 'join': {
      const [separator, values] = [firstOf(value(0)), value(1)]
      return isText(separator) ? listOf(values).filter(isText).join(separator) : null
    }
    case 'length':
      return onText(value(0), (text) => charactersIn(text).length)
    case 'ljust':
    case 'rjust': {
      const [width, fill, values] = [integer(value(0)), firstOf(value(1)), value(2)]
      if (width === null || !isText(fill) || charactersIn(fill).length !== 1) return null
      if (width > MANY && listOf(values).some(isText)) throw new NaiveError(name)
      return onText(values, (text) => {
        const missing = fill.repeat(Math.max(0, width - charactersIn(text).length))
        return name === 'ljust' ? text + missing : missing + text
      })
    }
    case 'lower':
      return onText(value(0), (text) => text.toLowerCase())
    case 'upper':
      return onText(value(0), (text) => text.toUpperCase())
    case 'matches': {
      const [pattern, values] = [firstOf(value(0)), listOf(value(1))]
      return isText(pattern) && values.length > 0 && values.every((one) => isText(one) && wildcard(pattern, one))
    }
    case 'replace': {
      if (args.length === 2) {
        const [dict, given] = [firstOf(value(0)), value(1)]
        return isDict(dict) ? onText(given, (text) => scalars.replacedBy(entries(dict), text)) : null
      }
      const [old, replacement, values] = [firstOf(value(0)), firstOf(value(1)), value(2)]
      if (!isText(old) || !isText(replacement)) return null
      return onText(values, (text) => (old === '' ? text : text.split(old).join(replacement)))
    }
    case 'split': {
      const separator = args.length === 2 ? firstOf(value(0)) : ' '
      const given = last()
      if (given === null || !isText(separator)) return null
      const apart = (text: string) => (separator === '' ? charactersIn(text) : text.split(separator))
      return listOf(given)
        .filter(isText)
        .flatMap((text) => (args.length === 1 ? text.split(/\s+/).filter((part) => part !== '') : apart(text)))
    }
    case 'substring': {
      const [start, end] = [integer(value(0)), args.length === 3 ? firstOf(value(1)) : null]
      const values = last()
      if (start === null || (end !== null && !isInteger(end))) return null
      return onText(values, (text) => sliced(charactersIn(text), start, end === null ? null : Number(end), 1).join(''))
    }
    case 'string':
      return mapOver(value(0), scalars.stringOf)
    case 'strip':
    case 'lstrip':
    case 'rstrip': {
      const characters = args.length === 2 ? firstOf(value(0)) : null
      const given = last()
      return characters !== null && !isText(characters)
        ? null
        : onText(given, (text) => scalars.stripped(name, characters, text))
    }
    case 'url-quote': {
      const safe = args.length === 2 ? firstOf(value(0)) : ''
      const given = last()
      return safe !== null && !isText(safe) ? null : onText(given, (text) => scalars.quoted(safe ?? '', text))
    }
    case 'url-unquote':
      return onText(value(0), scalars.unquoted)
    case 'uri':
      return mapOver(value(0), scalars.uriOf)
    case 'is-uri':
      return firstOf(value(0)) instanceof URI
    case 'uuid':
      return mapOver(value(0), scalars.uuidOf)
    case 'is-uuid':
      return firstOf(value(0)) instanceof UUID
    // bytes
    case 'base64-decode':
    case 'base64-encode':
    case 'bytes':
      return mapOver(value(0), (one) => scalars.bytesOf(name, one))
    case 'is-bytes':
      return firstOf(value(0)) instanceof Bytes
    // json
    case 'json':
    case 'json-transit': {
      const given = value(0)
      const write = (one: Value) => scalars.jsonOf(one, name === 'json-transit')
      return given === null ? null : isList(given) ? given.map(write) : write(given)
    }
    case 'json-parse':
    case 'json-transit-parse':
      return mapOver(
        last(),
        (one) => scalars.parsed(one, name === 'json-transit-parse') ?? (isParsable(one) ? null : cast(one)),
      )
    // math and numbers
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '^': {
      const [a, b] = [firstOf(value(0)), firstOf(value(1))]
      return scalars.isNumber(a) && scalars.isNumber(b) ? scalars.calculate(name, a, b) : null
    }
    case 'plus':
    case 'minus':
    case 'multiply':
    case 'divide':
    case 'mod':
    case 'pow': {
      const [by, given] = [firstOf(value(0)), value(1)]
      const sign = { plus: '+', minus: '-', multiply: '*', divide: '/', mod: '%', pow: '^' }[name]
      if (!scalars.isNumber(by)) return null
      return mapOver(given, (one) =>
        scalars.isNumber(one) ? (scalars.calculate(sign, one, by) ?? undefined) : undefined,
      )
    }
    case 'abs':
      return mapOver(value(0), (one) => (scalars.isNumber(one) ? scalars.absolute(one) : undefined))
    case 'ceil':
    case 'floor':
    case 'round': {
      const places = args.length === 2 ? firstOf(value(0)) : 0
      const given = last()
      if (!scalars.isNumber(places)) return null
      const at = Number(scalars.toInteger(places) as number)
      if (at < -MANY_PLACES) return isList(given) ? [] : null
      return mapOver(given, (one) => (scalars.isNumber(one) ? scalars.rounded(name, at, one) : undefined))
    }
    case 'sqrt':
    case 'cos':
    case 'sin':
    case 'tan':
      return mapOver(value(0), (one) => (scalars.isNumber(one) ? scalars.real(name, one) : undefined))
    case 'sum':
      return listOf(value(0))
        .filter(scalars.isNumber)
        .reduce<Value>((sum, one) => (scalars.isNumber(sum) ? scalars.calculate('+', sum, one) : null), 0)
    case 'decimal':
      return mapOver(last(), (one) => scalars.toDecimal(one) ?? cast(one))
    case 'float':
      return mapOver(last(), (one) => scalars.toFloat(one) ?? cast(one))
    case 'integer':
      return mapOver(last(), (one) => scalars.toInteger(one) ?? cast(one))
    case 'hex':
      return mapOver(value(0), scalars.hexOf)
    case 'is-decimal':
      return firstOf(value(0)) instanceof Decimal
    case 'is-float':
      return (
        scalars.isNumber(firstOf(value(0))) && !isInteger(firstOf(value(0))) && !(firstOf(value(0)) instanceof Decimal)
      )
    case 'is-integer':
      return isInteger(firstOf(value(0)))
    // encryption: what is sealed is not looked at, only what comes back
    case 'decrypt': {
      const [, key, inner] = args[1] as [string, string, Value]
      const given = evaluate(inner, place)
      // What is sealed is the text in transit JSON, in which a string may look like a tagged one (dtl.md §2.1).
      return key === args[0] ? parseJson(writeJson(given)) : null
    }
    // misc
    case 'hash128': {
      const seed = args.length === 3 ? firstOf(value(1)) : 0
      const values = last()
      if (!isInteger(seed) || seed < 0 || seed > 4_294_967_295) return null
      return mapOver(values, (one) => {
        const bytes = isText(one) ? Buffer.from(one) : one instanceof Bytes ? one.data : undefined
        return bytes === undefined ? undefined : integerOf(hash128([...bytes], Number(seed)))
      })
    }
    case 'is-changed': {
      const [source, before] = [place.root.source, place.program.previous]
      if (before === null) return null
      if ([source, before].some((one) => find(pairsOf(one), '_deleted') === true)) return true
      return !equals(having(0, source), having(0, before))
    }
    case 'completeness':
      return args[0] === args[1] ? new Datetime(NOW) : null
    // deprecated
    case 'curie': {
      const [prefix, values] = [firstOf(value(0)), value(1)]
      return isText(prefix) ? onText(values, (text) => new URI(`${prefix}:${text}`)) : null
    }
    case 'reference': {
      const [dataset, values] = [firstOf(value(0)), value(1)]
      const quoted = (text: string) =>
        encodeURIComponent(Buffer.from(text).toString()).replace(
          /[!'()*]/g,
          (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
        )
      return isText(dataset) ? onText(values, (text) => new URI(`sesam:${quoted(dataset)}/${quoted(text)}`)) : null
    }
    case 'ni-collapse':
      return mapOver(value(0), (one) => {
        const url = one instanceof URI ? one.text : one
        if (!isText(url)) return undefined
        const fitting = Object.entries(settings.prefixes).filter(([, prefix]) => url.startsWith(prefix))
        const longest = Math.max(...fitting.map(([, prefix]) => prefix.length))
        const best = fitting.find(([, prefix]) => prefix.length === longest)
        return new NI(best === undefined ? url : `${best[0]}:${url.slice(longest)}`)
      })
    case 'ni-expand':
      return mapOver(value(0), (one) => {
        if (!(one instanceof NI)) return undefined
        const prefix = settings.prefixes[namespaceOf(one.text) ?? 'no namespace']
        return prefix === undefined ? one.text : prefix + identifierOf(one.text)
      })
    case 'lookup': {
      const datasets = args.length === 2 ? listOf(value(0)).filter(isText) : []
      const given = last()
      if (given === null) return null
      const found = listOf(given).flatMap((one) => looked(one, datasets, place))
      return isList(given) ? found : (found[0] ?? null)
    }
    case 'uri-expand': {
      const given = last()
      if (given === null) return null
      const made = listOf(given).flatMap((one) => {
        if (!isDict(one)) return []
        const dataset = firstOf(args.length === 2 ? having(0, one) : (find(pairsOf(one), '_dataset') ?? null))
        const base = isText(dataset) ? settings.prefixes[dataset] : undefined
        if (base === undefined) return []
        const full = (name: string) => {
          const space = namespaceOf(name)
          if (space === null) return base + name
          const prefix = settings.prefixes[space]
          return prefix === undefined ? name : prefix + identifierOf(name)
        }
        const pairs: Pairs = []
        for (const [name, property] of entries(one)) {
          const isReserved = name.startsWith('_') || name.startsWith('$')
          put(pairs, isReserved ? name : full(name), name === '_id' && isText(property) ? full(property) : property)
        }
        return [dictOf(pairs)]
      })
      return isList(given) ? made : (made[0] ?? null)
    }
    // hops
    case 'hops':
      return hops(args, place)
    case 'apply-hops':
      return hops(args.slice(1), place).flatMap((one) => applied(args[0] as string, one, place))
    case 'lookup-entity': {
      const id = firstOf(value(1))
      return (
        (place.program.datasets.get(args[0] as string) ?? []).find((one) => find(pairsOf(one), '_id') === id) ?? null
      )
    }
    default:
      throw new TypeError(`The naive interpreter has no function ${name}.`)
  }
}

/** An entity by a reference: an absolute one, or an id in the first dataset that has it. */
function looked(reference: Value, datasets: readonly string[], place: Place): Value[] {
  const text = reference instanceof URI ? reference.text : reference
  if (!isText(text)) return []
  const absolute = reference instanceof URI ? /^sesam:([^/]*)\/(.*)$/s.exec(text) : null
  const [names, id] =
    absolute === null
      ? [datasets, text]
      : [[decodeURIComponent(absolute[1] as string)], decodeURIComponent(absolute[2] as string)]
  for (const name of names) {
    const found = (place.program.datasets.get(name) ?? []).find((one) => find(pairsOf(one), '_id') === id)
    if (found === undefined) continue
    const pairs = entries(found as never)
    put(pairs, '_dataset', name)
    return [dictOf(pairs)]
  }
  return []
}

function sliced<T>(list: readonly T[], start: number | null, end: number | null, stride: number): T[] {
  // Every place of the list, in the direction of the stride, that lies between the ends.
  const made: T[] = []
  const absolute = (position: number) => (position < 0 ? position + list.length : position)
  const from = start === null ? (stride > 0 ? 0 : list.length - 1) : absolute(start)
  const to = end === null ? null : absolute(end)
  // Ends beyond the list are cut to it before the stride counts.
  const first = stride > 0 ? Math.max(0, from) : Math.min(list.length - 1, from)
  for (let at = first; at >= 0 && at < list.length && (to === null || (stride > 0 ? at < to : at > to)); at += stride)
    made.push(list[at] as T)
  return made
}

function stripped(value: Value): Value {
  if (isList(value)) return value.map(stripped)
  if (!isDict(value)) return value
  const pairs: Pairs = []
  for (const [name, given] of entries(value)) put(pairs, identifierOf(name), stripped(given))
  return dictOf(pairs)
}

function applied(rule: string, value: Value, place: Place): Value[] {
  const context: Context = { source: value, target: [], parent: place.context }
  const outcome = runRule(rule, { ...place, context, current: undefined, aliases: new Map() })
  return outcome === 'on' ? [dictOf(context.target)] : []
}

// ————— hops: every combination of entities is tried (dtl.md §10.4)

function hops(specs: readonly Value[], place: Place): Value[] {
  let inputs: Value[] = [place.context.source]
  for (const spec of specs) {
    inputs = inputs.flatMap((input) =>
      hop(new Map(pairsOf(spec)), { ...place, context: { ...place.context, source: input } }),
    )
  }
  return inputs
}

function hop(spec: ReadonlyMap<string, Value>, place: Place): Value[] {
  if (spec.get('recurse') !== true) return rows(spec, place)
  const start = place.context.source
  const depth = spec.has('max_depth') ? (spec.get('max_depth') ?? Number.POSITIVE_INFINITY) : 10
  const all: Value[] = spec.get('exclude_root') === true ? [] : [start]
  const seen = [find(pairsOf(start), '_id')]
  let level = [start]
  for (let at = 0; at < Number(depth) && level.length > 0; at++) {
    const next: Value[] = []
    for (const input of level) {
      for (const found of rows(spec, { ...place, context: { ...place.context, source: input } })) {
        const id = find(pairsOf(found), '_id')
        if (seen.includes(id)) continue
        seen.push(id)
        next.push(found)
      }
    }
    all.push(...next)
    level = next
  }
  return all
}

function rows(spec: ReadonlyMap<string, Value>, place: Place): Value[] {
  const aliases = (spec.get('datasets') as string[]).map((entry) => entry.split(' ') as [string, string])
  const where = spec.get('where') as readonly Value[]
  const conditions = (isText(where[0]) ? [where] : where) as readonly (readonly Value[])[]
  let combinations: ReadonlyMap<string, Value>[] = [new Map()]
  for (const [dataset, alias] of aliases) {
    const subset = find(pairsOf(spec.get('subsets') ?? null), alias)
    const entities = [...(place.program.datasets.get(dataset) ?? [])]
      .filter((one) => subset === undefined || isInSubset(one, subset, place.program.settings))
      .sort((a, b) => compareText(find(pairsOf(a), '_id') as string, find(pairsOf(b), '_id') as string))
    combinations = combinations.flatMap((row) => entities.map((one) => new Map([...row, [alias, one]])))
  }
  const names = aliases.map(([, alias]) => alias)
  return combinations.flatMap((row) => {
    const inside: Place = { ...place, aliases: new Map([...place.aliases, ...row]) }
    if (!conditions.every((condition, at) => holds(condition, conditions.slice(0, at), names, inside))) return []
    const returns = spec.get('return')
    if (returns === undefined) return [row.get(names.at(-1) as string) as Value]
    if (isText(returns) && returns.split(',').every((one) => names.includes(one.trim())))
      return returns.split(',').map((one) => row.get(one.trim()) as Value)
    return [evaluate(returns, inside)]
  })
}

/** Whether an entity is in a subset of its dataset: as a join, so that one value in common is enough (dtl.md §13). */
export function isInSubset(entity: Value, subset: Value, settings: DtlSettings): boolean {
  const context: Context = { source: entity, target: [], parent: null }
  const program: Program = { rules: new Map(), settings, datasets: new Map(), emitted: [], previous: null }
  const place: Place = { program, context, root: context, current: undefined, aliases: new Map() }
  const [, expression, literal] = subset as readonly [Value, Value, Value]
  const values = listOf(evaluate(expression, place)).filter((one) => one !== null)
  return values.some((one) => isIn(one, listOf(decoded(literal))))
}

function holds(
  condition: readonly Value[],
  before: readonly (readonly Value[])[],
  names: readonly string[],
  place: Place,
): boolean {
  // An alias of a hops around this one stands in the place of `_S`, as other variables do.
  const around = [...place.aliases.keys()].filter((name) => !names.includes(name))
  if (condition[0] === 'or') {
    // Joins of the same two variables, one of which will do.
    const branches = condition.slice(1) as (readonly Value[])[]
    const pairs = new Set(branches.map((branch) => (isList(branch) ? joined(branch, names, around) : null)))
    if (pairs.size === 1 && !pairs.has(null)) return branches.some((branch) => holds(branch, before, names, place))
  }
  const pair = joined(condition, names, around)
  if (pair === null || before.some((other) => joined(other, names, around) === pair))
    return isTrue(evaluate(condition, place))
  const [a, b] = [condition[1], condition[2]].map((side) =>
    listOf(evaluate(side as Value, place)).filter((one) => one !== null),
  ) as [Value[], Value[]]
  return a.some((one) => isIn(one, b))
}

/** The two variables of a join, or null: it is an ordinary condition (dtl.md §10.2). */
function joined(condition: readonly Value[], names: readonly string[], around: readonly string[]): string | null {
  if (condition[0] !== 'eq') return null
  const all = [...names, ...around]
  const [left, right] = [variablesIn(condition[1] as Value, all), variablesIn(condition[2] as Value, all)]
  const [a, b] = [left[0], right[0]]
  if (left.length !== 1 || right.length !== 1 || a === b || a === undefined || b === undefined) return null
  return names.includes(a) || names.includes(b) ? [a, b].sort().join(' ') : null
}

function variablesIn(expression: Value, names: readonly string[]): string[] {
  if (isText(expression)) {
    const name = expression.split('.')[0] as string
    return expression.includes('.') && name !== '_' && (BUILT_IN.includes(name) || names.includes(name)) ? [name] : []
  }
  return isList(expression) ? [...new Set(expression.slice(1).flatMap((one) => variablesIn(one, names)))] : []
}
