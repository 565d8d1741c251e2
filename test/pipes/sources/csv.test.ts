import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { entries } from '../../../src/model/dict.ts'
import { idOf } from '../../../src/model/entity.ts'
import type { PipeError } from '../../../src/pipes/errors.ts'
import { csvSource } from '../../../src/pipes/sources/csv.ts'
import { detectDelimiter } from '../../../src/pipes/sources/csv-dialect.ts'
import { sourceContract } from '../../contracts/source-contract.ts'
import { cutAfter, type FakeServer, silence, slowly, startFakeServer, status, text } from '../../fakes/http-server.ts'
import { configured, openUrlSystem, readAll, surroundings } from '../surroundings.ts'

const never = new AbortController().signal
let server: FakeServer
beforeEach(async () => {
  server = await startFakeServer()
})
afterEach(() => server.close())

sourceContract(csvSource, ['grow', 'stall', 'fail'], async (ids) => {
  const fake = await startFakeServer()
  const system = openUrlSystem({ url_pattern: `${fake.url}%s` })
  let rows = ids.map((id, place) => [id, place] as const)
  fake.on('/x.csv', (response, { query }) => {
    const newer = rows.filter(([, updated]) => updated > Number(query.since ?? -1))
    return text(['id,_updated', ...newer.map((row) => row.join(','))].join('\r\n'))(response, undefined as never)
  })
  return {
    config: { system: 'erp', url: 'x.csv', primary_key: 'id', supports_since: true, is_chronological: true },
    surroundings: { system: () => system },
    address: `${fake.url}x.csv`,
    grow: (more) => {
      rows = [...rows, ...more.map((id, place) => [id, rows.length + place] as const)]
    },
    stall: () => fake.on('/x.csv', silence),
    fail: (code) => fake.on('/x.csv', status(code)),
    close: async () => {
      await system.close()
      await fake.close()
    },
  }
})

async function read(body: string | Uint8Array, config: Record<string, unknown> = {}, batchSize = 100) {
  server.on('/x.csv', text(body))
  return readServed(config, batchSize)
}

async function readServed(config: Record<string, unknown> = {}, batchSize = 100, since: string | null = null) {
  const system = openUrlSystem({ url_pattern: `${server.url}%s` })
  const checked = configured(csvSource.config, {
    type: 'csv',
    system: 'erp',
    url: 'x.csv',
    primary_key: 'id',
    ...config,
  })
  try {
    const { entities, error, batches } = await readAll(
      csvSource.open(checked, surroundings({ erp: system }, { batchSize })).read(since, never),
    )
    return {
      rows: entities.map((entity) => Object.fromEntries(entries(entity))),
      error: error as PipeError,
      batches,
      entities,
    }
  } finally {
    await system.close()
  }
}

describe('rows', () => {
  test('become entities of strings, keyed by the primary key, without their empty columns', async () => {
    const { rows, error } = await read('id,name,n,empty\r\n1,Kari,007,\r\n2,"Ola ""the"" Man, jr",1.0,""\r\n')
    expect(error).toBeUndefined()
    expect(rows).toEqual([
      { _id: '1', id: '1', name: 'Kari', n: '007' },
      { _id: '2', id: '2', name: 'Ola "the" Man, jr', n: '1.0' },
    ])
  })

  test('keep empty columns when asked to', async () => {
    expect((await read('id,a\n1,\n', { preserve_empty_strings: true })).rows).toEqual([{ _id: '1', id: '1', a: '' }])
  })

  test('may have keys of several columns, joined with a colon', async () => {
    expect((await read('a,b,c\n1,x,2\n', { primary_key: ['c', 'a'] })).rows[0]?._id).toBe('2:1')
  })

  test('keep only the columns of the whitelist that are not on the blacklist', async () => {
    const config = { whitelist: ['id', 'a', 'b'], blacklist: ['b', 'id'] }
    expect((await read('id,a,b,c\n1,2,3,4\n', config)).rows).toEqual([{ _id: '1', a: '2' }])
  })

  test('need no header when the columns are named, and the names win over a header', async () => {
    const names = { field_names: ['id', 'name'] }
    expect((await read('1,Kari\n', { ...names, has_header: false })).rows).toEqual([
      { _id: '1', id: '1', name: 'Kari' },
    ])
    expect((await read('X,Y\n1,Kari\n', names)).rows).toEqual([{ _id: '1', id: '1', name: 'Kari' }])
  })

  test('may hold line breaks, end in any of the known ways, and lie between blank lines', async () => {
    expect((await read('id,a\n\n1,"x\ny"\r\n\r\n2,z')).rows.map(({ a }) => a)).toEqual(['x\ny', 'z'])
    expect((await read('id,a\r1,x\r2,y\r')).rows.map(({ a }) => a)).toEqual(['x', 'y'])
  })

  test('have names that look like numbers or belong to objects', async () => {
    const { entities } = await read('id,3,constructor,1\n1,a,b,c\n')
    expect(entries(entities[0]!).slice(2)).toEqual([
      ['3', 'a'],
      ['constructor', 'b'],
      ['1', 'c'],
    ])
  })

  test('without a name in the header are left out', async () => {
    expect((await read('id,a,\n1,2,\n')).rows).toEqual([{ _id: '1', id: '1', a: '2' }])
  })

  test('come in bounded batches, from chunks that end anywhere', async () => {
    const whole = `id,a\r\n${Array.from({ length: 25 }, (_, place) => `${place},"æ""ø,\r\nå"`).join('\r\n')}`
    const bytes = Buffer.from(whole)
    const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) => bytes.subarray(at * 7, at * 7 + 7))
    server.on('/x.csv', slowly(chunks, 0))
    const { rows, error } = await readServed({}, 10)
    expect(error).toBeUndefined()
    expect(rows.map(({ a }) => a)).toEqual(Array(25).fill('æ"ø,\r\nå'))
    expect((await read(whole, {}, 10)).batches.map(({ entities }) => entities.length)).toEqual([10, 10, 5])
  })

  test('that are written by the rules are read back, whatever they hold', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', ' ', ',', ';', '"', '\n', '\r\n', 'æ', '😀', '') })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1 }), async (pairs) => {
        const quoted = (one: string) => `"${one.replaceAll('"', '""')}"`
        const body = pairs.map((pair, place) => [String(place), ...pair].map(quoted).join(',')).join('\n')
        const { rows, error } = await read(`id,a,b\n${body}`, { preserve_empty_strings: true, delimiter: ',' })
        expect(error).toBeUndefined()
        expect(rows.map(({ a, b }) => [a, b])).toEqual(pairs)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the separator', () => {
  test.each([
    [',', 'id,a\n1,2\n'],
    [';', 'id;a;b\n1;2,5;3,5\n2;1,5;2,5\n'],
    ['\t', 'id\ta, b\n1\t2, 3\n'],
    ['|', 'id|a|b\n1|x;y|z\n'],
    [';', '"id";"a,b,c"\n1;2\n'],
    [',', 'id\n1\n2\n'],
    [';', 'id;a,b\n1;"x;\n;;",y\n2;z,w\n'],
    [',', ''],
  ])('%j is recognised in %j', (delimiter, body) => {
    expect(detectDelimiter(body)).toBe(delimiter)
  })

  test('is what the configuration says, before the dialect, before a guess', async () => {
    const one = async (body: string, config: Record<string, unknown>) => (await read(body, config)).rows[0]
    expect(await one('id;a\n1;2\n', {})).toEqual({ _id: '1', id: '1', a: '2' })
    expect(await one('id,x;a\n1,x;2\n', { delimiter: ';', primary_key: 'a' })).toMatchObject({ 'id,x': '1,x', a: '2' })
    expect(await one('id,x\ta,y\n1,2\t3,4\n', { dialect: 'excel_tab', primary_key: 'a,y' })).toMatchObject({
      'id,x': '1,2',
    })
    expect(await one('id;a,b\n1;2,3\n', { dialect: 'excel', primary_key: 'b' })).toMatchObject({
      'id;a': '1;2',
      b: '3',
    })
    expect(await one('id;a,b\n1;2,3\n', { auto_dialect: false, primary_key: 'b' })).toMatchObject({
      'id;a': '1;2',
      b: '3',
    })
  })
})

describe('a broken row', () => {
  test.each([
    ['too many columns', 'id,a\n1,x\n2,y,z\n3,w\n', 3, 3, /3 columns where 2 are expected/],
    ['too few columns', 'id,a,b\n1,x,y\n2,z\n', 3, 3, /2 columns where 3 are expected/],
    ['an open quote', 'id,a\n1,x\n2,"y\n3,z\n', 3, 4, /never closed/],
    ['text after a quote', 'id,a\n1,"x\ny"\n2,"y"z\n', 3, 4, /text follows a closing quote/],
    ['a stray quote', 'id,a\n1,x\n2,5" pipe\n', 3, 3, /a quote stands in the middle/],
    ['no key', 'id,a\n1,x\n,y\n', 3, 3, /its primary key is empty/],
  ])('with %s is named, and those before it are read', async (_, body, row, line, why) => {
    const { rows, error } = await read(body)
    expect(rows.map(({ _id }) => _id)).toEqual(['1'])
    expect(error.code).toBe('bad-row')
    expect(error.details).toMatchObject({ row, line, reason: expect.stringMatching(why) })
    expect(error.message).toContain(`Row ${row} (line ${line}) of ${server.url}x.csv is broken`)
  })

  test('at the end of many leaves all of them', async () => {
    const good = Array.from({ length: 12_345 }, (_, place) => `${place},x`).join('\n')
    const { rows, error } = await read(`id,a\n${good}\nbad,"y\n`)
    expect([rows.length, error.details.row]).toEqual([12_345, 12_347])
  })

  test('cannot be told from a cut file, unless HTTP tells', async () => {
    server.on('/x.csv', cutAfter('id,a\n1,x\n2,y\n3'))
    const { rows, error } = await readServed()
    expect([rows.length, error.code]).toEqual([2, 'answer-broken'])
  })
})

describe('the header', () => {
  test('must name the primary key', async () => {
    const { error } = await read('ID,a\n1,2\n')
    expect(error).toMatchObject({ code: 'bad-header', hint: 'Its columns are "ID", "a".' })
  })

  test('must not name a column twice, unless neither becomes a property', async () => {
    expect((await read('id,a,a\n1,2,3\n')).error).toMatchObject({ code: 'bad-header' })
    expect((await read('id,id\n1,2\n', { blacklist: ['id'] })).error).toMatchObject({ code: 'bad-header' })
    expect((await read('id,a,a\n1,2,3\n', { blacklist: ['a'] })).rows).toEqual([{ _id: '1', id: '1' }])
  })
})

describe('characters', () => {
  test('are read in the encoding that the configuration names, as Python or the web call it', async () => {
    const body = 'id,a\n1,blåbær €\n'
    const windows = Buffer.from(body.replace('€', '\x80'), 'latin1')
    for (const encoding of ['windows-1252', 'cp1252', 'latin-1', 'ISO-8859-1']) {
      expect((await read(windows, { encoding })).rows[0]?.a).toBe('blåbær €')
    }
    expect((await read(Buffer.from(`\ufeff${body}`, 'utf16le'), { encoding: 'UTF-16' })).rows[0]?.a).toBe('blåbær €')
    expect((await read(`\ufeff${body}`, { encoding: 'utf-8-sig' })).rows[0]?._id).toBe('1')
  })

  test('that are not in the encoding are an error that names the line, and earlier rows are read', async () => {
    const { rows, error } = await read(Buffer.from('id,a\n1,x\n2,bl\xe5b\n3,y\n', 'latin1'))
    expect([rows.length, error.code, error.details.line]).toEqual([1, 'bad-encoding', 3])
    expect((await read(Buffer.from([0xff, 0xfe, 0x00, 0xd8]), { encoding: 'utf-16le' })).error.code).toBe(
      'bad-encoding',
    )
  })

  test('that are not in the encoding are replaced when asked', async () => {
    const { rows } = await read(Buffer.from('id,a\n1,bl\xe5b\n', 'latin1'), { decode_error_strategy: 'replace' })
    expect(rows[0]?.a).toBe('bl\ufffdb')
  })

  test('do not include NUL, unless it is let through', async () => {
    expect((await read('id,a\n1,x\n2,a\0b\n')).error).toMatchObject({ code: 'bad-row', details: { line: 3 } })
    expect((await read('id,a\n1,aæ\0b\n', { escape_null_bytes: true })).rows[0]?.a).toBe('aæ\\x00b')
  })
})

describe('a file without rows', () => {
  test('has no entities', async () => {
    for (const body of ['id,a', '\ufeffid,a\r\n'])
      expect(await read(body)).toMatchObject({ rows: [], error: undefined })
  })

  test('is an error when not even the header is there, since a full run would believe that all is gone', async () => {
    for (const body of ['', '\n', '\ufeff']) {
      expect((await read(body)).error).toMatchObject({
        code: 'bad-header',
        message: expect.stringContaining('is empty'),
      })
      expect((await read(body, { field_names: ['id'] })).error).toMatchObject({ code: 'bad-header' })
    }
  })

  test('may be quite empty where no header is promised, where nothing is new, and where 204 says so', async () => {
    expect(await read('', { has_header: false, field_names: ['id'] })).toMatchObject({ rows: [], error: undefined })
    server.on('/x.csv', text(''))
    const config = { supports_since: true }
    expect(await readServed(config, 100, '7')).toMatchObject({ rows: [], error: undefined })
    server.on('/x.csv', status(204))
    expect(await readServed()).toMatchObject({ rows: [], error: undefined })
  })
})

describe('the configuration', () => {
  const findings = (more: Record<string, unknown>) =>
    csvSource
      .check?.(configured(csvSource.config, { type: 'csv', url: 'x', primary_key: 'id', ...more }))
      .map(({ pointer }) => pointer)

  test('names what does not fit together', () => {
    expect(findings({ has_header: false })).toEqual(['/field_names'])
    expect(findings({ encoding: 'klingon' })).toEqual(['/encoding'])
    expect(findings({ field_names: ['a'] })).toEqual(['/primary_key'])
    expect(findings({})).toEqual([])
  })

  test('may leave the system out', async () => {
    const asked: (string | undefined)[] = []
    const config = configured(csvSource.config, { type: 'csv', url: `${server.url}x.csv`, primary_key: 'id' })
    server.on('/x.csv', text('id\n1\n'))
    const system = openUrlSystem({ url_pattern: '%s' })
    const source = csvSource.open(
      config,
      surroundings(
        {},
        {
          system(id) {
            asked.push(id)
            return system
          },
        },
      ),
    )
    expect((await readAll(source.read(null, never))).entities.map(idOf)).toEqual(['1'])
    expect(asked).toEqual([undefined])
    await system.close()
  })
})
