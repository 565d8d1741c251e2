/** Deterministic data for the benchmarks: same seed, same entities, on every machine. */

/** mulberry32: a number in [0, 1) for each call. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const FIRST = ['Ola', 'Kari', 'Nora', 'Emil', 'Ida', 'Jonas', 'Sofie', 'Lars', 'Ingrid', 'Per'] as const
const LAST = [
  'Hansen',
  'Johansen',
  'Olsen',
  'Larsen',
  'Andersen',
  'Pedersen',
  'Nilsen',
  'Berg',
  'Haugen',
  'Lie',
] as const
const CITY = ['Oslo', 'Bergen', 'Trondheim', 'Stavanger'] as const

export type PlainEntity = Readonly<Record<string, unknown>> & { readonly _id: string }

/** Which of the companies a person works for. */
export type Employer = (draw: () => number, companies: number) => number

/** Spread evenly over the companies. */
export const even: Employer = (draw, companies) => (draw() * companies) | 0
/** A few companies employ most people (seed 43). */
export const skewed: Employer = (draw, companies) => Math.floor(companies * draw() ** 10)

/** Person i: 13 properties, about 401 bytes of JSON. The order of the draws is part of the definition. */
export function person(i: number, draw: () => number, companies: number, employer: Employer = even): PlainEntity {
  const pick = (below: number): number => (draw() * below) | 0
  const first = FIRST[pick(10)] as string
  const last = LAST[pick(10)] as string
  return {
    _id: `p${i}`,
    'crm:first': first,
    'crm:last': last,
    'crm:email': `${first}.${last}.${i}@example.org`.toLowerCase(),
    'crm:phone': `+47${10000000 + pick(89999999)}`,
    'crm:street': `${last} gate ${pick(200)}`,
    'crm:zip': String(pick(9999)).padStart(4, '0'),
    'crm:city': CITY[pick(4)],
    'crm:company': `~:company:c${employer(draw, companies)}`,
    'crm:active': draw() > 0.2,
    'crm:revenue': pick(1e7) / 100,
    'crm:updated': `~t2026-0${1 + pick(9)}-1${pick(9)}T12:00:00Z`,
    'crm:tags': ['a', 'b', 'c'].slice(0, pick(4)),
    'crm:note': `Lorem ipsum dolor sit amet, consectetur adipiscing elit ${pick(1e6)}`,
  }
}

export const company = (j: number): PlainEntity => ({
  _id: `c${j}`,
  'erp:name': `Company ${j} AS`,
  'erp:orgnr': String(900000000 + j),
  'erp:country': `~:country:n${j % 200}`,
})

export const country = (k: number): PlainEntity => ({ _id: `n${k}`, 'ref:name': `Country ${k}` })

export function* persons(
  count: number,
  companies: number,
  seed = 42,
  employer: Employer = even,
): Generator<PlainEntity> {
  const draw = random(seed)
  for (let i = 0; i < count; i++) yield person(i, draw, companies, employer)
}

export const range = <T>(count: number, make: (place: number) => T): T[] =>
  Array.from({ length: count }, (_, place) => make(place))

/** JSON arrays of `size` entities each, ready to be sent. */
export function bodies(entities: Iterable<PlainEntity>, size: number): string[] {
  const texts: string[] = []
  let batch: PlainEntity[] = []
  for (const entity of entities) {
    batch.push(entity)
    if (batch.length === size) {
      texts.push(JSON.stringify(batch))
      batch = []
    }
  }
  if (batch.length > 0) texts.push(JSON.stringify(batch))
  return texts
}
