/** A proposal for the `schema_definition` of a SQL sink, from entities that are to be written there (hub.md §15.9, §23.2). */

import { compareNumbers, type Numeric, toDecimal } from '../../model/decimal.ts'
import { entries } from '../../model/dict.ts'
import { type Entity, isDeleted } from '../../model/entity.ts'
import { writeJson } from '../../model/json.ts'
import { compareText } from '../../model/order.ts'
import { Bytes, type Decimal, type Kind, kindOf, NI, URI, type Value } from '../../model/value.ts'

/** A column as the configuration of a sink names it. */
export interface Column {
  readonly source_property: string
  readonly name: string
  readonly type: ColumnType
  /** Of text in characters, of bytes in bytes. */
  readonly min_size?: number
  readonly max_size?: number
  /** As text where a double would round it. */
  readonly min_value?: number | string
  readonly max_value?: number | string
  readonly precision?: number
  readonly scale?: number
  readonly allow_null: boolean
  readonly primary_key: boolean
  readonly index: boolean
  readonly default: null
}

type ColumnType = 'string' | 'binary' | 'integer' | 'decimal' | 'float' | 'boolean' | 'datetime' | 'date' | 'uuid'

export class ColumnsFold {
  readonly #properties = new Map<string, Observed>()
  #entities = 0

  seeAll(entities: Iterable<Entity>): void {
    for (const entity of entities) this.#see(entity)
  }

  #see(entity: Entity): void {
    if (isDeleted(entity)) return
    this.#entities++
    for (const [name, value] of entries(entity)) {
      if (name.startsWith('_') && name !== '_id') continue
      let observed = this.#properties.get(name)
      if (observed === undefined) {
        observed = new Observed()
        this.#properties.set(name, observed)
      }
      observed.see(value)
    }
  }

  /** `_id` first, the others by their names. */
  keys(): readonly string[] {
    const names = [...this.#properties.keys()].filter((name) => name !== '_id').sort(compareText)
    return this.#properties.has('_id') ? ['_id', ...names] : names
  }

  columns(): readonly Column[] {
    const taken = new Set<string>()
    return this.keys().map((property) => {
      const observed = this.#properties.get(property) as Observed
      return {
        source_property: property,
        name: columnName(property, taken),
        ...observed.described(),
        allow_null: property !== '_id' && observed.values < this.#entities,
        primary_key: property === '_id',
        index: false,
        default: null,
      }
    })
  }
}

/** The values of one property. */
class Observed {
  /** Entities in which it is not null. */
  values = 0
  readonly #kinds = new Set<Kind>()
  #shortest = Number.POSITIVE_INFINITY
  #longest = 0
  #least: Numeric | null = null
  #greatest: Numeric | null = null
  #digits = 1
  #scale = 0

  see(value: Value): void {
    if (value === null) return
    const kind = kindOf(value)
    this.values++
    this.#kinds.add(kind)
    const size = sizeOf(value)
    this.#shortest = Math.min(this.#shortest, size)
    this.#longest = Math.max(this.#longest, size)
    if (kind === 'integer' || kind === 'decimal') this.#seeNumber(value as Numeric)
  }

  described(): Pick<Column, 'type' | 'min_size' | 'max_size' | 'min_value' | 'max_value' | 'precision' | 'scale'> {
    const type = columnType(this.#kinds)
    switch (type) {
      case 'integer':
        return { type, ...range(this.#least, this.#greatest) }
      case 'decimal':
        return { type, precision: this.#digits + this.#scale, scale: this.#scale }
      case 'string':
      case 'binary':
        return { type, min_size: this.values === 0 ? 0 : this.#shortest, max_size: this.#longest }
      default:
        return { type }
    }
  }

  #seeNumber(value: Numeric): void {
    if (this.#least === null || compareNumbers(value, this.#least) < 0) this.#least = value
    if (this.#greatest === null || compareNumbers(value, this.#greatest) > 0) this.#greatest = value
    const { unscaled, scale }: Decimal = toDecimal(value)
    const { length } = (unscaled < 0n ? -unscaled : unscaled).toString()
    this.#digits = Math.max(this.#digits, length - scale)
    this.#scale = Math.max(this.#scale, scale)
  }
}

/** The narrowest that takes all kinds; text where there is no other. */
function columnType(kinds: ReadonlySet<Kind>): ColumnType {
  const [only, ...more] = kinds
  if (only === undefined) return 'string'
  if (more.length === 0) return COLUMNS[only] ?? 'string'
  const are = (...allowed: Kind[]) => [...kinds].every((kind) => allowed.includes(kind))
  if (are('integer', 'decimal')) return 'decimal'
  if (are('integer', 'decimal', 'float')) return 'float'
  return are('date', 'datetime') ? 'datetime' : 'string'
}

const COLUMNS: Partial<Record<Kind, ColumnType>> = {
  boolean: 'boolean',
  integer: 'integer',
  decimal: 'decimal',
  float: 'float',
  date: 'date',
  datetime: 'datetime',
  uuid: 'uuid',
  bytes: 'binary',
}

/** Identifiers go into a table as their text, lists and dicts as JSON. */
function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Bytes) return value.data.length
  if (value instanceof NI || value instanceof URI) return value.text.length
  return writeJson(value).length
}

function range(least: Numeric | null, greatest: Numeric | null): Pick<Column, 'min_value' | 'max_value'> {
  if (least === null || greatest === null) return {}
  const shown = (value: Numeric) => (typeof value === 'number' ? value : String(value))
  return { min_value: shown(least), max_value: shown(greatest) }
}

/** The name without its namespace, in letters, digits and `_`; no two columns have one name, however it is cased. */
function columnName(property: string, taken: Set<string>): string {
  const plain = property.slice(property.lastIndexOf(':') + 1).replace(/[^A-Za-z0-9_]/g, '_') || '_'
  const base = /^\d/.test(plain) ? `_${plain}` : plain
  let name = base
  for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${base}_${number}`
  taken.add(name.toLowerCase())
  return name
}
