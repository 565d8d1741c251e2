/** Random entities and programs: small alphabets, so that things meet. */

import fc from 'fast-check'
import { parseDatetime } from '../../src/model/datetime.ts'
import { dictOf } from '../../src/model/dict.ts'
import { Bytes, Datetime, Decimal, Float, LocalDate, NI, URI, UUID, type Value } from '../../src/model/value.ts'

/** One of each type, and some that are equal across types. */
export const scalar: fc.Arbitrary<Value> = fc.constantFrom<Value>(
  null,
  true,
  false,
  0,
  1,
  2,
  -3,
  9007199254740993n,
  new Float(1),
  1.5,
  new Decimal(10n, 1),
  new Decimal(25n, 1),
  '',
  'a',
  'b',
  'foaf',
  'people',
  'p1',
  'B',
  'x:a',
  'true',
  'å😀b',
  '2',
  new NI('x:a'),
  new NI('b'),
  new URI('http://example.org/a'),
  new URI('sesam:people/p1'),
  new NI('foaf:a'),
  new UUID('abc98f65-ddf5-1234-a8f5-82f6d8e69726'),
  new LocalDate(0),
  new Datetime(0n),
  new Bytes(new Uint8Array([97])),
)

export const propertyNames = [
  'a',
  'b',
  'c',
  'x:a',
  'y:a',
  'x:b',
  'shop:a',
  'shop:b',
  '$ids',
  '$d',
  '_u',
  'of',
  '_dataset',
]

export const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value; list: Value; dict: Value }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, { weight: 4, arbitrary: scalar }, tie('list'), tie('dict')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  dict: fc
    .array(fc.tuple(fc.constantFrom(...propertyNames), tie('value')), { maxLength: 3 })
    .map((pairs) => dictOf(pairs)),
})).value

/** Values that often meet: for joins, and for paths that lead somewhere. */
const meeting: fc.Arbitrary<Value> = fc.constantFrom<Value>(
  null,
  'a',
  'b',
  1,
  new Float(1),
  ['a', null],
  ['b', 'a'],
  ['a', 1],
  [null, 'b', ['a']],
)

const nested: fc.Arbitrary<Value> = fc
  .array(fc.record({ a: meeting, 'x:b': meeting }, { requiredKeys: [] }), { maxLength: 3 })
  .map((dicts) => dicts.map((one) => dictOf(one as Record<string, Value>)))

const property = fc.oneof(
  value,
  meeting,
  nested,
  nested.map((list): Value => [list, 'a']),
)

const withId = (ids: fc.Arbitrary<string>, names: readonly string[], given: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc
    .tuple(ids, fc.array(fc.tuple(fc.constantFrom(...names), given), { maxLength: 6 }))
    .map(([id, pairs]) => dictOf([['_id', id] as const, ...pairs]))

export const entity = (ids: fc.Arbitrary<string> = fc.constantFrom('1', 'x:2', 'b')): fc.Arbitrary<Value> =>
  withId(ids, [...propertyNames, '_deleted'], property)

/** An entity whose properties are likely to be joined by others. */
export const joinable = (ids: fc.Arbitrary<string>): fc.Arbitrary<Value> =>
  withId(ids, ['a', 'b', 'x:b', 'of', 'a', 'b'], meeting)

/** Moments at which clocks change, months end, or the calendar does. */
const moments = [
  '2015-07-28T09:46:00.123456789Z',
  '2016-02-29T23:59:59Z',
  '2015-01-31T00:00:00.5Z',
  '2017-03-26T02:30:00Z',
  '2017-10-29T00:30:00Z',
  '2017-10-29T02:30:00Z',
  '2017-11-05T01:30:00Z',
  '1895-01-01T00:00:10Z',
  '1960-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
].map((text) => parseDatetime(text) as Value)

const timeTexts = [
  '2015-07-28',
  '28.7.15 9:46',
  '28.07.69 23:00',
  '2872015',
  '1112016',
  '2015-07-28T09:46:00.12345+0200',
  '2015-07-28T9:46:00.123456789-09:30',
  '03:04 pm',
  '12:00 AM',
  '12:00 PM',
  '%9',
  '2015-02-29',
  '2015-07-28T09:46:00Z',
  '2015-07-28T09:46:00.5+02:00',
  '0001-01-01T00:00:00+0100',
]

const times = fc.oneof(fc.constantFrom<Value>(...moments), fc.constantFrom<Value>(...timeTexts), scalar)

/**
 * What stands for an argument: an expression, a function of `_`, a small integer, a rule, anything; and of dates: the
 * name of a part, a zone, a pattern, values; the algorithm of a hash; the name of a dataset; numbers and their texts;
 * what apply-ns takes; JSON; percent-encoded texts.
 */
type Kind = 'v' | 'f' | 'i' | 'r' | 'x' | 'p' | 'z' | 't' | 'd' | 'h' | 'n' | 'm' | 'c' | 'j' | 'u'

const FORMS: Readonly<Record<string, readonly string[]>> = {
  all: ['v', 'fv'],
  any: ['v', 'fv'],
  and: ['v', 'vv'],
  or: ['vv'],
  not: ['v', 'vv'],
  boolean: ['v', 'fv'],
  'is-boolean': ['v'],
  eq: ['vv'],
  neq: ['vv'],
  gt: ['vv'],
  gte: ['vv'],
  lt: ['vv'],
  lte: ['vv'],
  if: ['vv', 'vvv'],
  case: ['vv', 'vvv', 'vvvvv'],
  'case-eq': ['vvv', 'vvvv'],
  datetime: ['d', 'fd'],
  'datetime-diff': ['pdd'],
  'datetime-format': ['td', 'ztd'],
  'datetime-parse': ['td', 'ztd'],
  'datetime-plus': ['pid'],
  'datetime-shift': ['zzd'],
  'is-datetime': ['v'],
  now: [''],
  dict: ['', 'v', 'vv', 'vvvv'],
  'has-key': ['vv'],
  'is-dict': ['v'],
  items: ['v'],
  'key-values': ['v'],
  keys: ['v'],
  values: ['v'],
  path: ['vv'],
  'strip-ns': ['v'],
  apply: ['rv'],
  combine: ['v', 'vv'],
  count: ['v'],
  distinct: ['v', 'fv'],
  enumerate: ['v', 'iv'],
  filter: ['fv'],
  first: ['v'],
  flatten: ['v'],
  group: ['ffv'],
  in: ['vv'],
  insert: ['ivv'],
  'is-empty': ['v'],
  'is-not-empty': ['v'],
  'is-list': ['v'],
  last: ['v'],
  list: ['', 'v', 'vvv'],
  literal: ['x'],
  map: ['fv'],
  'map-dict': ['ffv'],
  'map-values': ['fv'],
  max: ['v', 'fv'],
  min: ['v', 'fv'],
  nth: ['iv'],
  range: ['ii', 'iii'],
  reversed: ['v'],
  slice: ['iv', 'iiv', 'iiiv'],
  sorted: ['v', 'fv'],
  'sorted-descending': ['v', 'fv'],
  tuples: ['', 'v', 'vv'],
  'is-ni': ['v'],
  ni: ['vv'],
  'ni-id': ['v'],
  'ni-ns': ['v'],
  coalesce: ['v', 'fv'],
  'coalesce-args': ['v', 'vv'],
  'if-null': ['vv'],
  'is-null': ['v'],
  'is-not-null': ['v'],
  difference: ['vv'],
  intersection: ['vv'],
  intersects: ['vv'],
  union: ['vv'],
  concat: ['v', 'vvv'],
  'is-string': ['v'],
  join: ['vv'],
  length: ['v'],
  ljust: ['ivv'],
  rjust: ['ivv'],
  lower: ['v'],
  upper: ['v'],
  matches: ['vv'],
  replace: ['vv', 'vvv'],
  split: ['v', 'vv'],
  substring: ['iv', 'iiv'],
  hash128: ['hv', 'hiv'],
  'is-changed': ['f'],
  completeness: ['nn'],
  curie: ['vv'],
  reference: ['vv'],
  'ni-collapse': ['v'],
  'ni-expand': ['v'],
  lookup: ['v', 'vv'],
  'uri-expand': ['v', 'fv'],
  'base64-decode': ['v'],
  'base64-encode': ['v'],
  bytes: ['v'],
  'is-bytes': ['v'],
  'apply-ns': ['cv'],
  'group-by': ['fv', 'ffv'],
  sum: ['v'],
  '+': ['mm'],
  '-': ['mm'],
  '*': ['mm'],
  '/': ['mm'],
  '%': ['mm'],
  '^': ['mm'],
  plus: ['mm'],
  minus: ['mm'],
  multiply: ['mm'],
  divide: ['mm'],
  mod: ['mm'],
  pow: ['im'],
  abs: ['m'],
  ceil: ['m', 'im'],
  floor: ['m', 'im'],
  round: ['m', 'im'],
  sqrt: ['m'],
  cos: ['m'],
  sin: ['m'],
  tan: ['m'],
  decimal: ['m', 'fm'],
  float: ['m', 'fm'],
  integer: ['m', 'fm'],
  hex: ['m'],
  'is-decimal': ['v'],
  'is-float': ['v'],
  'is-integer': ['v'],
  json: ['v'],
  'json-transit': ['v'],
  'json-parse': ['j', 'fj'],
  'json-transit-parse': ['j', 'fj'],
  string: ['v'],
  strip: ['v', 'vv'],
  lstrip: ['v', 'vv'],
  rstrip: ['v', 'vv'],
  'is-uri': ['v'],
  uri: ['v'],
  'url-quote': ['v', 'vv'],
  'url-unquote': ['u'],
  'lookup-entity': ['nv'],
  'is-uuid': ['v'],
  uuid: ['v'],
}

/** Functions whose results the naive interpreter knows. */
export const coveredFunctions = Object.keys(FORMS)

const elements = fc.array(
  fc.constantFrom('a', 'b', 'x:a', ':a', '::b', "'x:a'", '$ids', '_id', '_u', 'of', 'key', 'value'),
  { maxLength: 2 },
)

const paths = (variables: readonly string[]): fc.Arbitrary<Value> =>
  fc.tuple(fc.constantFrom(...variables), elements).map(([variable, parts]) => `${variable}.${parts.join('.')}`)

/** A constant as it stands in a program. */
const constant: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.constantFrom<Value>(
    '*',
    'a*',
    '?',
    '-',
    '_S',
    'S.a',
    'nothing.here',
    dictOf({ a: 1, 'x:a': ['a', ['upper', 'b']] }),
    dictOf({}),
  ),
)

const numerals: readonly Value[] = [
  0,
  1,
  -7,
  3,
  10,
  12345678901234567890n,
  0.1,
  -2.5,
  2.675,
  1e-7,
  new Float(1e21),
  new Float(-3),
  new Float(0),
  new Float(-0),
  new Decimal(25n, 1),
  new Decimal(-12345n, 3),
  new Decimal(100n, 2),
  new Decimal(7n, 0),
  '12',
  '-1.50',
  ' 2e3 ',
  '0xff',
  '0x0ff',
  '1e-3',
  'NaN',
  '+5',
]

const namespacings: readonly Value[] = [
  'crm',
  dictOf({}),
  dictOf({ property_namespace: 'p', identity_namespace: null }),
  dictOf({ property_namespace: null, recursive: false }),
  dictOf({ identity_namespace: 'q', skip_underscore: false }),
  dictOf({ skip_dollar: false }),
]

interface Options {
  readonly variables: readonly string[]
  readonly rules: readonly string[]
  readonly hasCurrent?: boolean
}

/** An expression up to that depth. */
export function expression(depth: number, options: Options): fc.Arbitrary<Value> {
  const variables = options.hasCurrent === true ? [...options.variables, '_', '_'] : options.variables
  const leaf = fc.oneof(paths(variables), paths(variables), constant)
  if (depth === 0) return leaf
  const names = coveredFunctions.filter((name) => name !== 'apply' || options.rules.length > 0)
  const call = fc
    .constantFrom(...names)
    .chain((name) =>
      fc
        .constantFrom(...(FORMS[name] as string[]))
        .chain((form) =>
          fc
            .tuple(...[...form].map((kind) => argument(kind as Kind, depth - 1, options)))
            .map((args): Value => [name, ...args]),
        ),
    )
  const sealed = fc
    .tuple(fc.constantFrom('key', 'other'), expression(depth - 1, options))
    .map(([key, one]): Value => ['decrypt', key, ['encrypt', 'key', one]])
  return fc.oneof({ weight: 8, arbitrary: leaf }, { weight: 32, arbitrary: call }, { weight: 1, arbitrary: sealed })
}

const patterns = [
  '%Y-%m-%d',
  '%d.%m.%y %H:%M',
  '%e%m%Y',
  '%Y-%m-%dT%H:%M:%S.%f%z',
  '%I:%M %p',
  '%%%H',
  'day %e',
  '%d/%H %S',
]

function argument(kind: Kind, depth: number, options: Options): fc.Arbitrary<Value> {
  switch (kind) {
    case 'f':
      return expression(depth, { ...options, hasCurrent: true })
    case 'i':
      return fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: -4, max: 5 }) },
        fc.constantFrom<Value>(null, 'x', 1.5, ['list', 2], '_S.a', 9007199254740993n),
      )
    case 'm':
      return fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...numerals).map((one): Value => ['literal', one]) },
        {
          weight: 1,
          arbitrary: fc.array(fc.constantFrom(...numerals), { maxLength: 3 }).map((list): Value => ['literal', list]),
        },
        { weight: 2, arbitrary: expression(depth, options) },
      )
    case 'c':
      return fc.constantFrom<Value>(...namespacings)
    case 'j':
      return fc.oneof(
        fc.constantFrom<Value>(
          'null',
          ' null ',
          '[1, 1.0, "~:a:b", null]',
          '{"a": {"b": "~f1.50"}}',
          '01',
          'x',
          '"~t2015-07-28"',
        ),
        fc
          .tuple(fc.constantFrom('json', 'json-transit'), expression(Math.max(0, depth - 1), options))
          .map((call): Value => call),
      )
    case 'u':
      return fc.oneof(
        fc.string({
          unit: fc.constantFrom('%', '%2', '%C3', '%A5', '%20', 'a', '%e2%82%ac', '+', '%F0%9F%98%80', '%ff'),
          maxLength: 6,
        }),
        expression(depth, options),
      )
    case 'h':
      return fc.constant('murmur3')
    case 'n':
      return fc.constantFrom('people', 'things')
    case 'p':
      return fc.constantFrom('year', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond', 'nanosecond')
    case 'z':
      return fc.constantFrom('UTC', 'Europe/Oslo', 'America/New_York', 'Asia/Kolkata', 'Antarctica/Troll', 'Zulu')
    case 't':
      return fc.constantFrom(...patterns)
    case 'd':
      return fc.oneof(
        { weight: 3, arbitrary: times.map((one): Value => ['literal', one]) },
        { weight: 2, arbitrary: fc.array(times, { maxLength: 3 }).map((list): Value => ['literal', list]) },
        expression(depth, options),
      )
    case 'r':
      return fc.constantFrom(...options.rules)
    case 'x':
      return fc.oneof(value, fc.constantFrom<Value>('_S.a', ['upper', '_S.a']))
    default:
      return expression(depth, options)
  }
}

const name = fc.constantFrom<Value>('a', 'b', 'n', 'x:a', ':b', '::c', '_id', '_u', '$d', 'x:n', ['list', 'a', 'n', 1])
const pattern = fc.constantFrom<Value>('*', 'a', 'a*', '?', 'x:*', '*:a', '::a', '::x:*', ':b', '_*', 'x*:?', [
  'list',
  'a',
  '$*',
  'y:*',
])

/** A list of transforms, nested up to that depth. */
export function transforms(depth: number, options: Options): fc.Arbitrary<Value[]> {
  return fc.array(transform(depth, options), { maxLength: 4 })
}

function transform(depth: number, options: Options): fc.Arbitrary<Value> {
  const given = expression(2, options)
  const computed = fc.oneof({ weight: 4, arbitrary: name }, expression(1, options))
  const some: fc.Arbitrary<Value>[] = [
    fc.tuple(fc.constant('add'), computed, given),
    fc.tuple(fc.constant('add'), name, given),
    fc.tuple(fc.constant('default'), computed, given),
    fc.tuple(fc.constant('add-if'), name, given),
    fc.tuple(fc.constant('add-if'), name, expression(1, { ...options, hasCurrent: true }), given),
    fc.tuple(fc.constant('copy'), pattern),
    fc.tuple(fc.constant('copy'), pattern, pattern),
    fc.tuple(fc.constant('remove'), pattern),
    fc.tuple(fc.constant('rename'), computed, computed),
    fc.tuple(fc.constant('make-ni'), fc.constant('ns'), name),
    fc.tuple(fc.constant('make-ni'), fc.constant('ns'), name, computed),
    fc.tuple(fc.constant('merge'), given),
    fc.tuple(fc.constant('merge-union'), given),
    fc.tuple(fc.constant('create'), given),
    fc.tuple(fc.constant('create-child'), given),
    fc.tuple(fc.constant('comment'), given),
    fc.tuple(fc.constant('filter'), given),
    fc.tuple(fc.constant('discard'), given),
  ]
  if (depth > 0) {
    const inner = fc.oneof(transforms(depth - 1, options), transform(depth - 1, options))
    some.push(
      fc.tuple(fc.constant('if'), given, inner),
      fc.tuple(fc.constant('if'), given, inner, inner),
      fc.tuple(fc.constant('case'), given, inner, given, inner, inner),
      fc.tuple(fc.constant('case-eq'), given, given, inner, inner),
    )
  }
  return fc.oneof(...some)
}
