import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claimNames, graphqlName } from '../../../src/api/graphql/names.ts'
import { anyText } from '../../any-text.ts'

describe('names', () => {
  it('read like the thing they name', () => {
    expect(graphqlName('global-person')).toBe('globalPerson')
    expect(graphqlName('first_name')).toBe('first_name')
    expect(graphqlName('Fødselsår (år)')).toBe('FodselsarAr')
    expect(graphqlName('$ids')).toBe('_ids')
    expect(graphqlName('2nd')).toBe('n2nd')
    expect(graphqlName('__typename')).toBe('typename')
  })

  it('are legal whatever the text', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const name = graphqlName(text)
        expect(name).toMatch(/^[_A-Za-z][_0-9A-Za-z]*$/)
        expect(name.startsWith('__')).toBe(false)
      }),
    )
  })

  it('never collide, and do not depend on the order', () => {
    const texts = fc.uniqueArray(
      fc.string({ unit: fc.constantFrom('a', 'b', '-', '_', '$', 'A', '1', '.'), maxLength: 4 }),
    )
    fc.assert(
      fc.property(texts, (given) => {
        const names = claimNames(given, graphqlName)
        expect(new Set(names.values()).size).toBe(given.length)
        const reversed = claimNames([...given].reverse(), graphqlName)
        for (const text of given) expect(reversed.get(text)).toBe(names.get(text))
      }),
    )
  })

  it('give way when any of their claims is contested or reserved', () => {
    const names = claimNames(
      ['person', 'person-list', 'query'],
      graphqlName,
      (name) => [name, `${name}List`],
      new Set(['query']),
    )
    expect(names.get('person')).toMatch(/^person_[0-9a-f]{8}$/)
    expect(names.get('person-list')).toMatch(/^personList_[0-9a-f]{8}$/)
    expect(names.get('query')).toMatch(/^query_[0-9a-f]{8}$/)
  })
})
