import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { checkComponent } from '../../src/config/component.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'

const schema = Type.Object({
  type: Type.Literal('box'),
  size: Type.Integer({ minimum: 1 }),
  mode: Type.Union([Type.Literal('a'), Type.Literal('b')], { default: 'a' }),
  later: Type.Boolean({ default: false }),
  label: Type.Optional(Type.String()),
  data: Type.Optional(Type.Unsafe<Value>({})),
  rules: Type.Optional(Type.Array(Type.Unsafe<Value>(Type.Unknown()))),
  inside: Type.Optional(Type.Object({ colour: Type.Optional(Type.String()) })),
  each: Type.Optional(Type.Array(Type.Object({ name: Type.String({ minLength: 1 }) }))),
  free: Type.Optional(Type.Object({})),
  limits: Type.Optional(Type.Unknown({ default: { low: 1, high: 10 } })),
  address: Type.Optional(Type.String({ pattern: '^http', description: 'It begins with http.' })),
})

const check = (text: string) =>
  checkComponent(schema, parseJson(text, { transit: false }), {
    component: 'x',
    pointer: '/source',
    unsupported: { later: 'what comes later', limits: 'limits', gone: 'what is gone' },
  })
const found = (text: string) =>
  check(text).problems.map(({ level, pointer, message, hint }) => [level, pointer, message, hint])

describe('checking a component', () => {
  it('fills in defaults and finds nothing wrong with what is right', () => {
    expect(check('{"type":"box","size":2}')).toEqual({
      value: { type: 'box', size: 2, mode: 'a', later: false, limits: { low: 1, high: 10 } },
      problems: [],
    })
  })

  it('reports all mistakes at once, each with its pointer', () => {
    expect(found('{"type":"box","mode":"c","label":7}')).toEqual([
      ['error', '/source/size', "The property 'size' is missing.", undefined],
      ['error', '/source/mode', `'mode' must be "a" or "b", not "c".`, undefined],
      ['error', '/source/label', "'label' must be a string, not 7.", undefined],
    ])
  })

  it('warns of an unknown name and names the nearest', () => {
    expect(found('{"type":"box","size":1,"lable":"x"}')).toEqual([
      ['warning', '/source/lable', "Unknown property 'lable'; it has no effect.", "Did you mean 'label'?"],
    ])
  })

  it('refuses what this version does not do, unless it is the default', () => {
    expect(found('{"type":"box","size":1,"later":false}')).toEqual([])
    expect(found('{"type":"box","size":1,"later":true}')).toEqual([
      ['error', '/source/later', "'later' (what comes later) is not supported by this version.", expect.any(String)],
    ])
  })

  it('looks for unknown names at every depth that the schema describes', () => {
    expect(
      found('{"type":"box","size":1,"inside":{"color":"red"},"each":[{"name":"a"},{"name":"b","nmae":1}]}'),
    ).toEqual([
      ['warning', '/source/inside/color', "Unknown property 'color'; it has no effect.", "Did you mean 'colour'?"],
      ['warning', '/source/each/1/nmae', "Unknown property 'nmae'; it has no effect.", "Did you mean 'name'?"],
    ])
  })

  it('lets comments, names of somebody’s own and free objects be', () => {
    expect(
      found('{"type":"box","size":1,"comment":"c","_x":1,"$y":2,"free":{"z":1},"inside":{"comment":["a"]}}'),
    ).toEqual([])
  })

  it('refuses only those properties of a group that differ from the default', () => {
    expect(found('{"type":"box","size":1,"limits":{"high":10.0}}')).toEqual([])
    expect(found('{"type":"box","size":1,"limits":null,"gone":null}')).toEqual([])
    expect(found('{"type":"box","size":1,"limits":{"high":11}}')[0]?.[1]).toBe('/source/limits')
    expect(found('{"type":"box","size":1,"gone":1}')[0]?.[2]).toBe(
      "'gone' (what is gone) is not supported by this version.",
    )
  })

  it('says one thing about one property', () => {
    expect(found('{"type":"box","size":1,"later":7}')).toHaveLength(1)
  })

  it('says what a pattern means, and what bounds are', () => {
    expect(found('{"type":"box","size":0,"address":"ftp://x","each":[{"name":""}]}')).toEqual([
      ['error', '/source/size', "'size' must be at least 1, not 0.", undefined],
      ['error', '/source/each/0/name', "'name' must not be empty.", undefined],
      ['error', '/source/address', `'address' cannot be "ftp://x".`, 'It begins with http.'],
    ])
  })

  it('finds fault with what is no object at all', () => {
    expect(found('7')).toEqual([['error', '/source', 'It must be an object, not 7.', undefined]])
  })

  it('hands expressions in a list on without losing a digit', () => {
    const { value } = check('{"type":"box","size":1,"rules":[["eq",1.0,{"b":1,"1":2}]]}')
    expect(writeJson(value.rules?.[0] as Value)).toBe('["eq",1.0,{"b":1,"1":2}]')
  })

  it('hands data on without losing a digit', () => {
    const { value } = check('{"type":"box","size":1,"data":{"n":12345678901234567890,"f":1.0}}')
    expect(writeJson(value.data as Value)).toBe('{"n":12345678901234567890,"f":1.0}')
  })
})
