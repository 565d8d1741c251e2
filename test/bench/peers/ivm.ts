/** W3 as an incremental view in memory: @tanstack/db-ivm joins persons with companies and countries. */

import { D2, filter, join, MultiSet, map, output } from '@tanstack/db-ivm'
import type { PlainEntity } from '../data.ts'

type Keyed = [string, PlainEntity]

export function transformWithIvm(
  people: readonly PlainEntity[],
  companies: readonly PlainEntity[],
  countries: readonly PlainEntity[],
): PlainEntity[] {
  const graph = new D2()
  const person = graph.newInput<Keyed>()
  const company = graph.newInput<Keyed>()
  const country = graph.newInput<Keyed>()
  const made: PlainEntity[] = []
  person.pipe(
    filter(([, one]: Keyed) => one['crm:active'] === true),
    join(company, 'inner'),
    map(([, [one, employer]]): [string, [PlainEntity, PlainEntity]] => [
      local(employer?.['erp:country']),
      [one as PlainEntity, employer as PlainEntity],
    ]),
    join(country, 'inner'),
    map(([, [pair, land]]) => {
      const [one, employer] = pair as [PlainEntity, PlainEntity]
      return {
        _id: one._id,
        email: one['crm:email'],
        name: `${one['crm:first']} ${one['crm:last']}`,
        company: employer['erp:name'],
        country: land?.['ref:name'],
      }
    }),
    output((message) => {
      for (const [entity] of message.getInner()) made.push(entity)
    }),
  )
  graph.finalize()
  const send = (input: { sendData(data: MultiSet<Keyed>): void }, rows: readonly Keyed[]) =>
    input.sendData(new MultiSet(rows.map((row) => [row, 1])))
  send(
    country,
    countries.map((one): Keyed => [one._id, one]),
  )
  send(
    company,
    companies.map((one): Keyed => [one._id, one]),
  )
  for (let at = 0; at < people.length; at += 1_000) {
    send(
      person,
      people.slice(at, at + 1_000).map((one): Keyed => [local(one['crm:company']), one]),
    )
    graph.run()
  }
  return made
}

/** `~:company:c1` → `c1`. */
const local = (ni: unknown): string => String(ni).slice(String(ni).lastIndexOf(':') + 1)
