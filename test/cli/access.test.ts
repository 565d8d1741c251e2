/** Accounts and tokens as an operator makes them, and a hub that asks for them. */

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { selfSigned } from '../fakes/certificate.ts'
import { samtale, serve } from './command-line.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-access-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const data = join(root, 'data')
const type = (...typed: string[]) => samtale([...typed, '--data', data])
const statusOf = async (url: string, token: string | null, path = '/api/pipes'): Promise<number> =>
  (await fetch(url + path, token === null ? {} : { headers: { authorization: `Bearer ${token}` } })).status

describe('a hub as it is started first', () => {
  it('makes an administrator’s token beside its data, and lets nobody in without', async () => {
    const env = { SAMTALE_DATA: data, SAMTALE_DEVELOPER: '' }
    const hub = await serve([], { env })
    const path = join(data, 'admin.jwt')
    expect(hub.err()).toBe(`samtale: whoever calls must show a token; the administrator's is in ${path}.\n`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const admin = readFileSync(path, 'utf8').trim()
    expect([await statusOf(hub.url, null), await statusOf(hub.url, admin)]).toEqual([401, 200])
    expect(await statusOf(hub.url, null, '/api/health')).not.toBe(401)

    // What the command line changes a hub that runs hears of.
    const { out } = await type('token', 'create', 'reader', '--roles', 'group:Guest', '--ids', 'a,b')
    const token = out.trim()
    await expect.poll(() => statusOf(hub.url, token, '/api')).toBe(200)
    const listed = JSON.parse((await type('token', 'list', '--json')).out) as {
      id: string
      name: string
      ids: string[]
    }[]
    const { id, ids } = listed.find(({ name }) => name === 'reader')!
    expect(ids).toEqual(['a', 'b'])
    expect((await type('token', 'remove', id)).out).toBe("Removed 'reader': it opens nothing any more.\n")
    await expect.poll(() => statusOf(hub.url, token, '/api')).toBe(401)
    expect((await hub.end()).code).toBe(0)

    const again = await serve([], { env })
    expect(readFileSync(path, 'utf8').trim()).toBe(admin)
    expect(await statusOf(again.url, admin)).toBe(200)
    await again.end()
  })

  it('asks nobody on a developer’s own machine, until there is an account', async () => {
    const free = await serve([], { env: { SAMTALE_DATA: data } })
    expect([await statusOf(free.url, null), free.err()]).toEqual([200, ''])
    await free.end()
    writeFileSync(join(root, 'password'), 'correct horse\n')
    const add = await type(
      'user',
      'add',
      'Kari@example.org',
      '--roles',
      'group:Admin',
      '--password-file',
      join(root, 'password'),
    )
    expect(add).toEqual({ code: 0, out: 'Added kari@example.org (group:Admin).\n', err: '' })
    const asking = await serve([], { env: { SAMTALE_DATA: data } })
    expect(await statusOf(asking.url, null)).toBe(401)
    const body = new URLSearchParams({ email: 'kari@example.org', password: 'correct horse' })
    const token = await (await fetch(`${asking.url}/api/jwt`, { method: 'POST', body })).text()
    expect(await statusOf(asking.url, token, '/api/users')).toBe(200)
    expect((await type('user', 'revoke', 'kari@example.org')).code).toBe(0)
    await expect.poll(() => statusOf(asking.url, token)).toBe(401)
    await asking.end()
    const off = await serve(['--auth', 'off'], { env: { SAMTALE_DATA: data } })
    expect(await statusOf(off.url, null)).toBe(200)
    await off.end()
  })
})

describe('the command line of accounts', () => {
  it('makes a password where none is given, and says what is wrong', async () => {
    const { code, out } = await type('user', 'add', 'ola@example.org', '--json')
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { email: 'ola@example.org', roles: [], password: expect.stringMatching(/^[\w-]{20}$/) },
    ])
    expect((await type('user', 'list')).out).toMatch(/kari@example.org.*group:Admin/)
    expect(await type('user', 'add', 'x@y.z', '--roles', 'group:Admn')).toMatchObject({
      code: 1,
      err: expect.stringContaining("Did you mean 'group:Admin'?"),
    })
    expect(await type('user', 'remove', 'kari@example.org')).toMatchObject({
      code: 1,
      err: expect.stringContaining('without an administrator'),
    })
    expect(await type('user', 'remove', 'ola@example.org')).toMatchObject({
      code: 0,
      out: 'Removed ola@example.org (no roles).\n',
    })
    expect(await type('user', 'make', 'x')).toMatchObject({
      code: 2,
      err: expect.stringContaining("does not know 'make'"),
    })
    expect(await type('token', 'create', 'x', '--days', 'soon')).toMatchObject({ code: 2 })
    expect((await samtale(['user', '--help'])).out).toContain('--password-file FILE')
    expect((await samtale(['token', '--help'])).out).toContain('--permissions A,B')
    const nowhere = join(root, 'nowhere')
    expect((await samtale(['user', 'add', '--data', nowhere])).code).toBe(2)
    expect(existsSync(nowhere)).toBe(false)
  })
})

describe('a hub with a certificate', () => {
  it('speaks TLS, marks its cookie, and reads the certificate again on SIGHUP', async () => {
    const [cert, key] = [join(root, 'cert.pem'), join(root, 'key.pem')]
    const write = () => {
      const made = selfSigned()
      writeFileSync(cert, made.cert)
      writeFileSync(key, made.key)
      return made.cert
    }
    write()
    const env = { SAMTALE_DATA: data, SAMTALE_DEVELOPER: '', SAMTALE_TLS_CERT: cert, SAMTALE_TLS_KEY: key }
    const hub = await serve([], { env })
    expect(hub.url).toMatch(/^https:/)
    const ask = (method: string, path: string, body = '') =>
      new Promise<{ status: number; cookie: string; print: string }>((resolve, reject) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        request(hub.url + path, { method, headers, rejectUnauthorized: false, agent: false }, (response) => {
          const print = (response.socket as TLSSocket).getPeerCertificate().fingerprint256
          response
            .resume()
            .on('end', () =>
              resolve({ status: response.statusCode!, cookie: String(response.headers['set-cookie'] ?? ''), print }),
            )
        })
          .on('error', reject)
          .end(body)
      })
    const first = await ask('GET', '/api/ping')
    expect(first.status).toBe(200)
    const { cookie } = await ask('POST', '/login', 'email=kari%40example.org&password=correct+horse')
    expect(cookie).toMatch(/^__Host-samtale-session=.*; Path=\/; HttpOnly; SameSite=Strict; Secure;/)
    writeFileSync(cert, 'broken')
    hub.process.kill('SIGHUP')
    await expect.poll(() => hub.err()).toContain('the former one stays')
    expect((await ask('GET', '/api/ping')).print).toBe(first.print)
    write()
    hub.process.kill('SIGHUP')
    await expect.poll(async () => (await ask('GET', '/api/ping')).print).not.toBe(first.print)
    expect((await hub.end()).code).toBe(0)
    const broken = await samtale(['serve', '--data', data, '--tls-cert', cert, '--tls-key', cert])
    expect(broken).toMatchObject({ code: 2, err: expect.stringContaining('no certificate with its key') })
  })
})
