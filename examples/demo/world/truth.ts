/** What a hub must find, known from how the world was made: real things, and the keys their records were given. */

import type { SystemRecord, World } from './records.ts'

export interface Truth {
  /** Records in, by system and kind: `crm/person` → 1234. */
  readonly records: Readonly<Record<string, number>>
  readonly person: Found
  readonly organisation: Found
  /** People with an employer that can be found. */
  readonly employed: number
  /** People with an employer that the CRM and the ERP both know. */
  readonly employedByShared: number
}

export interface Found {
  readonly records: number
  /** Different real things among these records. */
  readonly real: number
  /** Things a hub finds: more than are real, since some records hold nothing that ties them to the others. */
  readonly things: number
  /** Records that turned out to be about a thing that another record was about already. */
  readonly merged: number
}

/** One record and where it is. */
interface Placed {
  readonly system: string
  readonly kind: string
  readonly record: SystemRecord<unknown>
}

export function truthOf(world: World): Truth {
  const organisations = [
    ...placed('crm', 'organisation', world.crm.organisation),
    ...placed('erp', 'organisation', world.erp.organisation),
    ...placed('hr', 'employer', world.hr.employer),
  ]
  const people = [
    ...placed('crm', 'person', world.crm.person),
    ...placed('erp', 'contact', world.erp.contact),
    ...placed('hr', 'person', world.hr.person),
  ]
  const organisationThings = thingsOf(organisations)
  const personThings = thingsOf(people)
  const thingOf = new Map(
    organisationThings.flatMap((thing) => thing.map((one) => [`${one.system}/${one.record.id}`, thing])),
  )
  const employersOf = (person: readonly Placed[]): (readonly Placed[])[] =>
    person.flatMap(({ system, record }) => {
      const thing = thingOf.get(`${system}/${record.secret.employer}`)
      return thing === undefined ? [] : [thing]
    })
  const isShared = (thing: readonly Placed[]) =>
    ['crm', 'erp'].every((name) => thing.some(({ system }) => system === name))
  return {
    records: countBy([...organisations, ...people], ({ system, kind }) => `${system}/${kind}`),
    person: found(people, personThings),
    organisation: found(organisations, organisationThings),
    employed: personThings.filter((person) => employersOf(person).length > 0).length,
    employedByShared: personThings.filter((person) => employersOf(person).some(isShared)).length,
  }
}

const placed = (system: string, kind: string, shelf: ReadonlyMap<string, SystemRecord<unknown>>): Placed[] =>
  [...shelf.values()].map((record) => ({ system, kind, record }))

const found = (records: readonly Placed[], things: readonly (readonly Placed[])[]): Found => ({
  records: records.length,
  real: new Set(records.map(({ record }) => record.secret.real)).size,
  things: things.length,
  merged: records.length - things.length,
})

/** Records of each real thing fall into groups that share keys; no key was ever given to two real things. */
function thingsOf(records: readonly Placed[]): readonly (readonly Placed[])[] {
  const byReal = new Map<number, Placed[]>()
  for (const one of records) byReal.set(one.record.secret.real, [...(byReal.get(one.record.secret.real) ?? []), one])
  return [...byReal.values()].flatMap(tied)
}

/** Records of one real thing, a handful: each joins, and so unites, the groups it shares a key with. */
function tied(records: readonly Placed[]): readonly (readonly Placed[])[] {
  let groups: Placed[][] = []
  for (const one of records) {
    const { keys } = one.record.secret
    const shares = (other: Placed) => other.record.secret.keys.some((key) => keys.includes(key))
    const joined = groups.filter((group) => group.some(shares))
    groups = [...groups.filter((group) => !joined.includes(group)), [...joined.flat(), one]]
  }
  return groups
}

function countBy<T>(values: readonly T[], nameOf: (value: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[nameOf(value)] = (counts[nameOf(value)] ?? 0) + 1
  return counts
}
