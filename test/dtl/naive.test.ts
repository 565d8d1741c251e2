/** The law of the room: a compiled program does what the specification, read naively, says. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileDtl } from '../../src/dtl/compile.ts'
import type { DtlSettings } from '../../src/dtl/contract.ts'
import { DtlError } from '../../src/dtl/errors.ts'
import { wildcard } from '../../src/dtl/wildcard.ts'
import { canonicalText } from '../../src/model/canonical.ts'
import { dictOf, newDict } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { isDeleted } from '../../src/model/entity.ts'
import { fromPlain, writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { entity, expression, joinable, transforms } from './arbitraries.ts'
import { contextOf, memoryLookup } from './memory-lookup.ts'
import { NaiveError, naive, wildcard as naiveWildcard } from './naive.ts'
import { namespaced, plain } from './settings.ts'

const RUNS = 2_500
/** On a machine that is busy with other things. */
const LONG_MS = 120_000

type Datasets = ReadonlyMap<string, readonly Value[]>
const NONE: Datasets = new Map()

interface Given {
  readonly datasets?: Datasets
  /** The version before the source. */
  readonly previous?: Value
}

function compiled(
  rules: Value,
  settings: DtlSettings,
  source: Value,
  { datasets = NONE, previous = null }: Given,
): string {
  const { transform, problems } = compileDtl(dictOf({ rules, id_required: false }), settings)
  const mistake = problems.find(({ level }) => level === 'error')
  if (transform === null)
    return /must be integers|must not be 0/.test(mistake?.message ?? '') ? 'error' : `problem: ${mistake?.message}`
  try {
    return shown(
      transform.apply(
        source as Entity,
        contextOf(memoryLookup(datasets as ReadonlyMap<string, readonly Entity[]>), newDict(), {
          previous: () => previous as Entity | null,
        }),
      ),
    )
  } catch (error) {
    if (error instanceof DtlError && (error.code === 'bad-argument' || error.code === 'too-much-work')) return 'error'
    throw error
  }
}

function interpreted(
  rules: Value,
  settings: DtlSettings,
  source: Value,
  { datasets = NONE, previous = null }: Given,
): string {
  const live = new Map([...datasets].map(([name, list]) => [name, list.filter((one) => !isDeleted(one as Entity))]))
  try {
    return shown(naive(rules, settings, source, live, previous))
  } catch (error) {
    if (error instanceof NaiveError) return 'error'
    throw error
  }
}

/** In order, and with every type. */
const shown = (emitted: readonly Value[]): string =>
  emitted.map((one) => `${writeJson(one)} ${canonicalText(one)}`).join('\n')

function agree(rules: Value, settings: DtlSettings, source: Value, given: Given = {}): void {
  const [fast, slow] = [compiled(rules, settings, source, given), interpreted(rules, settings, source, given)]
  // A mistake that is found before anything runs may stand where nothing ever runs.
  if (fast === 'error' && slow !== 'error') return
  expect(`${writeJson(rules)}\n${fast}`).toBe(`${writeJson(rules)}\n${slow}`)
}

const settings = fc.constantFrom(plain, namespaced)
const surroundings = fc.record({
  previous: fc.oneof(fc.constant(null), entity()),
  datasets: entity(fc.constantFrom('p1', 'a')).map((person) => new Map([['people', [person]]])),
})
const inDefault = ['_S', '_S', '_T', '_R', '_R._T', '_B']
const inRule = ['_S', '_T', '_P', '_P._S', '_P._T', '_P._P._S', '_R._S', '_R']

describe('a compiled program', () => {
  it('gives what the naive interpreter gives for one expression', { timeout: LONG_MS }, () => {
    const rules = expression(3, { variables: inDefault, rules: [] }).map((one) =>
      dictOf({ default: [['add', '::r', one]] }),
    )
    fc.assert(
      fc.property(rules, settings, entity(), surroundings, (program, given, source, around) =>
        agree(program, given, source, around),
      ),
      { numRuns: RUNS },
    )
  })

  it('gives what the naive interpreter gives for whole rules', { timeout: LONG_MS }, () => {
    const rules = fc
      .record({
        default: transforms(2, { variables: inDefault, rules: ['one', 'two'] }),
        one: transforms(1, { variables: inRule, rules: ['two'] }),
        two: transforms(1, { variables: inRule, rules: [] }),
      })
      .map((given) => dictOf(given))
    fc.assert(
      fc.property(rules, settings, entity(), surroundings, (program, given, source, around) =>
        agree(program, given, source, around),
      ),
      { numRuns: RUNS },
    )
  })

  it.each([
    ['a subset', { where: ['eq', '_S.x', 'p.x'], subsets: { p: ['eq', '_S.t', 'a'] }, return: 'p._id' }],
    ['either of two joins', { where: ['or', ['eq', '_S.x', 'p.x'], ['eq', '_S.y', 'p.y']], return: 'p._id' }],
    [
      'a hops within, which joins with an alias around it',
      {
        where: ['eq', '_S.x', 'p.x'],
        return: ['list', 'p._id', ['hops', { datasets: ['q q'], where: ['eq', 'p.y', 'q.y'], return: 'q._id' }]],
      },
    ],
  ])('joins by one value in common: %s', (_, spec) => {
    const some = [
      { _id: '1', x: null, y: ['1', '3'], t: 'a' },
      { _id: '2', x: '1', y: '1', t: ['a', 'b'] },
      { _id: '3', x: ['1', '2'], y: [], t: 'b' },
    ].map((one) => fromPlain(one))
    const rules = fromPlain({ default: [['add', '::r', ['hops', { datasets: ['p p'], ...spec }]]] })
    const datasets = new Map([
      ['p', some],
      ['q', some],
    ])
    for (const source of some) agree(rules, plain, source, { datasets })
    expect(new Set(some.map((source) => compiled(rules, plain, source, { datasets }))).size).toBeGreaterThan(1)
  })

  it('gives the rows of hops that trying every combination gives', { timeout: LONG_MS }, () => {
    const side = (variable: string) =>
      fc.oneof(
        fc.constantFrom<Value>(
          `${variable}.a`,
          `${variable}.x:b`,
          `${variable}.of`,
          `${variable}._id`,
          `${variable}.$ids`,
        ),
        fc.constantFrom<Value>(
          ['ni', `${variable}._id`],
          ['lower', `${variable}.b`],
          ['combine', `${variable}.a`, `${variable}.b`],
          ['tuples', `${variable}.a`, `${variable}.b`],
          ['map', ['list', '_.'], `${variable}.of`],
        ),
      )
    const join = (a: string, b: string) =>
      fc
        .tuple(fc.constant('eq'), side(a), side(b))
        .chain(([eq, x, y]) => fc.constantFrom<Value>([eq, x, y], [eq, y, x]))
    const filter = fc.constantFrom<Value>(
      ['is-not-null', 'p.a'],
      ['eq', 'p.of', '1'],
      ['neq', '_S.a', 'p.a'],
      ['or', 'p.b', '_S.b'],
    )
    const returns = fc.constantFrom<Value | undefined>(undefined, 'p', 'p._id', ['list', 'p._id', '_S._id'])
    const single = fc.record({
      where: fc
        .tuple(
          fc.array(filter, { maxLength: 1 }),
          join('_S', 'p'),
          fc.array(fc.oneof(filter, join('_S', 'p')), { maxLength: 2 }),
        )
        .map(([a, b, c]) => [...a, b, ...c]),
      returns,
    })
    const one = single.map(({ where, returns }) =>
      dictOf([
        ['datasets', ['people p']] as const,
        ['where', where] as const,
        ...(returns === undefined ? [] : [['return', returns] as const]),
      ]),
    )
    const two = fc
      .record({
        first: join('_S', 'p'),
        second: fc.oneof(join('p', 'q'), join('_S', 'q')),
        third: fc.array(join('p', 'q'), { maxLength: 1 }),
        order: fc.boolean(),
        returns: fc.constantFrom<Value>('q,p', ['list', 'q._id', 'p._id']),
      })
      .map(({ first, second, third, order, returns }) =>
        dictOf({
          datasets: order ? ['people p', 'things q'] : ['things q', 'people p'],
          where: [second, first, ...third],
          return: returns,
        }),
      )
    const recursive = fc
      .record({ where: join('_S', 'p'), depth: fc.constantFrom<Value>(1, 2, 10, null), bare: fc.boolean() })
      .map(({ where, depth, bare }) =>
        dictOf({ datasets: ['people p'], where, recurse: true, max_depth: depth, exclude_root: bare }),
      )
    const chained = single.map(({ where }) => dictOf({ datasets: ['things p'], where }))
    const call = fc.oneof(
      one.map((spec): Value => ['hops', spec]),
      two.map((spec): Value => ['hops', spec]),
      recursive.map((spec): Value => ['hops', spec]),
      fc.tuple(chained, one).map((specs): Value => ['hops', ...specs]),
      fc.oneof(one, two, recursive).map((spec): Value => ['apply-hops', 'found', spec]),
    )
    const dataset = (prefix: string) =>
      fc
        .uniqueArray(fc.constantFrom('1', '2', '3'), { maxLength: 3 })
        .chain((ids) => fc.tuple(...ids.map((id) => joinable(fc.constant(prefix + id)))))
    fc.assert(
      fc.property(
        call,
        settings,
        joinable(fc.constantFrom('p1', 's')),
        dataset('p'),
        dataset('q'),
        (hops, given, source, people, things) => {
          const found: Value = [
            ['add', 'i', '_S.'],
            ['add', 'p', '_P._S._id'],
            ['filter', ['neq', '_S.a', 'a']],
          ]
          const rules = dictOf({ default: [['add', '::r', hops]], found })
          agree(rules, given, source, {
            datasets: new Map([
              ['people', people],
              ['things', things],
            ]),
          })
        },
      ),
      { numRuns: RUNS },
    )
  })
})

describe('a compiled program and the naive interpreter', () => {
  it('count beyond what a double holds', () => {
    const source = dictOf({ _id: '1', a: 9007199254740993n })
    for (const one of [
      ['enumerate', '_S.a', ['list', 'x', 'y']],
      ['datetime-plus', 'nanosecond', '_S.a', '~t2015-07-28T09:46:00Z'],
      ['range', -4, '_S.a', '_S.a'],
      // Nothing lies between them, however far apart they are.
      ['range', '_S.a', 0],
    ] as Value[]) {
      agree(dictOf({ default: [['add', 'r', one]] }), plain, source)
    }
  })
})

describe('a pattern', () => {
  it('matches what trying every choice matches', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '😀'), maxLength: 9 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '😀'), maxLength: 7 })
    fc.assert(
      fc.property(pattern, text, (given, tried) => {
        expect(wildcard(given)(tried)).toBe(naiveWildcard(given, tried))
      }),
      { numRuns: 5_000 },
    )
  })
})
