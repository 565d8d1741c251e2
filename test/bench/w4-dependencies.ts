/** W4: after W3, what depends on changed companies and countries, beside a view kept in memory and a reverse index by hand. */

import { bodies, company, country, type PlainEntity, persons, range, skewed } from './data.ts'
import { type Hub, startHub } from './hub.ts'
import { type Figure, median, mustEqual } from './measure.ts'
import { ByHand, type Change } from './peers/by-hand.ts'
import { IvmView } from './peers/ivm.ts'
import { digestOf, load, run, timed } from './w3-transform.ts'

const COUNT = 200_000
const COMPANIES = 10_000
const COUNTRIES = 200
/** Microseconds a row that may depend on what changed; milliseconds of one change until it is seen. */
const ROW_US = 100
const ONE_MS = 20
const SINGLES = 200
/** What the hub may take more for the heaviest company, in MB: as much as for a few pages. */
const FIXED_MB = 150

interface Measured {
  readonly us: number[]
  readonly hand: number[]
  readonly ivm: number[]
  note: string
}

interface Report {
  readonly read: number
  readonly changes: number
  readonly seconds: number
  readonly tracking: { readonly rows: number; readonly again: number }
}

export async function dependencies(rounds: number): Promise<Figure[]> {
  const measured = new Map<string, Measured>()
  const heaviest = { us: [] as number[], mb: [] as number[], persons: 0 }
  for (let round = 0; round <= rounds; round++) {
    await changeAll(round, measured)
    await changeHeaviest(round, heaviest)
  }
  const small = await singles(10_000)
  const large = await singles(1_000_000)
  return [...[...measured].map(figureOf), ...figuresOfHeaviest(heaviest), ...figuresOfSingles(small, large)]
}

const figureOf = ([name, { us, hand, ivm, note }]: readonly [string, Measured]): Figure => ({
  name: `W4 ${name}`,
  unit: 'µs a row',
  values: us,
  target: ROW_US,
  isLess: true,
  peer: { name: 'reverse index by hand, in memory', values: hand },
  notes: [`@tanstack/db-ivm, in memory: ${median(ivm).toPrecision(3)} µs a row; ${note}`],
})

function figuresOfHeaviest({ us, mb, persons }: { us: number[]; mb: number[]; persons: number }): Figure[] {
  const who = `the heaviest company of the skewed data (${persons.toLocaleString('en')} persons)`
  return [
    { name: `W4 ${who}`, unit: 'µs a row', values: us, target: ROW_US, isLess: true },
    { name: 'W4 memory that it took more', unit: 'MB', values: mb, target: FIXED_MB, isLess: true },
  ]
}

function figuresOfSingles(small: readonly number[], large: readonly number[]): Figure[] {
  const sorted = [...large].sort((a, b) => a - b)
  const p99 = sorted[Math.floor(0.99 * sorted.length)] as number
  const of = `medians ${median(small).toPrecision(3)} and ${median(large).toPrecision(3)} ms of ${SINGLES} each`
  return [
    {
      name: 'W4 one change until it is seen, p99',
      unit: 'ms',
      values: [p99],
      target: ONE_MS,
      isLess: true,
      notes: [of],
    },
    {
      name: 'W4 one change under 1,000,000 persons, relative to 10,000',
      unit: 'times',
      values: [median(large) / median(small)],
      target: 2,
      isLess: true,
      notes: [of],
    },
  ]
}

/** Each change goes in, the pump runs once, and the dataset must be what a full recompute gives. */
async function changeAll(round: number, measured: Map<string, Measured>): Promise<void> {
  const people = [...persons(COUNT, COMPANIES)]
  const [companies, countries] = [range(COMPANIES, company), range(COUNTRIES, country)]
  const hand = new ByHand()
  hand.apply({ dataset: 'country', entities: countries })
  hand.apply({ dataset: 'company', entities: companies })
  hand.apply({ dataset: 'person', entities: people })
  const ivm = new IvmView()
  ivm.send('country', countries)
  ivm.send('company', companies)
  ivm.send('person', people)
  ivm.run()
  const hub = await startHub({ withGraph: false })
  try {
    await load(hub, people, companies, countries)
    await run(hub)
    for (const [name, change] of changesOf(people, round)) {
      const { seconds, cpuSeconds, report } = await changed(hub, change)
      const former = change.entities.flatMap(({ _id }) => hand[change.dataset].get(_id) ?? [])
      const byHand = timed(() => hand.apply(change))
      const byIvm = timed(() => follow(ivm, change, former))
      mustEqual(`hash after '${name}'`, await digest(hub), digestOf(hand.fresh()))
      if (round > 0) note(measured, name, report, cpuSeconds, [seconds, byHand.seconds, byIvm.seconds])
    }
  } finally {
    await hub.stop()
  }
}

function note(
  measured: Map<string, Measured>,
  name: string,
  report: Report,
  cpuSeconds: number,
  seconds: readonly [hub: number, hand: number, ivm: number],
): void {
  const rows = report.tracking.again + report.read
  const [us, hand, ivm] = seconds.map((one) => (1e6 * one) / rows) as [number, number, number]
  const all = measured.get(name) ?? { us: [], hand: [], ivm: [], note: '' }
  all.us.push(us)
  all.hand.push(hand)
  all.ivm.push(ivm)
  const { tracking, changes } = report
  all.note = `${rows.toLocaleString('en')} rows, ${tracking.rows.toLocaleString('en')} of indexes, ${changes.toLocaleString('en')} changed, ${((1e6 * cpuSeconds) / rows).toPrecision(3)} µs of CPU a row`
  measured.set(name, all)
}

/** Others than in the round before. */
function changesOf(people: readonly PlainEntity[], round: number): (readonly [string, Change])[] {
  const renamed = (j: number, to: string) => ({ ...company(j), 'erp:name': `${to} ${round}` })
  const companies = (count: number, to: string): Change => ({
    dataset: 'company',
    entities: range(count, (n) => renamed(n, `${to} ${n}`)),
  })
  return [
    ['1 company', { dataset: 'company', entities: [renamed(4_321, 'One')] }],
    ['100 companies', companies(100, 'Hundred')],
    ['10,000 companies', companies(COMPANIES, 'All')],
    [
      '1,000 persons who move',
      {
        dataset: 'person',
        entities: people
          .slice(0, 1_000)
          .map((one, n) => ({ ...one, 'crm:company': `~:company:c${(n + 7 * round) % COMPANIES}` })),
      },
    ],
    ['1 country', { dataset: 'country', entities: [{ ...country(7), 'ref:name': `Country ${round}` }] }],
    [
      '100 deleted companies',
      { dataset: 'company', entities: range(100, (n) => ({ ...company(5_000 + n), _deleted: true })) },
    ],
  ]
}

function follow(ivm: IvmView, { dataset, entities }: Change, former: readonly PlainEntity[]): void {
  ivm.changed = []
  ivm.send(dataset, former, -1)
  ivm.send(
    dataset,
    entities.filter(({ _deleted }) => _deleted !== true),
  )
  ivm.run()
}

/** The change is stored before the clock starts; it stops when the pump has ended. */
async function changed(
  hub: Hub,
  { dataset, entities }: Change,
): Promise<{ readonly seconds: number; readonly cpuSeconds: number; readonly report: Report }> {
  for (const body of bodies(entities, 1_000)) await hub.request('POST', `/api/receivers/${dataset}/entities`, body)
  const before = hub.usage().cpuSeconds
  const seconds = await run(hub)
  const { runtime } = await hub.json<{ runtime: { 'last-report': Report } }>('/api/pipes/person-enriched/pump')
  return { seconds, cpuSeconds: hub.usage().cpuSeconds - before, report: runtime['last-report'] }
}

const digest = async (hub: Hub): Promise<string> =>
  digestOf(await hub.json<PlainEntity[]>('/api/datasets/person-enriched/entities?history=false&deleted=false'))

/** More than a quarter of all persons work for one company. */
async function changeHeaviest(round: number, heaviest: { us: number[]; mb: number[]; persons: number }): Promise<void> {
  const people = [...persons(COUNT, COMPANIES, 43, skewed)]
  const hand = new ByHand()
  const companies = range(COMPANIES, company)
  hand.apply({ dataset: 'country', entities: range(COUNTRIES, country) })
  hand.apply({ dataset: 'company', entities: companies })
  hand.apply({ dataset: 'person', entities: people })
  const hub = await startHub({ withGraph: false })
  try {
    await load(hub, people, companies, range(COUNTRIES, country))
    await run(hub)
    const before = hub.usage().anonymousMb
    const change: Change = { dataset: 'company', entities: [{ ...company(0), 'erp:name': `Heavy ${round}` }] }
    const { seconds, report } = await changed(hub, change)
    const more = hub.usage().anonymousMb - before
    hand.apply(change)
    mustEqual('hash after the heaviest company', await digest(hub), digestOf(hand.fresh()))
    if (round === 0) return
    heaviest.us.push((1e6 * seconds) / report.tracking.again)
    heaviest.mb.push(more)
    heaviest.persons = report.tracking.again
  } finally {
    await hub.stop()
  }
}

/** Milliseconds from when a change of one company is sent until its last effect is stored, the pump running by itself. */
async function singles(count: number): Promise<number[]> {
  const hub = await startHub({ withGraph: false })
  try {
    await load(hub, [], range(count / 20, company), range(COUNTRIES, country))
    for (const body of bodies(persons(count, count / 20), 5_000)) {
      await hub.request('POST', '/api/receivers/person/entities', body)
    }
    await run(hub)
    const config = await hub.json<{ _id: string; pump?: object }[]>('/api/config')
    const automatic = config.map((one) => (one._id === 'person-enriched' ? { ...one, pump: {} } : one))
    await hub.request('PUT', '/api/config', JSON.stringify(automatic))
    const latencies: number[] = []
    for (let n = 0; n < SINGLES; n++) latencies.push(await single(hub, count, n))
    return latencies.slice(SINGLES / 10)
  } finally {
    await hub.stop()
  }
}

async function single(hub: Hub, count: number, n: number): Promise<number> {
  const j = (n * 7919) % (count / 20)
  const name = `Changed ${n}`
  const before = await endOf(hub)
  const startedAt = performance.now()
  await hub.request('POST', '/api/receivers/company/entities', JSON.stringify([{ ...company(j), 'erp:name': name }]))
  for (;;) {
    if ((await endOf(hub)) !== before) break
    if (performance.now() - startedAt > 10_000) throw new Error(`The change of company ${j} was not followed.`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const seen = performance.now() - startedAt
  const changes = await hub.json<PlainEntity[]>(`/api/datasets/person-enriched/entities?since=${before ?? ''}`)
  mustEqual('companies of what changed', [...new Set(changes.map((one) => one.company))].join(), name)
  return seen
}

const endOf = async (hub: Hub): Promise<number | null> =>
  (await hub.json<{ runtime: { 'max-updated': number | null } }>('/api/datasets/person-enriched')).runtime[
    'max-updated'
  ]
