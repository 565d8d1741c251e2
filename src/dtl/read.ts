/** Reading properties and paths, compiled: nothing is looked up by name that could be looked up before (dtl.md §5, §7.3). */

import { copyOf, type Dict, dictOf, getStored, nameOf, type StoredKey, storedKey, storedKeys } from '../model/dict.ts'
import { isDict, isList, NI, type Value } from '../model/value.ts'
import type { DtlSettings } from './contract.ts'
import type { Frame } from './frame.ts'
import { identifierOf, qualifyId, readingOf } from './namespaces.ts'
import type { Evaluate, PathNode, Variable } from './syntax.ts'

/** Reads one element from a dict; undefined: missing. */
export type Reader = (dict: Dict) => Value | undefined

/** The closure of a path. */
export function compilePath({ variable, elements }: PathNode, settings: DtlSettings): Evaluate {
  const { base, rest, isEntity } = baseOf(variable, elements)
  if (rest.length === 0) return base
  const readers = rest.map((element) => readerOf(element, settings))
  if (isEntity && isIds(rest[0] as string, settings)) readers[0] = idsReader(readers[0] as Reader, settings)
  const reading = readingOf(rest[0] as string, settings)
  if (rest.length === 1 && variable.name === '_S' && reading.kind === 'key' && reading.name !== '$ids') {
    return readFromSource(storedKey(reading.name))
  }
  const [first, ...others] = readers as [Reader, ...Reader[]]
  if (others.length === 0) {
    return (frame) => {
      const value = base(frame)
      const found = isDict(value) ? first(value) : stepInto(first, value)
      return found === undefined ? null : found
    }
  }
  return (frame) => traverse(readers, base(frame))
}

/** The most frequent path of all, without a call more than it needs. */
function readFromSource(key: StoredKey): Evaluate {
  const reader: Reader = (dict) => getStored(dict, key)
  return (frame) => {
    const { source } = frame
    const found = isDict(source) ? getStored(source, key) : stepInto(reader, source)
    return found === undefined ? null : found
  }
}

/** Applies the readers one after the other; null when nothing is there (dtl.md §5.2). */
export function traverse(readers: readonly Reader[], value: Value): Value {
  let reached: Value | undefined = value
  for (const reader of readers) {
    reached = stepInto(reader, reached)
    if (reached === undefined) return null
  }
  return reached
}

/** Through a list the results are collected, lists among them opened; undefined: missing. */
function stepInto(reader: Reader, value: Value): Value | undefined {
  if (isDict(value)) return reader(value)
  if (!isList(value)) return undefined
  const collected: Value[] = []
  for (const element of value) {
    const found = stepInto(reader, element)
    if (found === undefined) continue
    if (isList(found)) for (const one of found) collected.push(one)
    else collected.push(found)
  }
  return collected
}

/** How a path element reads from a dict. */
export function readerOf(element: string, settings: DtlSettings): Reader {
  const reading = readingOf(element, settings)
  if (reading.kind === 'identifier') return identifierReader(reading.name)
  const key = storedKey(reading.name)
  return (dict) => getStored(dict, key)
}

/** Reads the identifier from all namespaces: one value as it is, of several a list, in property order. */
function identifierReader(identifier: string): Reader {
  const site = new IdentifierSite(identifier)
  return (dict) => {
    const keys = site.find(dict)
    if (keys.length === 0) return undefined
    if (keys.length === 1) return getStored(dict, keys[0] as StoredKey)
    return collect(dict, keys)
  }
}

/** The values of several properties as one list, opened by one level. */
export function collect(dict: Dict, keys: readonly StoredKey[]): Value[] {
  const values: Value[] = []
  for (const key of keys) {
    const value = getStored(dict, key) as Value
    if (isList(value)) for (const one of value) values.push(one)
    else values.push(value)
  }
  return values
}

interface Shape {
  readonly keys: readonly StoredKey[]
  readonly found: readonly StoredKey[]
}

/** Shapes remembered at one place; a program mostly sees one or two. */
const SHAPES = 4

/** One place of a program that reads an identifier, and what it found in the shapes of dicts it has seen. */
export class IdentifierSite {
  readonly #identifier: string
  readonly #shapes: Shape[] = []
  #next = 0

  constructor(identifier: string) {
    this.#identifier = identifier
  }

  /** The properties of the dict with that identifier, in property order. */
  find(dict: Dict): readonly StoredKey[] {
    const keys = storedKeys(dict)
    for (const shape of this.#shapes) if (isSame(shape.keys, keys)) return shape.found
    const found = keys.filter((key) => cachedIdentifier(key) === this.#identifier)
    this.#shapes[this.#next] = { keys, found }
    this.#next = (this.#next + 1) % SHAPES
    return found
  }
}

function isSame(a: readonly StoredKey[], b: readonly StoredKey[]): boolean {
  if (a.length !== b.length) return false
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return false
  return true
}

const IDENTIFIERS_KEPT = 20_000
const identifiers = new Map<StoredKey, string>()

function cachedIdentifier(key: StoredKey): string {
  let identifier = identifiers.get(key)
  if (identifier === undefined) {
    identifier = identifierOf(nameOf(key))
    if (identifiers.size >= IDENTIFIERS_KEPT) identifiers.clear()
    identifiers.set(key, identifier)
  }
  return identifier
}

const ID = storedKey('_id')

/** Whether an element reads `$ids`, which entities have even when they do not hold it (dtl.md §2.2). */
export const isIds = (element: string, settings: DtlSettings): boolean => readingOf(element, settings).name === '$ids'

function idsReader(plain: Reader, settings: DtlSettings): Reader {
  return (dict) => {
    const held = plain(dict)
    if (held !== undefined) return held
    const id = getStored(dict, ID)
    return typeof id === 'string' ? [new NI(namespacedId(id, settings))] : undefined
  }
}

const namespacedId = (id: string, settings: DtlSettings): string =>
  id.includes(':') ? id : (qualifyId(id, settings) as string)

interface Base {
  readonly base: Evaluate
  /** What is left of the path. */
  readonly rest: readonly string[]
  /** It starts at a source or a dataset's entity, where `$ids` is dynamic. */
  readonly isEntity: boolean
}

function baseOf(variable: Variable, elements: readonly string[]): Base {
  switch (variable.name) {
    case '_S':
      return { base: (frame) => frame.source, rest: elements, isEntity: true }
    case '_T':
      return { base: targetOf((frame) => frame, elements.length === 0), rest: elements, isEntity: false }
    case '_':
      return { base: (frame) => frame.current, rest: elements, isEntity: false }
    case '_B':
      return { base: (frame) => frame.run.context.bound, rest: elements, isEntity: false }
    case 'alias': {
      const { slot } = variable
      return { base: (frame) => frame.rows[slot] as Value, rest: elements, isEntity: true }
    }
    default:
      return contextBase(variable.name, elements)
  }
}

type FindFrame = (frame: Frame) => Frame | null

/** `_P` and `_R` are dicts of sources and targets; their elements are resolved here as far as they go (dtl.md §4). */
function contextBase(name: '_P' | '_R', elements: readonly string[]): Base {
  let find: FindFrame = name === '_P' ? (frame) => frame.parent : (frame) => frame.root
  let at = 0
  // `_R` never holds a `_P`.
  while (name === '_P' && elements[at] === '_P') {
    const inner = find
    find = (frame) => inner(frame)?.parent ?? null
    at++
  }
  const rest = elements.slice(at + 1)
  if (elements[at] === '_S') return { base: (frame) => find(frame)?.source ?? null, rest, isEntity: true }
  if (elements[at] === '_T') return { base: targetOf(find, rest.length === 0), rest, isEntity: false }
  return { base: (frame) => contextDict(find(frame), name === '_P'), rest: elements.slice(at), isEntity: false }
}

/** A target read whole is copied: it may be stored in itself, and goes on growing. */
function targetOf(find: FindFrame, whole: boolean): Evaluate {
  if (!whole) return (frame) => find(frame)?.target ?? null
  return (frame) => {
    const target = find(frame)?.target
    return target === undefined ? null : copyOf(target)
  }
}

function contextDict(frame: Frame | null, withParent: boolean): Value {
  if (frame === null) return null
  const pair: [string, Value][] = [
    ['_S', frame.source],
    ['_T', copyOf(frame.target)],
  ]
  const parent = withParent ? contextDict(frame.parent, true) : null
  return dictOf(parent === null ? pair : [...pair, ['_P', parent]])
}
