/** Hops turned round: from a changed entity back to every source whose result changed (dtl.md §11.3). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileIndex } from '../../src/dtl/compile.ts'
import type { DtlTransform, Inverse } from '../../src/dtl/contract.ts'
import { DtlError } from '../../src/dtl/errors.ts'
import { type Entity, idOf } from '../../src/model/entity.ts'
import { writeJson } from '../../src/model/json.ts'
import { equals } from '../../src/model/order.ts'
import { entityWith, hop, NAMES, program, some } from './arbitrary-hops.ts'
import { contextOf, type Datasets, memoryLookup } from './memory-lookup.ts'
import { datasets, namespaced, programOf } from './settings.ts'
import { type FindBack, walkBack } from './walk-back.ts'

const person = { datasets: ['person p'], where: ['eq', '_S.ref', 'p.key'] }

/** Each place with its ways back, as text. */
const shown = ({ places }: Inverse): string[] =>
  places.map(({ alias, dataset, steps, obstacle }) => {
    const ways = steps.map(({ to, dataset, lookups, again }) => {
      const pairs = lookups.map(({ key, index }) => `${key} in ${dataset ?? 'the source'} by ${index}`)
      return `${again === null ? '' : `again ${again.limit}: `}${pairs.join(' or ')}${to === null ? '' : ` -> ${to}`}`
    })
    return `${dataset} ${alias}: ${ways.join('; ')}${obstacle === null ? '' : `! ${obstacle}`}`
  })
const inverse = (rules: unknown) => shown(programOf(rules).inverse)

describe('the way back', () => {
  it('turns each join round', () => {
    expect(inverse(hop({ ...person, where: ['eq', ['lower', '_S.ref'], ['list', 'p.key', 'p.old']] }))).toEqual([
      'person p: ["list","_S.key","_S.old"] in the source by ["lower","_S.ref"]',
    ])
  })

  it('takes both branches of an or', () => {
    const where = ['or', ['eq', '_S.a', 'p.a'], ['eq', 'p.b', '_S.b']]
    expect(inverse(hop({ ...person, where }))).toEqual([
      'person p: "_S.a" in the source by "_S.a" or "_S.b" in the source by "_S.b"',
    ])
  })

  it('goes through the other aliases of a spec, on the shortest way', () => {
    const where = [
      ['eq', '_S.x', 'a.x'],
      ['eq', 'a.y', 'b.y'],
      ['eq', 'b.z', 'c.z'],
      ['eq', '_S.c', 'c.c'],
    ]
    expect(inverse(hop({ datasets: ['a a', 'b b', 'c c'], where }))).toEqual([
      'a a: "_S.x" in the source by "_S.x"',
      'b b: "_S.y" in a by "_S.y" -> 0',
      'c c: "_S.c" in the source by "_S.c"',
    ])
  })

  it('goes through chained specs, and rules of apply-hops', () => {
    const rules = {
      default: [['add', 'r', ['apply-hops', 'inner', person, { datasets: ['b b'], where: ['eq', '_S.b', 'b.b'] }]]],
      inner: [['add', 'x', ['hops', { datasets: ['c c'], where: ['eq', '_S.c', 'c.c'] }]]],
    }
    expect(inverse(rules)).toEqual([
      'person p: "_S.key" in the source by "_S.ref"',
      'b b: "_S.b" in person by "_S.b" -> 0',
      'c c: "_S.c" in b by "_S.c" -> 1',
    ])
  })

  it('goes round where a spec recurses, or a rule', () => {
    const up = { datasets: ['person p'], where: ['eq', '_S.boss', 'p._id'], recurse: true }
    expect(inverse(hop(up))).toEqual([
      'person p: "_S._id" in the source by "_S.boss"; again 9: "_S._id" in person by "_S.boss" -> 0',
    ])
    expect(inverse(hop({ ...up, max_depth: 1 }))).toEqual(['person p: "_S._id" in the source by "_S.boss"'])
    const next = { datasets: ['b b'], where: ['eq', '_S.b', 'b.b'] }
    expect(inverse(hop({ ...up, max_depth: null }, next))[1]).toBe(
      'b b: "_S.b" in person by "_S.b" -> 0; "_S.b" in the source by "_S.b"',
    )
    expect(inverse(hop({ ...up, exclude_root: true }, next))[1]).toBe('b b: "_S.b" in person by "_S.b" -> 0')
    const tree = ['add', 'parts', ['apply-hops', 'part', { datasets: ['part p'], where: ['eq', '_S._id', 'p.of'] }]]
    expect(inverse({ default: [tree], part: [tree] })).toEqual([
      'part p: "_S.of" in the source by "_S._id"',
      'part p: "_S.of" in part by "_S._id" -> 0; "_S.of" in part by "_S._id" -> 1',
    ])
  })

  it('knows hops within hops', () => {
    const inner = ['hops', { datasets: ['b b'], where: ['eq', 'p.b', 'b.b'] }]
    expect(inverse(hop({ ...person, return: inner }))).toEqual([
      'person p: "_S.key" in the source by "_S.ref"',
      'b b: "_S.b" in person by "_S.b" -> 0',
    ])
  })

  it('says why there is none', () => {
    const obstacle = (rules: unknown) => programOf(rules).inverse.places.at(-1)?.obstacle
    expect(obstacle(hop({ ...person, where: ['eq', '_T.x', 'p.x'] }))).toBe(
      'it is joined with _T, and not with _S: no index knows that',
    )
    expect(obstacle(hop({ ...person, where: ['eq', ['concat', '_S.x', ['string', ['uuid']]], 'p.x'] }))).toMatch(
      /cannot be walked backwards at \/rules.*'uuid' cannot be used/,
    )
    expect(
      obstacle({
        default: [['add', 'r', ['apply-hops', 'inner', { ...person, return: { a: 'p.a' } }]]],
        inner: [['add', 'x', ['hops', { datasets: ['c c'], where: ['eq', '_S.a', 'c.c'] }]]],
      }),
    ).toMatch(/what the hops returns .* is computed/)
  })

  it('says which specs are not to be tracked', () => {
    const { places } = programOf(hop({ ...person, 'track-dependencies': false })).inverse
    expect(places.map(({ tracked, pointer }) => [tracked, pointer])).toEqual([[false, '/rules/default/0/2/1']])
  })

  it('reads names as the program does', () => {
    const { places } = programOf(hop(person), {}, namespaced).inverse
    expect(places[0]?.steps[0]?.lookups).toEqual([
      { key: '{"expression":"_S.key","namespaced":true}', index: '{"expression":"_S.ref","namespaced":true}' },
    ])
  })
})

describe('walking back', () => {
  it('stops at the depth of a recursion', () => {
    const chain = datasets({ source: [1, 2, 3, 4].map((n) => ({ _id: `n${n}`, next: `n${n + 1}` })) })
    const found = (max_depth: number | null) => {
      const spec = { datasets: ['source n'], where: ['eq', '_S.next', 'n._id'], recurse: true, max_depth }
      const { inverse } = programOf(hop(spec))
      const [, , , last] = chain.get('source') as Entity[]
      return [...walkBack(inverse, 0, last as Entity, finder(chain)).keys()].sort()
    }
    expect(found(1)).toEqual(['n3'])
    expect(found(2)).toEqual(['n2', 'n3'])
    expect(found(null)).toEqual(['n1', 'n2', 'n3'])
  })

  it('finds every source whose result changed, whatever the hops and whatever changed', () => {
    const property = fc.property(program(), world(), changes(), (rules, before, changed) => {
      const transform = programOf(rules, { id_required: false })
      const after = changedWorld(before, changed)
      const reached = reachedFrom(transform, before, after)
      for (const source of after.get('source') ?? []) {
        const earlier = (before.get('source') ?? []).find((one) => idOf(one) === idOf(source))
        // A source that changed itself is read anyway.
        if (earlier === undefined || writeJson(earlier) !== writeJson(source)) continue
        if (resultOf(transform, source, before) !== resultOf(transform, source, after))
          expect([...reached]).toContain(idOf(source))
      }
    })
    fc.assert(property, { numRuns: 1_500 })
  })

  it('is put to the test by these programs: many a result changes', () => {
    let changed = 0
    for (const [rules, before, change] of fc.sample(fc.tuple(program(), world(), changes()), {
      numRuns: 300,
      seed: 7,
    })) {
      const transform = programOf(rules, { id_required: false })
      const after = changedWorld(before, change)
      const isChanged = (source: Entity) => resultOf(transform, source, before) !== resultOf(transform, source, after)
      if ((before.get('source') ?? []).some(isChanged)) changed++
    }
    expect(changed).toBeGreaterThan(60)
  })
})

function finder(world: Datasets): FindBack {
  return (dataset, index, keys) => {
    const compiled = compileIndex(index)
    return (world.get(dataset ?? 'source') ?? []).filter((entity) =>
      compiled.keys(entity).some((value) => keys.some((key) => equals(value, key))),
    )
  }
}

/** Everything that the old and the new version of each changed entity leads to. */
function reachedFrom({ inverse }: DtlTransform, before: Datasets, after: Datasets): ReadonlySet<string> {
  const into = new Map<string, Entity>()
  inverse.places.forEach(({ dataset, obstacle }, place) => {
    expect(obstacle).toBeNull()
    const [old, now] = [before.get(dataset) ?? [], after.get(dataset) ?? []]
    for (const version of [...old, ...now]) {
      const others = old.includes(version) ? now : old
      const other = others.find((one) => idOf(one) === idOf(version))
      if (other === undefined || writeJson(other) !== writeJson(version))
        walkBack(inverse, place, version, finder(after), into)
    }
  })
  return new Set(into.keys())
}

function resultOf(transform: DtlTransform, source: Entity, world: Datasets): string {
  try {
    return writeJson(transform.apply(source, contextOf(memoryLookup(world))))
  } catch (error) {
    if (error instanceof DtlError) return error.code
    throw error
  }
}

const world = () =>
  fc
    .record(Object.fromEntries(NAMES.map((name) => [name, fc.tuple(...['1', '2', '3', 'k'].map(entityWith))])))
    .map(datasets)
const changes = () =>
  fc.array(
    fc.tuple(
      some(...NAMES),
      some('1', '2', 'k', 'new').chain((id) => entityWith(id as string)),
    ),
    { minLength: 1, maxLength: 3 },
  )

function changedWorld(before: Datasets, changed: readonly (readonly [unknown, unknown])[]): Datasets {
  const after = new Map([...before].map(([name, list]) => [name, [...list]]))
  for (const [name, one] of changed) {
    const [entity] = datasets({ one: [one] }).get('one') as [Entity]
    const list = after.get(name as string) as Entity[]
    const at = list.findIndex((other) => idOf(other) === idOf(entity))
    list.splice(at < 0 ? list.length : at, 1, entity)
  }
  return after
}
