/** Numbers, texts and their conversions for the naive interpreter: as slowly and simply as the specification says them. */

import type { DtlSettings } from '../../src/dtl/contract.ts'
import { dictOf, entries } from '../../src/model/dict.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import {
  Bytes,
  Datetime,
  Decimal,
  Float,
  float,
  integer as integerOf,
  isDict,
  isInteger,
  isList,
  LocalDate,
  URI,
  UUID,
  type Value,
} from '../../src/model/value.ts'

type Numeric = number | bigint | Float | Decimal

/** `digits × 10^-scale`. */
interface Digits {
  readonly digits: bigint
  readonly scale: number
}

export const isNumber = (value: Value): value is Numeric =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Float || value instanceof Decimal

const doubleOf = (value: Numeric): number =>
  value instanceof Float
    ? value.value
    : value instanceof Decimal
      ? Number(`${value.unscaled}e-${value.scale}`)
      : Number(value)

/** A Float counts as its shortest text. */
function digitsOf(value: Numeric): Digits {
  if (value instanceof Decimal) return { digits: value.unscaled, scale: value.scale }
  if (isInteger(value)) return { digits: BigInt(value), scale: 0 }
  const [mantissa, exponent = '0'] = String(doubleOf(value)).split('e') as [string, string?]
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?]
  const scale = fraction.length - Number(exponent)
  const digits = BigInt(whole + fraction)
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 }
}

const decimalOf = ({ digits, scale }: Digits): Decimal => new Decimal(digits, scale)

/** The operation on the most precise of the two types; null where there is no result. */
export function calculate(sign: string, a: Numeric, b: Numeric): Value {
  if ((sign === '/' || sign === '%') && doubleOf(b) === 0) return null
  if (sign === '^') return raised(a, b)
  const [x, y] = [digitsOf(a), digitsOf(b)]
  if (a instanceof Decimal || b instanceof Decimal || (sign === '/' && isInteger(a) && isInteger(b)))
    return decimalOf(exactly(sign, x, y))
  if (isInteger(a) && isInteger(b)) return integerOf(exactly(sign, x, y).digits)
  const [p, q] = [doubleOf(a), doubleOf(b)]
  const rest = p % q
  const results: Record<string, number> = {
    '+': p + q,
    '-': p - q,
    '*': p * q,
    '/': p / q,
    // With the sign of the divisor.
    '%': rest !== 0 && rest < 0 !== q < 0 ? rest + q : rest,
  }
  return float(results[sign] as number)
}

function exactly(sign: string, a: Digits, b: Digits): Digits {
  const scale = Math.max(a.scale, b.scale)
  const [x, y] = [a.digits * 10n ** BigInt(scale - a.scale), b.digits * 10n ** BigInt(scale - b.scale)]
  if (sign === '+') return { digits: x + y, scale }
  if (sign === '-') return { digits: x - y, scale }
  if (sign === '*') return { digits: a.digits * b.digits, scale: a.scale + b.scale }
  if (sign === '%') {
    let rest = x % y
    if (rest !== 0n && rest < 0n !== y < 0n) rest += y
    return { digits: rest, scale }
  }
  return quotient(x, y, Math.max(0, a.scale - b.scale))
}

/** Long division, a digit after the other, to 28 significant ones; an exact one has no more zeros than it must. */
function quotient(top: bigint, bottom: bigint, least: number): Digits {
  const sign = top < 0n !== bottom < 0n ? -1n : 1n
  const [a, b] = [top < 0n ? -top : top, bottom < 0n ? -bottom : bottom]
  let [digits, rest, scale] = [a / b, a % b, 0]
  while (rest !== 0n && String(digits).replace(/^0$/, '').length < 28) {
    digits = digits * 10n + (rest * 10n) / b
    rest = (rest * 10n) % b
    scale++
  }
  const tooMany = String(digits).length - 28
  if (tooMany > 0) {
    // More digits before the point than are kept.
    const unit = 10n ** BigInt(tooMany)
    digits = halfEven(digits * b + rest, b * unit) * unit
  } else if (rest !== 0n) digits = halfEven(digits * b + rest, b)
  while (scale < least && String(digits).length < 28) {
    digits *= 10n
    scale++
  }
  return { digits: sign * digits, scale }
}

function halfEven(top: bigint, bottom: bigint): bigint {
  const whole = top / bottom
  const twice = (top % bottom) * 2n
  return twice > bottom || (twice === bottom && whole % 2n === 1n) ? whole + 1n : whole
}

/** Bits of a whole power at most. */
const MANY_BITS = 200_000

function raised(a: Numeric, b: Numeric): Value {
  if (isInteger(b) && (isInteger(a) || a instanceof Decimal)) {
    const { digits, scale } = digitsOf(a)
    const count = b < 0 ? -BigInt(b) : BigInt(b)
    if (b >= 0 || a instanceof Decimal) {
      const isUnit = digits >= -1n && digits <= 1n
      const bits = BigInt((digits < 0n ? -digits : digits).toString(2).length)
      if ((!isUnit && bits * count > MANY_BITS) || BigInt(scale) * count > MANY_BITS) return null
      const power = {
        digits: digits ** (isUnit && count > 2n ? 2n + (count % 2n) : count),
        scale: scale * Number(count),
      }
      if (b >= 0) return a instanceof Decimal ? decimalOf(power) : integerOf(power.digits)
      return digits === 0n ? null : decimalOf(exactly('/', { digits: 1n, scale: 0 }, power))
    }
  }
  return float(doubleOf(a) ** doubleOf(b))
}

export function rounded(way: string, places: number, value: Numeric): Value {
  if (isInteger(value) && places >= 0) return value
  const { digits, scale } = digitsOf(value)
  const isWhole = isInteger(value) || places === 0
  // A zero has no sign in decimals.
  if (places >= scale && !isWhole) return digits === 0n && !(value instanceof Decimal) ? float(0) : value
  if (places >= scale) return integerOf(digits)
  const unit = 10n ** BigInt(scale - places)
  const down = digits / unit - (digits % unit < 0n ? 1n : 0n)
  const nearest = digits < 0n ? -halfEven(-digits, unit) : halfEven(digits, unit)
  const kept = way === 'floor' ? down : way === 'ceil' ? down + (digits % unit === 0n ? 0n : 1n) : nearest
  const back = places >= 0 ? { digits: kept, scale: places } : { digits: kept * 10n ** BigInt(-places), scale: 0 }
  if (isWhole) return integerOf(back.digits / 10n ** BigInt(back.scale))
  return value instanceof Decimal ? decimalOf(back) : float(Number(`${back.digits}e-${back.scale}`))
}

export function real(name: string, value: Numeric): Value {
  const x = doubleOf(value)
  if (name === 'tan' && Math.abs(Math.cos(x)) < 1e-15) return null
  return float(
    ({ sqrt: Math.sqrt, cos: Math.cos, sin: Math.sin, tan: Math.tan } as Record<string, (x: number) => number>)[name]!(
      x,
    ),
  )
}

export const absolute = (value: Numeric): Value => {
  if (value instanceof Decimal) return new Decimal(value.unscaled < 0n ? -value.unscaled : value.unscaled, value.scale)
  return isInteger(value)
    ? integerOf(BigInt(value) < 0n ? -BigInt(value) : BigInt(value))
    : float(Math.abs(doubleOf(value)))
}

// ————— casts

const NUMERIC = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/

/** Undefined: it is not accepted. */
export function toDecimal(value: Value): Value | undefined {
  if (isNumber(value)) return decimalOf(digitsOf(value))
  if (typeof value !== 'string' || !NUMERIC.test(value)) return undefined
  const [mantissa, exponent = '0'] = value.trim().toLowerCase().split('e') as [string, string?]
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?]
  const scale = fraction.length - Number(exponent)
  const digits = BigInt((whole + fraction).replace('+', ''))
  return scale >= 0 ? new Decimal(digits, scale) : new Decimal(digits * 10n ** BigInt(-scale), 0)
}

export function toFloat(value: Value): Value | undefined {
  if (isNumber(value)) return float(doubleOf(value)) ?? undefined
  return typeof value === 'string' && NUMERIC.test(value) ? (float(Number(value)) ?? undefined) : undefined
}

export function toInteger(value: Value): Value | undefined {
  if (isNumber(value)) {
    const { digits, scale } = digitsOf(value)
    return integerOf(digits / 10n ** BigInt(scale))
  }
  if (value instanceof Datetime) return integerOf(value.nanoseconds)
  if (value instanceof LocalDate) return integerOf(BigInt(value.days) * 86_400_000_000_000n)
  if (typeof value !== 'string') return undefined
  if (/^[+-]?\d+$/.test(value)) return integerOf(BigInt(value.replace('+', '')))
  if (!/^0x[0-9a-fA-F]+$/.test(value)) return undefined
  const hex = value.length % 2 === 0 ? value.slice(2) : `0${value.slice(2)}`
  const unsigned = BigInt(`0x${hex}`)
  const half = 1n << BigInt(hex.length * 4 - 1)
  return integerOf(unsigned >= half ? unsigned - 2n * half : unsigned)
}

export function hexOf(value: Value): Value | undefined {
  const given = typeof value === 'string' ? toInteger(value) : value
  if (given === undefined || !isInteger(given)) return undefined
  for (let bytes = 1; ; bytes++) {
    const half = 1n << BigInt(bytes * 8 - 1)
    if (BigInt(given) < -half || BigInt(given) >= half) continue
    return `0x${(BigInt(given) < 0n ? BigInt(given) + 2n * half : BigInt(given)).toString(16).padStart(bytes * 2, '0')}`
  }
}

// ————— texts

/** What stands behind the tag of a typed value. */
const untagged = (value: Value): string => (JSON.parse(writeJson(value)) as string).slice(2)

function numberText(value: Numeric): string {
  if (isInteger(value)) return String(value)
  if (!(value instanceof Decimal)) {
    const text = String(doubleOf(value))
    return /^-?\d+$/.test(text) ? (Object.is(doubleOf(value), -0) ? '-0.0' : `${text}.0`) : text
  }
  const digits = String(value.unscaled < 0n ? -value.unscaled : value.unscaled).padStart(value.scale + 1, '0')
  const at = digits.length - value.scale
  return `${value.unscaled < 0n ? '-' : ''}${digits.slice(0, at)}${value.scale === 0 ? '' : `.${digits.slice(at)}`}`
}

export function jsonOf(value: Value, transit: boolean): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (isNumber(value)) return value instanceof Decimal && transit ? `"~f${numberText(value)}"` : numberText(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (isList(value)) return `[${value.map((one) => jsonOf(one, transit)).join(', ')}]`
  if (!isDict(value)) return transit ? writeJson(value) : JSON.stringify(untagged(value))
  const pairs = entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${pairs.map(([name, one]) => `${JSON.stringify(name)}: ${jsonOf(one, transit)}`).join(', ')}}`
}

export function stringOf(value: Value): Value | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (isNumber(value)) return numberText(value)
  if (isList(value) || isDict(value)) return jsonOf(value, false)
  if (!(value instanceof Bytes)) return untagged(value)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.data)
  } catch {
    return undefined
  }
}

export function parsed(text: Value, transit: boolean): Value | undefined {
  if (typeof text !== 'string') return undefined
  try {
    return parseJson(text, { transit })
  } catch {
    return undefined
  }
}

export function stripped(name: string, characters: string | null, text: string): string {
  const all = [...text]
  const goes = (one: string | undefined) =>
    one !== undefined && (characters === null ? one.trim() === '' : [...characters].includes(one))
  if (name !== 'rstrip') while (goes(all[0])) all.shift()
  if (name !== 'lstrip') while (goes(all.at(-1))) all.pop()
  return all.join('')
}

/** All keys in one pass; where several fit, the longest. */
export function replacedBy(pairs: readonly (readonly [string, Value])[], text: string): string {
  const usable = pairs
    .filter(([old, by]) => old !== '' && typeof by === 'string')
    .sort(([a], [b]) => b.length - a.length)
  let made = ''
  for (let at = 0; at < text.length; ) {
    const found = usable.find(([old]) => text.startsWith(old, at))
    made += found === undefined ? text[at] : found[1]
    at += found === undefined ? 1 : found[0].length
  }
  return made
}

export const quoted = (safe: string, text: string): string =>
  [...text]
    .map((char) => {
      if (/^[A-Za-z0-9_.~-]$/.test(char) || (char.charCodeAt(0) < 128 && safe.includes(char))) return char
      return [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
    })
    .join('')

/** Bytes that stand together are decoded together; a sequence that is broken stays as it is. */
export function unquoted(text: string): string {
  let made = ''
  for (let at = 0; at < text.length; ) {
    const taken = [1, 2, 3, 4].find((count) => decodedAt(text, at, count) !== null)
    made += taken === undefined ? text[at] : decodedAt(text, at, taken)
    at += taken === undefined ? 1 : taken * 3
  }
  return made
}

/** The one character that so many percent-encoded bytes spell, or null. */
function decodedAt(text: string, at: number, count: number): string | null {
  const part = text.slice(at, at + count * 3)
  if (part.length !== count * 3 || !/^(%[0-9a-fA-F]{2})+$/.test(part)) return null
  try {
    const decoded = decodeURIComponent(part)
    return [...decoded].length === 1 ? decoded : null
  } catch {
    return null
  }
}

export const uuidOf = (value: Value): Value | undefined => {
  if (value instanceof UUID) return value
  const isForm = typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
  return isForm ? new UUID(value.toLowerCase()) : undefined
}

export const uriOf = (value: Value): Value | undefined =>
  typeof value === 'string' ? new URI(value) : value instanceof URI ? value : undefined

export function bytesOf(name: string, value: Value): Value | undefined {
  if (name === 'base64-encode') return value instanceof Bytes ? Buffer.from(value.data).toString('base64') : undefined
  if (name === 'bytes' && value instanceof Bytes) return value
  if (typeof value !== 'string') return undefined
  if (name === 'bytes') return new Bytes(new Uint8Array(Buffer.from(value)))
  const isBase64 = value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
  const data = Buffer.from(value, 'base64')
  return isBase64 && data.toString('base64') === value ? new Bytes(new Uint8Array(data)) : undefined
}

// ————— namespaces

/** `apply-ns`: the numbers are those of the specification. */
export function namespaced(value: Value, config: Value, { namespaces }: DtlSettings): Value | undefined {
  if (!isDict(value)) return undefined
  const given = isDict(config)
    ? Object.fromEntries(entries(config))
    : { property_namespace: config, identity_namespace: config }
  const property = 'property_namespace' in given ? (given.property_namespace as string | null) : namespaces.property
  const identity = 'identity_namespace' in given ? (given.identity_namespace as string | null) : namespaces.identity
  const within = (one: Value): Value => {
    if (isList(one)) return one.map(within)
    if (!isDict(one)) return one
    const made: [string, Value][] = []
    const put = (name: string, property: Value) => {
      const pair = made.find(([other]) => other === name)
      if (pair === undefined) made.push([name, property])
      else pair[1] = property
    }
    for (const [name, held] of entries(one)) {
      // (1)
      const isId = name === '_id' && typeof held === 'string' && !held.includes(':') && identity !== null
      const kept = isId ? `${identity}:${held}` : held
      const isSkipped =
        (name.startsWith('_') && given.skip_underscore !== false) ||
        (name.startsWith('$') && given.skip_dollar !== false)
      // (2)
      if (isSkipped) {
        put(name, kept)
        continue
      }
      const inner = given.recursive === false ? kept : within(kept)
      // (3) and (4)
      put(name.includes(':') || property === null ? name : `${property}:${name}`, inner)
    }
    return dictOf(made)
  }
  return within(value)
}
