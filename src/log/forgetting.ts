/** What goes altogether: ids whose end is long past, what a retraction takes back, and what erased entities leave. */

import { get } from '../model/dict.ts'
import { pageOf, type Walk } from './compaction-walks.ts'
import type { DatasetView, Place, Version } from './contract.ts'
import { entityOf } from './stored.ts'
import { allBefore } from './version-chains.ts'

/** Over versions up to `last`: an id of which one is the newest goes, with all it had; `deleted`: only when it is a deleted one. */
export const forgotten =
  (which: 'deleted' | 'all', last: number): Walk =>
  (view, position, most) => {
    if (position.deleted >= last) return null
    const { places, end } = pageOf(view, position.deleted, last, most)
    const newest = places.filter((place) => (which === 'all' || place.deleted) && isNewest(view, place))
    return {
      places: [...allBefore(view, newest), ...newest],
      ids: new Set(newest.map(({ sequence }) => sequence)),
      position: { ...position, deleted: end },
    }
  }

/** Over versions up to `last`: all before one that says `$retract` goes. */
export const retracted =
  (last: number): Walk =>
  (view, position, most) => {
    if (position.retracted >= last) return null
    const retracting: number[] = []
    let end = last
    let looked = 0
    for (const version of view.changes(position.retracted < 0 ? null : position.retracted)) {
      if (version.sequence > last) break
      if (isRetraction(version)) retracting.push(version.sequence)
      if (++looked < most) continue
      end = version.sequence
      break
    }
    return { places: allBefore(view, [...view.placesAt(retracting)]), position: { ...position, retracted: end } }
  }

/** What is to be done about the remnants of erased entities. */
export interface RemnantsLeft {
  readonly places: readonly Place[]
  readonly ids: ReadonlySet<number>
  /** Remnants that need not be looked after any more. */
  readonly settled: readonly number[]
}

/** All that was before a remnant goes at once, and the remnant itself when all readers are past it: `passed`. */
export function remnantsOf(view: DatasetView, passed: number): RemnantsLeft {
  const remnants = view.remnants()
  const there = [...view.placesAt(remnants)]
  const done = there.filter((place) => place.sequence <= passed && isNewest(view, place))
  return {
    places: [...allBefore(view, there), ...done],
    ids: new Set(done.map(({ sequence }) => sequence)),
    // One that was followed by a new version is a version like any other by now.
    settled: remnants.filter((sequence) => sequence <= passed),
  }
}

const isNewest = (view: DatasetView, { id, sequence }: Place): boolean => view.head(id)?.sequence === sequence

const NEEDLE = Buffer.from('"$retract"')

/** Parsed only where the name stands somewhere in the text. */
const isRetraction = (version: Version): boolean =>
  Buffer.from(version.body.buffer, version.body.byteOffset, version.body.byteLength).includes(NEEDLE) &&
  get(entityOf(version, { internal: false }), '$retract') === true
