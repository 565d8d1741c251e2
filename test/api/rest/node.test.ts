import { describe, expect, it } from 'vitest'
import { FakeTenant } from '../fake-hub.ts'
import { serve } from '../serve.ts'

describe('the node', () => {
  const served = serve()

  it('gives its root with and without a slash at the end', async () => {
    for (const path of ['/api', '/api/']) {
      expect(await (await served.get(path)).json()).toMatchObject({
        status: { developer_mode: true, node_version: '0.0.1' },
      })
    }
  })

  it('answers a ping', async () => {
    expect(await (await served.get('/api/ping')).json()).toEqual({ status: 'running' })
  })

  it('says its start to the millisecond', async () => {
    const status = (await (await served.get('/api/status')).json()) as Record<string, unknown>
    expect(status).toMatchObject({ node_id: 'node-1', node_start_time: '2023-11-14T22:13:20.000Z' })
    expect(status.node_uptime).toBeGreaterThan(0)
    expect(status.disks).toEqual([{ folder: 'data', free_bytes: 10, total_bytes: 100 }])
    expect(status.memory).toMatchObject({ rss: expect.any(Number) })
    expect(status.cpu).toMatchObject({ user_seconds: expect.any(Number) })
  })

  it('is restarted and reset in one piece, and says exactly that it is', async () => {
    const admin = (operation: string, prefix = '') =>
      served.post(`${prefix}/api/admin`, new URLSearchParams({ operation, force: 'true' }))
    served.node.all.set('other', new FakeTenant('other'))
    served.tenant.write('a', '[{"_id":"1"}]')
    expect(await (await admin('restart')).text()).toBe('{"message":"OK"}')
    expect(await (await admin('restart', '/t/other')).text()).toBe('{"message":"OK"}')
    expect(served.node.restarted).toEqual([['default', 'other'], ['other']])
    expect((await admin('delete-all-sink-datasets')).status).toBe(200)
    expect(served.tenant.resets).toBe(1)
    expect((await served.get('/api/datasets/a')).status).toBe(200)
    expect(await (await admin('reset')).json()).toEqual({ message: 'OK' })
    expect((await served.get('/api/datasets/a')).status).toBe(404)
    for (const operation of ['fly', 'constructor', '']) {
      expect(await (await admin(operation)).json()).toMatchObject({ status: 400, code: 'unsupported-operation' })
    }
    expect((await served.post('/api', new URLSearchParams({ operation: 'restart' }))).status).toBe(400)
  })

  it('is another one than somebody expects', async () => {
    const expecting = (id: string) => served.get('/api/pipes', { 'X-Expected-Node-Id': id })
    expect((await expecting('node-1')).status).toBe(200)
    const other = await expecting('node-2')
    expect([other.status, await other.json()]).toMatchObject([400, { code: 'wrong-node' }])
  })

  it('tells of its memory, its threads and its licence', async () => {
    served.tenant.write('a', '[{"_id":"1"},{"_id":"2"}]')
    expect(await (await served.get('/api/stats')).json()).toMatchObject({ datasets: 1, 'entities-existing': 2 })
    for (const path of ['heap', 'stacktrace', 'debugmallocstats']) {
      expect((await served.get(`/api/status/${path}`)).status, path).toBe(200)
    }
    expect(await (await served.get('/api/license')).json()).toMatchObject({ license: 'Apache-2.0', valid: true })
  })

  it('lays out configuration, every digit kept', async () => {
    const json = { 'content-type': 'application/json' }
    const given =
      '[{"source":{"type":"embedded","entities":[{"_id":"1"}]},"x":12345678901234567890,"y":1.0,"type":"pipe","_id":"a"}]'
    const answer = await served.post('/api/utils/reformat-config', given, json)
    expect(await answer.text()).toBe(`[
  {
    "_id": "a",
    "type": "pipe",
    "source": {
      "type": "embedded",
      "entities": [
        {
          "_id": "1"
        }
      ]
    },
    "x": 12345678901234567890,
    "y": 1.0
  }
]
`)
    expect((await served.post('/api/utils/reformat-config', '{', json)).status).toBe(400)
  })

  it('says 400 to what is deprecated, and 404 to what it never knew', async () => {
    expect((await served.post('/api/datasets/a/run-dtl', '{}')).status).toBe(400)
    expect((await served.post('/api/datasets/a/analyze-dtl', '{}')).status).toBe(400)
    const unknown = await served.get('/api/no/such/thing')
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8'])
    expect(await unknown.json()).toMatchObject({ code: 'not-found', message: expect.any(String) })
  })

  it('gives metadata and namespaces', async () => {
    expect(await (await served.get('/api/metadata')).json()).toMatchObject({
      config: { effective: { global_defaults: {} } },
    })
    expect(await (await served.get('/api/namespaces')).json()).toMatchObject({
      ex: 'http://example.com/',
      foaf: 'http://xmlns.com/foaf/0.1/',
    })
  })
})
