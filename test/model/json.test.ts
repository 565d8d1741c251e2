import fc from 'fast-check'
import { parse as parseLossless } from 'lossless-json'
import { describe, expect, it } from 'vitest'
import { type Dict, dictOf, get, names } from '../../src/model/dict.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { fromPlain, JsonError, parseJson, parseStored, toPlain, writeJson } from '../../src/model/json.ts'
import { scanJson } from '../../src/model/json-scanner.ts'
import { equals } from '../../src/model/order.ts'
import { Decimal, Float, float, integer, isDict, isList, NI, type Value } from '../../src/model/value.ts'
import { identical, name, value } from './values.ts'

const FLOATS = { transit: true, fractions: 'float', whole: 'float', stored: false } as const
const DECIMALS = { transit: true, fractions: 'decimal', whole: 'integer', stored: false } as const

/** Bare decimals come only from readers that ask for them. */
const withoutBare = (one: Value): boolean =>
  one instanceof Decimal
    ? !one.bare
    : isList(one)
      ? one.every(withoutBare)
      : !isDict(one) || names(one).every((key) => withoutBare(get(one, key) as Value))

/** JSON texts with numbers in every spelling, odd names and odd spaces. */
const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`))
const numberToken = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constantFrom('0', '1', '10', '123456789012345', '1234567890123456'),
      digits(20).map((one) => one.replace(/^0+(?=.)/, '')),
    ),
    fc.oneof(
      fc.constantFrom('', '', '.0', '.00', '.5', '.50', '.000001'),
      digits(20).map((one) => `.${one}`),
    ),
    fc.constantFrom('', '', '', 'e0', 'E+3', 'e-2', 'e15'),
  )
  .map((parts) => parts.join(''))
const stringToken = fc.oneof(
  name.map((one) => JSON.stringify(one)),
  fc.constantFrom(
    '"1.0"',
    '"x, 1.0, y"',
    '"[1e3]"',
    '"~:a:b"',
    '"~t2015-12-31"',
    '"~f1.50"',
    '"~"',
    '"\\u0031"',
    '"\\u0061"',
    '"\\ud83d\\ude00"',
    '"a\\"b"',
    '"\\\\"',
    '"\\/"',
  ),
)
const nameToken = fc.oneof(
  stringToken,
  fc.constantFrom('"\\u0063onstructor"', '"\\u005f_proto__"', '"1\\u0030"', '"\\u0001\\"x"', '"to\\u0053tring"'),
)
const space = fc.constantFrom('', '', '', ' ', '\n', '\t ', '\r\n')
const jsonText = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    numberToken,
    stringToken,
    fc.constantFrom('true', 'false', 'null'),
    fc.tuple(space, fc.array(tie('value'), { maxLength: 4 })).map(([s, all]) => `[${s}${all.join(`${s},${s}`)}${s}]`),
    fc
      .tuple(space, fc.array(fc.tuple(nameToken, tie('value')), { maxLength: 4 }))
      .map(([s, all]) => `{${s}${all.map(([key, one]) => `${key}${s}:${s}${one}`).join(`${s},${s}`)}${s}}`),
  ),
})).value

describe('parseJson and writeJson', () => {
  it('give back what they were given: kinds, scales and the order of names', () => {
    fc.assert(
      fc.property(value.filter(withoutBare), (one) => identical(parseJson(writeJson(one)), one)),
      { numRuns: 1000 },
    )
  })

  it('give back bare decimals to a reader of decimals', () => {
    const scaled = value.map((one) => (one instanceof Decimal && one.bare ? one : null)).filter((one) => one !== null)
    fc.assert(fc.property(scaled, (one) => equals(parseJson(writeJson([one]), DECIMALS), [one])))
  })

  it('write what parse reads once more', () => {
    fc.assert(
      fc.property(jsonText, fc.constantFrom(FLOATS, DECIMALS), (text, reading) => {
        const once = parseJson(text, reading)
        return identical(parseJson(writeJson(once), reading), once)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('parseJson', () => {
  it('reads by its fast way what its scanner reads, for every spelling', () => {
    fc.assert(
      fc.property(jsonText, fc.constantFrom(FLOATS, DECIMALS, { ...FLOATS, transit: false }), (text, reading) =>
        identical(parseJson(text, reading), scanJson(text, reading)),
      ),
      { numRuns: 10_000 },
    )
  })

  it('loses no number that a lossless reader keeps', () => {
    const isPlain = (text: string) => !/__proto__|\\u005f|~/.test(text)
    fc.assert(
      fc.property(jsonText.filter(isPlain), (text) => {
        let expected: Value
        try {
          expected = fromLossless(parseLossless(text))
        } catch {
          // It refuses a name that comes twice with two values.
          fc.pre(false)
          return
        }
        expect(equals(parseJson(text), expected)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('accepts exactly what the engine accepts', () => {
    const nearJson = fc
      .tuple(
        jsonText,
        fc.nat(),
        fc.constantFrom('', ',', ']', '}', '{', '[', '"', '\\', '\u0001', '0', '-', '.', 'e', 'x', ' ', '\u00a0'),
      )
      .map(([text, place, insert]) => {
        const at = text.length === 0 ? 0 : place % text.length
        return text.slice(0, at) + insert + text.slice(at + (place % 2))
      })
    fc.assert(
      fc.property(nearJson, (text) => {
        expect(accepts(() => parseJson(text))).toBe(accepts(() => JSON.parse(text)))
        expect(accepts(() => scanJson(text, FLOATS))).toBe(accepts(() => JSON.parse(text)))
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    ['1.0', new Float(1)],
    ['[1.0]', [new Float(1)]],
    ['[1]', [1]],
    ['[1e3]', [new Float(1000)]],
    ['[-0]', [0]],
    ['[-0.0]', [new Float(-0)]],
    ['[9007199254740993]', [9007199254740993n]],
    ['[12345678.9999999999999999]', [new Float(12345679)]],
    ['[1e999]', [null]],
    ['["~:a:b", "~d1", "~", "~t2015-13-45"]', [new NI('a:b'), '~d1', '~', '~t2015-13-45']],
    ['\ufeff [true]', [true]],
  ])('reads %s', (text, expected) => {
    expect(identical(parseJson(text), expected as Value)).toBe(true)
  })

  it.each([
    ['1.0', 1],
    ['1e3', 1000],
    ['1.50', new Decimal(150n, 2, true)],
    ['12345678.12345678', new Decimal(1234567812345678n, 8, true)],
    ['0.00000012', new Decimal(12n, 8, true)],
    ['12345678901234567890.0', 12345678901234567890n],
  ])('reads %s as a Decimal or an Integer where asked to', (text, expected) => {
    expect(identical(parseJson(`[${text}]`, DECIMALS), [expected as Value])).toBe(true)
  })

  it('keeps the zeros of whole decimals that are not to become Integers', () => {
    const [one] = parseJson('[1.00]', { fractions: 'decimal' }) as Value[]
    expect(identical(one as Value, new Decimal(100n, 2, true))).toBe(true)
  })

  it('keeps names in their order, those that objects reorder or inherit among them', () => {
    const dict = parseJson('{"b":1,"10":2,"__proto__":3,"9":4,"constructor":5,"\\u0061":6}') as Dict
    expect(names(dict)).toEqual(['b', '10', '__proto__', '9', 'constructor', 'a'])
    expect(get(dict, '__proto__')).toBe(3)
    expect(get(dict, 'toString')).toBeUndefined()
  })

  it('lets the last of equal names win', () => {
    expect(writeJson(parseJson('{"a":1,"b":2,"a":3}'))).toBe('{"a":3,"b":2}')
    expect(writeJson(parseJson('{"a":1.0,"b":2,"a":3.0}'))).toBe('{"a":3.0,"b":2}')
  })

  it.each([
    ['{"a": 1,\n "b": }', 2, 7, 'expected a value, found "}"'],
    ['[1, 2', 1, 6, "expected ',' or ']', found the end of the text"],
    ['', 1, 1, 'expected a value, found the end of the text'],
    ['{"a" 1}', 1, 6, 'expected \':\', found "1"'],
    ['{a: 1}', 1, 2, 'expected a name in double quotes, found "a"'],
    ['[01]', 1, 3, 'expected a number without a leading zero, found "1"'],
    ['["a\nb"]', 1, 4, 'expected an escape in place of a control character'],
    ['["a\\x"]', 1, 4, 'expected one of the escapes that JSON knows'],
    ['["abc', 1, 6, 'expected the closing quote of a string'],
    ['[1] x', 1, 5, 'expected the end of the text, found "x"'],
  ])('says where %j is wrong', (text, line, column, message) => {
    const error = errorOf(() => parseJson(text))
    expect(error).toMatchObject({ code: 'bad-json', line, column })
    expect(error.message).toContain(message)
  })

  it('refuses texts that nest deeper than 512, by either way of reading', () => {
    const nested = (depth: number, inner: string) => '['.repeat(depth) + inner + ']'.repeat(depth)
    expect(accepts(() => parseJson(nested(512, '1')))).toBe(true)
    expect(accepts(() => parseJson(nested(512, '1.0')))).toBe(true)
    expect(errorOf(() => parseJson(nested(513, '1'))).message).toContain('512')
    expect(errorOf(() => parseJson(nested(513, '1.0'))).message).toContain('512')
    expect(errorOf(() => parseJson('{"a":'.repeat(100_000))).message).toContain('512')
  })

  it('reads long strings and long numbers', () => {
    const long = 'x'.repeat(5_000_000)
    expect(parseJson(`{"a":1.0,"b":"${long}\\n"}`)).toEqual(dictOf({ a: new Float(1), b: `${long}\n` }))
    expect((parseJson(`["~b${'AAAA'.repeat(2_000_000)}"]`) as unknown[])[0]).toMatchObject({ kind: 'bytes' })
  })
})

describe('parseStored', () => {
  it('gives back what was encoded, bare decimals as such', () => {
    fc.assert(
      fc.property(value, (one) => {
        const { text } = encodeEntity(dictOf({ _id: 'x', one }))
        return identical(get(parseStored(text) as Dict, 'one') as Value, one)
      }),
      { numRuns: 1000 },
    )
  })

  it('loses nothing of any other text either', () => {
    fc.assert(
      fc.property(jsonText, (text) => identical(parseStored(text), scanJson(text, { ...FLOATS, stored: true }))),
      { numRuns: 3000 },
    )
  })

  it('tells a decimal from a float by a space that others do not mind', () => {
    const { text } = encodeEntity(
      dictOf({ _id: 'x', a: 1.5, b: new Decimal(15n, 1, true), c: [new Decimal(-1n, 0, true)] }),
    )
    expect(text).toBe('{"_id":"x","a":1.5,"b": 1.5,"c":[ -1]}')
    expect(JSON.parse(text)).toEqual({ _id: 'x', a: 1.5, b: 1.5, c: [-1] })
  })
})

describe('writeJson', () => {
  it('writes plain texts without tags on request', () => {
    const typed = parseJson('["~:a:b","~rhttp://x/","~t2015-12-31","~f1.50",1.0]')
    expect(writeJson(typed, { transit: false })).toBe('["a:b","http://x/","2015-12-31",1.50,1.0]')
  })

  it('writes null for numbers that JSON has no form for', () => {
    expect(writeJson([Number.NaN, new Float(Number.POSITIVE_INFINITY)])).toBe('[null,null]')
  })

  it('refuses what could not be read back for its depth', () => {
    let deep: Value = 1
    for (let depth = 0; depth < 512; depth++) deep = [deep]
    expect(accepts(() => parseJson(writeJson(deep)))).toBe(true)
    expect(() => writeJson([deep])).toThrow(/512/)
  })
})

describe('toPlain and fromPlain', () => {
  it('agree with the engine on plain JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const plain: unknown = JSON.parse(text)
        expect(toPlain(fromPlain(plain))).toEqual(plain)
      }),
    )
  })

  it('keep __proto__ a property', () => {
    const plain = toPlain(dictOf([['__proto__', 1]])) as object
    expect(Object.keys(plain)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype)
  })

  it('give tagged strings for typed scalars', () => {
    expect(toPlain([new NI('a:b'), new Float(1), 2n ** 70n, new Decimal(15n, 1)])).toEqual([
      '~:a:b',
      1,
      2 ** 70,
      '~f1.5',
    ])
  })
})

function fromLossless(plain: unknown): Value {
  if (Array.isArray(plain)) return plain.map(fromLossless)
  if (typeof plain !== 'object' || plain === null) return plain as Value
  const token = plain as { readonly isLosslessNumber?: true; readonly value: string }
  if (token.isLosslessNumber !== true) {
    return dictOf(Object.entries(plain).map(([key, one]) => [key, fromLossless(one)] as const))
  }
  return /[.eE]/.test(token.value) ? float(Number(token.value)) : integer(BigInt(token.value))
}

function accepts(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof JsonError || error instanceof SyntaxError) return false
    throw error
  }
}

function errorOf(read: () => unknown): JsonError {
  try {
    read()
  } catch (error) {
    return error as JsonError
  }
  throw new Error('It was accepted.')
}
