import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { count, flag, readParameters, text, texts, unsupported, whole } from '../../src/api/parameters.ts'

const schema = Type.Object({
  history: flag('', true),
  limit: count(''),
  since: whole(''),
  name: text(''),
  graph: texts(''),
  subset: unsupported(''),
})
const read = (given: Record<string, string | string[]>) => readParameters(schema, given)

describe('query parameters', () => {
  it('take booleans in every spelling clients use', () => {
    for (const yes of ['true', 'True', 'TRUE', '1']) expect(read({ history: yes }).history).toBe(true)
    for (const no of ['false', 'False', 'FALSE', '0']) expect(read({ history: no }).history).toBe(false)
  })

  it('refuse any other boolean, by its name', () => {
    for (const bad of ['yes', '', 'tru', '2']) {
      expect(() => read({ history: bad })).toThrow(
        expect.objectContaining({ code: 'bad-parameter', details: { parameter: 'history' } }),
      )
    }
  })

  it('fill in defaults and leave out what is not given', () => {
    expect(read({})).toEqual({ history: true })
  })

  it('take whole numbers only, and an empty one as none', () => {
    expect(read({ since: '-3', limit: '0' })).toMatchObject({ since: -3, limit: 0 })
    expect(read({ since: '', limit: '' })).toEqual({ history: true })
    for (const bad of ['1.5', 'x', '1e3', '99999999999999999999', '0x10'])
      expect(() => read({ since: bad })).toThrow(/whole number/)
    expect(() => read({ limit: '-1' })).toThrow(/from 0/)
  })

  it('ignore unknown ones, count the last of repeated ones, and give all where a list is wanted', () => {
    expect(read({ other: 'x', name: ['a', 'b'], graph: ['u', 'v'] })).toEqual({
      history: true,
      name: 'b',
      graph: ['u', 'v'],
    })
    expect(read({ graph: 'u' }).graph).toEqual(['u'])
  })

  it('refuse what this version does not do unless it is switched off', () => {
    expect(() => read({ subset: '["eq"]' })).toThrow(expect.objectContaining({ code: 'not-supported' }))
    expect(read({ subset: 'False' })).toEqual({ history: true })
  })
})
