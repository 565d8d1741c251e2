import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { get } from '../../../src/model/dict.ts'
import { idOf } from '../../../src/model/entity.ts'
import type { PipeError } from '../../../src/pipes/errors.ts'
import { jsonSource } from '../../../src/pipes/sources/json.ts'
import { sourceContract } from '../../contracts/source-contract.ts'
import {
  type Behaviour,
  cutAfter,
  type FakeServer,
  json,
  silence,
  slowly,
  startFakeServer,
  status,
  text,
  untilClose,
  wrongLength,
} from '../../fakes/http-server.ts'
import { configured, openUrlSystem, readAll, surroundings } from '../surroundings.ts'

const never = new AbortController().signal
let server: FakeServer
beforeEach(async () => {
  server = await startFakeServer()
})
afterEach(() => server.close())

/** A service as JSON Pull wants it: since, limit. */
const pull =
  (entities: { _id: string; _updated?: unknown }[], inclusive = false): Behaviour =>
  (response, { query }) => {
    const since = query.since === undefined ? -1 : Number(query.since)
    const newer = entities.filter(({ _updated }) => (inclusive ? Number(_updated) >= since : Number(_updated) > since))
    return json(newer.slice(0, Number(query.limit ?? newer.length)))(response, undefined as never)
  }

for (const paging of [{}, { page_size: 4 }]) {
  sourceContract(jsonSource, ['grow', 'stall', 'fail'], async (ids) => {
    const fake = await startFakeServer()
    const system = openUrlSystem({ url_pattern: `${fake.url}%s` })
    const entities = ids.map((_id, _updated) => ({ _id, _updated }))
    fake.on('/people', pull(entities))
    return {
      config: { system: 'crm', url: 'people', supports_since: true, is_chronological: true, ...paging },
      surroundings: { system: () => system },
      address: `${fake.url}people`,
      grow: (more) => void entities.push(...more.map((_id, place) => ({ _id, _updated: entities.length + place }))),
      stall: () => fake.on('/people', silence),
      fail: (code) => fake.on('/people', status(code, 'it broke')),
      close: async () => {
        await system.close()
        await fake.close()
      },
    }
  })
}

async function read(config: Record<string, unknown> = {}, since: string | null = null, batchSize = 100) {
  const system = openUrlSystem({ url_pattern: `${server.url}%s`, headers: { 'x-key': 'secret-key' } })
  const checked = configured(jsonSource.config, { type: 'json', system: 'crm', url: 'people', ...config })
  try {
    return await readAll(jsonSource.open(checked, surroundings({ crm: system }, { batchSize })).read(since, never))
  } finally {
    await system.close()
  }
}

describe('what is asked', () => {
  test('is the address with the headers of both, and no parameters by default', async () => {
    server.on('/people', json([]))
    await read({ headers: { 'x-mine': '1' } }, '5')
    expect(server.requests[0]).toMatchObject({
      query: {},
      headers: { 'x-mine': '1', 'x-key': 'secret-key', accept: 'application/json' },
    })
  })

  test('is since, only when there is one and the source supports it', async () => {
    server.on('/people', json([]))
    await read({ supports_since: true }, 'a b&c')
    await read({ supports_since: true }, null)
    expect(server.requests.map(({ query }) => query)).toEqual([{ since: 'a b&c' }, {}])
  })

  test('is the subset as JSON', async () => {
    server.on('/people', json([]))
    await read({ subset: ['eq', '_S.type', 'x'] })
    expect(server.requests[0]?.query).toEqual({ subset: '["eq","_S.type","x"]' })
  })
})

describe('paging', () => {
  const paged = { supports_since: true, is_chronological: true, page_size: 3 }
  const ten = Array.from({ length: 10 }, (_, place) => ({ _id: `e${place}`, _updated: place }))

  test('goes on from the last _updated until an empty page', async () => {
    server.on('/people', pull(ten))
    const { entities, offset, error } = await read(paged)
    expect([error, entities.length, offset]).toEqual([undefined, 10, '9'])
    expect(server.requests.map(({ query }) => query.since)).toEqual([undefined, '2', '5', '8', '9'])
    expect(server.requests.every(({ query }) => query.limit === '3')).toBe(true)
  })

  test('does not take the short page of a server with a lower limit for the last', async () => {
    server.on('/people', (response, request) =>
      pull(ten)(response, { ...request, query: { ...request.query, limit: '2' } }),
    )
    expect((await read(paged)).entities.length).toBe(10)
  })

  test('ends with a server that repeats the last entity', async () => {
    server.on('/people', pull(ten, true))
    const { entities, error } = await read(paged)
    expect([error, new Set(entities.map(idOf)).size]).toEqual([undefined, 10])
  })

  test('is an error when it cannot go on', async () => {
    server.on('/people', json([{ _id: 'a' }]))
    expect((await read(paged)).error).toMatchObject({ code: 'no-next-page' })
    server.on(
      '/people',
      pull(
        ten.map((one) => ({ ...one, _updated: 7 })),
        true,
      ),
    )
    expect((await read(paged)).error).toMatchObject({ code: 'no-next-page' })
  })

  test('needs all kinds of continuation', () => {
    const config = configured(jsonSource.config, {
      type: 'json',
      system: 'crm',
      url: 'x',
      page_size: 3,
      supports_since: true,
    })
    expect(jsonSource.check?.(config)).toMatchObject([{ level: 'error', pointer: '/page_size' }])
    expect(() => jsonSource.open(config, surroundings())).toThrow(/page_size needs/)
  })
})

describe('an answer', () => {
  test('is read while it comes, with bounded batches', async () => {
    const whole = JSON.stringify(Array.from({ length: 25 }, (_, place) => ({ _id: `e${place}`, text: '"],[{"' })))
    server.on('/people', slowly(whole.match(/.{1,97}/gs) as string[], 1))
    const { batches, entities } = await read({}, null, 10)
    expect(entities.length).toBe(25)
    expect(batches.map((batch) => batch.entities.length)).toEqual([10, 10, 5])
  })

  test('may be one entity, or nothing (204)', async () => {
    server.on('/people', json({ _id: 'a' }))
    expect((await read()).entities.map(idOf)).toEqual(['a'])
    server.on('/people', status(204))
    expect(await read()).toMatchObject({ entities: [], error: undefined })
  })

  test('keeps numbers exact and decodes transit tags', async () => {
    server.on('/people', text('[{"_id":"a","n":12345678901234567890,"r":"~:x:1"}]'))
    const [entity] = (await read()).entities
    expect(get(entity!, 'n')).toBe(12345678901234567890n)
    expect(get(entity!, 'r')).toMatchObject({ kind: 'ni', text: 'x:1' })
  })

  test('passes entities without _id on: a transform may add it', async () => {
    server.on('/people', json([{ name: 'a' }, { _id: 'b' }]))
    expect((await read()).entities.length).toBe(2)
  })

  test.each([
    ['a page of HTML', text('<html>Please log in</html>'), 'bad-json', /begins with: <html>Please log in/],
    ['a text', text('"hello"'), 'bad-json', /neither a JSON array nor a JSON object/],
    ['empty', text(''), 'bad-json', /is empty/],
    ['a list of numbers', json([1]), 'bad-entity', /Element 1 .* is not an object: 1/],
    ['cut without a trace in HTTP', untilClose('[{"_id":"a"},{"_id":"b"'), 'json-truncated', /ends too early/],
    ['cut between elements', untilClose('[{"_id":"a"},{"_id":"b"}'), 'json-truncated', /ends too early/],
    ['cut in the middle', cutAfter('[{"_id":"a"},'), 'answer-broken', /broke off after 13 bytes/],
    ['shorter than announced', wrongLength('[{"_id":"a"}]', 100), 'answer-broken', /broke off/],
    ['a failure', status(500, 'secret-key is\n bad'), 'bad-status', /answered with 500: \*\*\* is bad/],
    ['forbidden', status(403), 'bad-status', /answered with 403\./],
  ] as const)('that is %s is an error with its address and status', async (_, behaviour, code, message) => {
    server.on('/people', behaviour)
    const error = (await read()).error as PipeError
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
    expect(error.details).toMatchObject({ address: `${server.url}people`, status: expect.any(Number) })
  })

  test('gives what comes before a broken element, and names that', async () => {
    server.on('/people', text('[{"_id":"a"},{"_id":"b"},{"_id":oops},{"_id":"d"}]'))
    const { entities, error } = await read()
    expect(entities.map(idOf)).toEqual(['a', 'b'])
    expect(error).toMatchObject({ code: 'bad-json', details: { element: 3 } })
    expect((error as PipeError).message).toContain('Element 3 of the answer of')
  })

  test('must be UTF-8', async () => {
    server.on('/people', text(Buffer.from('[{"_id":"a"},{"_id":"\xe6"}]', 'latin1')))
    const { entities, error } = await read()
    expect([entities.map(idOf), (error as PipeError).code]).toEqual([['a'], 'bad-json'])
  })
})
