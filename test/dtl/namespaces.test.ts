/** Namespaces: the steps around a pipe, names that are written and read, patterns (dtl.md §7). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addNamespaces, namePattern, qualify, qualifyId, removeNamespaces } from '../../src/dtl/namespaces.ts'
import { wildcard } from '../../src/dtl/wildcard.ts'
import type { Entity } from '../../src/model/entity.ts'
import { writeJson } from '../../src/model/json.ts'
import { entity as anyEntity } from './arbitraries.ts'
import { applied, entity, evaluated, namespaced, plain, programOf } from './settings.ts'

const settings = { ...namespaced, namespaces: { identity: 'who', property: 'what' } }
const added = (json: string) => writeJson(addNamespaces(entity(json), settings))
const removed = (json: string) => writeJson(removeNamespaces(entity(json)))

describe('the step before the first transform', () => {
  it('prefixes the id and every name, at every depth', () => {
    expect(added('{"_id": "1", "a": {"b": [{"c": 1}, [{"d": 2}]]}, "e": "f"}')).toBe(
      '{"_id":"who:1","what:a":{"what:b":[{"what:c":1},[{"what:d":2}]]},"what:e":"f"}',
    )
  })

  it('leaves reserved and qualified names, and ids that have a colon', () => {
    expect(added('{"_id": "x:1", "_ts": {"a": 1}, "$b": [{"c": 1}], "y:d": 1}')).toBe(
      '{"_id":"x:1","_ts":{"a":1},"$b":[{"c":1}],"y:d":1}',
    )
    expect(added('{"_id": "1", "a": {"_id": "2", "_x": {"b": 1}}}')).toBe(
      '{"_id":"who:1","what:a":{"_id":"who:2","_x":{"b":1}}}',
    )
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyEntity(), (source) => {
        const once = addNamespaces(source as Entity, settings)
        expect(writeJson(addNamespaces(once, settings))).toBe(writeJson(once))
      }),
    )
  })
})

describe('the step after the last transform', () => {
  it('takes namespaces from names, the root id and identifiers', () => {
    expect(removed('{"_id": "a:b:1", "x:n": "~:p:q:r", "y:l": ["~:p:q", {"z:m": "s:t"}], "x:o": {"_id": "u:2"}}')).toBe(
      '{"_id":"1","n":"~:r","l":["~:q",{"m":"s:t"}],"o":{"_id":"u:2"}}',
    )
  })

  it('keeps the later of two names that fall together', () => {
    expect(removed('{"_id": "1", "x:a": 1, "b": 2, "y:a": 3}')).toBe('{"_id":"1","a":3,"b":2}')
    expect(removed('{"_id": "1", "x:_id": "other"}')).toBe('{"_id":"1"}')
  })
})

describe('a name', () => {
  it('gets the property namespace when it is written', () => {
    const names = ['a', 'x:a', ':a', '::a', '::x:a', '_a', '$a', ':x:a']
    expect(names.map((name) => qualify(name, settings))).toEqual([
      'what:a',
      'x:a',
      'what:a',
      'a',
      'x:a',
      '_a',
      '$a',
      'what:x:a',
    ])
    expect(names.map((name) => qualify(name, plain))).toEqual(['a', 'x:a', 'a', 'a', 'x:a', '_a', '$a', 'x:a'])
  })

  it('that is an id gets the identity namespace', () => {
    expect(['1', 'x:1', ':1', '::1', 5].map((id) => qualifyId(id, settings))).toEqual(['who:1', 'x:1', 'who:1', '1', 5])
    expect(['1', 'x:1', '::1'].map((id) => qualifyId(id, plain))).toEqual(['1', 'x:1', '1'])
    expect(
      applied(
        programOf(
          {
            default: [['add', 'x', ['apply', 'r', 1]]],
            r: [
              ['add', '_id', '7'],
              ['add', ['list', '_id', 'n'], '8'],
            ],
          },
          {},
          settings,
        ),
        '{"_id": "1"}',
      ),
    ).toBe('[{"_id":"1","what:x":{"_id":"who:8","what:n":"8"}}]')
  })

  it('is read from all namespaces when it has none', () => {
    const source = '{"_id": "1", "a": 1, "x:a": [2, [3]], "y:a": null, "x:b": 4}'
    expect(evaluated('_S.a', source, settings)).toBe('[1,2,[3],null]')
    expect(evaluated('_S.b', source, settings)).toBe('4')
    expect(evaluated('_S.::a', source, settings)).toBe('1')
    expect(evaluated('_S.:a', source, settings)).toBe('null')
    expect(evaluated('_S.x:a', source, settings)).toBe('[2,[3]]')
    expect(evaluated('_S.a', source, plain)).toBe('1')
    expect(evaluated('_S.:a', source, plain)).toBe('1')
  })

  it('is found again in entities of another shape', () => {
    const program = programOf({ default: [['add', '::r', '_S.a']] }, {}, settings)
    const shapes = ['x:a', 'y:a', 'a', 'b', 'z:a', 'x:a', 'q:a', 'b']
    const results = shapes.map((name) => applied(program, `{"_id": "1", "${name}": 1}`))
    expect(results.map((text) => text.includes('"r":1'))).toEqual(shapes.map((name) => name !== 'b'))
  })
})

describe('a pattern', () => {
  const matching = (pattern: string, given = settings) =>
    ['age', 'x:age', 'xyz:age', 'what:age', 'x:y:age'].filter(namePattern(pattern, given, (text) => wildcard(text)))

  it('matches namespace and identifier apart', () => {
    expect(matching('age')).toEqual(['age', 'x:age', 'xyz:age', 'what:age', 'x:y:age'])
    expect(matching('x*:*e')).toEqual(['x:age', 'xyz:age', 'x:y:age'])
    expect(matching('*:age')).toEqual(['x:age', 'xyz:age', 'what:age', 'x:y:age'])
    expect(matching(':age')).toEqual(['what:age'])
    expect(matching('::age')).toEqual(['age'])
    expect(matching('::x:*')).toEqual(['x:age', 'x:y:age'])
    expect(matching('x:y:a*')).toEqual(['x:y:age'])
  })

  it('is plain text with wildcards where namespaces are off', () => {
    expect(matching('age', plain)).toEqual(['age'])
    expect(matching('*age', plain).length).toBe(5)
    expect(matching('::age', plain)).toEqual(['age'])
  })
})

describe('a URI', () => {
  it('collapses by the longest prefix, or gets a namespace that the program remembers', () => {
    const own = { ...settings, prefixes: { ...settings.prefixes, p: 'http://p.no/', long: 'http://p.no/long/' } }
    const program = programOf({ default: [['add', '::r', ['ni', '_S.u']]] }, {}, own)
    const result = (uri: string) => applied(program, `{"_id": "1", "u": "~r${uri}"}`)
    expect(result('http://p.no/long/a')).toContain('"~:long:a"')
    expect(result('http://p.no/b')).toContain('"~:p:b"')
    expect(result('http://unknown.no/x#a')).toContain('"~:shop-1:a"')
    expect(result('http://other.no/a/b')).toContain('"~:shop-2:b"')
    expect(result('http://unknown.no/x#c')).toContain('"~:shop-1:c"')
  })
})
