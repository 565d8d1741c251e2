/** JSON → nodes: what a constant, a path and a call are (dtl.md §3). */

import { describe, expect, it } from 'vitest'
import { parseExpression, parseProgram } from '../../src/dtl/parse.ts'
import { Problems, Scope } from '../../src/dtl/scope.ts'
import type { Node } from '../../src/dtl/syntax.ts'
import { dictOf } from '../../src/model/dict.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { Decimal, Float, NI, type Value } from '../../src/model/value.ts'

const parsed = (json: string): Node =>
  parseExpression(parseJson(json, { transit: false }), '', new Scope(new Problems()))
const constant = (json: string): Value => {
  const node = parsed(json)
  if (node.kind !== 'constant') throw new Error(`a ${node.kind}`)
  return node.value
}

describe('an expression', () => {
  it('is a constant when it is no list and no path', () => {
    expect(constant('1')).toBe(1)
    expect(constant('1.0')).toEqual(new Float(1))
    expect(constant('12345678901234567890')).toBe(12345678901234567890n)
    expect(constant('null')).toBe(null)
    expect(constant('"_S"')).toBe('_S')
    expect(constant('"S.a"')).toBe('S.a')
    expect(constant('"_Sx.a"')).toBe('_Sx.a')
  })

  it('has the tags of its constants decoded, at every depth', () => {
    expect(constant('"~:crm:person"')).toEqual(new NI('crm:person'))
    expect(constant('"~f66.33"')).toEqual(new Decimal(6633n, 2))
    expect(constant('"~zoo"')).toBe('~zoo')
    expect(writeJson(constant('{"a": ["~:x:y", {"b": "~u9"}]}'), { transit: false })).toBe('{"a":["x:y",{"b":"~u9"}]}')
    expect(constant('["literal", ["~:x:y"]]')).toEqual([new NI('x:y')])
  })

  it('is a constant as a whole when it is an object', () => {
    expect(writeJson(constant('{"a": ["upper", "_S.b"]}'))).toBe('{"a":["upper","_S.b"]}')
  })

  it('is a path when it starts with a variable', () => {
    expect(parsed('"_S.a.b"')).toEqual({ kind: 'path', pointer: '', variable: { name: '_S' }, elements: ['a', 'b'] })
    expect(parsed('"_T."')).toMatchObject({ kind: 'path', elements: [] })
  })

  it('is a call otherwise, with its arguments at the places of their parameters', () => {
    const slice = parsed('["slice", 1, 2, "_S.a"]')
    if (slice.kind !== 'call') throw new Error(slice.kind)
    expect(slice.definition.name).toBe('slice')
    expect(slice.arguments.map((argument) => argument?.pointer)).toEqual(['/1', '/2', undefined, '/3'])
  })
})

describe('nodes', () => {
  it('are frozen', () => {
    const problems = new Problems()
    const rules = {
      default: [['if', '_S.a', [['add', 'x', ['hops', dictOf({ datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] })]]]]],
    }
    const program = parseProgram(dictOf({ rules: dictOf(rules) }), problems)
    expect(problems.all).toEqual([])
    const seen = new Set<unknown>()
    const check = (node: unknown): void => {
      if (typeof node !== 'object' || node === null || seen.has(node)) return
      seen.add(node)
      const isNode = 'pointer' in node && 'kind' in node
      if (isNode) expect(Object.isFrozen(node)).toBe(true)
      for (const [name, part] of Object.entries(node)) if (name !== 'definition' && name !== 'parameters') check(part)
    }
    const start = program?.rules.get('default')
    expect(Object.isFrozen(start)).toBe(true)
    check(start)
    expect(seen.size).toBeGreaterThan(15)
  })
})
