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
})

const check = (text: string) =>
  checkComponent(schema, parseJson(text, { transit: false }), {
    component: 'x',
    pointer: '/source',
    unsupported: { later: 'what comes later' },
  })
const found = (text: string) =>
  check(text).problems.map(({ level, pointer, message, hint }) => [level, pointer, message, hint])

describe('checking a component', () => {
  it('fills in defaults and finds nothing wrong with what is right', () => {
    expect(check('{"type":"box","size":2}')).toEqual({
      value: { type: 'box', size: 2, mode: 'a', later: false },
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

  it('hands data on without losing a digit', () => {
    const { value } = check('{"type":"box","size":1,"data":{"n":12345678901234567890,"f":1.0}}')
    expect(writeJson(value.data as Value)).toBe('{"n":12345678901234567890,"f":1.0}')
  })
})
