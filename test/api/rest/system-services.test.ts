import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeServer, startFakeServer } from '../../fakes/http-server.ts'
import { liveHub } from '../../journeys/live-hub.ts'

const hub = liveHub()
let service: FakeServer

/** A hub that knows a microservice at an address, one without, one that does not answer, and plain systems. */
beforeAll(async () => {
  service = await startFakeServer()
  const docker = { image: 'example/service:1', port: 5000 }
  const basic = { authentication: 'basic', username: 'hub', password: 'very-secret' }
  const { status, body } = await hub.configure([
    { _id: 'here', type: 'system:microservice', docker, url: `${service.url}base`, ...basic },
    { _id: 'nowhere', type: 'system:microservice', docker },
    { _id: 'away', type: 'system:microservice', url: 'http://127.0.0.1:1' },
    { _id: 'web', type: 'system:url', url_pattern: `${service.url}%s` },
    { _id: 'gone', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' },
  ])
  expect(status, JSON.stringify(body)).toBe(200)
})
afterAll(() => service.close())

const ask = (path: string, init: RequestInit = {}) => fetch(`${hub.url}/api${path}`, init)
const status = async (id: string) => (await ask(`/systems/${id}/status`)).json()

describe('what can be asked of a system', { timeout: 60_000 }, () => {
  it('is whether it answers, whatever that is', async () => {
    expect(await status('web')).toEqual({ running: true, status: 404, address: service.url })
    expect(await status('gone')).toEqual({ running: false, reason: expect.stringContaining('127.0.0.1:1') })
    expect(await status('nowhere')).toEqual({
      running: false,
      reason: expect.stringContaining('runs no containers'),
    })
    expect(await status('here')).toMatchObject({ running: true })
    expect(service.requests.splice(0).map(({ method }) => method)).toEqual(['HEAD', 'HEAD'])
    expect((await ask('/systems/nobody/status')).status).toBe(404)
  })

  it('is what to write after it', async () => {
    const patterns = async (path: string) => (await ask(path)).json()
    expect(await patterns('/system-prototypes')).toContainEqual(expect.objectContaining({ type: 'system:url' }))
    const source = { of: 'source', type: 'json', config: expect.objectContaining({ system: 'web' }) }
    expect(await patterns('/systems/web/source-prototypes')).toContainEqual(expect.objectContaining(source))
    expect((await ask('/systems/nobody/sink-prototypes')).status).toBe(404)
  })

  it('is nothing of containers', async () => {
    const expected = { code: 'no-containers', hint: expect.stringContaining('"url"') }
    for (const [method, path] of [
      ['GET', '/systems/nowhere/logs?since=2024-01-01'],
      ['POST', '/systems/nowhere/reload'],
      ['GET', '/systems/nowhere/proxy/x'],
    ] as const) {
      const answer = await ask(path, { method })
      expect([answer.status, await answer.json()], path).toMatchObject([409, expected])
      const other = await ask(path.replace('nowhere', 'web'), { method })
      expect([other.status, await other.json()], path).toMatchObject([400, { code: 'not-a-microservice' }])
    }
  })

  it('is anything of a microservice that runs somewhere, with the credentials of the hub and not those of the caller', async () => {
    service.on('/base/things/a%20b', (response) => {
      response.writeHead(207, { 'content-type': 'text/html', 'x-own': 'yes', 'set-cookie': 'a=b' })
      response.end('<p>hello')
    })
    const headers = { authorization: 'bearer caller', cookie: 'c=d', 'content-type': 'text/plain', 'x-more': '1' }
    const answer = await ask('/systems/here/proxy/things/a%20b?x=1&x=2&y=%26', {
      method: 'PATCH',
      headers,
      body: 'body',
    })
    expect([answer.status, await answer.text()]).toEqual([207, '<p>hello'])
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'x-own': 'yes', 'content-security-policy': 'sandbox' })
    expect(answer.headers.get('set-cookie')).toBeNull()
    const [asked] = service.requests.splice(0)
    expect(asked).toMatchObject({
      method: 'PATCH',
      path: '/base/things/a%20b',
      body: 'body',
      query: { x: '2', y: '&' },
    })
    expect(asked?.headers).toMatchObject({
      'content-type': 'text/plain',
      'x-more': '1',
      authorization: expect.stringMatching(/^Basic/),
    })
    expect(asked?.headers.cookie).toBeUndefined()
    expect((await ask('/systems/here/proxy/missing')).status).toBe(404)
    service.requests.splice(0)
  })

  it('never leaves the microservice, whatever the path says', async () => {
    for (const path of ['http://example.invalid/x', '//example.invalid/x', '%2F%2Fexample.invalid']) {
      expect((await ask(`/systems/here/proxy/${path}`)).status, path).toBe(404)
    }
    expect(service.requests.map(({ path }) => path.startsWith('/base/'))).toEqual([true, true, true])
  })

  it('is nothing when it does not answer', async () => {
    const answer = await ask('/systems/away/proxy/x')
    expect([answer.status, await answer.json()]).toMatchObject([502, { code: 'system-unreachable' }])
  })
})
