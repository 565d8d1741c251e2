/** Values of every kind, for the laws of the model. */

import fc from 'fast-check'
import { type Dict, dictOf, entries, get } from '../../src/model/dict.ts'
import {
  Bytes,
  Datetime,
  Decimal,
  Float,
  float,
  integer,
  isDict,
  isList,
  kindOf,
  LocalDate,
  NI,
  type Scalar,
  URI,
  UUID,
  type Value,
} from '../../src/model/value.ts'
import { anyText } from '../any-text.ts'

/** Names that objects of JavaScript treat in their own way, beside ordinary ones. */
export const name = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
  { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'ns:a', '_id', '_x', '$ids', 'æ', '😀') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('0', '7', '10', '010', '4294967294', '4294967295', '-1', '1.5', '\u0001', '\u00011'),
  },
  { weight: 1, arbitrary: fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype)) },
)

/** Text of any UTF-16 units, halves of pairs among them; never one that reads as a tagged scalar. */
export const text = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    anyText({ maxLength: 6 }),
    fc
      .array(fc.constantFrom('\ud800', '\udc00', '\uffff', '😀', 'a', '~', '"', '\\', '\n', '\u0000'))
      .map((parts) => parts.join('')),
  )
  .map((one) => one.replace(/^~[:r]/, '~'))

const wholeNumber = fc.oneof(
  fc.integer(),
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(integer),
  fc.constantFrom(0, 9007199254740991, -9007199254740991, 9007199254740992n, 12345678901234567890n),
)

const floatNumber: fc.Arbitrary<Scalar> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(float),
  fc.integer({ min: -1000, max: 1000 }).map((one) => float(one / 100)),
  fc.constantFrom(0.1, 1e-7, 1.5, new Float(0), new Float(1), new Float(1e21), new Float(1e300)),
)

export const decimalNumber = fc
  .tuple(
    fc.oneof(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: -200, max: 200 }).map(BigInt)),
    fc.nat(12),
    fc.boolean(),
  )
  // A bare one without a fraction is written as an Integer, and never made.
  .map(([unscaled, scale, bare]) => new Decimal(unscaled, scale, bare && scale > 0))

const DAYS = { min: -719_162, max: 2_932_896 }
export const datetime = fc.oneof(
  fc
    .tuple(fc.integer(DAYS), fc.bigInt({ min: 0n, max: 86_399_999_999_999n }))
    .map(([day, time]) => new Datetime(BigInt(day) * 86_400_000_000_000n + time)),
  fc.integer(DAYS).map((day) => new Datetime(BigInt(day) * 86_400_000_000_000n)),
)
export const date = fc.integer(DAYS).map((day) => new LocalDate(day))

export const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  wholeNumber,
  floatNumber,
  decimalNumber,
  text,
  datetime,
  date,
  text.map((one) => new NI(one)),
  text.map((one) => new URI(one)),
  fc.uuid().map((one) => new UUID(one)),
  fc.uint8Array({ maxLength: 8 }).map((one) => new Bytes(one)),
)

export const { value, dict } = fc.letrec<{ value: Value; dict: Dict }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('dict'),
  ),
  dict: fc
    .uniqueArray(fc.tuple(name, tie('value')), { selector: ([one]) => one, maxLength: 5 })
    .map((pairs) => dictOf(pairs)),
}))

/** Values that are often equal across kinds, so that laws of equality meet both answers. */
export const near: fc.Arbitrary<Value> = fc.letrec<{ near: Value }>((tie) => ({
  near: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Value[]>(
      null,
      true,
      false,
      0,
      1,
      2n ** 60n,
      0.1,
      0.5,
      new Float(0),
      new Float(-0),
      new Float(1),
      new Float(2 ** 60),
      new Decimal(0n, 2),
      new Decimal(1n, 0),
      new Decimal(100n, 2, true),
      new Decimal(1n, 1),
      new Decimal(50n, 2),
      new Decimal(2n ** 60n, 0),
      'a',
      '1',
      'a:b',
      '😀',
      '\uffff',
      new NI('a'),
      new NI('a:b'),
      new URI('a'),
      new UUID('531a379e-31bb-4ce1-8690-158dceb64be6'),
      new LocalDate(1),
      new LocalDate(0),
      new Datetime(0n),
      new Datetime(86_400_000_000_000n),
      new Datetime(1n),
      new Bytes(Uint8Array.of(1)),
      new Bytes(Uint8Array.of(1, 2)),
    ),
    fc.array(tie('near'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', '1', 'constructor'), tie('near')), { selector: ([one]) => one })
      .map((pairs) => dictOf(pairs)),
  ),
})).near

/** The same kind, spelling and order everywhere: more than equal. */
export function identical(a: Value, b: Value): boolean {
  if (kindOf(a) !== kindOf(b)) return false
  if (isList(a) && isList(b)) return a.length === b.length && a.every((one, place) => identical(one, b[place] as Value))
  if (isDict(a) && isDict(b)) {
    const [left, right] = [entries(a), entries(b)]
    return (
      left.length === right.length &&
      left.every(([key], place) => {
        const [one, other] = [get(a, key), get(b, key)]
        return key === right[place]?.[0] && one !== undefined && other !== undefined && identical(one, other)
      })
    )
  }
  if (a instanceof Decimal && b instanceof Decimal) {
    return a.unscaled === b.unscaled && a.scale === b.scale && a.bare === b.bare
  }
  if (a instanceof Float && b instanceof Float) return Object.is(a.value, b.value)
  if (a instanceof Datetime && b instanceof Datetime) return a.nanoseconds === b.nanoseconds
  if (a instanceof LocalDate && b instanceof LocalDate) return a.days === b.days
  if (a instanceof Bytes && b instanceof Bytes) return Buffer.compare(a.data, b.data) === 0
  if (typeof a === 'object' && a !== null) return (a as NI).text === (b as NI).text
  return Object.is(a, b)
}
