/** Hops: joins answered from indexes, in a stated order, chained, recursed and returned (dtl.md §10). */

import { describe, expect, it } from 'vitest'
import { explain } from '../../src/dtl/compile.ts'
import { contextOf, memoryLookup } from './memory-lookup.ts'
import { applied, datasets, entity, evaluated, namespaced, plain, programOf } from './settings.ts'

const world = datasets({
  person: [
    { _id: 'p1', company: 'c1', boss: 'p2', tags: ['a', 'b'] },
    { _id: 'p2', company: ['c2', 'c1'], boss: 'p3', tags: 'b' },
    { _id: 'p3', company: null, boss: 'p1' },
    { _id: 'p4', company: 'c9', _deleted: true },
  ],
  company: [
    { _id: 'c2', name: 'Two', country: 'n1', kind: ['x', 'y'] },
    { _id: 'c1', name: 'One', country: 'n2', kind: 'x', none: null },
    { _id: 'c9', name: 'Gone', country: 'n1', _deleted: true },
  ],
  country: [
    { _id: 'n1', name: 'North' },
    { _id: 'n2', name: 'South' },
  ],
})

const hop = (spec: object, source = '{"_id": "s"}', ...more: object[]) =>
  evaluated(['hops', spec, ...more], source, plain, world)
const ids = (spec: object, source?: string, ...more: object[]) =>
  evaluated(['path', '_id', ['hops', spec, ...more]], source, plain, world)

describe('a join', () => {
  it('holds when the two sides share a value, and leaves out nulls and deleted entities', () => {
    expect(
      ids({ datasets: ['person p'], where: ['eq', '_S.c', 'p.company'] }, '{"_id": "s", "c": ["c1", "c9", null]}'),
    ).toBe('["p1","p2"]')
    expect(ids({ datasets: ['person p'], where: ['eq', 'p.company', '_S.c'] }, '{"_id": "s", "c": null}')).toBe('[]')
  })

  it('may be on functions of either side', () => {
    const where = ['eq', ['tuples', '_S.c', '_S.t'], ['tuples', 'p.company', ['map', ['upper', '_.'], 'p.tags']]]
    expect(ids({ datasets: ['person p'], where }, '{"_id": "s", "c": "c1", "t": "A"}')).toBe('["p1"]')
  })

  it('reads the made-up $ids of an entity', () => {
    const where = ['eq', '_S.ref', 'c.$ids']
    expect(ids({ datasets: ['company c'], where }, '{"_id": "s", "ref": "~:c1"}')).toBe('["c1"]')
    const own = evaluated(
      ['path', '_id', ['hops', { datasets: ['company c'], where }]],
      '{"_id": "s", "ref": "~:shop:c1"}',
      namespaced,
      world,
    )
    expect(own).toBe('["c1"]')
  })

  it('joins the others through aliases that are joined', () => {
    const spec = {
      datasets: ['country n', 'company c'],
      where: [
        ['eq', 'c.country', 'n._id'],
        ['eq', '_S.c', 'c._id'],
      ],
      return: ['concat', 'c.name', '-', 'n.name'],
    }
    expect(hop(spec, '{"_id": "s", "c": ["c1", "c2"]}')).toBe('["Two-North","One-South"]')
  })

  it('checks surplus joins by overlap, and a second one between the same two exactly', () => {
    const circle = {
      datasets: ['person p', 'company c'],
      where: [
        ['eq', '_S.c', 'p.company'],
        ['eq', '_S.c', 'c._id'],
        ['eq', 'p.company', 'c._id'],
      ],
      return: ['concat', 'p._id', 'c._id'],
    }
    expect(hop(circle, '{"_id": "s", "c": ["c1", "c2"]}')).toBe('["p1c1","p2c1","p2c2"]')
    const second = {
      datasets: ['person p'],
      where: [
        ['eq', '_S.c', 'p.company'],
        ['eq', '_S.t', 'p.tags'],
      ],
    }
    expect(ids(second, '{"_id": "s", "c": "c1", "t": "b"}')).toBe('["p2"]')
  })

  it('may be an or of joins of the same two variables', () => {
    const where = ['or', ['eq', '_S.a', 'p._id'], ['eq', 'p.company', '_S.b']]
    expect(ids({ datasets: ['person p'], where }, '{"_id": "s", "a": ["p3", "p1"], "b": "c2"}')).toBe(
      '["p1","p2","p3"]',
    )
  })

  it('may start from the target, the caller, or a bound value', () => {
    const spec = { datasets: ['company c'], where: ['eq', '_T.x', 'c._id'], return: 'c.name' }
    const program = programOf({
      default: [
        ['add', 'x', 'c1'],
        ['add', 'name', ['hops', spec]],
      ],
    })
    expect(applied(program, '{"_id": "s"}', world)).toBe('[{"_id":"s","x":"c1","name":["One"]}]')
    expect(
      evaluated(
        ['map', ['hops', { ...spec, where: ['eq', '_.', 'c._id'] }], ['list', 'c2', 'c1']],
        '{"_id": "s"}',
        plain,
        world,
      ),
    ).toBe('[["Two"],["One"]]')
  })
})

describe('conditions', () => {
  it('that are no joins are checked on rows', () => {
    const where = [
      ['eq', '_S.c', 'p.company'],
      ['in', 'a', 'p.tags'],
    ]
    expect(ids({ datasets: ['person p'], where }, '{"_id": "s", "c": "c1"}')).toBe('["p1"]')
    expect(
      ids(
        {
          datasets: ['person p'],
          where: [
            ['eq', '_S.c', 'p.company'],
            ['eq', '_S.go', true],
          ],
        },
        '{"_id": "s", "c": "c1"}',
      ),
    ).toBe('[]')
  })

  it('narrow a dataset to a subset by overlap', () => {
    const subset = { datasets: ['company c'], where: ['eq', '_S.c', 'c._id'], subsets: { c: ['eq', '_S.kind', 'y'] } }
    expect(ids(subset, '{"_id": "s", "c": ["c1", "c2"]}')).toBe('["c2"]')
    const { subsets, ...rest } = subset
    expect(ids({ ...rest, prefilters: subsets }, '{"_id": "s", "c": ["c1", "c2"]}')).toBe('["c2"]')
  })
})

describe('what is returned', () => {
  const both = {
    datasets: ['company c', 'country n'],
    where: [
      ['eq', '_S.c', 'c._id'],
      ['eq', 'c.country', 'n._id'],
    ],
  }
  const source = '{"_id": "s", "c": ["c1", "c2"]}'

  it('is the last alias, the named ones, or a value for each row', () => {
    expect(ids(both, source)).toBe('["n2","n1"]')
    expect(ids({ ...both, return: 'n, c' }, source)).toBe('["n2","c1","n1","c2"]')
    expect(hop({ ...both, return: 'c.kind' }, source)).toBe('["x",["x","y"]]')
    expect(hop({ ...both, return: 'c.none' }, source)).toBe('[null,null]')
    expect(hop({ ...both, return: { who: 'c.name', where: { at: ['upper', 'n.name'] }, of: '_S._id' } }, source)).toBe(
      '[{"who":"One","where":{"at":"SOUTH"},"of":"s"},{"who":"Two","where":{"at":"NORTH"},"of":"s"}]',
    )
  })

  it('comes in the order of the ids, alias after alias, and is not made distinct', () => {
    const spec = {
      datasets: ['country n', 'person p'],
      where: [
        ['eq', '_S.p', 'p._id'],
        ['eq', '_S.n', 'n._id'],
      ],
    }
    expect(ids({ ...spec, return: 'n,p' }, '{"_id": "s", "p": ["p2", "p1"], "n": ["n2", "n1"]}')).toBe(
      '["n1","p1","n1","p2","n2","p1","n2","p2"]',
    )
    expect(hop({ ...spec, return: 'n.name' }, '{"_id": "s", "p": ["p2", "p1"], "n": "n1"}')).toBe('["North","North"]')
  })

  it('is an empty list when nothing joins', () => {
    expect(hop(both, '{"_id": "s"}')).toBe('[]')
  })
})

describe('several specs', () => {
  it('take each result of the one before as their source', () => {
    const first = { datasets: ['person p'], where: ['eq', '_S.who', 'p._id'] }
    const second = {
      datasets: ['company c'],
      where: ['eq', '_S.company', 'c._id'],
      return: ['list', '_S._id', 'c.name', '_R._S._id'],
    }
    expect(hop(first, '{"_id": "s", "who": ["p2", "p1"]}', second)).toBe(
      '[["p1","One","s"],["p2","One","s"],["p2","Two","s"]]',
    )
  })

  it('give the source back to what comes after them', () => {
    const spec = { datasets: ['person p'], where: ['eq', '_S.boss', 'p._id'] }
    const program = programOf({
      default: [
        ['add', 'x', ['path', '_id', ['hops', spec, spec]]],
        ['add', 'y', '_S._id'],
      ],
    })
    expect(applied(program, '{"_id": "s", "boss": "p1"}', world)).toBe('[{"_id":"s","x":["p2"],"y":"s"}]')
  })
})

describe('recursion', () => {
  const up = { datasets: ['person p'], where: ['eq', '_S.boss', 'p._id'], recurse: true }

  it('follows until nothing new comes, with the start first', () => {
    expect(ids(up, '{"_id": "s", "boss": "p1"}')).toBe('["s","p1","p2","p3"]')
    expect(ids({ ...up, exclude_root: true }, '{"_id": "p1", "boss": "p2"}')).toBe('["p2","p3"]')
    expect(ids({ ...up, max_depth: null }, '{"_id": "s", "boss": "p3"}')).toBe('["s","p3","p1","p2"]')
    expect(ids(up, '{"_id": "s"}')).toBe('["s"]')
  })

  it('stops at its depth', () => {
    expect(ids({ ...up, max_depth: 2 }, '{"_id": "s", "boss": "p1"}')).toBe('["s","p1","p2"]')
    expect(ids({ ...up, max_depth: 0 }, '{"_id": "s", "boss": "p1"}')).toBe('["s"]')
  })

  it('goes level by level', () => {
    const tree = datasets({ n: ['a', 'b', 'aa', 'ab', 'ba'].map((id) => ({ _id: id, of: id.slice(0, -1) || 'root' })) })
    const down = { datasets: ['n n'], where: ['eq', '_S._id', 'n.of'], recurse: true, exclude_root: true }
    expect(evaluated(['path', '_id', ['hops', down]], '{"_id": "root"}', plain, tree)).toBe('["a","b","aa","ab","ba"]')
  })

  it('knows an entity by its dataset where inputs come from a spec', () => {
    const first = { datasets: ['company c'], where: ['eq', '_S.c', 'c._id'] }
    const again = { datasets: ['country n'], where: ['eq', '_S.country', 'n._id'], recurse: true }
    expect(ids(first, '{"_id": "s", "c": "c1"}', again)).toBe('["c1","n2"]')
  })
})

describe('apply-hops and lookup-entity', () => {
  it('apply a rule that sees the joined entity and its caller, and may hop on', () => {
    const program = programOf({
      default: [
        ['add', 'works', ['apply-hops', 'company', { datasets: ['company c'], where: ['eq', '_S.c', 'c._id'] }]],
      ],
      company: [
        ['filter', ['neq', '_S.name', 'Two']],
        ['add', 'name', ['concat', '_S.name', '/', '_P._S._id']],
        [
          'add',
          'country',
          ['hops', { datasets: ['country n'], where: ['eq', '_S.country', 'n._id'], return: 'n.name' }],
        ],
      ],
    })
    expect(applied(program, '{"_id": "s", "c": ["c1", "c2"]}', world)).toBe(
      '[{"_id":"s","works":[{"name":"One/s","country":["South"]}]}]',
    )
  })

  it('find one entity by id', () => {
    expect(evaluated(['lookup-entity', 'country', ['list', 'n1', 'n2']], undefined, plain, world)).toBe(
      '{"_id":"n1","name":"North"}',
    )
    expect(evaluated(['lookup-entity', 'company', 'c9'], undefined, plain, world)).toBe('null')
    expect(evaluated(['lookup-entity', 'country', 1], undefined, plain, world)).toBe('null')
  })
})

describe('the plan', () => {
  it('looks each alias up once for what it depends on, not once for each row', () => {
    const lookup = memoryLookup(world)
    const spec = {
      datasets: ['person p', 'company c'],
      where: [
        ['eq', '_S.p', 'p._id'],
        ['eq', '_S.c', 'c._id'],
      ],
    }
    const program = programOf({ default: [['add', 'x', ['hops', spec]]] })
    program.apply(entity('{"_id": "s", "p": ["p1", "p2", "p3"], "c": ["c1", "c2"]}'), contextOf(lookup))
    expect(lookup.lookups()).toBe(2)
  })

  it('asks nothing of the indexes when there is nothing to look up', () => {
    const lookup = memoryLookup(world)
    const program = programOf({
      default: [['add', 'x', ['hops', { datasets: ['person p'], where: ['eq', '_S.p', 'p._id'] }]]],
    })
    program.apply(entity('{"_id": "s", "p": [null]}'), contextOf(lookup))
    expect(lookup.lookups()).toBe(0)
  })

  it('says which datasets, joins and indexes a program uses', () => {
    const program = programOf({
      default: [
        [
          'add',
          'x',
          [
            'hops',
            {
              datasets: ['company c', 'country n'],
              where: [
                ['eq', '_S.c', 'c._id'],
                ['eq', ['lower', 'c.country'], 'n._id'],
                ['gt', 'n.size', 2],
              ],
            },
          ],
        ],
        ['add', 'y', ['hops', { datasets: ['person p'], where: ['eq', '_S.p', 'p._id'], 'track-dependencies': false }]],
        ['add', 'z', ['lookup-entity', 'codes', 'a']],
      ],
    })
    expect(program.analysis).toMatchObject({
      indexes: [
        { dataset: 'company', expression: '"_S._id"' },
        { dataset: 'country', expression: '"_S._id"' },
        { dataset: 'person', expression: '"_S._id"' },
      ],
      datasets: ['company', 'country', 'person', 'codes'],
      tracked: ['company', 'country'],
      deterministic: true,
      createsChildren: false,
    })
    const explanation = explain(program)
    expect(explanation.hops.map(({ rule, pointer }) => `${rule} ${pointer}`)).toEqual([
      'default /rules/default/0/2',
      'default /rules/default/1/2',
    ])
    expect(explanation.hops[0]?.specs[0]).toEqual({
      pointer: '/rules/default/0/2/1',
      steps: [
        {
          alias: 'c',
          dataset: 'company',
          lookups: [
            {
              pointer: '/rules/default/0/2/1/where/0',
              index: { dataset: 'company', expression: '"_S._id"' },
              key: '_S.c',
            },
          ],
          after: [],
          checks: [],
        },
        {
          alias: 'n',
          dataset: 'country',
          lookups: [
            {
              pointer: '/rules/default/0/2/1/where/1',
              index: { dataset: 'country', expression: '"_S._id"' },
              key: '["lower","c.country"]',
            },
          ],
          after: ['c'],
          checks: [{ kind: 'filter', pointer: '/rules/default/0/2/1/where/2', text: '["gt","n.size",2]' }],
        },
      ],
      before: [],
      returns: 'n',
      recursion: null,
      tracked: true,
      trace: null,
      back: [
        {
          alias: 'c',
          dataset: 'company',
          chain: [{ dataset: null, lookups: [{ key: '"_S._id"', index: '"_S.c"' }] }],
          obstacle: null,
        },
        {
          alias: 'n',
          dataset: 'country',
          chain: [
            { dataset: 'company', lookups: [{ key: '"_S._id"', index: '["lower","_S.country"]' }] },
            { dataset: null, lookups: [{ key: '"_S._id"', index: '"_S.c"' }] },
          ],
          obstacle: null,
        },
      ],
      scans: [`The condition ["gt","n.size",2] is checked on each 'n' found.`],
    })
  })

  it('says what no index helps with, and what is known beforehand', () => {
    const spec = {
      datasets: ['person p', 'company c'],
      where: [
        ['eq', '_S.p', 'p._id'],
        ['eq', '_S.c', 'c._id'],
      ],
      subsets: { c: ['eq', '_S.kind', 'x'] },
    }
    const explained = (spec: object) =>
      explain(
        programOf({
          default: [
            ['add', 'x', ['hops', spec]],
            ['add', 'y', ['upper', ['concat', 'a', 'b']]],
          ],
        }),
      )
    const { hops, folded } = explained(spec)
    expect(hops[0]?.specs[0]?.scans).toEqual([
      "Each 'c' is combined with each 'p': nothing joins them.",
      `The subset c: c.kind = x is checked on each 'c' found.`,
    ])
    expect(folded).toEqual([{ pointer: '/rules/default/1/2', text: '["upper",["concat","a","b"]]' }])
    const circle = { ...spec, where: [...spec.where, ['eq', 'p.company', 'c._id']], subsets: {} }
    expect(explained(circle).hops[0]?.specs[0]?.scans).toEqual([
      "The join p.company = c._id is checked on each 'c' found: another join came first, and one index binds an alias.",
    ])
  })

  it('counts only what can run', () => {
    const program = programOf({
      default: [['add', 'x', 1]],
      unused: [
        ['add', 'y', ['lookup-entity', 'codes', 'a']],
        ['create-child', ['uuid']],
      ],
    })
    expect(program.analysis).toMatchObject({
      indexes: [],
      datasets: [],
      tracked: [],
      deterministic: true,
      createsChildren: false,
    })
    expect(
      programOf({
        default: [
          ['add', 'x', ['uuid']],
          ['create-child', null],
        ],
      }).analysis,
    ).toMatchObject({ deterministic: false, createsChildren: true })
    expect(programOf({ default: [['add', 'x', ['uuid', '_S.a']]] }).analysis.deterministic).toBe(true)
  })
})
