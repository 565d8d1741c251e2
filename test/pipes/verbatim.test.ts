import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntityPacker } from '../../src/log/batch.ts'
import type { Entity } from '../../src/model/entity.ts'
import { EntityBytes } from '../../src/model/entity-bytes.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { parsePush } from '../../src/pipes/sources/http-endpoint.ts'
import { packVerbatim } from '../../src/pipes/verbatim.ts'

const READINGS = [{}, { do_float_as_decimal: false }, { do_float_as_int: false }]
const RUNS = 3_000

/** What becomes of the body when its values are read; null when it is wrong. */
function packed(body: Buffer, reading: Readonly<Record<string, unknown>>): Buffer | null {
  let entities: readonly Entity[]
  try {
    entities = parsePush(body, reading)
  } catch {
    return null
  }
  const packer = new EntityPacker()
  for (const entity of entities) packer.add(encodeEntity(entity))
  return Buffer.from(packer.finish())
}

const kinds = (text: string): string[] => {
  const entities = new EntityBytes(Buffer.from(text), { decimals: true })
  const found: string[] = []
  for (let kind = entities.next(); kind !== 'end'; kind = entities.next()) found.push(kind)
  return found
}

const scalars = [
  ...['null', 'true', 'false', 'nul', 'True', '0', '-0', '7', '-12', '007', '1.5', '-0.25', '1.50', '2.0', '1e3', '.5'],
  ...[
    '12345678901234567890',
    '0.12345678901234567890123',
    '-',
    '1.',
    '--1',
    '""',
    '"a"',
    '"æøå 😀"',
    '"\\u0041"',
    '"a\\"b"',
  ],
  ...['"~:ns:id"', '"~rhttp://a/b"', '"~t2026-01-02"', '"~t2026-13-02"', '"~t2026-01-02T03:04:05Z"', '"~"', '"~~"'],
  ...['"~t2026-01-02T03:04:05.100Z"', '"~t2026-01-02T03:04:05+00"', '"~f1.50"', '"~f2"', '"~bAQID"', '"~bAQ"', '"~x"'],
  ...[
    '"~u12345678-1234-1234-1234-123456789ABC"',
    '"line\nbreak"',
    '"\u0000"',
    '"unended',
    '{}',
    '{"b":1,"a":2.5}',
    '[]',
  ],
]

const scalar = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...scalars) },
  { weight: 1, arbitrary: fc.string().map((text) => JSON.stringify(text)) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }).map((text) => `"${text}"`) },
  { weight: 1, arbitrary: fc.integer().map(String) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)) },
)
const list = fc.array(
  fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 2 }).map((inner) => `[${inner.join()}]`),
  ),
  {
    maxLength: 4,
  },
)
const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: list.map((elements) => `[${elements.join()}]`) },
)
const names = ['a', 'b', 'crm:first', 'z', '_updated', '_deleted', '_filtered', '_x', '$ids', '3', '10', '__proto__']
const name = fc.constantFrom(...names, 'constructor', 'é', '\uffff', '😀', 'a\\n', '')
const idText = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 99 }).map((n) => `"p${n}"`) },
  { weight: 1, arbitrary: scalar },
)
/** Between the parts of a text. */
const space = fc.constantFrom('', '', '', '', ' ', '\n  ', '\t')
const members = fc.tuple(idText, fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.nat(6), space, space)
const entity = members.map(([id, others, place, before, after]) => {
  const all = others.map(([key, text]) => `"${key}":${after}${text}`)
  all.splice(Math.min(place, all.length), 0, `"_id":${after}${id}`)
  return `{${before}${all.join(`,${after}`)}${before}}`
})
/** Mostly of one shape, since that is what the reader expects. */
const alike = fc
  .array(fc.tuple(idText, scalar, scalar), { minLength: 1, maxLength: 5 })
  .map((rows) => rows.map(([id, a, b]) => `{"_id":${id},"b":${b},"a":${a}}`))
const body = fc
  .tuple(fc.oneof(alike, fc.array(entity, { maxLength: 4 })), space, fc.constantFrom('', '', '', '', 'x', ',', ']'))
  .map(
    ([entities, between, tail]) => `${between}[${between}${entities.join(`,${between}`)}${between}]${between}${tail}`,
  )

describe('a body that is stored as it is', () => {
  it('becomes the same batch as by way of its values, or is left to those', () => {
    const property = fc.property(fc.oneof(body, entity), fc.constantFrom(...READINGS), (text, reading) => {
      const bytes = Buffer.from(text)
      const verbatim = packVerbatim(bytes, reading)
      if (verbatim === null) return
      expect(Buffer.from(verbatim).toString('latin1')).toBe(packed(bytes, reading)?.toString('latin1'))
    })
    fc.assert(property, { numRuns: RUNS })
  })

  it('is mostly taken: names in any order, spaces, lists, tags, decimals', () => {
    expect(kinds('[{"_id":"a","n":1.25,"l":[1,"x",["~:a:b"]],"d":"~t2026-01-02"},{"_id":"b","n":2}]')).toEqual([
      'plain',
      'plain',
    ])
    expect(kinds('{ "z": true, "_id": "a", "_updated": 7 }')).toEqual(['plain'])
    expect(kinds('[]')).toEqual([])
  })

  it('leaves entities whose text has several spellings to the parser, one by one', () => {
    expect(kinds('[{"_id":"a","x":1.50},{"_id":"b"},{"_id":"c","x":{"y":1}},{"_id":"d","x":"\\n"}]')).toEqual([
      'other',
      'plain',
      'other',
      'other',
    ])
  })

  it('is refused where it is not JSON, wherever the mistake stands', () => {
    const whole = '[{"_id":"a","b":"c","d":[1,2]},{"_id":"b","x":"\\"","y":{"z":null}}]'
    for (let length = 0; length < whole.length; length++) {
      expect(packVerbatim(Buffer.from(whole.slice(0, length)), {})).toBeNull()
    }
    expect(packVerbatim(Buffer.from(whole), {})).not.toBeNull()
    expect(packVerbatim(Buffer.from(`${whole} x`), {})).toBeNull()
    expect(packVerbatim(Buffer.from([...Buffer.from('[{"_id":"'), 0xff, ...Buffer.from('"}]')]), {})).toBeNull()
  })

  it('does not take a filtered entity, which deletes only what is there', () => {
    expect(packVerbatim(Buffer.from('[{"_id":"a","_filtered":true}]'), {})).toBeNull()
    expect(packVerbatim(Buffer.from('[{"_id":"a","_filtered":false}]'), {})).not.toBeNull()
  })
})
