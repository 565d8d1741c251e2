/** Reads several datasets as one in which an id stands for the same thing everywhere, in the order of time. */

import type { DatasetView } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import { dictOf, entries, set } from '../../model/dict.ts'
import { type Entity, isDeleted } from '../../model/entity.ts'
import type { Batch, Offset, OpenSource, Surroundings } from '../contract.ts'
import { BatchBounds } from './batch-bounds.ts'
import { Bookmarks } from './bookmarks.ts'
import { isNewer, type Placed, TimeWalk } from './in-order-of-time.ts'

/** Makes an entity of all newest versions of an id, in the order of the datasets; undefined: nothing is to be said. */
export type MakeOne = (id: string, all: readonly Placed[], run: { readonly isFull: boolean }) => Entity | undefined

export function readSameIds(datasets: readonly string[], surroundings: Surroundings, make: MakeOne): OpenSource {
  const viewsNow = () => datasets.map((dataset) => surroundings.snapshot().dataset(dataset))
  return {
    read: (since, signal) => readInTurn(datasets, surroundings, make, since, signal),
    reread(_, ids) {
      const views = viewsNow()
      return ids.flatMap((id) => {
        const all = versionsOf(id, views)
        return (all.length === 0 ? undefined : make(id, all, { isFull: false })) ?? []
      })
    },
  }
}

async function* readInTurn(
  datasets: readonly string[],
  { pipe, snapshot, batchSize, batchBytes }: Surroundings,
  make: MakeOne,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<Batch> {
  const bookmarks = new Bookmarks(datasets, pipe, snapshot(), since)
  const walk = new TimeWalk(datasets, bookmarks, snapshot())
  while (!signal.aborted) {
    const views = datasets.map((dataset) => snapshot().dataset(dataset))
    const entities: Entity[] = []
    const bounds = new BatchBounds(batchSize, batchBytes)
    const isPage = walk.page(views, (placed) => {
      const { id } = placed.version
      const all = versionsOf(id, views, placed)
      const made = isDue(placed, newestOf(all), bookmarks) ? make(id, all, { isFull: since === null }) : undefined
      if (made === undefined) return true
      entities.push(made)
      return !bounds.add(all.reduce((bytes, { version }) => bytes + version.body.length, 0))
    })
    if (!isPage) return
    yield { entities, offset: bookmarks.offset(), ...bookmarks.notes() }
  }
}

/** The newest version in each dataset that has one. */
const versionsOf = (id: string, views: readonly (DatasetView | undefined)[], known?: Placed): Placed[] =>
  views.flatMap((view, place) => {
    const version = place === known?.place ? known.version : view?.latest(id)
    return version === undefined ? [] : [{ place, version }]
  })

export const newestOf = (all: readonly Placed[]): Placed =>
  all.reduce((newest, one) => (isNewer(one, newest) ? one : newest))

/** A change is told when the newest version is; if that was read before, then now. */
const isDue = (changed: Placed, newest: Placed, { at }: Bookmarks): boolean =>
  newest.place === changed.place || newest.version.sequence <= (at[newest.place] ?? -1)

/** All members under the names of their datasets, without what the hub keeps about each; deleted when all of them are. */
export function keyedByDataset(id: string, all: readonly Placed[], datasets: readonly string[]): Entity {
  const newest = newestOf(all).version
  const members = all.map(
    ({ place, version }) => [datasets[place] as string, entityOf(version, { internal: false })] as const,
  )
  const entity: Entity = dictOf([
    ['_id', id],
    ['_deleted', members.every(([, member]) => isDeleted(member))],
    ['_updated', newest.sequence],
    ['_ts', newest.ts],
  ])
  for (const [dataset, member] of members) set(entity, dataset, dictOf(entries(member)))
  return entity
}
