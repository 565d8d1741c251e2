import { afterEach, describe, expect, it } from 'vitest'
import { type FakeServer, startFakeServer } from '../../fakes/http-server.ts'
import { openRealHub, openRealTenant, type RealHub } from '../real-hub.ts'

let service: FakeServer | null = null
afterEach(async () => {
  await service?.close()
  service = null
})

/** A hub that knows a microservice at an address, one without, and a plain system. */
async function hub(): Promise<RealHub & { readonly service: FakeServer }> {
  service = await startFakeServer()
  const opened = await openRealHub()
  const docker = { image: 'example/service:1', port: 5000 }
  await opened.configure(
    {
      _id: 'here',
      type: 'system:microservice',
      docker,
      url: `${service.url}base`,
      authentication: 'basic',
      username: 'hub',
      password: 'very-secret',
    },
    { _id: 'nowhere', type: 'system:microservice', docker },
    { _id: 'web', type: 'system:url', url_pattern: `${service.url}%s` },
    { _id: 'gone', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' },
    { _id: 'files', type: 'system:url', url_pattern: 'https://example.invalid/%s', jwt_token: 'very-secret' },
  )
  return { ...opened, service }
}

const status = async (opened: RealHub, id: string) => (await opened.fetch(`/systems/${id}/status`)).json()

describe('what can be asked of a system', { timeout: 60_000 }, () => {
  it('is whether it answers, whatever that is', async () => {
    const opened = await hub()
    expect(await status(opened, 'web')).toEqual({ running: true, status: 404, address: opened.service.url })
    expect(await status(opened, 'gone')).toEqual({ running: false, reason: expect.stringContaining('127.0.0.1:1') })
    expect(await status(opened, 'nowhere')).toEqual({
      running: false,
      reason: expect.stringContaining('runs no containers'),
    })
    expect(await status(opened, 'here')).toMatchObject({ running: true })
    expect(opened.service.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD'])
    expect((await opened.fetch('/systems/nobody/status')).status).toBe(404)
  })

  it('is nothing of containers', async () => {
    const opened = await openRealTenant()
    await opened.configure(
      { _id: 'nowhere', type: 'system:microservice', docker: { image: 'x', port: 1 } },
      { _id: 'web', type: 'system:url', url_pattern: 'http://example.org/' },
    )
    const expected = { code: 'no-containers', hint: expect.stringContaining('"url"') }
    for (const [method, path] of [
      ['GET', '/systems/nowhere/logs?since=2024-01-01'],
      ['POST', '/systems/nowhere/reload'],
      ['GET', '/systems/nowhere/proxy/x'],
    ] as const) {
      const answer = await opened.fetch(path, { method })
      expect([answer.status, await answer.json()], path).toMatchObject([409, expected])
      const other = await opened.fetch(path.replace('nowhere', 'web'), { method })
      expect([other.status, await other.json()], path).toMatchObject([400, { code: 'not-a-microservice' }])
    }
  })

  it('is anything of a microservice that runs somewhere, with the credentials of the hub and not those of the caller', async () => {
    const opened = await hub()
    opened.service.on('/base/things/a%20b', (response) => {
      response.writeHead(207, { 'content-type': 'text/html', 'x-own': 'yes', 'set-cookie': 'a=b' })
      response.end('<p>hello')
    })
    const headers = { authorization: 'bearer caller', cookie: 'c=d', 'content-type': 'text/plain', 'x-more': '1' }
    const answer = await opened.fetch('/systems/here/proxy/things/a%20b?x=1&x=2&y=%26', {
      method: 'PATCH',
      headers,
      body: 'body',
    })
    expect([answer.status, await answer.text()]).toEqual([207, '<p>hello'])
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'x-own': 'yes', 'content-security-policy': 'sandbox' })
    expect(answer.headers.get('set-cookie')).toBeNull()
    const [asked] = opened.service.requests
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
    expect((await opened.fetch('/systems/here/proxy/missing')).status).toBe(404)
  })

  it('never leaves the microservice, whatever the path says', async () => {
    const opened = await hub()
    for (const path of ['http://example.invalid/x', '//example.invalid/x', '%2F%2Fexample.invalid']) {
      expect((await opened.fetch(`/systems/here/proxy/${path}`)).status, path).toBe(404)
    }
    expect(opened.service.requests.map(({ path }) => path.startsWith('/base/'))).toEqual([true, true, true])
  })

  it('is nothing when it does not answer', async () => {
    const opened = await openRealHub()
    await opened.configure({ _id: 'gone', type: 'system:microservice', url: 'http://127.0.0.1:1' })
    const answer = await opened.fetch('/systems/gone/proxy/x')
    expect([answer.status, await answer.json()]).toMatchObject([502, { code: 'system-unreachable' }])
  })
})
