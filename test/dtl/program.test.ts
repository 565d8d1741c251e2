/** Programs at work: what a target starts with, what is emitted, and what fails, with its place (dtl.md §1, §3, §8.2, §14, §15). */

import { describe, expect, it } from 'vitest'
import type { DtlTransform } from '../../src/dtl/contract.ts'
import { DtlError } from '../../src/dtl/errors.ts'
import { dictOf, get } from '../../src/model/dict.ts'
import { writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { contextOf, type Datasets, memoryLookup, plainContext } from './memory-lookup.ts'
import { applied, datasets, entity, evaluated, namespaced, programOf, value } from './settings.ts'

/** The error of a program for a source. */
function failure(program: DtlTransform, source: string): DtlError {
  try {
    program.apply(entity(source), plainContext())
  } catch (error) {
    if (error instanceof DtlError) return error
    throw error
  }
  throw new Error('It did not fail.')
}

describe('a target', () => {
  it('starts with the id of its source, and deleted when that is', () => {
    expect(applied(programOf({ default: [] }), '{"a": 1, "_id": "1", "_deleted": false, "_ts": 5}')).toBe(
      '[{"_id":"1"}]',
    )
    expect(applied(programOf({ default: [] }), '{"_id": "1", "_deleted": true}')).toBe('[{"_id":"1","_deleted":true}]')
    expect(applied(programOf({ default: [['add', '_deleted', false]] }), '{"_id": "1", "_deleted": true}')).toBe(
      '[{"_id":"1","_deleted":false}]',
    )
  })

  it('of an applied rule starts empty', () => {
    expect(
      applied(programOf({ default: [['add', 'x', ['apply', 'r', '_S.']]], r: [['add', 'y', '_T.']] }), '{"_id": "1"}'),
    ).toBe('[{"_id":"1","x":{"y":{}}}]')
  })

  it('may be stored in itself: what is stored is how it was', () => {
    expect(
      applied(
        programOf({
          default: [
            ['add', 'a', '_T.'],
            ['add', 'b', '_R.'],
            ['add', 'c', 1],
          ],
        }),
        '{"_id": "1"}',
      ),
    ).toBe('[{"_id":"1","a":{"_id":"1"},"b":{"_S":{"_id":"1"},"_T":{"_id":"1","a":{"_id":"1"}}},"c":1}]')
  })

  it('keeps the order and the names of properties, awkward ones too', () => {
    const source = '{"_id": "1", "b": 1, "3": 2, "a": 3, "1": 4, "constructor": 5, "__proto__": 6}'
    expect(
      applied(
        programOf({
          default: [
            ['copy', '*'],
            ['add', '2', 7],
            ['add', 'k', ['keys', '_S.']],
          ],
        }),
        source,
      ),
    ).toBe(
      '[{"_id":"1","b":1,"3":2,"a":3,"1":4,"constructor":5,"__proto__":6,"2":7,"k":["_id","b","3","a","1","constructor","__proto__"]}]',
    )
  })
})

describe('a source', () => {
  it('is never changed', () => {
    const source = entity('{"_id": "1", "a": [1, {"b": 2}], "c": {"d": [3]}, "$children": [{"_id": "k"}]}')
    const before = writeJson(source)
    const program = programOf({
      default: [
        ['copy', '*'],
        ['merge-union', '_S.'],
        ['add', 'a', ['insert', 0, '_S.a', 9]],
        ['add', 's', ['sorted-descending', '_S.a']],
        ['add', 'r', ['reversed', '_S.a']],
        ['remove', 'c'],
        ['create-child', { _id: 'z' }],
        ['create', '_S.$children'],
        ['filter', false],
      ],
    })
    program.apply(source, plainContext())
    expect(writeJson(source)).toBe(before)
  })
})

describe('what is emitted', () => {
  it('are the entities of create, then the target', () => {
    const program = programOf({
      default: [
        ['create', '_S.c'],
        ['add', 'x', 1],
      ],
    })
    expect(applied(program, '{"_id": "1", "c": [{"_id": "a"}, {"_id": "b"}]}')).toBe(
      '[{"_id":"a"},{"_id":"b"},{"_id":"1","x":1}]',
    )
    expect(applied(program, '{"_id": "1"}')).toBe('[{"_id":"1","x":1}]')
  })

  it('stays emitted when the rule ends early', () => {
    expect(
      applied(
        programOf({ default: [['create', '_S.c'], ['discard'], ['create', '_S.c']] }),
        '{"_id": "1", "c": {"_id": "a"}}',
      ),
    ).toBe('[{"_id":"a"}]')
  })

  it('is the target so far, marked, when the entity is filtered', () => {
    const program = programOf({
      default: [
        ['add', 'a', 1],
        ['filter', '_S.keep'],
        ['add', '_id', 'new'],
        ['add', 'b', 2],
      ],
    })
    expect(applied(program, '{"_id": "1", "keep": []}')).toBe('[{"_id":"1","a":1,"_filtered":true}]')
    expect(applied(program, '{"_id": "1", "keep": 0}')).toBe('[{"_id":"new","a":1,"b":2}]')
  })

  it('ends at a filter within branches', () => {
    const program = programOf({
      default: [
        ['if', '_S.a', [['case', true, ['discard']]]],
        ['add', 'b', 1],
      ],
    })
    expect(applied(program, '{"_id": "1", "a": 1}')).toBe('[]')
    expect(applied(program, '{"_id": "1"}')).toBe('[{"_id":"1","b":1}]')
  })

  it('is an entity that a transform before has filtered, as it came', () => {
    const source = entity('{"_id": "1", "a": 1, "_filtered": true}')
    expect(programOf({ default: [['discard']] }).apply(source, plainContext())).toEqual([source])
  })

  it('is what trigger_on does not mean, as it came', () => {
    const program = programOf({ default: [['add', 'x', 1]] }, { trigger_on: { key: 'a.kind', value: 'or*r' } })
    expect(applied(program, '{"_id": "1", "a": {"kind": "order"}}')).toBe('[{"_id":"1","x":1}]')
    expect(applied(program, '{"_id": "1", "a": {"kind": "person"}}')).toBe('[{"_id":"1","a":{"kind":"person"}}]')
    expect(applied(program, '{"_id": "1"}')).toBe('[{"_id":"1"}]')
    const exact = programOf({ default: [['add', 'x', 1]] }, { trigger_on: { value: false } })
    expect(applied(exact, '{"_id": "1", "_trigger": false}')).toBe('[{"_id":"1","x":1}]')
    expect(applied(exact, '{"_id": "1", "_trigger": null}')).toBe('[{"_id":"1","_trigger":null}]')
    const literal = programOf({ default: [['add', 'x', 1]] }, { trigger_on: { value: '?' } })
    expect(applied(literal, '{"_id": "1", "_trigger": "a"}')).toBe('[{"_id":"1","_trigger":"a"}]')
  })
})

describe('an id', () => {
  it('is required, unless the program says otherwise', () => {
    const strict = programOf({
      default: [
        ['add', '_id', '_S.x'],
        ['create', '_S.c'],
        ['create-child', '_S.k'],
      ],
    })
    expect(failure(strict, '{"_id": "1"}')).toMatchObject({ code: 'bad-id', entity: '1', pointer: '/rules/default' })
    expect(failure(strict, '{"_id": "1", "x": "2", "c": {"a": 1}}')).toMatchObject({
      code: 'bad-id',
      pointer: '/rules/default/1',
    })
    expect(failure(strict, '{"_id": "1", "x": "2", "k": [{"_id": "a"}, null]}')).toMatchObject({
      code: 'bad-id',
      pointer: '/rules/default/2',
    })
    const lax = programOf(
      {
        default: [
          ['add', '_id', '_S.x'],
          ['create', '_S.c'],
          ['create-child', '_S.k'],
        ],
      },
      { id_required: false },
    )
    expect(applied(lax, '{"_id": "1", "c": [1, {"_id": "a"}, {"_id": 2}]}')).toBe('[{"_id":"a"}]')
    expect(applied(lax, '{"_id": "1", "x": "2", "k": [1, {"_id": "a"}]}')).toBe(
      '[{"_id":"2","$children":[{"_id":"a"}]}]',
    )
  })

  it('is not asked of what is filtered or discarded', () => {
    expect(applied(programOf({ default: [['remove', '_id'], ['filter']] }), '{"_id": "1"}')).toBe('[]')
    expect(applied(programOf({ default: [['remove', '_id'], ['discard']] }), '{"_id": "1"}')).toBe('[]')
  })
})

describe('variables', () => {
  it('are the innermost pair, the caller and the root', () => {
    const program = programOf({
      default: [
        ['add', 'n', 'root'],
        ['add', 'x', ['apply', 'a', '_S.list']],
      ],
      a: [
        ['add', 'n', '_S.v'],
        ['add', 'x', ['apply', 'b', '_S.more']],
      ],
      b: [['add', 'n', ['list', '_S.', '_P._S.v', '_P._T.n', '_P._P._T.n', '_R._S._id', '_P._P._P._S._id']]],
    })
    expect(applied(program, '{"_id": "1", "list": [{"v": 7, "more": "m"}]}')).toBe(
      '[{"_id":"1","n":"root","x":[{"n":7,"x":{"n":["m",7,7,"root","1",null]}}]}]',
    )
  })

  it('give the parameters of a request', () => {
    const program = programOf({
      default: [
        ['add', 'x', '_B.limit'],
        ['add', 'y', '_B.'],
      ],
    })
    const bound = dictOf({ limit: '5' })
    expect(writeJson(program.apply(entity('{"_id": "1"}'), contextOf(memoryLookup(new Map()), bound)))).toBe(
      '[{"_id":"1","x":"5","y":{"limit":"5"}}]',
    )
    expect(get(bound, 'limit')).toBe('5')
  })

  it('shadow: the inner `_` hides the outer one, which comes back', () => {
    const expression = ['map', ['list', '_.', ['map', ['list', '_.'], ['literal', [8, 9]]], '_.'], ['list', 1, 2]]
    expect(evaluated(expression)).toBe('[[1,[[8],[9]],1],[2,[[8],[9]],2]]')
  })
})

describe('an error', () => {
  it('has a code, the place of the transform, and the id of the entity', () => {
    const program = programOf({
      default: [
        ['add', 'a', 1],
        [
          'if',
          true,
          [
            ['add', 'b', 2],
            ['add', 'c', ['range', 0, 5, '_S.step']],
          ],
        ],
      ],
    })
    const error = failure(program, '{"_id": "x", "step": 0}')
    expect(error).toMatchObject({
      name: 'DtlError',
      code: 'bad-argument',
      pointer: '/rules/default/1/2/1',
      entity: 'x',
    })
    expect(error.hint).not.toBe('')
    expect(error.details).toEqual({ pointer: '/rules/default/1/2/1', entity: 'x', values: ['0', '5', '0'] })
  })

  it('points into the rule that was applied', () => {
    const program = programOf({
      default: [['add', 'a', ['apply', 'r', '_S.list']]],
      r: [['add', 'x', ['slice', 0, 9, '_S.', '_S.']]],
    })
    expect(failure(program, '{"_id": "x", "list": [0]}')).toMatchObject({ code: 'bad-argument', pointer: '/rules/r/0' })
  })

  it('of fail! carries its message', () => {
    const program = programOf({ default: [['if', '_S.bad', ['fail!', 'Look at this.']]] })
    expect(failure(program, '{"_id": "x", "bad": true}')).toMatchObject({
      code: 'fail',
      message: 'Look at this.',
      pointer: '/rules/default/0/2',
    })
  })

  it('of the port to other datasets keeps its cause', () => {
    const broken = {
      joined: () => [],
      entity: () => {
        throw new RangeError('gone')
      },
    }
    const program = programOf({ default: [['add', 'x', ['lookup-entity', 'd', 'e']]] })
    try {
      program.apply(entity('{"_id": "1"}'), contextOf(broken))
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'failed', message: 'gone', pointer: '/rules/default/0' })
      expect((error as DtlError).cause).toBeInstanceOf(RangeError)
    }
  })
})

describe('work without end', () => {
  it('ends when rules apply one another too deep', () => {
    const program = programOf({
      default: [['add', 'x', ['apply', 'r', '_S.']]],
      r: [['add', 'x', ['apply', 'r', '_S.']]],
    })
    expect(failure(program, '{"_id": "1"}').code).toBe('recursion-too-deep')
    // A thousand levels are allowed, but what they nest must be readable.
    const counting = programOf({
      default: [['add', 'x', ['apply', 'r', 600]]],
      r: [['if', ['gt', '_S.', 0], ['merge', ['apply', 'r', ['-', '_S.', 1]]], ['add', 'end', '_S.']]],
    })
    expect(applied(counting, '{"_id": "1"}')).toBe('[{"_id":"1","x":{"end":0}}]')
    const nesting = programOf({
      default: [['add', 'x', ['apply', 'r', 600]]],
      r: [['if', ['gt', '_S.', 0], ['add', 'x', ['apply', 'r', ['-', '_S.', 1]]]]],
    })
    expect(failure(nesting, '{"_id": "1"}').code).toBe('nested-too-deep')
  })

  it('ends when a program makes more than anyone needs', () => {
    const tooMuch = (expression: unknown) =>
      failure(programOf({ default: [['add', 'x', expression]] }), '{"_id": "1", "n": 1000000000}').code
    expect(tooMuch(['range', 0, '_S.n'])).toBe('too-much-work')
    expect(tooMuch(['rjust', '_S.n', '-', 'a'])).toBe('too-much-work')
    const list = ['range', 0, ['integer', '1000']]
    expect(tooMuch(['map', ['map', ['map', '_.', list], list], ['combine', list, '_S.n']])).toBe('too-much-work')
    expect(tooMuch(['tuples', list, list, ['combine', list, '_S.n']])).toBe('too-much-work')
  })

  it('takes linear time for patterns and replacements', () => {
    const source = dictOf({ _id: '1', text: 'a'.repeat(100_000) })
    const start = performance.now()
    for (const expression of [
      ['matches', ['concat', '*a*a*a*a*a*a*a*a*a*a*b'], '_S.text'],
      ['matches', ['concat', '*?a?a?a?a?a?a?a?a?a?b'], '_S.text'],
      ['replace', { aaaaaaab: 'x', aaaaaab: 'y', b: 'z' }, '_S.text'],
      ['split', ['strip', '_S.text']],
      ['url-unquote', '_S.text'],
    ]) {
      programOf({ default: [['add', 'x', expression]] }).apply(source, plainContext())
    }
    // Far from what backtracking would take: the first alone would never end.
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})

describe('namespaces', () => {
  it('run through a program as in the worked example', () => {
    const authors = new Map([
      [
        'lib-author',
        [
          entity('{"_id": "lib-author:1", "lib-author:first": "Knut", "lib-author:last": "Hamsun"}'),
          entity('{"_id": "lib-author:2", "lib-author:first": "Anna", "lib-author:last": "Lie"}'),
        ],
      ],
    ])
    const program = programOf(
      {
        default: [
          ['filter', ['in', '~:lib:book', '_S.rdf:type']],
          ['copy', ['list', 'rdf:type', 'title']],
          ['rename', 'yr', 'year'],
          ['make-ni', 'lib-author', 'written_by'],
          [
            'add',
            'authors',
            [
              'sorted',
              '_.shop-book:name',
              [
                'apply-hops',
                'author',
                { datasets: ['lib-author a'], where: ['eq', '_S.written_by', ['ni-id', 'a.$ids']] },
              ],
            ],
          ],
          ['add', 'label', ['concat', ['upper', '_S.title'], ' (', ['join', ', ', '_T.authors.name'], ')']],
          ['default', '$tags', ['list']],
        ],
        author: [
          ['add', 'name', ['concat', '_S.first', ' ', '_S.last']],
          ['add', '::for', '_P._S._id'],
        ],
      },
      {},
      { ...namespaced, pipe: 'shop-book', namespaces: { identity: 'shop-book', property: 'shop-book' } },
    )
    const book =
      '{"_id": "lib-book:7", "_deleted": false, "rdf:type": ["~:lib:book"], "lib-book:title": "Hunger", "lib-book:yr": 1890, "lib-book:written_by": ["2", "1"]}'
    const expected: Value = value(
      '{"_id": "lib-book:7", "rdf:type": ["~:lib:book"], "lib-book:title": "Hunger", "lib-book:year": 1890, "lib-book:written_by-ni": ["~:lib-author:1", "~:lib-author:2"], ' +
        '"shop-book:authors": [{"shop-book:name": "Anna Lie", "for": "lib-book:7"}, {"shop-book:name": "Knut Hamsun", "for": "lib-book:7"}], ' +
        '"shop-book:label": "HUNGER (Anna Lie, Knut Hamsun)", "$tags": []}',
    )
    expect(applied(program, book, authors)).toBe(`[${writeJson(expected)}]`)
    expect(program.analysis.tracked).toEqual(['lib-author'])
  })
})

describe('hostile programs', () => {
  const run = (rules: unknown, source = '{"_id": "1"}', world: Datasets = new Map()) => {
    try {
      applied(programOf(rules), source, world)
      return 'done'
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  it('end with a typed error, soon, whatever grows', () => {
    const startedAt = performance.now()
    const apply = (more: unknown) => ({ default: [['add', 'x', ['apply', 'r', '_S.']]], r: [['add', 'x', more]] })
    expect(run(apply(['apply', 'r', '_S.']))).toBe('recursion-too-deep')
    const doubling = ['list', ['apply', 'r', '_S.'], ['apply', 'r', '_S.']]
    expect(run(apply(doubling))).toBe('recursion-too-deep')
    expect(run({ default: [['add', 'x', ['range', 0, 1_000_000_000]]] })).toBe('too-much-work')
    const grown = (seed: unknown, grow: (value: string) => unknown) =>
      run({ default: [['add', 'x', seed], ...Array.from({ length: 40 }, () => ['add', 'x', grow('_T.x')])] })
    expect(grown('0123456789', (x) => ['concat', x, x])).toBe('too-much-work')
    expect(grown(['list', 1, 2], (x) => ['combine', x, x])).toBe('too-much-work')
    expect(grown(['list', 1, 2], (x) => ['tuples', x, x])).toBe('too-much-work')
    expect(run({ default: [['add', 'x', ['ljust', 1_000_000_000, ' ', 'a']]] })).toBe('too-much-work')
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })

  it('end where hops call hops without end, or join everything with everything', () => {
    const world = datasets({ n: Array.from({ length: 500 }, (_, n) => ({ _id: `n${n}`, all: 1 })) })
    const spec = { datasets: ['n n'], where: ['eq', '_S.all', 'n.all'] }
    const source = '{"_id": "n0", "all": 1}'
    expect(run({ default: [['add', 'x', ['apply-hops', 'default', spec]]] }, source, world)).toBe('recursion-too-deep')
    const three = { datasets: ['n a', 'n b', 'n c'], where: ['a', 'b', 'c'].map((v) => ['eq', '_S.all', `${v}.all`]) }
    expect(run({ default: [['add', 'x', ['hops', three]]] }, source, world)).toBe('too-much-work')
    const round = { ...spec, recurse: true, max_depth: null }
    expect(run({ default: [['add', 'x', ['count', ['hops', round]]]] }, source, world)).toBe('done')
  })
})
