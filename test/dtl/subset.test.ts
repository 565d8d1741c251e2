import { describe, expect, it } from 'vitest'
import { compileIndex, shownExpression } from '../../src/dtl/compile.ts'
import { compileSubset } from '../../src/dtl/subset.ts'
import { parseJson } from '../../src/model/json.ts'
import { equals } from '../../src/model/order.ts'
import { NI, type Value } from '../../src/model/value.ts'
import { plain } from './settings.ts'

const compiled = (json: string, namespaced = false) =>
  compileSubset(parseJson(json), { ...plain, namespacedIdentifiers: namespaced })
const problemsOf = (json: string) =>
  compiled(json).problems.map(({ level, pointer, message }) => `${level} ${pointer}: ${message}`)

describe('a subset', () => {
  it('is an index expression and a literal', () => {
    const { index, value, problems } = compiled('["eq", ["is-not-null", "_S.id"], true]')
    expect(problems).toEqual([])
    expect(index).toBe('["is-not-null","_S.id"]')
    expect(value).toBe(true)
    expect(compiled('["eq", "_S.type", "person"]').value).toBe('person')
    expect(equals(compiled('["eq", "_S.type", "~:crm:person"]').value as Value, new NI('crm:person'))).toBe(true)
  })

  it('says what is wrong with it and where', () => {
    expect(problemsOf('"_S.type"')).toEqual(['error : A subset must have the form ["eq", expression, literal].'])
    expect(problemsOf('["neq", "_S.type", 1]')).toEqual([
      'error : A subset must have the form ["eq", expression, literal].',
    ])
    expect(problemsOf('["eq", "_S.type"]')).toEqual([
      'error : A subset must have the form ["eq", expression, literal].',
    ])
    expect(problemsOf('["eq", ["uuid"], 1]')[0]).toMatch(/^error \/1: 'uuid' cannot be used in an index expression/)
    expect(problemsOf('["eq", "_T.type", 1]')[0]).toMatch(/^error \/1: An index expression sees nothing but _S/)
    expect(problemsOf('["eq", ["hops", {"datasets": ["d d"], "where": ["eq", "_S.a", "d.a"]}], 1]')[0]).toMatch(
      /^error \/1: 'hops' cannot be used/,
    )
    expect(problemsOf('["eq", "_S.type", ["ni", "crm", "person"]]')).toEqual([
      'error /2: The right side of a subset must be a literal.',
    ])
    expect(problemsOf('["eq", "_S.type", "_S.other"]')).toEqual([
      'error /2: The right side of a subset must be a literal.',
    ])
    expect(problemsOf('["eq", "_S.type", null]')).toEqual([
      'error /2: Null is in no index, so nothing is in this subset.',
    ])
    expect(problemsOf('["eq", "type", "person"]')[0]).toMatch(/^warning \/1: The index expression reads nothing/)
  })

  it('has the index that a join on the same expression has, and shows it as people write it', () => {
    const { index } = compiled('["eq", ["lower", "_S.name"], "a"]', true)
    expect(shownExpression(index)).toBe('["lower","_S.name"]')
    expect(index).toContain('"namespaced":true')
    expect(compileIndex(index).keys(parseJson('{"_id":"x:1","x:name":"A"}') as never)).toEqual(['a'])
    expect(shownExpression(compiled('["eq", "_S.name", "a"]').index)).toBe('_S.name')
  })
})
