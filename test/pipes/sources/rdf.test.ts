import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Dict, entries, get } from '../../../src/model/dict.ts'
import { idOf } from '../../../src/model/entity.ts'
import { writeJson } from '../../../src/model/json.ts'
import type { PipeError } from '../../../src/pipes/errors.ts'
import { rdfSource } from '../../../src/pipes/sources/rdf.ts'
import { sourceContract } from '../../contracts/source-contract.ts'
import { cutAfter, type FakeServer, slowly, stalling, startFakeServer, status, text } from '../../fakes/http-server.ts'
import { configured, openUrlSystem, readAll, surroundings } from '../surroundings.ts'

const never = new AbortController().signal
let server: FakeServer
beforeEach(async () => {
  server = await startFakeServer()
})
afterEach(() => server.close())

for (const is_sorted of [false, true]) {
  sourceContract(rdfSource, ['stall', 'fail'], async (ids) => {
    const fake = await startFakeServer()
    const system = openUrlSystem({ url_pattern: `${fake.url}%s` })
    fake.on('/x.nt', text(ids.map((id) => `<urn:${id}> <http://x/name> "${id}" .\n`).join('')))
    return {
      config: { system: 'hr', url: 'x.nt', is_sorted },
      surroundings: { system: () => system },
      address: `${fake.url}x.nt`,
      idPrefix: 'urn:',
      stall: () => fake.on('/x.nt', stalling('<urn:a> ')),
      fail: (code) => fake.on('/x.nt', status(code)),
      close: async () => {
        await system.close()
        await fake.close()
      },
    }
  })
}

async function read(body: string | Uint8Array, config: Record<string, unknown> = {}, namespacedIdentifiers = false) {
  server.on('/x', text(body))
  return readServed(config, namespacedIdentifiers)
}

async function readServed(config: Record<string, unknown> = {}, namespacedIdentifiers = false) {
  const system = openUrlSystem({ url_pattern: `${server.url}%s` })
  const checked = configured(rdfSource.config, { type: 'rdf', system: 'hr', url: 'x', ...config })
  const around = surroundings({ hr: system }, { batchSize: 2, namespacedIdentifiers })
  try {
    const { entities, error } = await readAll(rdfSource.open(checked, around).read(null, never))
    return { entities, json: entities.map((entity) => JSON.parse(writeJson(entity))), error: error as PipeError }
  } finally {
    await system.close()
  }
}

const turtle = `
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix x: <http://x/> .
x:kari a foaf:Person ; foaf:name "Kari" ; foaf:knows x:ola, x:eva ; x:age 42 ;
  x:address [ x:city "Oslo" ; x:zip "0155" ] .
x:ola foaf:name "Ola", "Åge" .
`

describe('an RDF document', () => {
  test('gives an entity for each subject, named by whole IRIs', async () => {
    const { json, error } = await read(turtle, { format: 'ttl' })
    expect(error).toBeUndefined()
    expect(json).toEqual([
      {
        _id: 'http://x/kari',
        'http://www.w3.org/1999/02/22-rdf-syntax-ns#type': '~rhttp://xmlns.com/foaf/0.1/Person',
        'http://xmlns.com/foaf/0.1/name': 'Kari',
        'http://xmlns.com/foaf/0.1/knows': ['~rhttp://x/eva', '~rhttp://x/ola'],
        'http://x/age': 42,
        'http://x/address': { 'http://x/city': 'Oslo', 'http://x/zip': '0155' },
      },
      { _id: 'http://x/ola', 'http://xmlns.com/foaf/0.1/name': ['Ola', 'Åge'] },
    ])
  })

  test('has known namespaces made short where identifiers are namespaced', async () => {
    const { json } = await read(turtle, { format: 'ttl' }, true)
    expect(json[0]).toMatchObject({ 'rdf:type': '~:foaf:Person', 'foaf:name': 'Kari', 'http://x/age': 42 })
  })

  test('keeps lists in the order of the document when they are not sorted', async () => {
    const { json } = await read(turtle, { format: 'ttl', sort_lists: false })
    expect(json[0]['http://xmlns.com/foaf/0.1/knows']).toEqual(['~rhttp://x/ola', '~rhttp://x/eva'])
  })

  test('is read in each format', async () => {
    const bodies = {
      nt: '<http://x/a> <http://x/n> "1" .',
      ttl: '<http://x/a> <http://x/n> "1" .',
      n3: '@prefix x: <http://x/> . x:a x:n "1" .',
      xml: '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/"><rdf:Description rdf:about="http://x/a"><x:n>1</x:n></rdf:Description></rdf:RDF>',
    }
    for (const [format, body] of Object.entries(bodies)) {
      expect((await read(body, { format })).json).toEqual([{ _id: 'http://x/a', 'http://x/n': '1' }])
    }
    expect(server.requests.map(({ headers }) => headers.accept)).toEqual([
      'application/n-triples',
      'text/turtle',
      'text/n3',
      'application/rdf+xml',
    ])
  })

  test('gathers what lies apart, unless it is said to be sorted', async () => {
    const body = '<http://x/a> <http://x/n> "1" .\n<http://x/b> <http://x/n> "2" .\n<http://x/a> <http://x/n> "3" .\n'
    expect((await read(body)).entities.map((entity) => entries(entity as Dict).length)).toEqual([2, 2])
    expect((await read(body, { is_sorted: true })).entities.map(idOf)).toEqual([
      'http://x/a',
      'http://x/b',
      'http://x/a',
    ])
  })

  test('may be empty', async () => {
    expect(await read('')).toMatchObject({ entities: [], error: undefined })
  })

  test('has relative IRIs resolved against its address', async () => {
    expect((await read('<#a> <n> "1" .', { format: 'ttl' })).entities.map(idOf)).toEqual([`${server.url}x#a`])
  })
})

describe('a mistake in an RDF document', () => {
  test.each([
    ['ttl', '<http://x/a> <http://x/n> "1" .\n\n<http://x/b> oops "2" .\n', 3],
    ['nt', '<http://x/a> <http://x/n> "1" .\n<http://x/b> <http://x/n> 2 .\n', 2],
    ['xml', '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n<oops\n', undefined],
  ])('(%s) is named with its address and line', async (format, body, line) => {
    const { error } = await read(body, { format })
    expect(error.code).toBe('bad-rdf')
    expect(error.details).toMatchObject({ address: `${server.url}x`, status: 200 })
    if (line !== undefined) expect(error.details.line).toBe(line)
    expect(error.message).toContain(`The RDF of ${server.url}x cannot be read: `)
  })

  test('leaves what comes before it when the document is sorted', async () => {
    const body = '<http://x/a> <http://x/n> "1" .\n<http://x/b> <http://x/n> "2" .\n<http://x/c> oops\n'
    const { entities, error } = await read(body, { is_sorted: true })
    expect([entities.map(idOf), error.code]).toEqual([['http://x/a'], 'bad-rdf'])
  })

  test('is a cut connection as well', async () => {
    server.on('/x', cutAfter('<http://x/a> <http://x/n> "1" .\n'))
    expect((await readServed()).error.code).toBe('answer-broken')
  })

  test('is a blank node in a sorted document', async () => {
    const { error } = await read('<http://x/a> <http://x/n> _:b .\n', { is_sorted: true })
    expect(error.code).toBe('not-expressible')
  })
})

test('a sorted document is read while it comes', async () => {
  const lines = Array.from({ length: 7 }, (_, place) => `<http://x/${place}> <http://x/n> "å${place}" .\n`)
  server.on('/x', slowly(lines.join('').match(/.{1,13}/gs) as string[], 1))
  const { entities, error } = await readServed({ is_sorted: true })
  expect(error).toBeUndefined()
  expect(entities.map((entity) => get(entity, 'http://x/n'))).toEqual(lines.map((_, place) => `å${place}`))
})

test('only N-Triples can be sorted', () => {
  const config = configured(rdfSource.config, { type: 'rdf', system: 'hr', url: 'x', format: 'ttl', is_sorted: true })
  expect(rdfSource.check?.(config)).toMatchObject([{ level: 'error', pointer: '/is_sorted' }])
})
