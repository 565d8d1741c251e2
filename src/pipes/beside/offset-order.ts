/** Which of two offsets of a source lies further on: of one that is read in the order of its offsets. */

import { isNewer } from '../sources/continuation.ts'

/** In each part of a list as far, or further. */
export function hasReached(offset: string, goal: string): boolean {
  if (offset === goal) return true
  const [parts, goals] = [placesOf(offset), placesOf(goal)]
  if (parts === null || goals === null || parts.length !== goals.length) return isNewer(offset, goal)
  return parts.every((part, place) => part >= (goals[place] as number))
}

const placesOf = (offset: string): readonly number[] | null =>
  /^-?\d*(,-?\d*)*$/.test(offset) ? offset.split(',').map((part) => (part === '' ? -1 : Number(part))) : null
