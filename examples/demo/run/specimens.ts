/** Records that show something: chosen from the world by what the generator knows of them. */

import type { SystemRecord, World } from '../world/records.ts'

type Any = SystemRecord<unknown>

/** An organisation with one record in the CRM and one in the ERP, tied by a key; `thing` is what the hub calls it. */
export function mergedOrganisation(world: World): { readonly crm: string; readonly thing: string } {
  const crm = first([...world.crm.organisation.values()], (one) => {
    const others = [...world.crm.organisation.values()].filter((other) => isSame(one, other))
    return others.length === 1 && [...world.erp.organisation.values()].some((other) => isTied(one, other))
  })
  return { crm: crm.id, thing: `crm-organisation.${crm.id}` }
}

/** A person of the CRM tied to nothing, whom the ERP knows by a key that the CRM lacks. */
export function lonelyPair({ crm, erp, hr }: World): { readonly crm: string; readonly key: string } {
  const all = [...crm.person.values(), ...erp.contact.values(), ...hr.person.values()]
  const inErp = (one: Any) => [...erp.contact.values()].find((other) => isSame(one, other))
  const lonely = first([...crm.person.values()], (one) => {
    const isAlone = all.every((other) => other === one || !isTied(one, other))
    return isAlone && (inErp(one)?.secret.keys.length ?? 0) > 0
  })
  return { crm: lonely.id, key: inErp(lonely)!.secret.keys[0]! }
}

/** An organisation of the CRM that the ERP knows too, and that employs people of the CRM. */
export function sharedEmployer(world: World): string {
  const employers = new Set([...world.crm.person.values()].map(({ secret }) => secret.employer))
  const erp = [...world.erp.organisation.values()]
  return first(
    [...world.crm.organisation.values()],
    (one) => employers.has(one.id) && erp.some((other) => isTied(one, other)),
  ).id
}

/** A person whom only the HR system knows. */
export function onlyInHr({ crm, erp, hr }: World): string {
  const others = [...crm.person.values(), ...erp.contact.values()]
  return first([...hr.person.values()], (one) => !others.some((other) => isSame(one, other))).id
}

const isSame = (one: Any, other: Any): boolean => one.secret.real === other.secret.real

const isTied = (one: Any, other: Any): boolean => one.secret.keys.some((key) => other.secret.keys.includes(key))

function first<Fields>(records: readonly SystemRecord<Fields>[], test: (record: Any) => boolean): SystemRecord<Fields> {
  const found = records.find(test)
  if (found === undefined) throw new Error('The world holds no such record.')
  return found
}
