import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dictOf, entries } from '../../../src/model/dict.ts'
import type { Entity } from '../../../src/model/entity.ts'
import { parseJson, writeJson } from '../../../src/model/json.ts'
import { kindOf, NI } from '../../../src/model/value.ts'
import { EntityType } from '../../../src/pipes/schema/entity-type.ts'
import { typeDocument } from '../../../src/pipes/schema/type-document.ts'
import { samplesOf, stateOf, typeOf } from '../../../src/pipes/schema/type-state.ts'
import { KINDS } from '../../../src/pipes/schema/value-type.ts'
import { entity } from '../../log/sample.ts'
import { name, near, value } from '../../model/values.ts'

const typed = (...entities: readonly Entity[]): EntityType => {
  const type = new EntityType()
  type.see(entities, 1_000)
  return type
}
// biome-ignore lint/suspicious/noExplicitAny: parts of what JSON says are looked at
const documentOf = (type: EntityType): any => JSON.parse(writeJson(typeDocument(type), { transit: false }))
/** What does not depend on who came first. */
const facts = (type: EntityType): string => {
  const { properties, ...rest } = documentOf(type)
  return JSON.stringify({ ...rest, properties }, (key, part) => (key === 'samples' ? undefined : part))
}

const property = fc.tuple(
  fc.oneof(
    fc.constantFrom('a', 'b', 'c', 'n:d'),
    name.filter((text) => !text.startsWith('_')),
  ),
  fc.oneof(near, value),
)
const entities = fc.array(
  fc.array(property, { maxLength: 6 }).map((all) => dictOf([['_id', 'x'], ...all]) as Entity),
  { maxLength: 12 },
)

const namespaceOf = (ni: string): string => ni.slice(0, Math.max(0, ni.lastIndexOf(':')))

describe('what is known of entities', () => {
  it('is the same whether they came at once or in parts, with a restart between any two', () => {
    fc.assert(
      fc.property(entities, fc.array(fc.nat(12), { maxLength: 4 }), (all, cuts) => {
        let parted = new EntityType()
        let from = 0
        for (const cut of [...cuts, all.length].sort((a, b) => a - b)) {
          parted.see(all.slice(from, cut), 1_000)
          from = Math.max(from, cut)
          const text = JSON.stringify([stateOf(parted), samplesOf(parted)])
          parted = typeOf(...(JSON.parse(text) as [ReturnType<typeof stateOf>, ReturnType<typeof samplesOf>]))
          expect(JSON.stringify([stateOf(parted), samplesOf(parted)])).toBe(text)
        }
        expect(facts(parted)).toBe(facts(typed(...all)))
      }),
    )
  })

  it('does not depend on their order', () => {
    const shuffled = entities.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    )
    fc.assert(
      fc.property(shuffled, ([all, others]) => {
        expect(facts(typed(...others))).toBe(facts(typed(...all)))
      }),
    )
  })

  it('agrees with a count of each property by itself', () => {
    fc.assert(
      fc.property(entities, (all) => {
        const type = typed(...all)
        const names = new Set(all.flatMap((one) => entries(one).map(([key]) => key)))
        names.delete('_id')
        expect(new Set([...type.root.properties.values()].map(({ name: key }) => key))).toEqual(names)
        for (const { name: key, count, value: seen } of type.root.properties.values()) {
          const values = all.flatMap((one) => entries(one).flatMap(([at, found]) => (at === key ? [found] : [])))
          expect(count).toBe(values.length)
          const kinds = KINDS.map((kind) => values.filter((one) => kindOf(one) === kind).length)
          expect([...seen.counts]).toEqual(kinds)
          const spaces = new Set(values.flatMap((one) => (one instanceof NI ? [namespaceOf(one.text)] : [])))
          if (!seen.hasMoreNamespaces) expect(new Set(seen.namespaces ?? [])).toEqual(spaces)
        }
      }),
    )
  })

  it('says kinds as types of JSON with subtypes, several as alternatives, and nothing of what is the hub’s own', () => {
    const type = typed(
      entity({
        _id: 'a',
        _updated: 7,
        s: 'x',
        n: null,
        i: 1,
        mixed: 1,
        ref: '~:crm:1',
        amount: '~f1.50',
        when: '~t2020-01-02',
      }),
      entity({ _id: 'b', s: 'y', n: null, i: 2, mixed: 'two', ref: '~:crm:2', tags: ['p', 'q'], at: { city: 'Oslo' } }),
      entity({ _id: 'c', _deleted: true, gone: 1 }),
    )
    const { properties, metadata, ...rest } = documentOf(type)
    expect(rest).toMatchObject({
      $schema: 'http://json-schema.org/schema#',
      type: 'object',
      additionalProperties: true,
    })
    expect(metadata).toEqual({
      count: 2,
      deleted: 1,
      'first-seen': '1970-01-01T00:00:01.000Z',
      'last-seen': '1970-01-01T00:00:01.000Z',
    })
    expect(Object.keys(properties)).toEqual(['_id', 'amount', 'at', 'i', 'mixed', 'n', 'ref', 's', 'tags', 'when'])
    expect(properties).toMatchObject({
      _id: { type: 'string' },
      s: { type: 'string', metadata: { count: 2, samples: ['x', 'y'] } },
      n: { type: 'null', metadata: { count: 2 } },
      mixed: {
        anyOf: [
          { type: 'integer', metadata: { count: 1 } },
          { type: 'string', metadata: { count: 1 } },
        ],
      },
      amount: { type: 'string', subtype: 'decimal' },
      when: { type: 'string', subtype: 'date' },
      ref: {
        type: 'string',
        subtype: 'ni',
        pattern: '^~:crm:',
        metadata: { namespaces: ['crm'], samples: ['~:crm:1', '~:crm:2'] },
      },
      tags: {
        type: 'array',
        items: { type: 'string' },
        metadata: { 'min-items': 2, 'max-items': 2, samples: ['p', 'q'] },
      },
      at: { type: 'object', properties: { city: { type: 'string', metadata: { samples: ['Oslo'] } } } },
    })
    expect(documentOf(new EntityType())).toEqual({})
  })

  it('without statistics is only what may be', () => {
    const type = typed(entity({ _id: 'a', ref: ['~:crm:1', '~:erp:2'], n: 1 }))
    expect(JSON.parse(writeJson(typeDocument(type, { withStatistics: false }), { transit: false }))).toEqual({
      $schema: 'http://json-schema.org/schema#',
      type: 'object',
      additionalProperties: true,
      properties: {
        _id: { type: 'string' },
        n: { type: 'integer' },
        ref: {
          type: 'array',
          items: {
            type: 'string',
            subtype: 'ni',
            pattern: '^~:(?:crm|erp):',
            metadata: { namespaces: ['crm', 'erp'] },
          },
        },
      },
    })
  })

  it('holds names that objects treat in their own way', () => {
    const type = typed(parseJson('{"_id":"a","__proto__":1,"3":"x","constructor":{"1":2},"":null}') as Entity)
    expect([...type.root.properties.values()].map(({ name: key }) => key)).toEqual([
      '__proto__',
      '3',
      'constructor',
      '',
    ])
    expect(writeJson(typeDocument(type))).toContain('"__proto__":{"type":"integer"')
  })
})

describe('what becomes too large', () => {
  const wide = (from: number, count: number): Entity =>
    entity({ _id: 'w', ...Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${from + at}`, at])) })

  it('is cut, says so, and takes no more room', () => {
    const type = typed(wide(0, 900), wide(900, 900))
    expect(type.isTruncated).toBe(true)
    expect(type.root.properties.size).toBe(1_000)
    const before = JSON.stringify(stateOf(type))
    type.see([wide(5_000, 500)], 2_000)
    expect(JSON.stringify(stateOf(type))).toBe(before)
    expect(documentOf(type).metadata.truncated).toBe(true)
    expect(before.length).toBeLessThan(100_000)
  })

  it('also when names are long, however few', () => {
    const type = typed(
      ...Array.from({ length: 100 }, (_, at) => entity({ _id: 'x', [`${at}${'n'.repeat(10_000)}`]: 1 })),
    )
    expect(type.isTruncated).toBe(true)
    expect(JSON.stringify(stateOf(type)).length).toBeLessThan(100_000)
  })

  it('keeps a few samples, long ones cut, of which none comes twice', () => {
    const all = Array.from({ length: 40 }, (_, at) =>
      entity({ _id: `${at}`, t: `${at % 20} ${'long '.repeat(50)}`, b: '~bAAAA' }),
    )
    const type = new EntityType()
    for (const one of all) type.see([one], 1_000)
    const { t, b } = documentOf(type).properties
    expect(t.metadata.samples).toHaveLength(5)
    expect(new Set(t.metadata.samples).size).toBe(5)
    for (const sample of t.metadata.samples) expect(sample.length).toBeLessThanOrEqual(100)
    expect(b.metadata.samples).toEqual(['~bAAAA'])
  })

  it('stops at a depth that nobody can read, and at sixteen namespaces', () => {
    let deep: unknown = 1
    for (let level = 0; level < 30; level++) deep = { d: deep }
    const refs = Array.from({ length: 20 }, (_, at) => `~:n${at}:1`)
    const type = typed(entity({ _id: 'a', deep, refs }))
    expect(JSON.stringify(documentOf(type)).match(/"d":/g)).toHaveLength(8)
    expect(documentOf(type).properties.refs.items.metadata).toMatchObject({ 'more-namespaces': true })
    expect(documentOf(type).properties.refs.items.pattern).toBeUndefined()
  })
})
