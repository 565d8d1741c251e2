/** What is really there, before any system has heard of it: organisations and people. */

import type { Random } from './random.ts'
import { familyNames, firstWords, givenNames, lands, positions, streets, trades } from './words.ts'

export interface RealOrganisation {
  readonly number: number
  readonly name: string
  /** Digits only; no two organisations share one. */
  readonly orgNumber: string
  readonly email: string
  readonly domain: string
  readonly street: string
  readonly postalCode: string
  readonly town: string
  /** Place in `lands`. */
  readonly land: number
}

export interface RealPerson {
  readonly number: number
  readonly given: string
  readonly family: string
  /** All three are this person's alone. */
  readonly workEmail: string
  readonly privateEmail: string
  /** Eight digits. */
  readonly mobile: string
  readonly born: string
  readonly position: string
  /** Number of the organisation this person works for. */
  readonly employer: number
}

export function makeOrganisations(count: number, random: Random): readonly RealOrganisation[] {
  const orgNumbers = new Set<string>()
  const domains = new Set<string>()
  return Array.from({ length: count }, (_, number) => {
    const land = random.chance(0.88) ? 0 : random.chance(0.6) ? 1 : 2
    const { forms, towns } = lands[land] as (typeof lands)[number]
    const [trade, tradeDomain] = random.pick(trades)
    const first = random.pick(firstWords)
    const [postalCode, town] = random.pick(towns)
    const domain = unique(domains, (attempt) => `${plain(first)}-${tradeDomain}${attempt || ''}.example`)
    return {
      number,
      name: `${first} ${trade} ${random.pick(forms)}`,
      orgNumber: unique(orgNumbers, () => orgNumberIn(land, random)),
      email: `${random.pick(['post', 'kontakt', 'firmapost'])}@${domain}`,
      domain,
      street: `${random.pick(streets)} ${1 + random.below(90)}`,
      postalCode,
      town,
      land,
    }
  })
}

export function makePeople(
  count: number,
  organisations: readonly RealOrganisation[],
  random: Random,
): readonly RealPerson[] {
  const emails = new Set<string>()
  const mobiles = new Set<string>()
  return Array.from({ length: count }, (_, number) => {
    const [given] = random.pick(givenNames)
    const [family] = random.pick(familyNames)
    // The product of two chances: a few organisations employ many, most employ few.
    const employer = Math.floor(random.next() * random.next() * organisations.length)
    const { domain } = organisations[employer] as RealOrganisation
    const local = `${plain(given)}.${plain(family)}`
    return {
      number,
      given,
      family,
      workEmail: unique(emails, (attempt) => `${local}${attempt || ''}@${domain}`),
      privateEmail: unique(emails, (attempt) => `${local}${attempt || ''}@${random.pick(['post', 'brev'])}.example`),
      mobile: unique(mobiles, () => `${random.pick(['4', '9'])}${random.digits(7)}`),
      born: `${1955 + random.below(50)}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`,
      position: random.pick(positions),
      employer,
    }
  })
}

/** Norway nine digits, Sweden ten, Denmark eight: no two countries can share one. */
const orgNumberIn = (land: number, random: Random): string =>
  land === 0 ? norwegianNumber(random) : land === 1 ? `55${random.digits(8)}` : `3${random.digits(7)}`

/** Nine digits, the last a check digit by weights modulo 11. */
export function norwegianNumber(random: Random): string {
  for (;;) {
    const start = `9${random.digits(7)}`
    const weights = [3, 2, 7, 6, 5, 4, 3, 2]
    const sum = weights.reduce((total, weight, place) => total + weight * Number(start[place]), 0)
    const check = (11 - (sum % 11)) % 11
    if (check < 10) return start + check
  }
}

/** A new value, made again with a higher count of attempts until nobody has it. */
function unique(taken: Set<string>, make: (attempt: number) => string): string {
  for (let attempt = 0; ; attempt++) {
    const value = make(attempt)
    if (taken.has(value)) continue
    taken.add(value)
    return value
  }
}

const two = (number: number): string => String(number).padStart(2, '0')

/** As in an address: small letters without marks. */
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll('æ', 'ae')
    .replaceAll('ø', 'o')
    .replaceAll('å', 'a')
    .normalize('NFKD')
    .replace(/[^a-z]+/g, '')
