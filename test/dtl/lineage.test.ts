/** Which property comes from where, read off the rules. */

import { describe, expect, it } from 'vitest'
import type { Origin, PropertyLineage } from '../../src/dtl/contract.ts'
import { namespaced, plain, programOf } from './settings.ts'

const where = ({ from, dataset, path, isPattern }: Origin) =>
  `${from === 'dataset' ? dataset : from}${path === '' ? '' : `.${path}`}${isPattern ? ' (pattern)' : ''}`

const shown = ({ property, effect, isPattern, isConditional, except, from }: PropertyLineage) =>
  `${effect === 'remove' ? 'removes ' : ''}${property ?? '?'}${isPattern ? ' (pattern)' : ''}${
    except.length === 0 ? '' : ` but ${except}`
  }${isConditional ? ' sometimes' : ''} <- ${from.map(where).join(', ')}`

/** What the rule writes, without the id that a target starts with. */
function writes(rules: unknown, rule = 'default', settings = plain): string[] {
  const all = Array.isArray(rules) ? { default: rules } : rules
  const found = programOf(all, {}, settings).lineage.find((one) => one.rule === rule)
  return (found?.writes ?? []).filter(({ by }) => by !== 'start').map(shown)
}

const reads = (rules: unknown): string[] => programOf({ default: rules }).lineage[0]?.reads.map(where) ?? []

describe('a property comes from', () => {
  it('what is copied, wildcards said as such', () => {
    expect(writes([['copy', ['list', 'a', 'b*'], 'bc']])).toEqual([
      'a but bc <- source.a',
      'b* (pattern) but bc <- source.b* (pattern)',
    ])
    expect(writes([['copy', '*']])).toEqual(['* (pattern) <- source.* (pattern)'])
  })

  it('what is renamed or made an identifier', () => {
    expect(writes([['rename', 'a', 'b']])).toEqual(['b <- source.a'])
    expect(writes([['rename', ['list', 'a', 'c'], ['list', 'b', 'd']]])).toEqual(['b <- source.a', 'd <- source.c'])
    expect(writes([['make-ni', 'crm', 'a']])).toEqual(['a-ni <- source.a'])
    expect(writes([['make-ni', 'crm', 'a', 'of']])).toEqual(['of <- source.a'])
  })

  it('everything its value is computed of, but not what only chooses', () => {
    expect(writes([['add', 'n', ['concat', '_S.first', ' ', ['upper', "_S.'last.name'"]]]])).toEqual([
      "n <- source.first, source.'last.name'",
    ])
    expect(writes([['add', 'n', ['if', '_S.a', '_S.b', '_S.c']]])).toEqual(['n <- source.b, source.c'])
    expect(writes([['add', 'n', ['map', '_.price', ['filter', ['gt', '_.count', 1], '_S.lines']]]])).toEqual([
      'n <- source.lines, source.lines.price',
    ])
    expect(writes([['add', 'n', 1]])).toEqual(['n <- '])
    expect(writes([['add', '_S.name', '_S.a']])).toEqual(['? <- source.a'])
    expect(writes([['add', ['list', 'a.b', 'c'], ['path', ['list', 'x', 'y'], '_S.']]])).toEqual([
      "'a.b' <- source., source.x.y".replace('source., ', ''),
      'c <- source.x.y',
    ])
    expect(writes([['add', 'n', '_B.since']])).toEqual(['n <- request.since'])
  })

  it('where a property of the target came from before', () => {
    expect(
      writes([
        ['add', 'x', '_S.a'],
        ['add', 'y', ['upper', '_T.x']],
      ])[1],
    ).toBe('y <- source.a')
    expect(
      writes([
        ['copy', 'a*', 'ab'],
        ['add', 'y', '_T.ac'],
        ['add', 'z', '_T.ab'],
      ]).slice(1),
    ).toEqual(['y <- source.ac', 'z <- '])
  })

  it('what is merged, its properties known or not', () => {
    expect(writes([['merge', '_S.address']])).toEqual(['* (pattern) <- source.address.* (pattern)'])
    expect(writes([['merge', ['dict', 'city', '_S.town', 'x', 1]]])).toEqual(['city <- source.town', 'x <- '])
    expect(writes([['merge-union', { a: 1 }]])).toEqual(['a <- '])
  })

  it('a branch sometimes, and a removal takes it away', () => {
    expect(
      writes([
        ['if', ['eq', '_S.k', 1], ['add', 'a', '_S.x'], [['add', 'a', '_S.y']]],
        ['add-if', 'b', '_S.z'],
        ['remove', 'a*'],
      ]),
    ).toEqual([
      'a sometimes <- source.x',
      'a sometimes <- source.y',
      'b sometimes <- source.z',
      'removes a* (pattern) <- ',
    ])
  })

  it('rules that are applied, property by property', () => {
    const rules = {
      default: [['add', 'lines', ['apply', 'line', '_S.rows']]],
      line: [
        ['rename', 'sum', 'price'],
        ['add', 'order', '_P._S._id'],
        ['copy', 'x*'],
      ],
    }
    expect(writes(rules)).toEqual([
      'lines <- ',
      'lines.price <- source.rows.sum',
      'lines.order <- source._id',
      'lines.x* (pattern) <- source.rows.x* (pattern)',
    ])
    expect(writes(rules, 'line')).toEqual(['price <- source.sum', 'order <- ', 'x* (pattern) <- source.x* (pattern)'])
    expect(writes({ ...rules, default: [['merge', ['first', ['apply', 'line', '_S.rows']]]] })[0]).toBe(
      'price <- source.rows.sum',
    )
  })

  it('other datasets through hops, also those of rules applied to them', () => {
    const spec = {
      datasets: ['company c', 'country n'],
      where: [
        ['eq', '_S.c', 'c._id'],
        ['eq', 'c.n', 'n._id'],
      ],
    }
    expect(writes([['add', 'n', ['hops', { ...spec, return: ['concat', 'c.name', 'n.name'] }]]])).toEqual([
      'n <- company.name, country.name',
    ])
    expect(writes([['add', 'n', ['path', 'name', ['hops', spec]]]])).toEqual(['n <- country.name'])
    expect(writes([['add', 'n', ['hops', spec]]])).toEqual(['n <- country'])
    expect(writes([['add', 'n', ['hops', { ...spec, return: { a: { b: 'c.x' } } }]]])).toEqual([
      'n <- ',
      'n.a <- ',
      'n.a.b <- company.x',
    ])
    expect(
      writes({
        default: [['add', 'n', ['apply-hops', 'land', spec]]],
        land: [['rename', 'name', 'called']],
      }),
    ).toEqual(['n <- ', 'n.called <- country.name'])
    expect(writes([['add', 'n', ['path', 'v', ['lookup-entity', 'codes', '_S.c']]]])).toEqual(['n <- codes.v'])
  })

  it('itself where rules apply themselves, told as far as one turn', () => {
    const tree = ['add', 'kids', ['apply', 'node', '_S.children']]
    expect(writes({ default: [tree], node: [['copy', 'name'], tree] })).toEqual([
      'kids <- ',
      'kids.name <- source.children.name',
      'kids.kids <- source.children.children',
    ])
  })

  it('names in namespaces as they are written', () => {
    expect(
      writes(
        [
          ['add', 'a', '_S.b'],
          ['add', '::c', '_S.x:d'],
        ],
        'default',
        namespaced,
      ),
    ).toEqual(['shop:a <- source.b', 'c <- source.x:d'])
  })
})

describe('what a rule reads', () => {
  it('are all properties it looks at, conditions and joins included', () => {
    expect(
      reads([
        ['filter', ['eq', '_S.active', true]],
        ['add', 'n', ['if', '_S.a', ['hops', { datasets: ['b b'], where: ['eq', '_S.k', 'b.k'], return: 'b.v' }]]],
      ]),
    ).toEqual(['source.active', 'source.a', 'source.k', 'b.k', 'b.v'])
  })
})
