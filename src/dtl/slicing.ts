/** Positions in lists and texts: from the front, or with a negative number from the end. */

import { isInteger, type Value } from '../model/value.ts'
import { firstOf } from './coerce.ts'

/** The first value as a position; null: it is no integer. Positions beyond any list are cut to its ends. */
export function integerOf(value: Value): number | null {
  const first = firstOf(value)
  return isInteger(first) ? Number(first) : null
}

/** A position made non-negative and cut to 0…length. */
export const inside = (position: number, length: number): number =>
  position < 0 ? Math.max(0, length + position) : Math.min(position, length)

/** From start to before end, every stride-th; a negative stride walks backwards. A null end is the far one. */
export function sliceOf<T>(list: readonly T[], start: number | null, end: number | null, stride: number): readonly T[] {
  if (stride === 1) return list.slice(inside(start ?? 0, list.length), inside(end ?? list.length, list.length))
  const part: T[] = []
  if (stride > 0) {
    const stop = inside(end ?? list.length, list.length)
    for (let at = inside(start ?? 0, list.length); at < stop; at += stride) part.push(list[at] as T)
    return part
  }
  // Backwards, the places are one to the left: the last element is the first start, and -1 stands before the first.
  const last = list.length - 1
  const backwards = (position: number) =>
    position < 0 ? Math.max(-1, list.length + position) : Math.min(position, last)
  const stop = end === null ? -1 : backwards(end)
  for (let at = start === null ? last : backwards(start); at > stop; at += stride) part.push(list[at] as T)
  return part
}
