/** Deprecated functions work, and say what to use instead. */

import { describe, expect, it } from 'vitest'
import { dictOf } from '../../../src/model/dict.ts'
import { writeJson } from '../../../src/model/json.ts'
import type { Value } from '../../../src/model/value.ts'
import { contextOf, memoryLookup } from '../memory-lookup.ts'
import { datasets, entity, evaluated, namespaced, plain, problemsOf, programOf } from '../settings.ts'

const codes = datasets({
  codes: [{ _id: 'a', v: 1 }, { _id: 'b/c d' }, { _id: 'gone', _deleted: true }],
  other: [{ _id: 'a', v: 2 }],
})

describe('a deprecated function', () => {
  it('gives a warning with what to use instead', () => {
    const problems = problemsOf({ default: [['add', 'x', ['ni-expand', ['curie', 'a', '_S.b']]]] })
    expect(problems.map(({ level, pointer, message }) => `${level} ${pointer} ${message}`)).toEqual([
      "warning /rules/default/0/2 'ni-expand' is deprecated.",
      "warning /rules/default/0/2/1 'curie' is deprecated.",
    ])
    expect(problems.every(({ hint }) => hint !== undefined)).toBe(true)
  })
})

describe('lookup', () => {
  const looked = (...args: unknown[]) => evaluated(['lookup', ...args], '{"_id": "1"}', plain, codes)

  it('takes references that reference made', () => {
    expect(looked(['reference', 'codes', ['list', 'b/c d', 'a']])).toBe(
      '[{"_id":"b/c d","_dataset":"codes"},{"_id":"a","v":1,"_dataset":"codes"}]',
    )
  })

  it('takes ids of the first dataset that has them, and leaves out what is nowhere', () => {
    expect(looked(['list', 'other', 'codes'], 'a')).toBe('{"_id":"a","v":2,"_dataset":"other"}')
    expect(looked(['list', 'codes', 5], ['list', 'gone', null, 'a', '~rhttp://a.no/'])).toBe(
      '[{"_id":"a","v":1,"_dataset":"codes"}]',
    )
    expect(looked('codes', 'gone')).toBe('null')
    expect(looked('codes', null)).toBe('null')
  })

  it('takes the dataset of the source where none is named, and finds nothing where there is none', () => {
    const transform = programOf({ default: [['add', 'r', ['lookup', 'a']]] })
    const run = (more: object) =>
      writeJson(transform.apply(entity('{"_id": "1"}'), contextOf(memoryLookup(codes), dictOf({}), more))[0] as Value)
    expect(run({ dataset: 'other' })).toBe('{"_id":"1","r":{"_id":"a","v":2,"_dataset":"other"}}')
    expect(run({})).toBe('{"_id":"1","r":null}')
  })

  it('leaves entities that others hold as they are', () => {
    looked('codes', 'a')
    expect(writeJson(codes.get('codes')?.[0] as Value)).toBe('{"_id":"a","v":1}')
  })

  it('names its datasets, so that they are there before the pipe runs', () => {
    const { analysis } = programOf({
      default: [
        ['add', 'a', ['lookup', ['list', 'x', 'y'], '_S.a']],
        ['add', 'b', ['lookup', ['list', '~rsesam:z%20z/1', '_S.b']]],
        ['add', 'c', ['lookup', '_S.d', '_S.c']],
      ],
    })
    expect(analysis.datasets).toEqual(['x', 'y', 'z z'])
  })
})

describe('ni-collapse and ni-expand', () => {
  const settings = { ...namespaced, prefixes: { a: 'http://a.no/', b: 'http://a.no/b/' } }

  it('take the longest prefix, and keep what none covers', () => {
    const run = (expression: unknown) => evaluated(expression, '{"_id": "1"}', settings)
    expect(run(['ni-collapse', ['list', '~rhttp://a.no/b/c', 'http://a.no/x:y', '', 1, '~:a:b']])).toBe(
      '["~:b:c","~:a:x:y","~:"]',
    )
    expect(run(['ni-expand', ['list', '~:b:c', '~:c:d', '~:d', 'a:b', '~:__proto__:x']])).toBe(
      '["http://a.no/b/c","c:d","d","__proto__:x"]',
    )
  })
})

describe('uri-expand', () => {
  const settings = { ...plain, prefixes: { crm: 'http://crm.no/', dc: 'http://dc.org/' } }

  it('takes the namespace of the dataset, keeps reserved names, and leaves out what has none', () => {
    const given = {
      _id: 'mary',
      _dataset: 'crm',
      $ids: ['~:crm:mary'],
      'dc:title': 'T',
      'x:y': 1,
      n: { deep: 1 },
    }
    const source = JSON.stringify({ _id: '1', given: [given, { _id: 'x' }, { _id: 'x', _dataset: 'nobody' }, 'x'] })
    expect(evaluated(['uri-expand', '_S.given'], source, settings)).toBe(
      '[{"_id":"http://crm.no/mary","_dataset":"crm","$ids":["~:crm:mary"],"http://dc.org/title":"T","x:y":1,"http://crm.no/n":{"deep":1}}]',
    )
  })

  it('takes what the function says', () => {
    expect(evaluated(['uri-expand', ['lower', '_.of'], '_S.'], '{"_id": "dc:1", "of": "CRM"}', settings)).toBe(
      '{"_id":"http://dc.org/1","http://crm.no/of":"CRM"}',
    )
  })
})
