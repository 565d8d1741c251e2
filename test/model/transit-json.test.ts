import fc from 'fast-check'
import transit from 'transit-js'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/model/canonical.ts'
import { datetimeText } from '../../src/model/datetime.ts'
import { decimalText } from '../../src/model/decimal.ts'
import { dictOf, entries } from '../../src/model/dict.ts'
import { parseJson } from '../../src/model/json.ts'
import { textWriter } from '../../src/model/text-form.ts'
import { decodeTransit } from '../../src/model/transit.ts'
import { TransitReader } from '../../src/model/transit-reader.ts'
import { TransitWriter } from '../../src/model/transit-writer.ts'
import {
  Bytes,
  Datetime,
  Decimal,
  Float,
  isDict,
  isList,
  LocalDate,
  NI,
  Typed,
  URI,
  UUID,
  type Value,
} from '../../src/model/value.ts'
import { dict } from './values.ts'

/** transit-js keeps its codes in an ordinary object, and knows no names that objects have by themselves. */
const ordinary = dict.filter((one) => !mentions(one, Object.getOwnPropertyNames(Object.prototype)))

const write = (one: Value) => new TransitWriter().write(one)
const read = (text: string) => new TransitReader().read(text)

describe('transit+json', () => {
  it('gives back every value, of the same kind and with the same digits', () => {
    fc.assert(
      fc.property(dict, (one) => {
        expect(canonicalText(read(write(one)))).toBe(canonicalText(one))
      }),
      { numRuns: 300 },
    )
  })

  it('gives back nanoseconds, long integers, decimals, identifiers, URIs, UUIDs and bytes', () => {
    const all = dictOf({
      _id: 'a',
      moment: new Datetime(1_234_567_890_123_456_789n),
      day: new LocalDate(-719_162),
      long: 12345678901234567890n,
      longest: -(10n ** 30n),
      decimal: new Decimal(110n, 2),
      whole: new Float(1),
      ni: new NI('ns:id'),
      uri: new URI('https://example.org/'),
      uuid: new UUID('0123abcd-0123-0123-0123-0123456789ab'),
      bytes: new Bytes(Buffer.from([0, 255])),
      text: '~:no tag',
      caret: '^0',
    })
    const text = write(all)
    expect(text).toBe(
      '["^ ","_id","a","moment","~t2009-02-13T23:31:30.123456789Z","day","~t0001-01-01","long","~n12345678901234567890",' +
        '"longest","~n-1000000000000000000000000000000","decimal","~f1.10","whole","~d1.0","ni","~:ns:id",' +
        '"uri","~rhttps://example.org/","uuid","~u0123abcd-0123-0123-0123-0123456789ab","bytes","~bAP8=",' +
        '"text","~~:no tag","caret","~^0"]',
    )
    expect(entries(read(text) as never)).toEqual(entries(all))
  })

  it('names a property once, and begins anew when all codes are given', () => {
    const names = Array.from({ length: 5_000 }, (_, n) => `name-${n % 2_500}`)
    const list = names.map((name) => dictOf([[name, new NI(`ns:${name}`)]]))
    const text = write(list)
    expect(text.length).toBeLessThan(write(list.slice(0, 2_500)).length * 2)
    expect(canonicalText(read(text))).toBe(canonicalText(list))
    expect(write([dictOf({ crm_name: 1 }), dictOf({ crm_name: 2 })])).toBe('[["^ ","crm_name",1],["^ ","^0",2]]')
  })

  it('goes on with its codes from one element of a list to the next', () => {
    const elements = Array.from({ length: 30 }, (_, n) => dictOf({ 'crm:name': new NI(`people:${n % 3}`) }))
    const writer = textWriter('transit')
    const whole = `[${elements.map((one) => writer(one)).join(',')}]`
    expect(canonicalText(read(whole))).toBe(canonicalText(elements))
    const reader = new TransitReader()
    const again = textWriter('transit')
    const groups = [elements.slice(0, 7), elements.slice(7)].map((group) =>
      reader.read(`[${group.map((one) => again(one)).join(',')}]`),
    )
    expect(canonicalText(groups.flat() as Value)).toBe(canonicalText(elements))
  })

  it('is read by transit-js as it was meant', () => {
    fc.assert(
      fc.property(ordinary, (one) => {
        expect(canonicalText(ofTransitJs(peer.read(write(one))))).toBe(canonicalText(withoutKinds(one)))
      }),
      { numRuns: 200 },
    )
  })

  it.each(['json', 'json-verbose'] as const)('reads what transit-js writes as %s', (form) => {
    fc.assert(
      fc.property(ordinary, (one) => {
        const text = transit.writer(form, WRITING).write(toTransitJs(one))
        expect(canonicalText(read(text))).toBe(
          canonicalText(withoutKinds(one, ({ value }) => parseJson(String(value)))),
        )
      }),
      { numRuns: 200 },
    )
  })

  it.each([
    ['["~#set",["~:a:b","x"]]', [new NI('a:b'), 'x']],
    ['["~#list",[1,2]]', [1, 2]],
    ['["~#\'","~:a:b"]', new NI('a:b')],
    ['["^ ","~:name",1,"~$sym",2,"~i7",3]', dictOf({ name: 1, sym: 2, '7': 3 })],
    ['{"~:name":{"~#set":[1]}}', dictOf({ name: [1] })],
    [
      '["~m1500","~?t","~_","~zNaN","~cx","~i5","~d2.0"]',
      [new Datetime(1_500_000_000n), true, null, null, 'x', 5, new Float(2)],
    ],
    ['[["~:keyword",1],"^0"]', [[new NI('keyword'), 1], new NI('keyword')]],
  ])('reads %s', (text, expected) => {
    expect(canonicalText(read(text))).toBe(canonicalText(expected as Value))
  })

  it.each(['["^0"]', '["~#point",[1,2]]', '["^ ","name"]', '["^ ",1,2]', '["~ix"]', '["~m1e99"]', '["~!x"]', '["~d"]'])(
    'refuses %s',
    (text) => {
      expect(() => read(text)).toThrow(/^Not transit: /)
    },
  )
})

/** Names are lists of pairs, so that no object gets in between. */
class Pairs {
  readonly pairs: (readonly [unknown, unknown])[] = []
}

const tag = (of: (payload: string) => Value) => (payload: never) => ({ value: of(payload) })

/** transit-js with the same kinds of values, and everything else its own. */
const peer = transit.reader('json', {
  handlers: {
    ':': tag((text) => new NI(text)),
    r: tag((text) => new URI(text)),
    u: tag((text) => new UUID(text)),
    t: tag((text) => decodeTransit(`~t${text}`)),
    f: tag((text) => decodeTransit(`~f${text}`)),
    n: tag((text) => BigInt(text)),
  },
  mapBuilder: {
    init: () => new Pairs(),
    add: (pairs: Pairs, name: unknown, one: unknown) => {
      pairs.pairs.push([name, one])
      return pairs
    },
    finalize: (pairs: Pairs) => pairs,
  },
})

function ofTransitJs(one: unknown): Value {
  if (one instanceof Pairs) {
    return dictOf(one.pairs.map(([name, inner]) => [String(ofTransitJs(name)), ofTransitJs(inner)] as const))
  }
  if (Array.isArray(one)) return one.map(ofTransitJs)
  if (one instanceof Uint8Array) return new Bytes(one)
  if (typeof one === 'bigint') return one
  if (typeof one === 'number' && Number.isInteger(one) && !Number.isSafeInteger(one)) return new Float(one)
  if (typeof one === 'object' && one !== null) {
    if ('value' in one) return one.value as Value
    // Its own long integers.
    return BigInt(String(one))
  }
  return one as Value
}

/** transit-js has one kind of numbers: a Float without a fraction is an Integer there, as far as that is exact. */
function withoutKinds(
  one: Value,
  whole = ({ value }: Float): Value => (Number.isSafeInteger(value) ? value : new Float(value)),
): Value {
  if (one instanceof Float) return whole(new Float(one.value === 0 ? 0 : one.value))
  if (isList(one)) return one.map((inner) => withoutKinds(inner, whole))
  if (!isDict(one)) return one
  return dictOf(entries(one).map(([name, inner]) => [name, withoutKinds(inner, whole)] as const))
}

class Moment {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const WRITING = {
  handlers: transit.map([
    Moment,
    { tag: () => 't', rep: ({ text }: Moment) => text, stringRep: ({ text }: Moment) => text },
  ]),
}

function toTransitJs(one: Value): unknown {
  if (isList(one)) return one.map(toTransitJs)
  if (isDict(one)) return transit.map(entries(one).flatMap(([name, inner]) => [name, toTransitJs(inner)]))
  if (typeof one === 'bigint') return transit.bigInt(String(one))
  if (!(one instanceof Typed)) return one
  if (one instanceof Float) return one.value
  if (one instanceof NI) return transit.keyword(one.text)
  if (one instanceof URI) return transit.uri(one.text)
  if (one instanceof UUID) return transit.uuid(one.text)
  if (one instanceof Bytes) return Buffer.from(one.data)
  if (one instanceof Decimal) return transit.bigDec(decimalText(one))
  return new Moment(datetimeText(one as Datetime))
}

function mentions(one: Value, names: readonly string[]): boolean {
  if (isList(one)) return one.some((inner) => mentions(inner, names))
  if (isDict(one)) return entries(one).some(([name, inner]) => names.includes(name) || mentions(inner, names))
  return typeof one === 'string' ? names.includes(one) : one instanceof NI && names.includes(one.text)
}
