/** Values ⇄ the ordinary data of JavaScript, for schema checks and for libraries that know only that. */

import { decimalText } from './decimal.ts'
import { type Dict, entries, newDict, set } from './dict.ts'
import { encodeTransit } from './transit.ts'
import { Decimal, Float, float, integer, Typed, type TypedScalar, type Value } from './value.ts'

/** Typed scalars become tagged strings, every number a double. */
export function toPlain(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Float) return value.value
  if (value instanceof Decimal && value.bare) return Number(decimalText(value))
  if (value instanceof Typed) return encodeTransit(value as TypedScalar)
  if (Array.isArray(value)) return (value as readonly Value[]).map(toPlain)
  const plain: Record<string, unknown> = {}
  for (const [name, property] of entries(value as Dict)) {
    // `__proto__` is a name like any other.
    if (name === '__proto__') define(plain, name, toPlain(property))
    else plain[name] = toPlain(property)
  }
  return plain
}

/** Of what `JSON.parse` gives: strings stay strings, whole numbers are Integers when they are exact. */
export function fromPlain(plain: unknown): Value {
  switch (typeof plain) {
    case 'number':
      return Number.isSafeInteger(plain) ? plain + 0 : float(plain)
    case 'bigint':
      return integer(plain)
    case 'string':
    case 'boolean':
      return plain
    default:
      if (typeof plain !== 'object' || plain === null) return null
      if (plain instanceof Typed) return plain as TypedScalar
      if (Array.isArray(plain)) return plain.map(fromPlain)
      return dictFrom(plain)
  }
}

function dictFrom(plain: object): Dict {
  const dict = newDict()
  for (const [name, property] of Object.entries(plain)) if (property !== undefined) set(dict, name, fromPlain(property))
  return dict
}

const define = (plain: object, name: string, value: unknown): void => {
  Object.defineProperty(plain, name, { value, enumerable: true, writable: true, configurable: true })
}
