import { describe, expect, test } from 'vitest'
import { dictOf } from '../../../src/model/dict.ts'
import type { Entity } from '../../../src/model/entity.ts'
import { Bytes, Datetime, Decimal, Float, NI, URI, type Value } from '../../../src/model/value.ts'
import { csvChunks, csvEndpointSink } from '../../../src/pipes/sinks/csv-endpoint.ts'
import { entityListChunks, httpEndpointSink } from '../../../src/pipes/sinks/http-endpoint.ts'
import { sinkContract } from '../../contracts/sink-contract.ts'
import { configured } from '../surroundings.ts'

sinkContract(httpEndpointSink)
sinkContract(csvEndpointSink)

async function* batches(...groups: Entity[][]) {
  yield* groups
}

async function joined(chunks: AsyncIterable<string>): Promise<string> {
  let all = ''
  for await (const chunk of chunks) all += chunk
  return all
}

describe('a published JSON array', () => {
  test('is one array, whatever the batches', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((_id) => dictOf({ _id }))
    expect(await joined(entityListChunks(batches([a!, b!], [], [c!])))).toBe('[{"_id":"a"},{"_id":"b"},{"_id":"c"}]')
    expect(await joined(entityListChunks(batches([], [])))).toBe('[]')
    expect(await joined(entityListChunks(batches()))).toBe('[]')
  })

  test('keeps deleted entities and typed values', async () => {
    const entity = dictOf({ _id: 'a', _deleted: true, n: new Float(1), r: new NI('x:1') })
    expect(await joined(entityListChunks(batches([entity])))).toBe('[{"_id":"a","_deleted":true,"n":1.0,"r":"~:x:1"}]')
  })

  test('has no closing bracket when reading fails', async () => {
    async function* failing() {
      yield [dictOf({ _id: 'a' })]
      throw new Error('lost')
    }
    let all = ''
    const reading = (async () => {
      for await (const chunk of entityListChunks(failing())) all += chunk
    })()
    await expect(reading).rejects.toThrow('lost')
    expect(all).toBe('[{"_id":"a"}')
  })
})

describe('published CSV', () => {
  const csv = (entities: Record<string, Value>[], config: Record<string, unknown> = {}) =>
    joined(
      csvChunks(
        configured(csvEndpointSink.config, { type: 'csv_endpoint', columns: ['a', 'b'], ...config }),
        batches(entities.map((entity) => dictOf({ _id: 'x', ...entity }))),
      ),
    )
  const rows = [
    { a: 'a', b: 'b"c' },
    { a: 'd,e', b: '' },
    { a: 'x\ny', b: 'z\r' },
    { a: ' sp', b: "q'q" },
    { a: 'back\\slash', b: 1 },
    { b: null },
  ]

  test('has a header, CRLF after every row, quotes only where needed, and empty fields for what is missing', async () => {
    expect(await csv(rows)).toBe('a,b\r\na,"b""c"\r\n"d,e",\r\n"x\ny","z\r"\r\n sp,q\'q\r\nback\\slash,1\r\n,\r\n')
  })

  // Written by Python's csv module, whose names the properties are.
  test.each([
    [{ quoting: 'all' }, '"a","b""c"|"d,e",""|"x\ny","z\r"|" sp","q\'q"|"back\\slash","1"|"",""|'],
    [{ quoting: 'non-numeric' }, '"a","b""c"|"d,e",""|"x\ny","z\r"|" sp","q\'q"|"back\\slash",1|"",""|'],
    [{ doublequote: false }, 'a,b\\"c|"d,e",|"x\ny","z\r"| sp,q\'q|back\\\\slash,1|,|'],
    [{ doublequote: false, escapechar: '\\' }, 'a,b\\"c|"d,e",|"x\ny","z\r"| sp,q\'q|back\\\\slash,1|,|'],
    [{ escapechar: '\\' }, 'a,"b""c"|"d,e",|"x\ny","z\r"| sp,q\'q|back\\\\slash,1|,|'],
    [
      { quoting: 'all', doublequote: false },
      '"a","b\\"c"|"d,e",""|"x\ny","z\r"|" sp","q\'q"|"back\\\\slash","1"|"",""|',
    ],
    [{ quoting: 'none', escapechar: '\\' }, 'a,b\\"c|d\\,e,|x\\\ny,z\\\r| sp,q\'q|back\\\\slash,1|,|'],
    [{ quotechar: "'" }, "a,b\"c|'d,e',|'x\ny','z\r'| sp,'q''q'|back\\slash,1|,|"],
    [{ delimiter: ';' }, 'a;"b""c"|d,e;|"x\ny";"z\r"| sp;q\'q|back\\slash;1|;|'],
  ])('with %j is written as expected', async (config, expected) => {
    expect(await csv(rows, { lineterminator: '|', include_header: false, ...config })).toBe(expected)
  })

  test('quotes a row that would be blank', async () => {
    expect(await csv([{ a: '' }, {}, { a: 'x' }], { columns: ['a'] })).toBe('a\r\n""\r\n""\r\nx\r\n')
  })

  test('cannot be written without quotes and without a character to escape with', async () => {
    await expect(csv([{ a: 'x,y' }], { quoting: 'none' })).rejects.toMatchObject({ code: 'cannot-escape' })
    await expect(csv([{ a: '' }], { quoting: 'none', columns: ['a'] })).rejects.toMatchObject({ code: 'cannot-escape' })
  })

  test('leaves deleted entities out, unless told otherwise', async () => {
    const entities = [{ a: '1' }, { a: '2', _deleted: true }, { a: '3', _deleted: 'true' }]
    expect(await csv(entities)).toBe('a,b\r\n1,\r\n3,\r\n')
    expect(await csv(entities, { 'skip-deleted-entities': false })).toBe('a,b\r\n1,\r\n2,\r\n3,\r\n')
  })

  test('writes values by their type: plain text without tags, JSON for lists and dicts', async () => {
    const one = async (value: Value) => (await csv([{ a: value }], { columns: ['a'], include_header: false })).trimEnd()
    expect(await one(2n ** 70n)).toBe('1180591620717411303424')
    expect(await one(new Float(1))).toBe('1.0')
    expect(await one(new Decimal(150n, 2))).toBe('1.50')
    expect(await one(true)).toBe('true')
    expect(await one(new NI('crm:1'))).toBe('crm:1')
    expect(await one(new URI('http://x/'))).toBe('http://x/')
    expect(await one(new Datetime(0n))).toBe('1970-01-01T00:00:00Z')
    expect(await one(new Bytes(new Uint8Array([1, 2])))).toBe('AQI=')
    expect(await one(['x', new NI('a:b')])).toBe('"[""x"",""~:a:b""]"')
    expect(await one(dictOf({ k: 1 }))).toBe('"{""k"":1}"')
  })

  test('begins with a byte order mark when asked', async () => {
    expect(await csv([], { byte_order_mark: true })).toBe('\ufeffa,b\r\n')
    expect(await csv([], { byte_order_mark: true, include_header: false })).toBe('\ufeff')
  })

  test.each([
    ['latin-1', 'backslashreplace', 'æ\\u20ac\\U0001f600'],
    ['ascii', 'backslashreplace', '\\xe6\\u20ac\\U0001f600'],
    ['ascii', 'ignore', ''],
    ['ascii', 'replace', '???'],
    ['latin-1', 'xmlcharrefreplace', 'æ&#8364;&#128512;'],
    ['utf-8', 'backslashreplace', 'æ€😀'],
  ])('in %s with %s keeps within its characters', async (encoding, encode_error_strategy, expected) => {
    const text = await csv([{ a: 'æ€😀' }], {
      columns: ['a'],
      include_header: false,
      encoding,
      encode_error_strategy,
      quoting: 'all',
    })
    expect(text).toBe(`"${expected}"\r\n`)
  })

  test('has half surrogate pairs replaced in UTF-8 too', async () => {
    expect(await csv([{ a: 'x\udc80y' }], { columns: ['a'], include_header: false })).toBe('x\\udc80y\r\n')
  })

  test('refuses encodings it does not know, and marks that cannot be written', () => {
    const pointers = (config: Record<string, unknown>) =>
      csvEndpointSink
        .check?.(configured(csvEndpointSink.config, { type: 'csv_endpoint', columns: ['a'], ...config }))
        .map(({ pointer }) => pointer)
    expect(pointers({ encoding: 'utf-32' })).toEqual(['/encoding'])
    expect(pointers({ encoding: 'ascii', byte_order_mark: true })).toEqual(['/byte_order_mark'])
    expect(pointers({ encoding: 'UTF-8', byte_order_mark: true })).toEqual([])
  })
})
