import { describe, expect, it } from 'vitest'
import { elementsIn } from '../../src/config/elements.ts'
import { membersOf, mergedMembers, withMember, withoutMember } from '../../src/config/members.ts'

describe('the members of an object', () => {
  it('keep their text, whatever is in it', () => {
    const text = '{ "a" : 1.0 ,"b":{"c":[1,"}"]},\n"d\\"e": "x,y" , "f":1e3, "g":12345678901234567890,"h":null }'
    expect(membersOf(text).map(({ name, text }) => [name, text])).toEqual([
      ['a', '1.0'],
      ['b', '{"c":[1,"}"]}'],
      ['d"e', '"x,y"'],
      ['f', '1e3'],
      ['g', '12345678901234567890'],
      ['h', 'null'],
    ])
    expect(membersOf(' { } ')).toEqual([])
    expect(membersOf('{"a":[]}')).toMatchObject([{ text: '[]' }])
  })

  it('are merged, those that come later over those before, in their old places', () => {
    expect(mergedMembers('{"a":1.0,"b":2}', '{"b":3e0,"c":[]}')).toBe('{"a":1.0,"b":3e0,"c":[]}')
    expect(mergedMembers('{}', '{}')).toBe('{}')
    expect(mergedMembers('{"a":1,"a":2}', '{}')).toBe('{"a":2}')
  })

  it('are removed by name', () => {
    expect(withoutMember('{"a":1.0, "b":2}', 'b')).toBe('{"a":1.0}')
    expect(withoutMember('{"a":1}', 'b')).toBeNull()
  })

  it('are added at the end or replaced in their place, and nothing else changes', () => {
    expect(withMember('{"a": 1.0 }', 'b', '[2]')).toBe('{"a": 1.0,"b":[2]}')
    expect(withMember('{}', 'b', '2')).toBe('{"b":2}')
    expect(withMember('{"b": {"c":1} , "a":2}', 'b', '3')).toBe('{"b": 3 , "a":2}')
  })
})

describe('the elements of an array', () => {
  it('are told from what is none by brackets and commas', () => {
    expect(elementsIn('\ufeff [ {"a":"]"} , 2 ] ')).toEqual(['{"a":"]"}', '2'])
    expect(elementsIn('[]')).toEqual([])
    for (const text of ['{}', '[1,]', '[,1]', '[1', '[1]]', '[1] x', '', '[1,,2]'])
      expect(elementsIn(text), text).toBeNull()
  })
})
