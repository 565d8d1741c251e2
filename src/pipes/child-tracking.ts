/** Keeps children that an entity had and has no more in its `$children`, marked deleted (hub.md §15.1 `track_children`). */

import type { Version } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { copyOf, get, set } from '../model/dict.ts'
import { type Entity, idOf, isDeleted, isEntity } from '../model/entity.ts'
import { isList, type Value } from '../model/value.ts'
import { isFiltered } from './transform-batch.ts'

/**
 * The entity with all children its id ever had: those it names, and behind them those it does not name any more, with the
 * content they had last. They stay for good: whoever reads only the newest version must find them, and the same entity
 * written again must be the same version. Of a deleted entity all children are deleted.
 */
export function withGoneChildren(entity: Entity, previous: Version | undefined): Entity {
  const given = get(entity, '$children')
  const children = given === undefined || given === null ? [] : isList(given) ? given : [given]
  const named = new Set(children.filter(isEntity).map(idOf))
  const gone = childrenOf(previous).filter((child) => !named.has(idOf(child)))
  const isGone = isDeleted(entity) || isFiltered(entity)
  const present = isGone ? children.map((child) => (isEntity(child) ? asDeleted(child) : child)) : children
  if (gone.length === 0 && present.every((child, place) => child === children[place])) return entity
  const tracked = copyOf(entity) as Entity
  set(tracked, '$children', [...present, ...gone.map(asDeleted)])
  return tracked
}

const NAME = Buffer.from('"$children"')

/** Only children with an `_id` are anybody. */
function childrenOf(version: Version | undefined): readonly Entity[] {
  // Most have none: their content need not be parsed.
  if (
    version === undefined ||
    !Buffer.from(version.body.buffer, version.body.byteOffset, version.body.byteLength).includes(NAME)
  )
    return []
  const children: Value = get(entityOf(version, { internal: false }), '$children') ?? null
  return (isList(children) ? children : [children]).filter((child) => isEntity(child))
}

function asDeleted(child: Entity): Entity {
  if (isDeleted(child)) return child
  const deleted = copyOf(child) as Entity
  set(deleted, '_deleted', true)
  return deleted
}

/** Rounds in which each id comes once, in order: the second of an id is compared with the first once that is stored. */
export function rounds(entities: readonly Entity[]): readonly (readonly Entity[])[] {
  const made: Entity[][] = [[]]
  let ids = new Set<string>()
  for (const entity of entities) {
    if (ids.has(idOf(entity))) {
      made.push([])
      ids = new Set()
    }
    ids.add(idOf(entity))
    made.at(-1)?.push(entity)
  }
  return made
}
