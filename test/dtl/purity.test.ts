/** What a result depends on beside its source and the datasets it hops to. */

import { describe, expect, it } from 'vitest'
import { programOf } from './settings.ts'

const purity = (...expressions: unknown[]) =>
  programOf({ default: expressions.map((one, place) => ['add', `x${place}`, one]) }).analysis

describe('a program', () => {
  it('is pure when it reads its source and hops alone', () => {
    const { purity: found, deterministic } = purity('_S.a', [
      'hops',
      { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] },
    ])
    expect(found).toEqual({ time: [], chance: [], history: [], internal: [], lookups: [] })
    expect(deterministic).toBe(true)
  })

  it('takes chance where it makes ids, not where it converts them', () => {
    expect(purity(['uuid', '_S.a'], ['concat', 'a', ['string', ['uuid']]])).toMatchObject({
      deterministic: false,
      purity: { chance: [{ pointer: '/rules/default/1/2/2/1', what: 'uuid' }] },
    })
  })

  it('reads fields that the hub keeps, of sources, callers and datasets', () => {
    const inner = { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'], return: 'b._updated' }
    const { internal } = purity(
      '_S._ts',
      '_S.a._ts',
      '_T._hash',
      ['hops', inner],
      ['path', '_previous', '_S.'],
      '_R._S._hash',
    ).purity
    expect(internal).toEqual([
      { pointer: '/rules/default/0/2', what: '_ts' },
      { pointer: '/rules/default/3/2/1/return', what: '_updated' },
      { pointer: '/rules/default/4/2', what: '_previous' },
      { pointer: '/rules/default/5/2', what: '_hash' },
    ])
  })

  it('reads datasets that nobody follows backwards', () => {
    expect(purity(['lookup-entity', 'codes', '_S.c']).purity.lookups).toEqual([
      { pointer: '/rules/default/0/2', what: 'codes' },
    ])
  })

  it('is judged by the rules that can run', () => {
    const { analysis } = programOf({ default: [], unused: [['add', 'x', ['uuid']]] })
    expect(analysis.deterministic).toBe(true)
  })
})
