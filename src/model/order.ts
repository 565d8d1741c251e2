/** The one equality and the one order of values (dtl.md §2.3, §2.4). */

import { compareNumbers, type Numeric } from './decimal.ts'
import { type Dict, getStored, nameOf, size, storedKeys } from './dict.ts'
import {
  type Bytes,
  Datetime,
  type Kind,
  kindOf,
  type LocalDate,
  type NI,
  type URI,
  type UUID,
  type Value,
} from './value.ts'

const RANK: Record<Kind, number> = {
  null: 1,
  boolean: 2,
  integer: 3,
  float: 3,
  decimal: 3,
  date: 4,
  datetime: 4,
  uuid: 5,
  ni: 6,
  uri: 7,
  string: 8,
  dict: 9,
  list: 10,
  bytes: 11,
}

/** Place of a value's type in the mixed order; only values of one rank compare by what they hold. */
export const rankOf = (value: Value): number => RANK[kindOf(value)]

/** Equal values: numbers by value whatever their type, dates on the time line, all else within its type. */
export function equals(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a === null || b === null) return false
  if (typeof a === 'string' || typeof b === 'string' || typeof a === 'boolean' || typeof b === 'boolean') return false
  const rank = rankOf(a)
  if (rank !== rankOf(b)) return false
  if (rank === RANK.dict) return equalDicts(a as Dict, b as Dict)
  if (rank === RANK.list) return equalLists(a as readonly Value[], b as readonly Value[])
  return compareWithin(rank, a, b) === 0
}

function equalLists(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((element, place) => equals(element, b[place] as Value))
}

function equalDicts(a: Dict, b: Dict): boolean {
  if (size(a) !== size(b)) return false
  return storedKeys(a).every((key) => {
    const other = getStored(b, key)
    return other !== undefined && equals(getStored(a, key) as Value, other)
  })
}

/** Negative, zero or positive in the mixed order. */
export function compare(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const rank = rankOf(a)
  const difference = rank - rankOf(b)
  return difference === 0 ? compareWithin(rank, a, b) : difference
}

function compareWithin(rank: number, a: Value, b: Value): number {
  switch (rank) {
    case RANK.null:
      return 0
    case RANK.boolean:
      return Number(a) - Number(b)
    case RANK.integer:
      return compareNumbers(a as Numeric, b as Numeric)
    case RANK.date:
      return compareInstants(a as LocalDate | Datetime, b as LocalDate | Datetime)
    case RANK.string:
      return compareText(a as string, b as string)
    case RANK.dict:
      return compareDicts(a as Dict, b as Dict)
    case RANK.list:
      return compareLists(a as readonly Value[], b as readonly Value[])
    case RANK.bytes:
      return Buffer.compare((a as Bytes).data, (b as Bytes).data)
    default:
      return compareText((a as NI | URI | UUID).text, (b as NI | URI | UUID).text)
  }
}

const DAY = 86_400_000_000_000n

/** Nanoseconds since 1970; a date counts as its midnight. */
export const instantOf = (value: LocalDate | Datetime): bigint =>
  value instanceof Datetime ? value.nanoseconds : BigInt(value.days) * DAY

function compareInstants(a: LocalDate | Datetime, b: LocalDate | Datetime): number {
  const [left, right] = [instantOf(a), instantOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (let place = 0; place < a.length && place < b.length; place++) {
    const difference = compare(a[place] as Value, b[place] as Value)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Pair by pair over the sorted names: name, then value; the one that runs out first is smaller. */
function compareDicts(a: Dict, b: Dict): number {
  const [left, right] = [a, b].map((dict) =>
    storedKeys(dict)
      .map((key) => [nameOf(key), getStored(dict, key) as Value] as const)
      .sort(([x], [y]) => compareText(x, y)),
  ) as [[string, Value][], [string, Value][]]
  for (let place = 0; place < left.length && place < right.length; place++) {
    const [nameA, valueA] = left[place] as [string, Value]
    const [nameB, valueB] = right[place] as [string, Value]
    const difference = compareText(nameA, nameB) || compare(valueA, valueB)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** By Unicode code point; JavaScript's `<` compares UTF-16 units, which differs above U+FFFF. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let place = 0; place < length; place++) {
    const left = a.charCodeAt(place)
    const right = b.charCodeAt(place)
    if (left !== right) return orderOf(left) - orderOf(right)
  }
  return a.length - b.length
}

/** Surrogates stand for code points above all other units: they come last. */
const orderOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
