/** The three walks of a compaction, a page at a time: each moves one threshold of the position. */

import type { CompactionPosition } from './compaction-position.ts'
import type { DatasetView, Place } from './contract.ts'
import { floorsOf, linkTo, placesOf, stepBack } from './version-chains.ts'

/** What a page found, and where the position is once that is gone. */
export interface Page {
  readonly places: readonly Place[]
  /** Sequences among them that may be the newest of their id. */
  readonly ids?: ReadonlySet<number>
  readonly position: CompactionPosition
}

/** `most`: versions to walk over. Gives null when there are none any more. */
export type Walk = (view: DatasetView, position: CompactionPosition, most: number) => Page | null

/** Over what was appended up to `last`: each version pushes the `keep`-th before it out. */
export const pushedOut =
  (last: number): Walk =>
  (view, position, most) => {
    if (position.pushed >= last) return null
    const { aged, held, keep } = position
    const { places, end } = pageOf(view, position.pushed, last, most)
    const links = stepBack(view, places.flatMap(linkTo), keep - 1)
    const open = links.filter(({ at, next }) => isWithin(at, aged) && isWithin(next, held))
    return { places: [...placesOf(view, open)].map(([place]) => place), position: { ...position, pushed: end } }
  }

/** Over what the tracking offsets have passed, up to `target` (null: all): each version lets its predecessor go. */
export const letGo =
  (target: number | null): Walk =>
  (view, position, most) => {
    const { held, aged, keep, pushed } = position
    if (held === null || held === target) return null
    const last = Math.min(target ?? pushed, pushed)
    const { places, end } = pageOf(view, held, last, most)
    const floors = floorsOf(
      view,
      places.map(({ id }) => id),
      { keep, end: pushed, held: end },
    )
    const open = places.flatMap((place) =>
      linkTo(place).filter(({ at }) => isWithin(at, aged) && at < (floors.get(place.id) ?? 0)),
    )
    return {
      places: [...placesOf(view, open)].map(([place]) => place),
      position: { ...position, held: end >= last ? target : end },
    }
  }

/** Over what became old enough, up to `target` (null: all). */
export const grownOld =
  (target: number | null): Walk =>
  (view, position, most) => {
    const { held, aged, keep, pushed } = position
    if (aged === null || aged === target) return null
    const last = Math.min(target ?? pushed, pushed)
    const { places, end } = pageOf(view, aged, last, most)
    const floors = floorsOf(
      view,
      places.map(({ id }) => id),
      { keep, end: pushed, held },
    )
    return {
      places: places.filter(({ id, sequence }) => sequence < (floors.get(id) ?? 0)),
      position: { ...position, aged: end >= last ? target : end },
    }
  }

/** The next versions after `since`, up to `last`, and where they end. */
export function pageOf(
  view: DatasetView,
  since: number,
  last: number,
  most: number,
): { readonly places: Place[]; readonly end: number } {
  const places: Place[] = []
  if (since >= last) return { places, end: last }
  for (const place of view.places(since < 0 ? null : since)) {
    if (place.sequence > last) break
    places.push(place)
    if (places.length === most) return { places, end: place.sequence }
  }
  return { places, end: last }
}

const isWithin = (sequence: number, threshold: number | null): boolean => threshold === null || sequence <= threshold
