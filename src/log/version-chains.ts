/** Follows the chains of `previous` through a log, for many versions at once: each block is read once for each step back. */

import type { DatasetView, Place } from './contract.ts'

/** A version that is looked for, and the one after it of the same id. */
export interface Link {
  readonly at: number
  readonly next: number
}

/** Places of the versions that the links name, as far as they are there, in log order. */
export function* placesOf(view: DatasetView, links: readonly Link[]): Generator<readonly [place: Place, link: Link]> {
  const bySequence = new Map(links.map((link) => [link.at, link]))
  for (const place of view.placesAt(ascending(bySequence.keys()))) {
    yield [place, bySequence.get(place.sequence) as Link]
  }
}

/** Links to what lies so many versions further back, of those that have as many. */
export function stepBack(view: DatasetView, links: readonly Link[], steps: number): readonly Link[] {
  let here = links
  for (let step = 0; step < steps && here.length > 0; step++) {
    const further: Link[] = []
    for (const [{ sequence, previous }] of placesOf(view, here)) {
      if (previous !== null) further.push({ at: previous, next: sequence })
    }
    here = further
  }
  return here
}

/** All that is there below these versions, down to the oldest. */
export function allBefore(view: DatasetView, versions: readonly Place[]): Place[] {
  const found: Place[] = []
  let links = versions.flatMap(linkTo)
  while (links.length > 0) {
    const places = [...placesOf(view, links)].map(([place]) => place)
    found.push(...places)
    links = places.flatMap(linkTo)
  }
  return found
}

/** Versions looked at in one go. */
const TURN = 2_000

/**
 * Versions that no newer one leads to: where increments were put onto a full backup, what compaction took
 * in between is missing.
 */
export async function cutOff(view: DatasetView): Promise<Place[]> {
  const followed = new Set<number>()
  const found: number[] = []
  let looked = 0
  for (const { id, sequence, previous } of view.changes(null, { reverse: true })) {
    if (!followed.delete(sequence) && view.head(id)?.sequence !== sequence) found.push(sequence)
    else if (previous !== null) followed.add(previous)
    // It is all of the log: others get their turn.
    if (++looked % TURN === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return [...view.placesAt(found.reverse())]
}

export const linkTo = ({ previous, sequence }: Pick<Place, 'previous' | 'sequence'>): Link[] =>
  previous === null ? [] : [{ at: previous, next: sequence }]

/**
 * For each id the version below which everything may go: of those up to `end` the newest that has `keep` - 1 newer ones
 * and lies at or before `held`. Ids without such a version are missing.
 */
export function floorsOf(
  view: DatasetView,
  ids: Iterable<string>,
  { keep, end, held }: { readonly keep: number; readonly end: number; readonly held: number | null },
): ReadonlyMap<string, number> {
  const floors = new Map<string, number>()
  let open: { id: string; at: number; left: number }[] = []
  for (const id of new Set(ids)) {
    const head = view.head(id)
    if (head !== undefined) open.push({ id, at: head.sequence, left: keep - 1 })
  }
  while (open.length > 0) {
    const further: typeof open = []
    for (const one of open) {
      if (one.at <= end && one.left === 0 && (held === null || one.at <= held)) floors.set(one.id, one.at)
      else further.push(one)
    }
    const before = new Map<number, number>()
    for (const { sequence, previous } of view.placesAt(ascending(further.map(({ at }) => at)))) {
      if (previous !== null) before.set(sequence, previous)
    }
    open = further.flatMap(({ id, at, left }) => {
      const previous = before.get(at)
      return previous === undefined ? [] : [{ id, at: previous, left: at <= end && left > 0 ? left - 1 : left }]
    })
  }
  return floors
}

const ascending = (sequences: Iterable<number>): Float64Array => Float64Array.from(sequences).sort()
