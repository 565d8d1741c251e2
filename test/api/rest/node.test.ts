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
  })

  it('is healthy only when all its tenants are, and says why not', async () => {
    expect((await served.get('/api/health')).status).toBe(200)
    const other = new FakeTenant('other')
    other.isReady = false
    served.node.all.set('other', other)
    const response = await served.get('/api/health')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ status: 'unhealthy', reasons: ['The graph is loading.'] })
    expect((await served.get('/t/other/api/health')).status).toBe(503)
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
