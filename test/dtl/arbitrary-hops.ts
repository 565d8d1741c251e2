/** Random programs of hops of every shape over three datasets, and entities for them to join. */

import fc from 'fast-check'

/** A program that adds what the specs give. */
export const hop = (...specs: object[]) => ({ default: [['add', 'r', ['hops', ...specs]]] })

export const NAMES = ['source', 'a', 'b']
export const some = (...values: unknown[]) => fc.constantFrom(...values)
const keys = () => some('1', '2', '3', 'K', 'k', null, ['1', 'K'], ['2', '3'], [])
export const entityWith = (_id: string) =>
  fc.record({ _id: fc.constant(_id), x: keys(), y: keys(), _deleted: some(false, false, false, true) })
/** An expression over one variable. */
const side = (variable: string) =>
  some(
    `${variable}.x`,
    `${variable}.x`,
    `${variable}.y`,
    `${variable}._id`,
    ['lower', `${variable}.x`],
    ['list', `${variable}.x`, `${variable}._id`],
    ['tuples', `${variable}.x`, `${variable}.y`],
  )
const plainJoin = (a: string, b: string) => fc.tuple(fc.constant('eq'), side(a), side(b))
const join = (a: string, b: string): fc.Arbitrary<unknown> =>
  fc.oneof(
    { arbitrary: plainJoin(a, b), weight: 4 },
    { arbitrary: fc.tuple(fc.constant('or'), plainJoin(a, b), plainJoin(b, a)), weight: 1 },
  )

/** A spec whose aliases hang on one another in one way or another. */
const spec = (prefix: string): fc.Arbitrary<object> =>
  fc.integer({ min: 1, max: 3 }).chain((count) => {
    const aliases = Array.from({ length: count }, (_, place) => `${prefix}${place}`)
    return fc
      .record({
        names: fc.tuple(...aliases.map(() => some(...NAMES))),
        joins: fc.tuple(
          ...aliases.map((alias, place) =>
            some('_S', ...aliases.slice(0, place)).chain((on) => join(on as string, alias)),
          ),
        ),
        more: fc.option(
          some('_S', ...aliases).chain((on) => join(on as string, aliases.at(-1) as string)),
          { nil: null },
        ),
        filter: some(null, null, ['neq', `${aliases[0]}.y`, '2']),
        order: fc.boolean(),
        recursion: some(
          {},
          {},
          { recurse: true },
          { recurse: true, max_depth: 2 },
          { recurse: true, exclude_root: true },
        ),
      })
      .map(({ names, joins, more, filter, order, recursion }) => {
        const where = [...joins, more, filter].filter((one) => one !== null && !isSelfJoin(one))
        return {
          datasets: names.map((name, place) => `${name} ${aliases[place]}`),
          where: order ? where : where.reverse(),
          ...(recursion as object),
        }
      })
  })

/** Both sides over the same alias are no join, and a doubtful one. */
const isSelfJoin = (condition: unknown) => {
  const used = new Set(JSON.stringify(condition).match(/"(_S|[pqrst]\d)\./g))
  return used.size === 1 && JSON.stringify(condition).includes('"eq"')
}

export const program = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.tuple(spec('p')).map((specs) => hop(...specs)),
    fc.tuple(spec('p'), spec('q')).map((specs) => hop(...specs)),
    fc.tuple(spec('p'), spec('q'), spec('r')).map(([first, second, third]) => ({
      default: [['add', 'r', ['apply-hops', 'inner', first, second]]],
      inner: [
        ['copy', '*'],
        ['add', 'in', ['hops', third]],
      ],
    })),
    fc.tuple(spec('p'), spec('q'), spec('r')).map(([first, second, third]) => ({
      default: [
        ['add', 'one', ['apply-hops', 'inner', first]],
        ['add', 'two', ['apply-hops', 'inner', second]],
      ],
      inner: [['add', 'in', ['apply-hops', 'last', third]]],
      last: [['copy', '*']],
    })),
  )
