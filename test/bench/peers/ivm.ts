/** W3 as an incremental view in memory: @tanstack/db-ivm joins persons with companies and countries. */

import { D2, filter, join, MultiSet, map, output } from '@tanstack/db-ivm'
import type { PlainEntity } from '../data.ts'

type Keyed = [string, PlainEntity]

/** The view while it is kept: rows come and go, and it hears what that changes. */
export class IvmView {
  /** Rows of the result that came or went. */
  changed: PlainEntity[] = []
  readonly #graph = new D2()
  readonly #inputs = {
    person: this.#graph.newInput<Keyed>(),
    company: this.#graph.newInput<Keyed>(),
    country: this.#graph.newInput<Keyed>(),
  }

  constructor() {
    const { person, company, country } = this.#inputs
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
        for (const [entity] of message.getInner()) this.changed.push(entity)
      }),
    )
    this.#graph.finalize()
  }

  /** Rows that come (1) or go (-1), by the key they are joined by. */
  send(input: 'person' | 'company' | 'country', rows: readonly PlainEntity[], multiplicity: 1 | -1 = 1): void {
    const keyed = rows.map((one): Keyed => [input === 'person' ? local(one['crm:company']) : one._id, one])
    this.#inputs[input].sendData(new MultiSet(keyed.map((row) => [row, multiplicity])))
  }

  run(): void {
    this.#graph.run()
  }
}

export function transformWithIvm(
  people: readonly PlainEntity[],
  companies: readonly PlainEntity[],
  countries: readonly PlainEntity[],
): PlainEntity[] {
  const view = new IvmView()
  view.send('country', countries)
  view.send('company', companies)
  for (let at = 0; at < people.length; at += 1_000) {
    view.send('person', people.slice(at, at + 1_000))
    view.run()
  }
  return view.changed
}

/** `~:company:c1` → `c1`. */
const local = (ni: unknown): string => String(ni).slice(String(ni).lastIndexOf(':') + 1)
