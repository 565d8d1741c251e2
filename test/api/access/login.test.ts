import { beforeAll, describe, expect, it } from 'vitest'
import { guardedHub } from './guarded-hub.ts'

const hub = guardedHub()
const EMAIL = 'kari@example.org'
const PASSWORD = 'correct horse'
const form = 'application/x-www-form-urlencoded'
const page = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

beforeAll(async () => {
  await hub.node.access.users.add({
    email: EMAIL,
    name: 'Kari',
    roles: ['group:Admin'],
    tenants: null,
    password: PASSWORD,
  })
})

const login = (password: string, headers: Record<string, string> = {}, email = EMAIL) =>
  hub.ask(null, 'POST', '/login', new URLSearchParams({ email, password, next: '/api/pipes' }).toString(), {
    'content-type': form,
    ...headers,
  })
const cookieOf = (headers: Headers): string => (headers.get('set-cookie') ?? '').split(';')[0] as string
const withCookie = async () => ({ cookie: cookieOf((await login(PASSWORD)).headers) })

describe('a program', () => {
  it('gets a token for a password, as plain text, and is that account', async () => {
    for (const [body, type] of [
      [JSON.stringify({ email: EMAIL, password: PASSWORD }), 'application/json'],
      [new URLSearchParams({ email: EMAIL.toUpperCase(), password: PASSWORD }).toString(), form],
    ] as const) {
      const { status, body: token, headers } = await hub.ask(null, 'POST', '/api/jwt', body, { 'content-type': type })
      expect(status).toBe(200)
      expect(headers.get('content-type')).toContain('text/plain')
      const me = await hub.ask(token, 'GET', '/api/me')
      expect(me.body).toMatchObject({ email: EMAIL, roles: ['group:Admin', 'group:Everyone'] })
      // In whatever case the scheme is written.
      expect((await hub.ask(null, 'GET', '/api/pipes', undefined, { authorization: `bearer ${token}` })).status).toBe(
        200,
      )
    }
  })

  it('learns nothing from a wrong password, nor from an account that is not there', async () => {
    for (const email of [EMAIL, 'nobody@example.org']) {
      const { status, body, headers } = await hub.ask(null, 'POST', '/api/jwt', { email, password: 'wrong password' })
      expect({ status, code: body.code, message: body.message }).toEqual({
        status: 401,
        code: 'wrong-password',
        message: 'There is no such account with this password.',
      })
      expect(headers.get('www-authenticate')).toBe('Bearer')
    }
    expect((await hub.ask(null, 'POST', '/api/jwt', {})).status).toBe(400)
  })

  it('may change its own password, and nobody else: all tokens are void then', async () => {
    const add = { name: null, roles: [], tenants: null, password: PASSWORD }
    await hub.node.access.users.add({ email: 'ola@example.org', ...add })
    const { body: token } = await hub.ask(null, 'POST', '/api/jwt', { email: 'ola@example.org', password: PASSWORD })
    const change = (password: string) =>
      hub.ask(token, 'PUT', '/api/me/password', { password, new_password: 'another one' })
    expect((await change('not the one')).status).toBe(401)
    expect((await change(PASSWORD)).status).toBe(200)
    expect((await hub.ask(token, 'GET', '/api/me')).status).toBe(401)
    const program = await hub.token([])
    const body = { password: 'x', new_password: 'another one' }
    expect((await hub.ask(program, 'PUT', '/api/me/password', body)).status).toBe(403)
  })
})

describe('a browser', () => {
  it('is shown a page without scripts where it lacks a cookie, and comes back to where it was', async () => {
    const { status, body, headers } = await hub.ask(null, 'GET', '/id/a/b?a=1', undefined, page)
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toContain('<input type="hidden" name="next" value="/id/a/b?a=1">')
    expect(body).not.toMatch(/<script|javascript:|\son\w+\s*=/i)
    const reference = await hub.ask(null, 'GET', '/api/reference/?a=1', undefined, page)
    expect([reference.status, reference.headers.get('location')]).toEqual([
      303,
      '/login?next=%2Fapi%2Freference%2F%3Fa%3D1',
    ])
    expect((await hub.ask(null, 'GET', '/login?next=%22%3E%3Cb%3E', undefined, page)).body).not.toContain('<b>')
  })

  it('gets a cookie that scripts and other sites do not see', async () => {
    const { status, headers } = await login(PASSWORD)
    expect(status).toBe(303)
    expect(headers.get('location')).toBe('/api/pipes')
    expect(headers.get('set-cookie')).toMatch(
      /^samtale-session=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    )
    const cookie = { cookie: `theme=dark; ${cookieOf(headers)}` }
    expect((await hub.ask(null, 'GET', '/api/pipes', undefined, cookie)).status).toBe(200)
    expect((await hub.ask(null, 'GET', '/login', undefined, cookie)).body).toContain(`logged in as ${EMAIL}`)
  })

  it('goes nowhere else after a login', async () => {
    for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:x', '/a\r\nX: 1']) {
      const body = new URLSearchParams({ email: EMAIL, password: PASSWORD, next }).toString()
      const { headers } = await hub.ask(null, 'POST', '/login', body, { 'content-type': form })
      expect(headers.get('location'), next).toBe('/login')
    }
  })

  it('is told on the page what was wrong', async () => {
    const { status, body } = await login('wrong password', page)
    expect(status).toBe(401)
    expect(body).toContain('<p role="alert">There is no such account with this password.</p>')
  })

  it('changes nothing for a page of another site, which may be a neighbour', async () => {
    const cookie = await withCookie()
    const post = (headers: Record<string, string>) =>
      hub
        .ask(null, 'PUT', '/api/env', {}, { ...cookie, ...headers })
        .then(({ status, body }) => `${status} ${body.code ?? ''}`)
    const { host } = new URL(hub.url)
    expect(await post({ origin: `http://${host}` })).toBe('200 ')
    expect(await post({ 'sec-fetch-site': 'same-origin' })).toBe('200 ')
    expect(await post({})).toBe('403 cross-site')
    for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null', `http://${host}.evil.example`]) {
      expect(await post({ origin }), origin).toBe('403 cross-site')
    }
    for (const site of ['cross-site', 'same-site', 'none'])
      expect(await post({ 'sec-fetch-site': site })).toBe('403 cross-site')
    // Nor is it logged in by one.
    expect((await login(PASSWORD, { origin: 'https://evil.example' })).status).toBe(403)
  })

  it('is nobody with a cookie that is void, and may log in again', async () => {
    const cookie = await withCookie()
    const { host } = new URL(hub.url)
    const out = await hub.ask(null, 'POST', '/logout', '', {
      ...cookie,
      origin: `http://${host}`,
      'content-type': form,
    })
    expect(out.status).toBe(303)
    expect(out.headers.get('set-cookie')).toMatch(/^samtale-session=; .*Max-Age=0$/)
    expect((await hub.ask(null, 'GET', '/api/pipes', undefined, cookie)).status).toBe(401)
    expect((await hub.ask(null, 'GET', '/login', undefined, cookie)).status).toBe(200)
    expect((await hub.ask(null, 'GET', '/api/ping', undefined, cookie)).status).toBe(200)
  })
})

describe('whoever guesses', () => {
  it('has to wait, by account, also when the guess is right in the end', async () => {
    const email = 'guessed@example.org'
    await hub.node.access.users.add({ email, name: null, roles: [], tenants: null, password: PASSWORD })
    const guess = (password: string) => hub.ask(null, 'POST', '/api/jwt', { email, password })
    const statuses = await Promise.all(
      Array.from({ length: 12 }, () => guess('wrong password').then(({ status }) => status)),
    )
    expect(statuses.filter((status) => status === 401)).toHaveLength(10)
    const { status, headers, body } = await guess(PASSWORD)
    expect({ status, code: body.code }).toEqual({ status: 429, code: 'too-many-logins' })
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(600)
    // Others are not kept out by it.
    expect((await login(PASSWORD)).status).toBe(303)
  })
})
