/** What was seen of the values in one place: how often each kind came, and what lies within lists and dicts. */

import { type Dict, getStored, nameOf, type StoredKey, spread, storedKeys } from '../../model/dict.ts'
import { writeJson } from '../../model/json.ts'
import { type Kind, type NI, Typed, type Value } from '../../model/value.ts'
import type { Bounds } from './bounds.ts'
import { HIDDEN, Layout } from './layout.ts'

/** Kinds by number, in the order in which they are told. */
export const KINDS = [
  'null',
  'boolean',
  'integer',
  'float',
  'decimal',
  'date',
  'datetime',
  'uuid',
  'uri',
  'string',
  'bytes',
  'ni',
  'dict',
  'list',
] as const satisfies readonly Kind[]

const numberOf = Object.fromEntries(KINDS.map((kind, number) => [kind, number])) as Record<Kind, number>
const {
  null: NULL,
  boolean: BOOLEAN,
  integer: INTEGER,
  float: FLOAT,
  string: STRING,
  ni: NI_,
  dict: DICT,
  list: LIST,
} = numberOf
/** From here on there is more to see than the kind. */
const INNER = NI_

/** Namespaces kept for identifiers in one place: beyond that it is a mixture anyway. */
export const MAX_NAMESPACES = 16
export const MAX_SAMPLES = 5
/** Characters of a sample. */
const SAMPLE_LENGTH = 100
/** Elements of a list that are looked at for samples. */
const SAMPLED_ELEMENTS = 3

export class ValueType {
  /** How often each kind was seen, by its number. */
  readonly counts = new Float64Array(KINDS.length)
  namespaces: Set<string> | null = null
  hasMoreNamespaces = false
  /** Of the elements of lists. */
  items: ValueType | null = null
  /** Of lists: the shortest and the longest. */
  minItems = Number.POSITIVE_INFINITY
  maxItems = 0
  /** Of dicts. */
  dict: DictType | null = null
  /** Distinct scalars as JSON text, long ones cut; of lists those of their elements are with these. */
  samples: string[] = []
  /** Of the last identifier, with the colon. */
  #prefix = ''

  see(value: Value, bounds: Bounds, depth: number): void {
    this.seeAs(kindNumber(value), value, bounds, depth)
  }

  seeAs(kind: number, value: Value, bounds: Bounds, depth: number): void {
    const former = this.counts[kind] as number
    if (former === 0) bounds.isNews = true
    this.counts[kind] = former + 1
    if (kind >= INNER) this.seeWithin(kind, value, bounds, depth)
  }

  /** What there is to see of it beside its kind, which is counted elsewhere. */
  seeWithin(kind: number, value: Value, bounds: Bounds, depth: number): void {
    if (kind === NI_) this.#seeNamespace((value as NI).text, bounds)
    else if (kind === LIST) this.#seeList(value as readonly Value[], bounds, depth)
    else if (depth < bounds.depth) {
      this.dict ??= new DictType()
      this.dict.see(value as Dict, bounds, depth + 1)
    }
  }

  /** Takes examples of what {@link see} saw. Gives whether there was a new one. */
  sample(value: Value): boolean {
    if (value === null) return false
    if (typeof value !== 'object' || value instanceof Typed) return this.#keep(value)
    let isNew = false
    if (Array.isArray(value)) {
      for (const element of (value as readonly Value[]).slice(0, SAMPLED_ELEMENTS)) {
        if (this.items?.sample(element)) isNew = true
      }
    } else if (this.dict?.sample(value as Dict)) isNew = true
    return isNew
  }

  #seeList(list: readonly Value[], bounds: Bounds, depth: number): void {
    const { length } = list
    if (length < this.minItems) this.minItems = length
    if (length > this.maxItems) this.maxItems = length
    if (length === 0 || depth >= bounds.depth) return
    this.items ??= new ValueType()
    for (let place = 0; place < length; place++) this.items.see(list[place] as Value, bounds, depth + 1)
  }

  /** Neighbours mostly have the same namespace. */
  #seeNamespace(text: string, bounds: Bounds): void {
    const prefix = this.#prefix
    if (prefix !== '' && text.startsWith(prefix) && text.indexOf(':', prefix.length) < 0) return
    const colon = text.lastIndexOf(':')
    this.#prefix = text.slice(0, colon + 1)
    this.namespaces ??= new Set()
    const namespace = text.slice(0, Math.max(0, colon))
    if (this.namespaces.has(namespace)) return
    bounds.isNews = true
    // A long name of a namespace is none that anybody looks for.
    if (this.namespaces.size < MAX_NAMESPACES && namespace.length <= SAMPLE_LENGTH) this.namespaces.add(namespace)
    else this.hasMoreNamespaces = true
  }

  #keep(value: Value): boolean {
    if (this.samples.length >= MAX_SAMPLES) return false
    const text = sampleText(value)
    if (this.samples.includes(text)) return false
    this.samples.push(text)
    return true
  }
}

function sampleText(value: Value): string {
  const isLong = typeof value === 'string' && value.length > SAMPLE_LENGTH
  const text = writeJson(isLong ? value.slice(0, SAMPLE_LENGTH) : value)
  if (!isLong && text.length <= SAMPLE_LENGTH) return text
  // Bytes, long numbers and texts: their beginning, as a string.
  const inner = text.startsWith('"') ? (JSON.parse(text) as string) : text
  return JSON.stringify(`${inner.slice(0, SAMPLE_LENGTH - 1)}…`)
}

function kindNumber(value: Value): number {
  switch (typeof value) {
    case 'string':
      return STRING
    case 'number':
      return Number.isInteger(value) ? INTEGER : FLOAT
    case 'boolean':
      return BOOLEAN
    case 'bigint':
      return INTEGER
    default:
      if (value === null) return NULL
      if (value instanceof Typed) return numberOf[value.kind]
      return Array.isArray(value) ? LIST : DICT
  }
}

/** One property of the dicts in one place. */
export class PropertyType {
  readonly key: StoredKey
  readonly value = new ValueType()
  /** Dicts that had it. */
  count = 0
  /** Milliseconds since 1970. */
  firstSeen: number
  lastSeen: number

  constructor(key: StoredKey, now: number) {
    this.key = key
    this.firstSeen = now
    this.lastSeen = now
  }

  get name(): string {
    return nameOf(this.key)
  }
}

/** Layouts of a place that are known by heart; where there are more, it has none. */
const LAYOUTS = 16
/** Of so many dicts of no known layout, one takes the place of the one that was of use least recently. */
const NEW_LAYOUT = 8

/** The dicts in one place. */
export class DictType {
  readonly properties = new Map<StoredKey, PropertyType>()
  /** The last used first. */
  readonly #layouts: Layout[] = []
  #unknown = 0

  see(dict: Dict, bounds: Bounds, depth: number): void {
    const { keys, values } = bounds.scratch(depth)
    const size = spread(dict, keys, values)
    const layout = this.#layoutOf(keys, values, size, bounds, depth === 0)
    if (layout === null) this.#seeEach(keys, values, size, bounds, depth)
    else this.#seeAs(layout, values, bounds, depth)
  }

  sample(dict: Dict): boolean {
    let isNew = false
    for (const key of storedKeys(dict)) {
      if (this.properties.get(key)?.value.sample(getStored(dict, key) as Value)) isNew = true
    }
    return isNew
  }

  /** Where all kinds are those that the layout expects, one number says all there is to say. */
  #seeAs(layout: Layout, values: readonly Value[], bounds: Bounds, depth: number): void {
    const { kinds, properties } = layout
    if (layout.dicts++ === 0) bounds.counted.push(layout)
    for (let place = 0; place < kinds.length; place++) {
      const expected = kinds[place] as number
      if (expected === HIDDEN) continue
      const value = values[place] as Value
      const kind = kindNumber(value)
      if (kind === expected && kind < INNER) continue
      const type = (properties[place] as PropertyType).value
      if (kind === expected) type.seeWithin(kind, value, bounds, depth)
      else {
        // What the layout counts of it is taken back.
        type.counts[expected] = (type.counts[expected] as number) - 1
        type.seeAs(kind, value, bounds, depth)
      }
    }
  }

  #seeEach(keys: readonly StoredKey[], values: readonly Value[], size: number, bounds: Bounds, depth: number): void {
    for (let place = 0; place < size; place++) {
      const property = this.#find(keys[place] as StoredKey, bounds, depth === 0)
      if (property === null) continue
      property.count++
      property.lastSeen = bounds.now
      property.value.see(values[place] as Value, bounds, depth)
    }
  }

  /** Neighbours mostly have the same names in the same order, which the engine tells by their address. */
  #layoutOf(
    keys: readonly StoredKey[],
    values: readonly Value[],
    size: number,
    bounds: Bounds,
    isRoot: boolean,
  ): Layout | null {
    const layouts = this.#layouts
    for (let place = 0; place < layouts.length; place++) {
      const layout = layouts[place] as Layout
      if (!layout.isOf(keys, size)) continue
      if (place > 0) {
        layouts[place] = layouts[place - 1] as Layout
        layouts[place - 1] = layout
      }
      return layout
    }
    if (layouts.length === LAYOUTS) {
      if (++this.#unknown % NEW_LAYOUT !== 0) return null
      layouts.pop()
    }
    const properties = keys.slice(0, size).map((key) => this.#find(key, bounds, isRoot))
    const kinds = properties.map((property, place) => this.#expected(property, values[place] as Value, bounds))
    const layout = new Layout(keys.slice(0, size), kinds, properties)
    layouts.push(layout)
    return layout
  }

  #expected(property: PropertyType | null, value: Value, bounds: Bounds): number {
    if (property === null) return HIDDEN
    const kind = kindNumber(value)
    if (property.value.counts[kind] === 0) bounds.isNews = true
    return kind
  }

  /** Null: it is the hub's own (dtl.md §2.2), or there is no room for another one. */
  #find(key: StoredKey, bounds: Bounds, isRoot: boolean): PropertyType | null {
    if (isRoot && key.charCodeAt(0) === UNDERSCORE) return null
    const known = this.properties.get(key)
    if (known !== undefined) return known
    if (!bounds.takes(key)) return null
    const property = new PropertyType(key, bounds.now)
    this.properties.set(key, property)
    return property
  }
}

const UNDERSCORE = 0x5f
