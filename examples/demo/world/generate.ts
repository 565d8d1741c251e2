/** Makes the world: what is really there, and what each of three systems has noted of it, well or badly. */

import { dirtyEmail, dirtyName, dirtyOrgNumber, dirtyPhone, otherSpelling } from './dirt.ts'
import { type Random, seededRandom } from './random.ts'
import { makeOrganisations, makePeople, type RealOrganisation, type RealPerson } from './reality.ts'
import type {
  CrmOrganisation,
  CrmPerson,
  ErpContact,
  ErpOrganisation,
  HrEmployer,
  HrPerson,
  SystemRecord,
  World,
} from './records.ts'
import { lands } from './words.ts'

export interface WorldSize {
  readonly people: number
  readonly organisations: number
}

/** As large as the demo's. */
export const demoSize: WorldSize = { people: 2000, organisations: 500 }
export const demoSeed = 20_24

/** How likely a system is to know a thing, and a record to be noted twice. */
const KNOWN = { crmOrganisation: 0.7, erpOrganisation: 0.65, hrEmployer: 0.25, crmPerson: 0.6, erpContact: 0.5 }
const HR_PERSON = 0.85
const TWICE = 0.04

export function generateWorld(seed = demoSeed, size = demoSize): World {
  const random = seededRandom(seed)
  const organisations = makeOrganisations(size.organisations, random)
  const people = makePeople(size.people, organisations, random)
  const world = {
    crm: { organisation: new NumberedShelf<CrmOrganisation>(1), person: new NumberedShelf<CrmPerson>(1001) },
    erp: { organisation: new NumberedShelf<ErpOrganisation>(10_001), contact: new NumberedShelf<ErpContact>(50_001) },
    hr: { employer: new NumberedShelf<HrEmployer>(1), person: new NumberedShelf<HrPerson>(1) },
  }
  for (const organisation of organisations) noteOrganisation(organisation, world, random)
  for (const person of people) notePerson(person, organisations[person.employer] as RealOrganisation, world, random)
  return {
    crm: { organisation: world.crm.organisation.records, person: world.crm.person.records },
    erp: { organisation: world.erp.organisation.records, contact: world.erp.contact.records },
    hr: { employer: world.hr.employer.records, person: world.hr.person.records },
  }
}

type Filling = {
  readonly crm: { readonly organisation: NumberedShelf<CrmOrganisation>; readonly person: NumberedShelf<CrmPerson> }
  readonly erp: { readonly organisation: NumberedShelf<ErpOrganisation>; readonly contact: NumberedShelf<ErpContact> }
  readonly hr: { readonly employer: NumberedShelf<HrEmployer>; readonly person: NumberedShelf<HrPerson> }
}

/** Gives out ids in order, and remembers which ones belong to a real thing. */
class NumberedShelf<Fields> {
  readonly records = new Map<string, SystemRecord<Fields>>()
  readonly #byReal = new Map<number, string[]>()
  #next: number

  constructor(first: number) {
    this.#next = first
  }

  add(real: number, fields: Fields, keys: readonly (string | undefined)[], employer?: string): void {
    const id = String(this.#next++)
    const given = keys.filter((key) => key !== undefined)
    this.records.set(id, {
      id,
      fields,
      secret: { real, keys: given, ...(employer === undefined ? {} : { employer }) },
    })
    this.#byReal.set(real, [...this.idsOf(real), id])
  }

  idsOf(real: number): readonly string[] {
    return this.#byReal.get(real) ?? []
  }
}

/** Every organisation is in the CRM if in nothing else. */
function noteOrganisation(organisation: RealOrganisation, { crm, erp, hr }: Filling, random: Random): void {
  const inErp = random.chance(KNOWN.erpOrganisation)
  const inHr = organisation.land === 0 && random.chance(KNOWN.hrEmployer)
  const inCrm = random.chance(KNOWN.crmOrganisation) || !(inErp || inHr)
  for (const copies = inCrm ? times(random) : 0; crm.organisation.idsOf(organisation.number).length < copies; ) {
    const [fields, keys] = crmOrganisation(organisation, random)
    crm.organisation.add(organisation.number, fields, keys)
  }
  for (const copies = inErp ? times(random) : 0; erp.organisation.idsOf(organisation.number).length < copies; ) {
    const [fields, keys] = erpOrganisation(organisation, random)
    erp.organisation.add(organisation.number, fields, keys)
  }
  if (inHr) {
    const fields = { name: organisation.name, organisationNumber: dirtyOrgNumber(organisation.orgNumber, random) }
    hr.employer.add(organisation.number, fields, [organisation.orgNumber])
  }
}

/** Most things are noted once; some clerk did not look first. */
const times = (random: Random): number => (random.chance(TWICE) ? 2 : 1)

type Noted<Fields> = readonly [fields: Fields, keys: readonly (string | undefined)[]]

function crmOrganisation(organisation: RealOrganisation, random: Random): Noted<CrmOrganisation> {
  const orgNumber = random.chance(0.85) ? organisation.orgNumber : undefined
  const email = random.chance(0.75) ? organisation.email : undefined
  const fields = {
    name: dirtyName(organisation.name, random),
    ...given('organisation_number', orgNumber, (number) => dirtyOrgNumber(number, random)),
    ...given('email', email, (address) => dirtyEmail(address, random)),
    address: {
      ...given('street', random.chance(0.7) ? organisation.street : undefined),
      ...given('zip', random.chance(0.8) ? organisation.postalCode : undefined),
      city: organisation.town,
      ...given('country', random.chance(0.95) ? random.pick(namesOf(organisation)) : undefined),
    },
  }
  return [fields, [orgNumber, email]]
}

function erpOrganisation(organisation: RealOrganisation, random: Random): Noted<ErpOrganisation> {
  const orgNumber = random.chance(0.9) ? organisation.orgNumber : undefined
  const email = random.chance(0.5) ? organisation.email : undefined
  const fields = {
    Navn: random.chance(0.3) ? organisation.name.toUpperCase() : dirtyName(organisation.name, random),
    ...given('Orgnr', orgNumber, (number) => dirtyOrgNumber(number, random)),
    ...given('E-post', email, (address) => dirtyEmail(address, random)),
    Adresse: organisation.street,
    Postnr: organisation.postalCode,
    Poststed: organisation.town.toUpperCase(),
    ...given('Land', random.chance(0.97) ? namesOf(organisation)[0] : undefined),
  }
  return [fields, [orgNumber, email]]
}

const namesOf = ({ land }: RealOrganisation): readonly string[] => (lands[land] as (typeof lands)[number]).names

/** Every person is in the CRM if in nothing else. */
function notePerson(person: RealPerson, employer: RealOrganisation, { crm, erp, hr }: Filling, random: Random): void {
  const [atCrm, atErp, atHr] = [crm.organisation, erp.organisation, hr.employer].map(
    (shelf) => shelf.idsOf(employer.number)[0],
  )
  const inErp = random.chance(KNOWN.erpContact)
  const inHr = atHr !== undefined && random.chance(HR_PERSON)
  const inCrm = random.chance(KNOWN.crmPerson) || !(inErp || inHr)
  for (const copies = inCrm ? times(random) : 0; crm.person.idsOf(person.number).length < copies; ) {
    // Whoever notes a person twice has misspelled the name, or had it misspelled before.
    const isSecond = crm.person.idsOf(person.number).length > 0
    const [fields, keys] = crmPerson(isSecond ? misspelled(person) : person, atCrm, random)
    crm.person.add(person.number, fields, keys, atCrm)
  }
  if (inErp) {
    const [fields, keys] = erpContact(person, atErp, random)
    erp.contact.add(person.number, fields, keys, atErp)
  }
  if (inHr) {
    const [fields, keys] = hrPerson(person, atHr, random)
    hr.person.add(person.number, fields, keys, atHr)
  }
}

const misspelled = (person: RealPerson): RealPerson => ({
  ...person,
  given: otherSpelling(person.given),
  family: otherSpelling(person.family),
})

function crmPerson(person: RealPerson, company: string | undefined, random: Random): Noted<CrmPerson> {
  const email = random.chance(0.9) ? person.workEmail : undefined
  const mobile = random.chance(0.65) ? person.mobile : undefined
  const fields = {
    ...given('first_name', random.chance(0.97) ? person.given : undefined, (name) => dirtyName(name, random)),
    last_name: dirtyName(person.family, random),
    ...given('email', email, (address) => dirtyEmail(address, random)),
    ...given('phone', mobile, (digits) => dirtyPhone(digits, random)),
    ...given('title', random.chance(0.5) ? person.position : undefined),
    ...(company === undefined ? {} : { company_id: Number(company) }),
  }
  return [fields, [email, phoneKey(mobile)]]
}

function erpContact(person: RealPerson, customer: string | undefined, random: Random): Noted<ErpContact> {
  const email = random.chance(0.85) ? (random.chance(0.85) ? person.workEmail : person.privateEmail) : undefined
  const mobile = random.chance(0.75) ? person.mobile : undefined
  const fields = {
    ...given('Fornavn', random.chance(0.95) ? person.given : undefined, (name) => dirtyName(name, random)),
    Etternavn: dirtyName(person.family, random),
    ...given('E-post', email, (address) => dirtyEmail(address, random)),
    ...given('Mobil', mobile, (digits) => dirtyPhone(digits, random)),
    ...given('Kundenr', customer),
  }
  return [fields, [email, phoneKey(mobile)]]
}

function hrPerson(person: RealPerson, employer: string, random: Random): Noted<HrPerson> {
  const email = random.chance(0.8) ? (random.chance(0.6) ? person.privateEmail : person.workEmail) : undefined
  const mobile = random.chance(0.8) ? person.mobile : undefined
  const fields = {
    givenName: person.given,
    familyName: dirtyName(person.family, random),
    ...given('email', email, (address) => dirtyEmail(address, random)),
    ...given('mobile', mobile, (digits) => dirtyPhone(digits, random)),
    born: person.born,
    jobTitle: person.position,
    employer,
  }
  return [fields, [email, phoneKey(mobile)]]
}

const phoneKey = (mobile: string | undefined): string | undefined => (mobile === undefined ? undefined : `+47${mobile}`)

/** A property only when there is something to put in it. */
function given<Name extends string>(
  name: Name,
  value: string | undefined,
  type: (value: string) => string = (same) => same,
): { readonly [name in Name]?: string } {
  return value === undefined ? {} : ({ [name]: type(value) } as { readonly [name in Name]: string })
}
