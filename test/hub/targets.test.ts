import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPEN_POLICY } from '../../src/config/network-policy.ts'
import { type FakeServer, json, startFakeServer } from '../fakes/http-server.ts'
import { deploy, openHub } from './running-hub.ts'

let server: FakeServer
beforeAll(async () => {
  server = await startFakeServer()
  server.on('/people', json([{ _id: 'a' }]))
})
afterAll(() => server?.close())

const reading = () => [
  { _id: 'crm', type: 'system:url', url_pattern: `${server.url}%s` },
  { _id: 'people', type: 'pipe', source: { type: 'json', system: 'crm', url: 'people' }, pump: { mode: 'manual' } },
]

describe('systems on this machine', () => {
  it('are open to the default tenant, until a proxy is trusted: from then on for what is deployed', async () => {
    const { node, tenant } = await openHub()
    await deploy(tenant, ...reading())
    expect(await tenant.runNow('people')).toMatchObject({ outcome: 'completed', read: 1 })
    const other = await node.createTenant('acme')
    await deploy(other, ...reading())
    expect(await other.runNow('people')).toMatchObject({ outcome: 'failed', code: 'target-refused' })
    expect(() => other.subscribe({ dataset: 'people', url: server.url, token: 't', since: null })).toThrow(
      expect.objectContaining({ code: 'target-refused' }),
    )
    node.replaceNetwork({ ...OPEN_POLICY, trusted_proxies: [{ range: '10.0.0.1' }] })
    const changed = reading().map((one) => ({ ...one, description: 'again' }))
    await deploy(tenant, ...changed)
    expect(await tenant.runNow('people')).toMatchObject({ outcome: 'failed', code: 'target-refused' })
    expect(() => tenant.subscribe({ dataset: 'people', url: server.url, token: 't', since: null })).toThrow(
      expect.objectContaining({ code: 'target-refused' }),
    )
  })

  it('are open where the hub can be reached from elsewhere only as far as they are allowed', async () => {
    const { node, tenant } = await openHub({ targets: { inner: false, allowed: ['127.0.0.0/8'] } })
    await deploy(tenant, ...reading())
    expect(await tenant.runNow('people')).toMatchObject({ outcome: 'completed' })
    const other = await node.createTenant('acme')
    await deploy(other, ...reading())
    expect(await other.runNow('people')).toMatchObject({ outcome: 'completed' })
    await deploy(other, { ...reading()[0], url_pattern: 'http://10.255.255.1/%s' }, reading()[1] as object)
    expect(await other.runNow('people')).toMatchObject({ outcome: 'failed', code: 'target-refused' })
  })
})
