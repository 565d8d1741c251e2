/** The data of W5: three sources of 100,000 persons of whom many are the same, and the naive answer to who is whom. */

import { createHash } from 'node:crypto'
import { type PlainEntity, persons } from './data.ts'

export const LETTERS = ['a', 'b', 'c'] as const
export const PER_SOURCE = 100_000
/** Members of the large classes, and of each chain. */
const THOUSAND = 1_000
const CHAIN = 10

/** An e-mail, an organisation number or a link of a chain is the same: between every two of the sources. */
export const RULES = ['crm:email', 'orgnr', 'chain'].flatMap((property) =>
  [
    ['a', 'b'],
    ['b', 'c'],
    ['a', 'c'],
  ].map(([one, other]) => ['eq', `${one}.${property}`, `${other}.${property}`]),
)

/**
 * Of ten persons six have one e-mail in all three sources, two one organisation number, and the rest one e-mail for all
 * 60,000 of them; one in a hundred is a link of a chain of ten, and of the first ten a thousand share an e-mail.
 */
export function sourcesOfW5(): PlainEntity[][] {
  let chained = 0
  let kilo = 0
  const people = LETTERS.map((_, source) => [...persons(PER_SOURCE, 10_000, 50 + source)])
  const made: PlainEntity[][] = [[], [], []]
  for (let i = 0; i < PER_SOURCE; i++) {
    for (const [source, letter] of LETTERS.entries()) {
      const entity: Record<string, unknown> & { _id: string } = {
        ...(people[source]?.[i] as PlainEntity),
        _id: `${letter}${i}`,
        'crm:email': `${letter}.${i}@example.org`,
      }
      const kind = i % 10
      if (i % 100 === 98) entity.chain = linksOf(chained++)
      else if (kind >= 8 || i % 100 === 97) entity['crm:email'] = 'info@example.org'
      else if (kind === 0 && kilo < THOUSAND) {
        kilo++
        entity['crm:email'] = 'kilo@example.org'
      } else if (kind < 6) entity['crm:email'] = `shared.${i}@example.org`
      if (kind === 6 || kind === 7) entity.orgnr = String(900_000_000 + i)
      made[source]?.push(entity)
    }
  }
  return made
}

/** The place in its chain: it shares one value with the one before, one with the one after. */
function linksOf(number: number): string[] {
  const [chain, place] = [Math.floor(number / CHAIN), number % CHAIN]
  return [place, place + 1].filter((link) => link > 0 && link < CHAIN).map((link) => `${chain}-${link}`)
}

/** One person in a hundred gets another e-mail: that of somebody else, of nobody, or of yet another. */
export function rekeyed(sources: readonly (readonly PlainEntity[])[]): PlainEntity[][] {
  const emailOf = (i: number) => sources[0]?.[i % PER_SOURCE]?.['crm:email']
  return sources.map((entities, source) =>
    entities.flatMap((entity, i) => {
      if (i % 100 !== 5) return []
      const emails = [emailOf(i + 1_000), `new.${i}@example.org`, emailOf(i + 2_000)]
      return [{ ...entity, 'crm:email': emails[source] }]
    }),
  )
}

export interface Merged {
  readonly classes: number
  readonly digest: string
}

/** Union-find over shared values; classes of their members in order, with what is composed of them. */
export function mergeNaively(sources: readonly (readonly PlainEntity[])[]): Merged {
  const all = sources.flat()
  const parent = all.map((_, at) => at)
  const root = (at: number): number => {
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number
      at = parent[at] as number
    }
    return at
  }
  const first = new Map<string, number>()
  all.forEach((entity, at) => {
    for (const property of ['crm:email', 'orgnr', 'chain']) {
      for (const value of listOf(entity[property])) {
        const known = first.get(`${property} ${value}`)
        if (known === undefined) first.set(`${property} ${value}`, at)
        else parent[root(at)] = root(known)
      }
    }
  })
  const classes = new Map<number, PlainEntity[]>()
  all.forEach((entity, at) => {
    const members = classes.get(root(at))
    if (members === undefined) classes.set(root(at), [entity])
    else members.push(entity)
  })
  return digestOf([...classes.values()].map(composed))
}

/** By hand: values one after the other, in the order of the members (hub.md §14.2). */
function composed(members: PlainEntity[]): Record<string, unknown> {
  members.sort((one, other) => (one._id < other._id ? -1 : 1))
  const made: Record<string, unknown> = {}
  const lists = new Set<string>()
  for (const member of members) {
    for (const [name, value] of Object.entries(member)) {
      if (name === '_id') continue
      if (!(name in made)) {
        made[name] = value
        continue
      }
      if (!lists.has(name)) made[name] = [...listOf(made[name])]
      lists.add(name)
      ;(made[name] as unknown[]).push(...listOf(value))
    }
  }
  made.$ids = members.map(({ _id }) => `~:${_id}`)
  return made
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

/** Of contents, whatever their order and that of their properties; ids and what the hub adds are left out. */
export function digestOf(entities: Iterable<Readonly<Record<string, unknown>>>): Merged {
  const digests: string[] = []
  for (const entity of entities) {
    const names = Object.keys(entity).filter((name) => !name.startsWith('_'))
    const text = JSON.stringify(names.sort().map((name) => [name, entity[name]]))
    digests.push(createHash('md5').update(text).digest('hex'))
  }
  return { classes: digests.length, digest: createHash('md5').update(digests.sort().join()).digest('hex') }
}
