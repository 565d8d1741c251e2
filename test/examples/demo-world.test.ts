import { expect, test } from 'vitest'
import { dirtyEmail, dirtyOrgNumber, phoneNotations } from '../../examples/demo/world/dirt.ts'
import { demoSize, generateWorld } from '../../examples/demo/world/generate.ts'
import { seededRandom } from '../../examples/demo/world/random.ts'
import { makeOrganisations, makePeople, norwegianNumber } from '../../examples/demo/world/reality.ts'
import type { SystemRecord, World } from '../../examples/demo/world/records.ts'
import { truthOf } from '../../examples/demo/world/truth.ts'

const world = generateWorld()
const truth = truthOf(world)
const people = [world.crm.person, world.erp.contact, world.hr.person]
const organisations = [world.crm.organisation, world.erp.organisation, world.hr.employer]
type AnyShelf = ReadonlyMap<string, SystemRecord<unknown>>
const recordsOf = (shelves: readonly AnyShelf[]) => shelves.flatMap((shelf) => [...shelf.values()])

test('the same seed gives the same world, another seed another', () => {
  const text = (made: World) => JSON.stringify(recordsOf([made.crm.person, made.erp.organisation, made.hr.person]))
  expect(text(generateWorld(7))).toBe(text(generateWorld(7)))
  expect(text(generateWorld(7))).not.toBe(text(generateWorld(8)))
})

test('every real person and organisation is known to some system', () => {
  expect(truth.person.real).toBe(demoSize.people)
  expect(truth.organisation.real).toBe(demoSize.organisations)
})

test('no two real things share a key', () => {
  for (const shelves of [people, organisations]) {
    const owner = new Map<string, number>()
    for (const { secret } of recordsOf(shelves)) {
      for (const key of secret.keys) {
        expect(owner.get(key) ?? secret.real).toBe(secret.real)
        owner.set(key, secret.real)
      }
    }
  }
})

test('things found agree with a search that knows nothing of what is real', () => {
  expect(thingsByKeys(recordsOf(people))).toBe(truth.person.things)
  expect(thingsByKeys(recordsOf(organisations))).toBe(truth.organisation.things)
})

test('records are the things found and those that were merged into them', () => {
  for (const { records, things, merged, real } of [truth.person, truth.organisation]) {
    expect(records).toBe(things + merged)
    expect(things).toBeGreaterThan(real)
    expect(merged).toBeGreaterThan(real / 4)
  }
})

test('some people are tied by a chain alone: one key to the second system, another to the third', () => {
  const byReal = new Map<number, SystemRecord<unknown>[]>()
  for (const record of recordsOf(people))
    byReal.set(record.secret.real, [...(byReal.get(record.secret.real) ?? []), record])
  const isChain = ([a, b, c]: readonly SystemRecord<unknown>[]) => {
    if (a === undefined || b === undefined || c === undefined) return false
    const shares = (one: typeof a, other: typeof a) => one.secret.keys.some((key) => other.secret.keys.includes(key))
    return [shares(a, b), shares(b, c), shares(a, c)].filter(Boolean).length === 2
  }
  expect([...byReal.values()].filter(isChain).length).toBeGreaterThan(10)
})

test('different people have the same name', () => {
  const random = seededRandom(20_24)
  const real = makePeople(2000, makeOrganisations(500, random), random)
  expect(new Set(real.map(({ given, family }) => `${given} ${family}`)).size).toBeLessThan(1500)
})

test('records are dirty: spaces, case, five notations of a phone number, fields that are missing', () => {
  const crm = [...world.crm.person.values()].map(({ fields }) => fields)
  expect(crm.some(({ email }) => email !== email?.trim())).toBe(true)
  expect(crm.some(({ email }) => email !== undefined && email === email.toUpperCase())).toBe(true)
  expect(crm.some(({ email }) => email === undefined)).toBe(true)
  expect(crm.some(({ first_name: name }) => name === undefined)).toBe(true)
  const shapes = new Set(crm.flatMap(({ phone }) => (phone === undefined ? [] : [phone.replace(/\d/g, '9')])))
  expect(shapes.size).toBe(phoneNotations.length)
})

test('dirt keeps the key: case and spaces of an address, marks around the digits of a number', () => {
  const random = seededRandom(1)
  for (let round = 0; round < 200; round++) {
    expect(dirtyEmail('kari.lie@fjord-data.example', random).trim().toLowerCase()).toBe('kari.lie@fjord-data.example')
    const number = norwegianNumber(random)
    expect(number).toMatch(/^9\d{8}$/)
    expect(dirtyOrgNumber(number, random).replace(/\D/g, '')).toBe(number)
  }
})

/** Union of everything that shares a key, whatever it really is. */
function thingsByKeys(records: readonly SystemRecord<unknown>[]): number {
  const above = records.map((_, place) => place)
  const top = (place: number): number => (above[place] === place ? place : top(above[place] as number))
  const first = new Map<string, number>()
  for (const [place, { secret }] of records.entries()) {
    for (const key of secret.keys) {
      above[top(place)] = top(first.get(key) ?? place)
      first.set(key, place)
    }
  }
  return new Set(records.map((_, place) => top(place))).size
}
