import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dictOf } from '../../../src/model/dict.ts'
import { NI } from '../../../src/model/value.ts'
import type { Claims } from '../../../src/pipes/claims.ts'
import { jsonSink } from '../../../src/pipes/sinks/json.ts'
import { nullSink } from '../../../src/pipes/sinks/null.ts'
import { sinkContract } from '../../contracts/sink-contract.ts'
import { type FakeServer, json, silence, startFakeServer, status } from '../../fakes/http-server.ts'
import { configured, errorOf, openUrlSystem, surroundings } from '../surroundings.ts'

const never = new AbortController().signal
let server: FakeServer
beforeEach(async () => {
  server = await startFakeServer()
  server.on('/in', json({}))
})
afterEach(() => server.close())

sinkContract(nullSink, [], async () => ({ config: {} }))

sinkContract(jsonSink, ['stall', 'fail'], async () => {
  const fake = await startFakeServer()
  const system = openUrlSystem({ url_pattern: `${fake.url}%s` })
  fake.on('/in', json({}))
  return {
    config: { system: 'erp', url: 'in', batch_size: 10 },
    surroundings: { system: () => system },
    address: `${fake.url}in`,
    arrived: () => fake.requests.flatMap(({ body }) => (JSON.parse(body) as { _id: string }[]).map(({ _id }) => _id)),
    stall: () => fake.on('/in', silence),
    fail: (code) => fake.on('/in', status(code)),
    close: async () => {
      await system.close()
      await fake.close()
    },
  }
})

const people = (count: number) => Array.from({ length: count }, (_, place) => dictOf({ _id: `p${place}` }))

function open(full: boolean, config: Record<string, unknown> = {}, claims?: Claims) {
  const system = openUrlSystem({ url_pattern: `${server.url}%s` })
  const checked = configured(jsonSink.config, { type: 'json', system: 'erp', url: 'in', ...config })
  const sink = jsonSink.open?.(checked, surroundings({ erp: system }), {
    full,
    ...(claims === undefined ? {} : { claims }),
  })
  if (sink === undefined) throw new Error('it cannot be opened')
  return { sink, close: () => system.close() }
}

const asked = () => server.requests.map(({ query: { sequence_id: _, ...rest } }) => rest)

describe('a full run', () => {
  test('is one sequence with a first and a last request', async () => {
    const { sink, close } = open(true, { batch_size: 2 })
    await sink.write(people(3), never)
    await sink.write(people(1), never)
    await sink.end?.(never, { isComplete: true })
    await close()
    expect(asked()).toEqual([
      { request_id: '1', is_full: 'true', is_first: 'true' },
      { request_id: '2', is_full: 'true', previous_request_id: '1' },
      { request_id: '3', is_full: 'true', previous_request_id: '2' },
      { request_id: '4', is_full: 'true', previous_request_id: '3', is_last: 'true' },
    ])
    expect(server.requests.map(({ body }) => JSON.parse(body).length)).toEqual([2, 1, 1, 0])
    const sequences = new Set(server.requests.map(({ query }) => query.sequence_id))
    expect([...sequences]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)])
  })

  test('of nothing is one request, the first and the last', async () => {
    const { sink, close } = open(true)
    await sink.end?.(never, { isComplete: true })
    await close()
    expect(asked()).toEqual([{ request_id: '1', is_full: 'true', is_first: 'true', is_last: 'true' }])
    expect(server.requests[0]?.body).toBe('[]')
  })

  test('that does not end says nothing of a last request', async () => {
    const { sink, close } = open(true)
    await sink.write(people(1), never)
    await close()
    expect(asked().some((query) => 'is_last' in query)).toBe(false)
  })
})

describe('an incremental run', () => {
  test('is a sequence without first and last', async () => {
    const { sink, close } = open(false)
    await sink.write(people(1), never)
    await sink.write(people(1), never)
    await sink.end?.(never, { isComplete: true })
    await close()
    expect(asked()).toEqual([
      { request_id: '1', is_full: 'false' },
      { request_id: '2', is_full: 'false', previous_request_id: '1' },
    ])
  })

  test('has another sequence than the run before', async () => {
    for (let run = 0; run < 2; run++) {
      const { sink, close } = open(false)
      await sink.write(people(1), never)
      await close()
    }
    expect(server.requests[0]?.query.sequence_id).not.toBe(server.requests[1]?.query.sequence_id)
  })
})

describe('a request', () => {
  test('is JSON with transit tags, and the headers of the configuration', async () => {
    const { sink, close } = open(false, { headers: { 'x-mine': '1' } })
    await sink.write([dictOf({ _id: 'a', n: 2n ** 70n, r: new NI('x:1'), _deleted: true })], never)
    await close()
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      body: '[{"_id":"a","n":1180591620717411303424,"r":"~:x:1","_deleted":true}]',
      headers: { 'content-type': 'application/json', 'x-mine': '1' },
    })
  })

  test('that is repeated names the last one that was accepted', async () => {
    const { sink, close } = open(true)
    server.on('/in', json({}), status(500), json({}))
    await sink.write(people(1), never)
    await errorOf(sink.write(people(1), never))
    await sink.write(people(1), never)
    await close()
    expect(server.requests.map(({ query }) => query.previous_request_id)).toEqual([undefined, '1', '1'])
  })
})

describe('a conflict (409)', () => {
  test('ends the sequence: nothing more is sent, and the error says to start over', async () => {
    const { sink, close } = open(true)
    server.on('/in', status(409, 'wrong previous_request_id'))
    const error = await errorOf(sink.write(people(1), never))
    expect(error).toMatchObject({
      code: 'push-conflict',
      message: expect.stringContaining('wrong previous_request_id'),
      hint: expect.stringContaining('Start over'),
      details: { status: 409, address: expect.stringContaining(`${server.url}in`) },
    })
    expect((await errorOf(sink.write(people(1), never))).code).toBe('push-conflict')
    expect((await errorOf(sink.end!(never, { isComplete: true }))).code).toBe('push-conflict')
    expect(server.requests.length).toBe(1)
    await close()
  })
})

describe('what is claimed of completeness', () => {
  const told = async (full: boolean, claims: Claims | undefined, count = 3) => {
    const { sink, close } = open(full, { batch_size: 2 }, claims)
    if (count > 0) await sink.write(people(count), never)
    await sink.end?.(never, { isComplete: true })
    await close()
    return server.requests.map(({ headers, body }) => [headers['x-dataset-completeness'], JSON.parse(body).length])
  }

  test('is that of the run before, until all of this one is there', async () => {
    expect(await told(true, { before: 5, atEnd: 9 })).toEqual([
      ['5', 2],
      ['5', 1],
      ['9', 0],
    ])
  })

  test('comes after updates in a request of its own, when it is another one and something was sent', async () => {
    expect(await told(false, { before: 0, atEnd: 9 })).toEqual([
      ['0', 2],
      ['0', 1],
      ['9', 0],
    ])
    server.requests.length = 0
    expect(await told(false, { before: 9, atEnd: 9 }, 1)).toEqual([['9', 1]])
    server.requests.length = 0
    expect(await told(false, { before: 0, atEnd: 9 }, 0)).toEqual([])
  })

  test('is nothing where nothing is known', async () => {
    expect(await told(false, undefined, 1)).toEqual([[undefined, 1]])
  })
})
