/** The world after somebody changed it: what a system was told, noted beside it, so that the truth is known again. */

import type { SystemRecord, World } from './records.ts'

type System = keyof World
type Kind<S extends System> = keyof World[S]

/** With other keys in one record. */
export function withKeys<S extends System>(
  world: World,
  system: S,
  kind: Kind<S>,
  id: string,
  keys: readonly string[],
): World {
  return changed(world, system, kind, (records) => {
    const record = records.get(id)
    if (record !== undefined) records.set(id, { ...record, secret: { ...record.secret, keys } })
  })
}

export const without = <S extends System>(world: World, system: S, kind: Kind<S>, id: string): World =>
  changed(world, system, kind, (records) => void records.delete(id))

function changed<S extends System>(
  world: World,
  system: S,
  kind: Kind<S>,
  change: (records: Map<string, SystemRecord<unknown>>) => void,
): World {
  const records = new Map(world[system][kind] as ReadonlyMap<string, SystemRecord<unknown>>)
  change(records)
  return { ...world, [system]: { ...world[system], [kind]: records } }
}
