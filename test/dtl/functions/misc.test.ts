/** Hashes, changes and completeness. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur3 } from '../../../src/dtl/murmur3.ts'
import { dictOf } from '../../../src/model/dict.ts'
import { writeJson } from '../../../src/model/json.ts'
import type { Value } from '../../../src/model/value.ts'
import { contextOf, memoryLookup } from '../memory-lookup.ts'
import { hash128 } from '../naive-hash.ts'
import { entity, evaluated, plain, problemsOf, programOf } from '../settings.ts'

describe('hash128', () => {
  it('gives what other implementations give', () => {
    // Taken from Python's mmh3.
    const known: readonly (readonly [string, number, bigint])[] = [
      ['', 0, 0n],
      ['', 1, 108177238965372658051732455265379769525n],
      ['The quick brown fox jumps over the lazy dog', 0, 162514929770263185971448983895935490924n],
      ['0123456789abcdef', 4294967295, 281381868984779982655450075359255910447n],
      ['blåbær'.repeat(5), 7, 106023749859227520940930625125111734422n],
    ]
    for (const [text, seed, hash] of known) expect(murmur3(Buffer.from(text), seed)).toBe(hash)
  })

  it('agrees with words of four small numbers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.integer({ min: 0, max: 4294967295 }), (data, seed) => {
        expect(murmur3(data, seed)).toBe(hash128([...data], seed))
      }),
    )
  })

  it('hashes the bytes of part of a buffer', () => {
    expect(murmur3(Buffer.from('xxabcxx').subarray(2, 5), 0)).toBe(79267961763742113019008347020647561319n)
  })

  it('takes first values as seeds, and no seed but one of 32 bits', () => {
    expect(evaluated(['hash128', 'murmur3', ['list', 0, 9], 'abc'])).toBe('79267961763742113019008347020647561319')
    for (const seed of [-1, 4294967296, 1.5, 'x', null, ['float', 1]])
      expect(evaluated(['hash128', 'murmur3', seed, ['list', 'abc']])).toBe('null')
  })

  it('knows its algorithm', () => {
    const [problem] = problemsOf({ default: [['add', 'x', ['hash128', 'md5', '_S.a']]] })
    expect(problem).toMatchObject({ level: 'error', pointer: '/rules/default/0/2/1' })
  })
})

describe('is-changed', () => {
  const changed = (fn: unknown, source: string, before: string | null, rules: object = {}) => {
    const transform = programOf({ default: [['add', 'r', ['is-changed', fn]]], ...rules })
    const context = contextOf(memoryLookup(new Map()), dictOf({}), {
      previous: () => (before === null ? null : entity(before)),
    })
    return writeJson((transform.apply(entity(source), context)[0] as unknown as Record<string, Value>).r as Value)
  }

  it('is true where either version is deleted, whatever the function gives', () => {
    expect(changed(1, '{"_id": "1", "_deleted": true}', '{"_id": "1"}')).toBe('true')
    expect(changed(1, '{"_id": "1"}', '{"_id": "1", "_deleted": true}')).toBe('true')
    expect(changed(1, '{"_id": "1"}', '{"_id": "1"}')).toBe('false')
  })

  it('compares as values are compared: types of numbers do not count, null and the empty list differ', () => {
    expect(changed('_.a', '{"_id": "1", "a": 1}', '{"_id": "1", "a": 1.0}')).toBe('false')
    expect(changed('_.a', '{"_id": "1", "a": []}', '{"_id": "1"}')).toBe('true')
  })

  it('is null without a version before', () => {
    expect(changed('_.a', '{"_id": "1", "a": 1}', null)).toBe('null')
  })

  it('looks at the root source from applied rules, where _S and _P keep their meaning', () => {
    const rules = { sub: [['add', 'r', ['is-changed', ['list', '_.a', '_S.n', '_P._S.a']]]] }
    const transform = programOf({ default: [['add', 'r', ['apply', 'sub', '_S.subs']]], ...rules })
    const context = contextOf(memoryLookup(new Map()), dictOf({}), { previous: () => entity('{"_id": "1", "a": 1}') })
    const run = (a: number) =>
      writeJson(transform.apply(entity(`{"_id": "1", "a": ${a}, "subs": [{"n": 1}]}`), context)[0] as Value)
    expect(run(1)).toBe('{"_id":"1","r":[{"r":false}]}')
    expect(run(2)).toBe('{"_id":"1","r":[{"r":true}]}')
  })

  it('has no place in an index, and is not settled beforehand', () => {
    const hops = { datasets: ['d a'], where: ['eq', '_S.x', ['list', 'a.y', ['is-changed', '_.z']]] }
    expect(problemsOf({ default: [['add', 'x', ['hops', hops]]] })[0]?.message).toContain('the version before')
  })
})

describe('completeness', () => {
  it('is a datetime where it is known', () => {
    expect(evaluated(['completeness', 'a', 'a'])).toBe('"~t2023-11-14T22:13:20Z"')
    expect(evaluated(['completeness', 'a', 'b'])).toBe('null')
    expect(problemsOf({ default: [['add', 'x', ['completeness', '_S.a', ['list']]]] })).toHaveLength(1)
  })

  it('is null where nobody keeps any', () => {
    const transform = programOf({ default: [['add', 'r', ['completeness', 'a', 'a']]] }, {}, plain)
    const { lookup, now, uuid, bound } = contextOf(memoryLookup(new Map()))
    expect(writeJson(transform.apply(entity('{"_id": "1"}'), { lookup, now, uuid, bound })[0] as Value)).toBe(
      '{"_id":"1","r":null}',
    )
  })
})
