/** W3: a full transform with two hops, person → company → country, into a durable dataset. */

import { createHash } from 'node:crypto'
import { bodies, company, country, type PlainEntity, persons, range } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, mustEqual } from './measure.ts'
import { transformWithIvm } from './peers/ivm.ts'

const COUNT = 200_000
const COMPANIES = 10_000
const COUNTRIES = 200

const receiver = (id: string) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'http_endpoint' },
  sink: { type: 'dataset', dataset: id },
})

/** Filter, rename, concat, and two hops. */
export const ENRICH = {
  _id: 'person-enriched',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'person' },
  pump: { mode: 'manual' },
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['filter', ['eq', '_S.crm:active', true]],
        ['rename', 'crm:email', 'email'],
        ['add', 'name', ['concat', '_S.crm:first', ' ', '_S.crm:last']],
        [
          'add',
          '_company',
          ['first', ['hops', { datasets: ['company c'], where: ['eq', '_S.crm:company', ['ni', 'company', 'c._id']] }]],
        ],
        ['add', 'company', '_T._company.erp:name'],
        [
          'add',
          'country',
          [
            'first',
            [
              'hops',
              {
                datasets: ['company c', 'country n'],
                where: [
                  ['eq', '_S.crm:company', ['ni', 'company', 'c._id']],
                  ['eq', 'c.erp:country', ['ni', 'country', 'n._id']],
                ],
                return: 'n.ref:name',
              },
            ],
          ],
        ],
      ],
    },
  },
}

/** What the pipe must give, written by hand. */
export function enrichByHand(
  person: PlainEntity,
  companies: ReadonlyMap<string, PlainEntity>,
  countries: ReadonlyMap<string, PlainEntity>,
): PlainEntity | null {
  if (person['crm:active'] !== true) return null
  const company = companies.get(String(person['crm:company']).split(':').at(-1) as string)
  const country = countries.get(String(company?.['erp:country']).split(':').at(-1) as string)
  return {
    _id: person._id,
    email: person['crm:email'],
    name: `${person['crm:first']} ${person['crm:last']}`,
    company: company?.['erp:name'],
    country: country?.['ref:name'],
  }
}

export async function transform(rounds: number): Promise<Figure[]> {
  const people = [...persons(COUNT, COMPANIES)]
  const companies = range(COMPANIES, company)
  const countries = range(COUNTRIES, country)
  const byCompany = new Map(companies.map((one) => [one._id, one]))
  const byCountry = new Map(countries.map((one) => [one._id, one]))
  const hand = () => people.flatMap((one) => enrichByHand(one, byCompany, byCountry) ?? [])
  const expected = digestOf(hand())
  const values: number[] = []
  const peer: number[] = []
  const plain: number[] = []
  let notes: string[] = []
  for (let round = 0; round <= rounds; round++) {
    const hub = await startHub()
    try {
      await load(hub, people, companies, countries)
      const seconds = await run(hub)
      const made = await hub.json<PlainEntity[]>('/api/datasets/person-enriched/entities?history=false&deleted=false')
      mustEqual('hash of what the pipe made', digestOf(made), expected)
      const ivm = timed(() => transformWithIvm(people, companies, countries))
      mustEqual('entities of the peer', ivm.result.length, made.length)
      const handmade = timed(hand)
      const { anonymousMb, cpuSeconds } = hub.usage()
      notes = [
        `${cpuSeconds.toFixed(1)} CPU s with loading; ${Math.round(anonymousMb)} MB anonymous; by hand in memory ${Math.round(COUNT / handmade.seconds).toLocaleString('en')} entities/s`,
      ]
      if (round === 0) continue
      values.push(COUNT / seconds)
      peer.push(COUNT / ivm.seconds)
      plain.push(COUNT / handmade.seconds)
    } finally {
      await hub.stop()
    }
  }
  return [
    {
      name: 'W3 two hops into a durable dataset',
      unit: 'entities/s',
      values,
      target: 60_000,
      peer: { name: '@tanstack/db-ivm, in memory', values: peer },
      notes,
    },
  ]
}

export async function load(hub: Hub, ...datasets: (readonly PlainEntity[])[]): Promise<void> {
  const names = ['person', 'company', 'country']
  await hub.request('PUT', '/api/config', JSON.stringify([...names.map(receiver), ENRICH]))
  for (const [place, entities] of datasets.entries()) {
    for (const body of bodies(entities, 1_000))
      await hub.request('POST', `/api/receivers/${names[place]}/entities`, body)
  }
}

interface PumpDocument {
  readonly runtime: {
    readonly 'is-running': boolean
    readonly 'last-outcome': string | null
    readonly 'last-message': string | null
    readonly 'last-report': { readonly seconds: number } | null
  }
}

/** Seconds from the start of the pump to its end, as one outside sees it; the run builds its join indexes first. */
export async function run(hub: Hub): Promise<number> {
  const startedAt = performance.now()
  await hub.request('POST', '/api/pipes/person-enriched/pump', 'operation=start', 'application/x-www-form-urlencoded')
  for (;;) {
    const { runtime } = await hub.json<PumpDocument>('/api/pipes/person-enriched/pump')
    if (!runtime['is-running']) {
      mustEqual(`outcome of the run (${runtime['last-message']})`, runtime['last-outcome'], 'completed')
      return (performance.now() - startedAt) / 1000
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export function timed<T>(work: () => T): { readonly result: T; readonly seconds: number } {
  const startedAt = performance.now()
  const result = work()
  return { result, seconds: (performance.now() - startedAt) / 1000 }
}

export function digestOf(entities: readonly PlainEntity[]): string {
  const digest = createHash('md5')
  for (const { _id, email, name, company, country } of [...entities].sort((a, b) => (a._id < b._id ? -1 : 1))) {
    digest.update(JSON.stringify([_id, email, name, company, country]))
  }
  return digest.digest('hex')
}
