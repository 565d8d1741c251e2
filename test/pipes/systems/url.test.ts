import { getEventListeners, once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SystemPort } from '../../../src/pipes/systems/contract.ts'
import { urlSystem } from '../../../src/pipes/systems/url.ts'
import { selfSigned } from '../../fakes/certificate.ts'
import {
  cutAfter,
  type FakeServer,
  json,
  later,
  redirect,
  silence,
  stalling,
  startFakeServer,
  status,
  text,
  wrongLength,
} from '../../fakes/http-server.ts'
import { configured, errorOf, openUrlSystem } from '../surroundings.ts'

let server: FakeServer
const open: { close(): Promise<void> }[] = []
const never = new AbortController().signal

beforeEach(async () => {
  server = await startFakeServer()
  open.push(server)
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

function system(config: Record<string, unknown>, folder: string | null = null): SystemPort {
  const port = openUrlSystem(config, folder)
  open.push(port)
  return port
}

async function bodyOf(port: SystemPort, url: string): Promise<string> {
  return (await port.request({ url }, never)).text()
}

describe('the address', () => {
  test('puts what the pipe gives in the place of %s', async () => {
    server.on('/api/people/list', json([1]))
    expect(await bodyOf(system({ url_pattern: `${server.url}api/%s/list` }), 'people')).toBe('[1]')
  })

  test('is appended to a pattern without %s, also when it holds replacement patterns', async () => {
    server.on('/api/$&', text('yes'))
    expect(await bodyOf(system({ url_pattern: `${server.url}api/` }), '$&')).toBe('yes')
    expect(await bodyOf(system({ url_pattern: `${server.url}%s` }), 'api/$&')).toBe('yes')
  })

  test('stands for itself when it is complete', async () => {
    server.on('/next', text('page two'))
    expect(await bodyOf(system({ url_pattern: `${server.url}api/%s` }), `${server.url}next`)).toBe('page two')
  })

  test('is joined to a base_url', async () => {
    server.on('/v2/people', text('joined'))
    expect(await bodyOf(system({ base_url: `${server.url}v1/` }), '../v2/people')).toBe('joined')
  })

  test('keeps its own parameters as they are and gets those of the request', async () => {
    server.on('/list', text('ok'))
    const port = system({ url_pattern: `${server.url}%s` })
    await (await port.request({ url: 'list?a=x%20y', query: { since: 'a&b', limit: '3' } }, never)).text()
    expect(server.requests[0]?.query).toEqual({ a: 'x y', since: 'a&b', limit: '3' })
  })

  test.each(['ftp://example.org/%s', 'http://%s', 'data:text/plain,%s'])(
    'is refused when it is %s',
    async (pattern) => {
      const error = await errorOf(system({ url_pattern: pattern }).request({ url: '' }, never))
      expect(error.code).toBe('bad-address')
    },
  )
})

describe('credentials', () => {
  const headersAt = (path: string) => server.requests.find((request) => request.path === path)?.headers

  test('basic and bearer travel as headers, with the system’s own', async () => {
    server.on('/x', text(''))
    await bodyOf(
      system({
        url_pattern: `${server.url}%s`,
        authentication: 'basic',
        username: 'me',
        password: 'pass',
        headers: { 'X-Key': 'k' },
      }),
      'x',
    )
    expect(headersAt('/x')).toMatchObject({ authorization: `Basic ${btoa('me:pass')}`, 'x-key': 'k' })
    await bodyOf(system({ url_pattern: `${server.url}%s`, jwt_token: 'tok', headers: { Authorization: 'other' } }), 'x')
    expect(server.requests[1]?.headers.authorization).toBe('Bearer tok')
  })

  test('a user and password in the address travel as a header too', async () => {
    server.on('/x', text(''))
    await bodyOf(system({ url_pattern: `${server.url.replace('//', '//me:p%40ss@')}%s` }), 'x')
    expect(headersAt('/x')?.authorization).toBe(`Basic ${btoa('me:p@ss')}`)
  })

  test('stay with their server: neither a redirect nor a complete address takes them elsewhere', async () => {
    const other = await startFakeServer()
    open.push(other)
    other.on('/there', text('hello'))
    server.on('/here', redirect(`${other.url}there`))
    const port = system({
      url_pattern: `${server.url}%s`,
      jwt_token: 'tok',
      headers: { 'x-api-key': 'k', accept: 'text/csv' },
    })
    const answer = await port.request({ url: 'here', headers: { 'x-mine': '1', accept: 'application/json' } }, never)
    expect(await answer.text()).toBe('hello')
    expect(await bodyOf(port, `${other.url}there`)).toBe('hello')
    expect(headersAt('/here')).toMatchObject({ authorization: 'Bearer tok', 'x-api-key': 'k', 'x-mine': '1' })
    for (const { headers } of other.requests) {
      expect(headers.authorization).toBeUndefined()
      expect(headers['x-api-key']).toBeUndefined()
      expect(headers['x-mine']).toBeUndefined()
    }
    expect(other.requests[0]?.headers.accept).toBe('application/json')
  })

  test('never stand in an error', async () => {
    const port = system({
      url_pattern: `http://me:hidden1@127.0.0.1:${await closedPort()}/%s?token=hidden2&page=1`,
      headers: { 'X-Api-Key': 'hidden3' },
    })
    const error = await errorOf(port.request({ url: 'hidden3' }, never))
    expect(error.code).toBe('system-unreachable')
    expect(error.message).toContain('page=1')
    expect(JSON.stringify([error.message, error.details, error.hint])).not.toMatch(/hidden/)
    expect(port.mask('your key hidden3 is wrong')).toBe('your key *** is wrong')
  })
})

describe('answers', () => {
  test('of any status are answers, with where they came from', async () => {
    server.on('/bad', status(500, 'broken'))
    const answer = await system({ url_pattern: `${server.url}%s` }).request({ url: 'bad' }, never)
    expect([answer.status, answer.address, await answer.text()]).toEqual([500, `${server.url}bad`, 'broken'])
  })

  test('are decompressed', async () => {
    server.on('/gzip', text(gzipSync('squeezed'), { 'content-encoding': 'gzip' }))
    server.on('/br', text(brotliCompressSync('squeezed'), { 'content-encoding': 'br' }))
    const port = system({ url_pattern: `${server.url}%s` })
    expect(await bodyOf(port, 'gzip')).toBe('squeezed')
    expect(await bodyOf(port, 'br')).toBe('squeezed')
  })

  test('share connections, and no more than a bounded number of them', async () => {
    const port = system({ url_pattern: `${server.url}%s` })
    server.on('/x', json('x'.repeat(1000)))
    for (let i = 0; i < 5; i++) await bodyOf(port, 'x')
    expect(server.connections()).toBeLessThanOrEqual(2)
    const all = Array.from({ length: 60 }, () => port.request({ url: 'x' }, new AbortController().signal))
    await Promise.all(all.map(async (answer) => (await answer).text()))
    expect(server.connections()).toBeLessThanOrEqual(16)
  })

  test.each([
    ['cut in the middle', cutAfter('[{"_id":')],
    ['shorter than announced', wrongLength('[]', 50)],
    ['compressed and cut', text(gzipSync('squeezed'.repeat(100)).subarray(0, 20), { 'content-encoding': 'gzip' })],
  ])('that are %s are an error', async (_, behaviour) => {
    server.on('/x', behaviour)
    const error = await errorOf(bodyOf(system({ url_pattern: `${server.url}%s` }), 'x'))
    expect(error.code).toBe('answer-broken')
    expect(error.details).toMatchObject({ address: `${server.url}x`, status: 200 })
  })

  test('that do not come in time are an error', async () => {
    server.on('/silent', silence)
    server.on('/stalling', stalling('['))
    const port = system({ url_pattern: `${server.url}%s`, read_timeout: 0.2 })
    expect((await errorOf(bodyOf(port, 'silent'))).code).toBe('system-unreachable')
    expect((await errorOf(bodyOf(port, 'stalling'))).code).toBe('answer-broken')
  })

  test('leave nothing behind on the signal of a long run', async () => {
    server.on('/x', json([1]))
    const port = system({ url_pattern: `${server.url}%s` })
    const { signal } = new AbortController()
    for (let i = 0; i < 20; i++) await (await port.request({ url: 'x' }, signal)).text()
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
  })

  test('are not waited for after an abort', async () => {
    server.on('/silent', silence)
    server.on('/stalling', stalling('['))
    const port = system({ url_pattern: `${server.url}%s` })
    for (const url of ['silent', 'stalling']) {
      const started = Date.now()
      const reading = port.request({ url }, AbortSignal.timeout(100)).then((answer) => answer.text())
      await expect(reading).rejects.toThrow(/abort|timeout/i)
      expect(Date.now() - started).toBeLessThan(2000)
    }
  })
})

describe('redirects', () => {
  test('are followed for reading, and the address tells the last', async () => {
    server.on('/a', redirect('/b', 301))
    server.on('/b', redirect('c', 307))
    server.on('/c', text('end'))
    const answer = await system({ url_pattern: `${server.url}%s` }).request({ url: 'a' }, never)
    expect([answer.address, await answer.text()]).toEqual([`${server.url}c`, 'end'])
  })

  test('take a body along only where the status says so', async () => {
    server.on('/old', redirect('/new', 308))
    server.on('/moved', redirect('/new', 302))
    server.on('/new', text('taken'))
    const port = system({ url_pattern: `${server.url}%s` })
    const post = (url: string) => port.request({ method: 'POST', url, body: '[1]' }, never)
    expect(await (await post('old')).text()).toBe('taken')
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: '/new', body: '[1]' })
    const kept = await post('moved')
    expect(kept.status).toBe(302)
    await kept.text()
  })

  test.each(['ftp://example.org/x', 'file:///etc/hostname', 'http://169.254.169.254/latest'])(
    'are not followed to %s',
    async (target) => {
      server.on('/x', redirect(target))
      const error = await errorOf(system({ url_pattern: `${server.url}%s` }, tmpdir()).request({ url: 'x' }, never))
      expect(error.code).toBe(target.startsWith('http:') ? 'target-refused' : 'redirect-refused')
    },
  )

  test('do not change the scheme, not even to https, and say what to do', async () => {
    server.on('/x', redirect(server.url.replace('http:', 'https:')))
    const error = await errorOf(system({ url_pattern: `${server.url}%s` }).request({ url: 'x' }, never))
    expect(error).toMatchObject({
      code: 'redirect-refused',
      hint: 'Write the address with https: in the configuration.',
    })
  })

  test('lead to nothing that is closed, however it is written', async () => {
    const outside = urlSystem.open('crm', configured(urlSystem.config, { type: 'system:url', url_pattern: '%s' }), {
      folder: null,
      targets: { inner: false, allowed: ['127.0.0.1'] },
    })
    open.push(outside)
    const { port } = new URL(server.url)
    for (const host of ['127.1.1.1', '2130706434', '[::1]', '[::ffff:127.0.0.2]', '0.0.0.0']) {
      server.on('/away', redirect(`http://${host}:${port}/inside`))
      const error = await errorOf(outside.request({ url: `${server.url}away` }, never))
      expect(error.code, host).toBe('target-refused')
    }
    expect(server.requests.some(({ path }) => path === '/inside')).toBe(false)
  })

  test('end when they go in circles', async () => {
    server.on('/x', redirect('/x'))
    const error = await errorOf(system({ url_pattern: `${server.url}%s` }).request({ url: 'x' }, never))
    expect(error.code).toBe('redirect-refused')
    expect(server.requests.length).toBe(11)
  })
})

describe('a server that asks for patience', () => {
  test('is asked again after the time it names', async () => {
    server.on('/x', later(1), later(0, 503), text('now'))
    const started = Date.now()
    const answer = await system({ url_pattern: `${server.url}%s` }).request(
      { method: 'POST', url: 'x', body: 'b' },
      never,
    )
    expect(await answer.text()).toBe('now')
    expect(Date.now() - started).toBeGreaterThanOrEqual(950)
    expect(server.requests.map(({ body }) => body)).toEqual(['b', 'b', 'b'])
  })

  test('is not asked for ever, nor waited for very long', async () => {
    server.on('/busy', later(0))
    server.on('/away', later(86400, 503))
    const port = system({ url_pattern: `${server.url}%s` })
    expect((await port.request({ url: 'busy' }, never)).status).toBe(429)
    expect(server.requests.length).toBe(4)
    expect((await port.request({ url: 'away' }, never)).status).toBe(503)
    expect(server.requests.length).toBe(5)
  })

  test('is left at once after an abort', async () => {
    server.on('/x', later(50))
    const started = Date.now()
    await expect(
      system({ url_pattern: `${server.url}%s` }).request({ url: 'x' }, AbortSignal.timeout(100)),
    ).rejects.toThrow()
    expect(Date.now() - started).toBeLessThan(2000)
  })
})

describe('certificates', () => {
  test('are taken as they are by default, and proven with verify_ssl', async () => {
    const certificate = selfSigned()
    const secure = await startFakeServer(certificate)
    open.push(secure)
    secure.on('/x', text('secure'))
    const url_pattern = `${secure.url}%s`
    expect(await bodyOf(system({ url_pattern }), 'x')).toBe('secure')
    const error = await errorOf(bodyOf(system({ url_pattern, verify_ssl: true }), 'x'))
    expect([error.code, error.hint]).toEqual(['system-unreachable', expect.stringContaining('custom_ca_pem_chain')])
    expect(await bodyOf(system({ url_pattern, verify_ssl: true, custom_ca_pem_chain: certificate.cert }), 'x')).toBe(
      'secure',
    )
  })
})

describe('files', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'url-system-'))
    mkdirSync(join(folder, 'conf'))
    writeFileSync(join(folder, 'data one.json'), '["data"]')
    open.push({ close: async () => rmSync(folder, { recursive: true }) })
  })

  test('are found from the folder of the configuration', async () => {
    const conf = join(folder, 'conf')
    expect(await bodyOf(system({ url_pattern: 'file:../%s' }, conf), 'data%20one.json')).toBe('["data"]')
    expect(await bodyOf(system({ url_pattern: '%s' }, conf), 'file:../data%20one.json')).toBe('["data"]')
    expect(await bodyOf(system({ base_url: 'file:../' }, conf), 'data%20one.json')).toBe('["data"]')
    expect(await bodyOf(system({ url_pattern: `file://${folder}/%s` }, conf), 'data%20one.json')).toBe('["data"]')
  })

  test('are closed to configuration that came over the network', async () => {
    for (const config of [
      { url_pattern: `file://${folder}/%s` },
      { url_pattern: '%s' },
      { base_url: `file://${folder}/` },
    ]) {
      const error = await errorOf(system(config).request({ url: `file://${folder}/data%20one.json` }, never))
      expect(error.code).toBe('file-refused')
    }
  })

  test('that are missing or not ordinary are an error', async () => {
    for (const path of ['none.json', 'conf', '/dev/zero']) {
      const error = await errorOf(system({ url_pattern: 'file:%s' }, folder).request({ url: path }, never))
      expect(error.code).toBe('system-unreachable')
    }
  })

  test('are only read', async () => {
    const request = { method: 'POST', url: 'data%20one.json', body: '' } as const
    expect((await errorOf(system({ url_pattern: 'file:%s' }, folder).request(request, never))).code).toBe('bad-request')
  })
})

describe('the configuration', () => {
  const findings = (config: Record<string, unknown>) =>
    urlSystem
      .check?.(configured(urlSystem.config, { type: 'system:url', ...config }))
      .map(({ level, pointer }) => [level, pointer])

  test('needs an address, one of the two kinds', () => {
    expect(findings({})).toEqual([['error', '']])
    expect(findings({ url_pattern: 'http://a/', base_url: 'http://a/' })).toEqual([['error', '/base_url']])
    expect(findings({ base_url: 'http://a/' })).toEqual([['warning', '/base_url']])
    expect(findings({ url_pattern: 'http://a/%s/%s' })).toEqual([['error', '/url_pattern']])
    expect(findings({ url_pattern: 'http://a/%s' })).toEqual([])
  })

  test('names authentications that are not there yet, and half ones', () => {
    const url_pattern = 'http://a/'
    expect(findings({ url_pattern, authentication: 'digest' })).toEqual([['error', '/authentication']])
    expect(findings({ url_pattern, authentication: 'basic' })).toEqual([['error', '/authentication']])
    expect(findings({ url_pattern, authentication: 'jwt' })).toEqual([['error', '/authentication']])
    expect(findings({ url_pattern, username: 'me' })).toEqual([['warning', '/username']])
    expect(() => system({ url_pattern, authentication: 'ntlm' })).toThrow(/not supported by this version/)
  })

  test('of the examples is valid', () => {
    for (const example of urlSystem.examples) expect(findings(example)).toEqual([])
  })
})

/** A port that a server just gave back. */
async function closedPort(): Promise<number> {
  const brief = createServer().listen(0, '127.0.0.1')
  await once(brief, 'listening')
  const { port } = brief.address() as AddressInfo
  brief.close()
  await once(brief, 'close')
  return port
}
