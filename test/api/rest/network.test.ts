import { request } from 'node:http'
import { beforeEach, describe, expect, it } from 'vitest'
import { NetworkPolicy, OPEN_POLICY, readNetworkPolicy } from '../../../src/config/network-policy.ts'
import { serve } from '../serve.ts'

const told: unknown[] = []
const log = { debug() {}, info() {}, error() {}, warn: (_: string, details: unknown) => void told.push(details) }
const served = serve({ log })

beforeEach(() => served.node.replaceNetwork(OPEN_POLICY))

const put = (policy: unknown, query = '') =>
  fetch(`${served.url}/api/network-policy${query}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(policy),
  })

const given = (policy: object) => served.node.replaceNetwork(readNetworkPolicy(policy).policy)

/** From another address of this machine: status and body. */
const from = (localAddress: string, path: string, method = 'GET'): Promise<readonly [number, string]> =>
  new Promise((resolve, reject) => {
    const asked = request(served.url + path, { localAddress, method }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve([response.statusCode as number, text]))
    })
    asked.on('error', reject).end()
  })

describe('the network policy', () => {
  it('is read, replaced as a whole, and holds from the next request on', async () => {
    expect(await (await served.get('/api/network-policy')).json()).toEqual(OPEN_POLICY)
    const answer = await put({ allow: ['127.0.0.1', { range: '10.0.0.0/8', description: 'office' }] })
    expect(answer.status).toBe(200)
    const policy = { ...OPEN_POLICY, allow: [{ range: '127.0.0.1' }, { range: '10.0.0.0/8', description: 'office' }] }
    expect(await answer.json()).toEqual(policy)
    expect(await (await served.get('/api/network-policy')).json()).toEqual(policy)
    expect((await from('127.0.0.9', '/api/ping'))[0]).toBe(403)
    expect((await from('127.0.0.1', '/api/ping'))[0]).toBe(200)
  })

  it('with mistakes changes nothing and says all of them', async () => {
    const answer = await put({ deny: ['10.0.0.0/99', 'example.org'] })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 'bad-network-policy',
      details: { problems: [{ pointer: '/deny/0/range' }, { pointer: '/deny/1/range' }] },
    })
    expect(served.node.network().document).toEqual(OPEN_POLICY)
    expect((await put(7)).status).toBe(400)
  })

  it('that would shut out whoever sends it needs force', async () => {
    const policy = { allow: ['10.0.0.0/8'] }
    const answer = await put(policy)
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({ code: 'would-lock-out', details: { address: '127.0.0.1' } })
    expect((await put(policy, '?force=true')).status).toBe(200)
    expect((await served.get('/api/ping')).status).toBe(403)
  })

  it('is the node’s, and no tenant’s', async () => {
    await served.node.createTenant('acme')
    expect((await served.get('/t/acme/api/network-policy')).status).toBe(404)
  })
})

describe('a caller that is refused', () => {
  it('learns nothing: the same answer everywhere, before anything is looked up or read', async () => {
    given({ allow: ['127.0.0.1'] })
    served.tenant.addPipe('in')
    const answers = await Promise.all(
      ['/api/ping', '/api/pipes/in', '/api/pipes/none', '/no/such/door', '/api/pipes/%E0%A4%A', '/t/none/api', '/'].map(
        (path) => from('127.0.0.9', path),
      ),
    )
    for (const [status, text] of answers) {
      expect(status).toBe(403)
      expect(JSON.parse(text)).toEqual({
        type: 'https://w3id.org/samtale/problem#forbidden',
        title: 'Forbidden',
        status: 403,
        detail: 'Forbidden.',
        message: 'Forbidden.',
        request_id: expect.any(String),
        code: 'forbidden',
        details: {},
      })
    }
  })

  it('is counted, and told to the log', async () => {
    given({ deny: ['127.0.0.77'] })
    const before = told.length
    for (let time = 0; time < 3; time++) expect((await from('127.0.0.77', '/api/ping'))[0]).toBe(403)
    expect(told.slice(before)).toEqual([{ reason: 'address', address: '127.0.0.77' }])
    const metrics = await (await served.get('/api/metrics')).text()
    expect(Number(/samtale_http_refused_total\{reason="address"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(3)
  })

  it('may be refused at the endpoints of one pipe only, or be let in there only', async () => {
    served.tenant.addPipe('closed')
    served.tenant.addPipe('partner')
    given({
      allow: ['127.0.0.1', '127.0.0.2'],
      pipes: [
        { pipe: 'closed', deny: ['127.0.0.2'] },
        { pipe: 'partner', allow: ['127.0.0.3'] },
      ],
    })
    const statuses = async (address: string) => [
      (await from(address, '/api/publishers/closed/entities'))[0],
      (await from(address, '/api/receivers/partner/entities', 'POST'))[0],
      (await from(address, '/api/ping'))[0],
    ]
    expect(await statuses('127.0.0.1')).toEqual([200, 403, 200])
    expect(await statuses('127.0.0.2')).toEqual([403, 403, 200])
    const [closed, partner, ping] = await statuses('127.0.0.3')
    expect([closed, ping]).toEqual([403, 403])
    expect(partner).not.toBe(403)
    // An id that is escaped twice is the same pipe.
    expect((await from('127.0.0.2', '/api/publishers/clo%2573ed/entities'))[0]).toBe(403)
    // The same name below a tenant is another pipe.
    await served.node.createTenant('acme')
    expect((await from('127.0.0.3', '/t/acme/api/receivers/partner/entities', 'POST'))[0]).toBe(403)
    expect((await from('127.0.0.3', '/t/default/api/receivers/partner/entities', 'POST'))[0]).not.toBe(403)
  })

  it('behind a trusted proxy is who the proxy asks for, and nobody else is believed', async () => {
    given({ trusted_proxies: ['127.0.0.1'], deny: ['203.0.113.0/24'] })
    const asked = (forwarded: string) => served.get('/api/ping', { 'x-forwarded-for': forwarded })
    expect(await (await asked('203.0.113.5')).json()).toMatchObject({ detail: 'Forbidden.' })
    expect(await (await asked('127.0.0.1, 203.0.113.5')).json()).toMatchObject({ detail: 'Forbidden.' })
    // What stands left of somebody who is not trusted says nothing: this caller passes the lists.
    expect(await (await asked('203.0.113.5, 127.0.0.1, 127.0.0.8')).json()).not.toMatchObject({ detail: 'Forbidden.' })
    const two = await served.get('/api/ping', { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.2' })
    expect([two.status, ((await two.json()) as { code: string }).code]).toEqual([400, 'bad-forwarded'])
    expect(new NetworkPolicy(OPEN_POLICY).proxies).toEqual([])
  })
})
