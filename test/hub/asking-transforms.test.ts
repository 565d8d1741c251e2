import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Behaviour, type FakeServer, startFakeServer, status } from '../fakes/http-server.ts'
import { deploy, live, openHub, push, receiver } from './running-hub.ts'

describe('a transform that asks a system', () => {
  let server: FakeServer
  beforeAll(async () => {
    server = await startFakeServer()
  })
  afterAll(() => server.close())

  const system = () => ({ _id: 'maker', type: 'system:url', url_pattern: `${server.url}%s` })
  const made = (more: object = {}, pump: object = {}) => ({
    _id: 'made',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'in' },
    transform: [
      {
        type: 'dtl',
        rules: {
          default: [
            ['copy', '*'],
            ['add', 'twice', ['*', 2, '_S.n']],
          ],
        },
      },
      { type: 'http', system: 'maker', url: 'make', batch_size: 2, ...more },
    ],
    pump: { mode: 'manual', write_retry_delay: 0, ...pump },
  })
  const marks: Behaviour = (response, { body }) =>
    void response.end(JSON.stringify((JSON.parse(body) as object[]).map((one) => ({ ...one, made: true }))))

  it('makes entities of entities, and names those that it fails with', async () => {
    const { tenant } = await openHub()
    await expect(deploy(tenant, receiver('in'), made())).rejects.toMatchObject({ code: 'config-rejected' })
    await deploy(tenant, system(), receiver('in'), made({}, { batch_retries: 2 }))
    await push(
      tenant,
      'in',
      [1, 2, 3].map((n) => ({ _id: `e${n}`, n })),
    )
    server.on('/make', status(503, 'not now'), marks)
    expect(await tenant.runNow('made')).toMatchObject({ outcome: 'completed', changes: 3 })
    expect(await live(tenant, 'made')).toEqual([1, 2, 3].map((n) => ({ _id: `e${n}`, n, twice: 2 * n, made: true })))
    server.on('/make', status(422, 'no'))
    await push(tenant, 'in', [{ _id: 'e9', n: 9 }])
    expect(await tenant.runNow('made')).toMatchObject({ outcome: 'failed', message: expect.stringContaining("'e9'") })

    // Whoever only looks asks nobody, unless nothing changes by it.
    server.requests.length = 0
    server.on('/make', marks)
    const seen = async (query: object = {}) => {
      const found: unknown[] = []
      const signal = new AbortController().signal
      const read = tenant.pipeEntities('made', { stage: 'sink', limit: 1, ...query }, signal)
      for await (const texts of read) found.push(...texts.map((text) => JSON.parse(text).made ?? null))
      return found
    }
    const preview = async () =>
      JSON.parse(await tenant.preview({ pipe: 'made', config: null, source: '{"_id":"x","n":1}' })).result
    expect(await seen()).toEqual([null])
    expect(await preview()).toEqual([{ _id: 'x', n: 1, twice: 2 }])
    expect(server.requests).toEqual([])
    expect(await seen({ withSideEffects: true })).toEqual([true])
    await deploy(tenant, system(), receiver('in'), made({ side_effects: false }))
    expect(await seen()).toEqual([true])
    expect(await preview()).toEqual([{ _id: 'x', n: 1, twice: 2, made: true }])
  })
})
