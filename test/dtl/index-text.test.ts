/** The texts of indexes: the same for the same expression everywhere, and enough to compile it again (dtl.md §10.3, §13). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileExpression, compileIndex, propertyIndexExpression } from '../../src/dtl/compile.ts'
import type { DtlSettings } from '../../src/dtl/contract.ts'
import { dictOf, set } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { fromPlain, writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { entity as anyEntity, expression } from './arbitraries.ts'
import { entity, namespaced, plain, programOf } from './settings.ts'

const indexesOf = (where: unknown, settings = plain, datasets = ['b b']) =>
  programOf({ default: [['add', 'x', ['hops', { datasets, where }]]] }, {}, settings).analysis.indexes.map(
    ({ expression }) => expression,
  )

const other: DtlSettings = { ...namespaced, pipe: 'other', namespaces: { identity: 'other', property: 'other' } }

describe('the text of an index', () => {
  it('does not depend on alias, pipe, or how the program is written', () => {
    expect(indexesOf(['eq', '_S.x', 'b.x'])).toEqual(['"_S.x"'])
    expect(indexesOf(['eq', 'other.x.', '_S.y'], plain, ['b other'])).toEqual(['"_S.x"'])
    expect(indexesOf(['eq', '_S.x', ['tuples', 'b.a', "b.'b'"]])).toEqual(['["tuples","_S.a","_S.b"]'])
    expect(indexesOf(['eq', '_S.x', ['filter', ['eq', '_.kind', 'home'], 'b.phones']])).toEqual([
      '["filter",["eq","_.kind","home"],"_S.phones"]',
    ])
    expect(indexesOf(['eq', '_S.x', 'b.ns:x'])).toEqual(indexesOf(['eq', '_S.x', 'b.ns:x'], namespaced))
    expect(indexesOf(['eq', '_S.x', 'b.::x'], namespaced)).toEqual(['"_S.x"'])
  })

  it('holds the settings that matter, and only those', () => {
    expect(indexesOf(['eq', '_S.x', 'b.x'], namespaced)).toEqual(['{"expression":"_S.x","namespaced":true}'])
    expect(indexesOf(['eq', '_S.x', 'b.x'], other)).toEqual(['{"expression":"_S.x","namespaced":true}'])
    expect(indexesOf(['eq', '_S.x', 'b.:x'], other)).toEqual(['"_S.other:x"'])
    expect(indexesOf(['eq', '_S.x', ['list', 'b.x', 'b.::y', 'b.:z']], other)).toEqual([
      '{"expression":["list","_S.x","_S.::y","_S.other:z"],"namespaced":true}',
    ])
    expect(indexesOf(['eq', '_S.x', 'b.$ids'])).toEqual(['"_S.$ids"'])
    expect(indexesOf(['eq', '_S.x', 'b.$ids'], other)).toEqual([
      '{"expression":"_S.$ids","namespaced":true,"identity":"other"}',
    ])
    expect(indexesOf(['eq', '_S.x', ['ni', 'b.x']])).toEqual(['["ni","_S.x"]'])
    expect(
      indexesOf(['eq', '_S.x', ['ni', 'b.x']], { ...plain, prefixes: { ...plain.prefixes, p: 'http://p.no/' } }),
    ).toEqual(['{"expression":["ni","_S.x"],"prefixes":{"p":"http://p.no/"}}'])
  })

  it('keeps constants that look like something else', () => {
    const text = compileExpression(
      fromPlain(['list', ['literal', '_S.a'], ['literal', ['upper', 'a']], '~:x:y', { a: '_S.b' }, '_S.c']),
      plain,
    ).index
    expect(text).toBe('["list",["literal","_S.a"],["literal",["upper","a"]],"~:x:y",{"a":"_S.b"},"_S.c"]')
    expect(writeJson(compileIndex(text).keys(entity('{"_id": "1", "c": 5}')))).toBe(
      '["_S.a",["upper","a"],"~:x:y",{"a":"_S.b"},5]',
    )
  })

  it('compiles to what the expression gives, whatever the settings', () => {
    const property = fc.property(
      expression(3, { variables: ['_S'], rules: [] }),
      fc.constantFrom(plain, namespaced, other),
      anyEntity(),
      (given, settings, source) => {
        const { evaluate, index, problems } = compileExpression(given, settings)
        if (problems.some(({ level }) => level === 'error')) return
        let wanted: Value
        try {
          wanted = evaluate(source as Entity)
        } catch {
          return
        }
        const list = wanted === null ? [] : Array.isArray(wanted) ? (wanted as readonly Value[]) : [wanted]
        const again = compileExpression(given, settings).index
        expect(again).toBe(index)
        const keys = compileIndex(index).keys(source as Entity)
        // Every key is one of the values, and every value is there, null apart.
        const texts = new Set(list.filter((one) => one !== null).map((one) => writeJson(one)))
        for (const key of keys) expect([...texts]).toContain(writeJson(key))
        if (texts.size > 0) expect(keys.length).toBeGreaterThan(0)
      },
    )
    fc.assert(property, { numRuns: 2_000 })
  })

  it('of a property reads exactly that property', () => {
    for (const name of ['a', 'ns:a', ':a', '::a', 'a.b', "it's", "'q'", '', '$ids', '_id', '3', 'constructor']) {
      const source = dictOf({ _id: '1' })
      set(source, name, 'here')
      expect(compileIndex(propertyIndexExpression(name)).keys(source)).toEqual(['here'])
    }
  })
})

describe('the keys of an index', () => {
  it('are the distinct values without null', () => {
    const keys = (json: string) => writeJson(compileIndex('"_S.a"').keys(entity(json)))
    expect(keys('{"_id": "1", "a": [1, 1.0, null, "1", [1], [1.0], {"b": 1}]}')).toBe('[1,"1",[1],{"b":1}]')
    expect(keys('{"_id": "1", "a": null}')).toBe('[]')
    expect(keys('{"_id": "1"}')).toBe('[]')
    expect(keys('{"_id": "1", "a": false}')).toBe('[false]')
    expect(keys('{"_id": "1", "a": "x", "_deleted": true}')).toBe('["x"]')
  })

  it('are none where the expression fails', () => {
    const index = compileIndex('["range",0,"_S.n"]')
    expect(index.keys(entity('{"_id": "1", "n": 2}'))).toEqual([0, 1])
    expect(index.keys(entity('{"_id": "1"}'))).toEqual([])
    expect(index.keys(entity('{"_id": "1", "n": 1000000000}'))).toEqual([])
  })

  it('come from index texts only', () => {
    expect(() => compileIndex('["nope"]')).toThrow("Unknown function 'nope'")
    expect(() => compileIndex('["hops", {}]')).toThrow()
    expect(() => compileIndex('not json')).toThrow()
  })
})
