/** The values an entity is made of: JSON plus the typed scalars of the language, each exact (dtl.md §2.1). */

import type { Dict } from './dict.ts'

/**
 * A value.
 *
 * - Integer: a `number` when it is a safe integer, otherwise a `bigint`. Never both spellings of one value.
 * - Float: a `number` when it has a fraction, otherwise a {@link Float} (so that `1.0` is not the Integer `1`).
 * - The other typed scalars are instances of the classes below; lists are arrays; dicts are opaque (see `dict.ts`).
 */
export type Value = Scalar | readonly Value[] | Dict

export type Scalar = null | boolean | number | bigint | string | TypedScalar
export type TypedScalar = Float | Decimal | NI | URI | UUID | Bytes | LocalDate | Datetime

export type Kind =
  | 'null'
  | 'boolean'
  | 'integer'
  | 'float'
  | 'decimal'
  | 'date'
  | 'datetime'
  | 'uuid'
  | 'ni'
  | 'uri'
  | 'string'
  | 'dict'
  | 'list'
  | 'bytes'

/** What all typed scalars share; `instanceof Typed` tells a typed scalar from a dict. */
export abstract class Typed {
  abstract readonly kind: Kind
}

/** A binary64 number without a fraction, such as `1.0` or `1e300`. Make it with {@link float}. */
export class Float extends Typed {
  readonly kind = 'float'
  readonly value: number
  constructor(value: number) {
    super()
    this.value = value
  }
}

/** An exact decimal number: `unscaled × 10^-scale`. The scale is kept when it is printed (`1.0` stays `1.0`). */
export class Decimal extends Typed {
  readonly kind = 'decimal'
  readonly unscaled: bigint
  /** Digits after the point; never negative. */
  readonly scale: number
  /** It came as a JSON number and is written as one; otherwise it is written with its tag, `~f`. */
  readonly bare: boolean
  constructor(unscaled: bigint, scale: number, bare = false) {
    super()
    this.unscaled = unscaled
    this.scale = scale
    this.bare = bare
  }
}

/** A namespaced identifier, `~:namespace:identifier`. The last colon of the text separates the two (dtl.md §7.1). */
export class NI extends Typed {
  readonly kind = 'ni'
  readonly text: string
  constructor(text: string) {
    super()
    this.text = text
  }
}

/** A URI, not validated and not escaped. */
export class URI extends Typed {
  readonly kind = 'uri'
  readonly text: string
  constructor(text: string) {
    super()
    this.text = text
  }
}

/** A UUID in lower case. */
export class UUID extends Typed {
  readonly kind = 'uuid'
  readonly text: string
  constructor(text: string) {
    super()
    this.text = text
  }
}

/** Bytes, written as base64. */
export class Bytes extends Typed {
  readonly kind = 'bytes'
  readonly data: Uint8Array
  constructor(data: Uint8Array) {
    super()
    this.data = data
  }
}

/** A calendar date, as days since 1970-01-01; it compares as its midnight UTC. */
export class LocalDate extends Typed {
  readonly kind = 'date'
  readonly days: number
  constructor(days: number) {
    super()
    this.days = days
  }
}

/** An instant in UTC, as nanoseconds since 1970-01-01T00:00:00Z, years 1 to 9999. */
export class Datetime extends Typed {
  readonly kind = 'datetime'
  readonly nanoseconds: bigint
  constructor(nanoseconds: bigint) {
    super()
    this.nanoseconds = nanoseconds
  }
}

/** The Float value of a double; NaN and the infinities have no JSON form and become null (dtl.md §2.1). */
export function float(value: number): Float | number | null {
  if (!Number.isFinite(value)) return null
  return Number.isInteger(value) ? new Float(value) : value
}

/** The Integer value of a bigint: a `number` when it is safe. */
export function integer(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'float'
    case 'boolean':
      return 'boolean'
    case 'bigint':
      return 'integer'
    default:
      if (value === null) return 'null'
      if (value instanceof Typed) return value.kind
      return Array.isArray(value) ? 'list' : 'dict'
  }
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

export const isDict = (value: Value | undefined): value is Dict =>
  typeof value === 'object' && value !== null && !(value instanceof Typed) && !Array.isArray(value)

export const isInteger = (value: Value): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))

/** A value is false exactly when it is `false`, null or the empty list (dtl.md §2.5). */
export const isTrue = (value: Value): boolean =>
  value !== false && value !== null && !(Array.isArray(value) && value.length === 0)
