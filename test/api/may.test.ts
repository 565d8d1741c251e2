import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { callerOf, isLoopbackHost, may } from '../../src/api/may.ts'
import { serve } from './serve.ts'

const from = (remoteAddress: string, headers: Record<string, string>) =>
  callerOf({ socket: { remoteAddress }, headers } as unknown as IncomingMessage).kind

describe('who asks', () => {
  it('is local when the address and every name in the request are of this machine', () => {
    expect(from('127.0.0.1', { host: 'localhost:9042' })).toBe('local')
    expect(from('::1', { host: '[::1]:9042' })).toBe('local')
    expect(from('::ffff:127.0.0.1', { host: '127.0.0.1' })).toBe('local')
    expect(from('127.0.0.1', { host: 'hub.localhost', origin: 'http://localhost:5173' })).toBe('local')
    expect(from('127.0.0.1', { host: 'localhost', 'x-forwarded-for': '127.0.0.1, ::1' })).toBe('local')
  })

  it('is elsewhere when the address is not', () => {
    expect(from('192.168.1.7', { host: 'localhost' })).toBe('elsewhere')
    expect(from('::ffff:10.0.0.1', { host: 'localhost' })).toBe('elsewhere')
  })

  it('is elsewhere when a foreign name was made to point here', () => {
    expect(from('127.0.0.1', { host: 'evil.example' })).toBe('elsewhere')
    expect(from('127.0.0.1', { host: '127.0.0.1.evil.example:9042' })).toBe('elsewhere')
    expect(from('127.0.0.1', {})).toBe('elsewhere')
  })

  it('is elsewhere when a page of another site sends it', () => {
    expect(from('127.0.0.1', { host: 'localhost', origin: 'https://evil.example' })).toBe('elsewhere')
    expect(from('127.0.0.1', { host: 'localhost', origin: 'null' })).toBe('elsewhere')
  })

  it('is elsewhere when a proxy on this machine asks for somebody else', () => {
    expect(from('127.0.0.1', { host: 'localhost', 'x-forwarded-for': '127.0.0.1, 203.0.113.5' })).toBe('elsewhere')
  })

  it('is elsewhere when a proxy says in the newer way that it asks for somebody', () => {
    expect(from('127.0.0.1', { host: 'localhost', forwarded: 'for=203.0.113.5' })).toBe('elsewhere')
  })

  it('may do everything here and nothing from elsewhere', () => {
    const resource = { kind: 'dataset', tenant: 'default', id: 'a' } as const
    expect(may({ kind: 'local' }, 'administer', resource)).toBe(true)
    expect(may({ kind: 'elsewhere', why: '' }, 'read', resource)).toBe(false)
  })

  it('knows names of this machine', () => {
    expect(['localhost', 'LOCALHOST.', '127.8.8.8:80', '[::1]'].every(isLoopbackHost)).toBe(true)
    expect(['localhost.example', '128.0.0.1', '', '0.0.0.0', '[::2]:1'].some(isLoopbackHost)).toBe(false)
  })
})

describe('the server', () => {
  const served = serve()

  /** `fetch` does not let one choose the Host. */
  const statusFor = (headers: Record<string, string>, method = 'GET', path = '/api/config'): Promise<number> =>
    new Promise((resolve, reject) => {
      request(served.url + path, { headers, method }, (response) => {
        response.resume()
        resolve(response.statusCode as number)
      })
        .on('error', reject)
        .end()
    })

  it('refuses a foreign Host and a foreign Origin before it does anything', async () => {
    expect(await statusFor({ host: 'rebound.example' })).toBe(403)
    expect(await statusFor({ origin: 'https://evil.example' }, 'PUT')).toBe(403)
    expect(await statusFor({ host: 'rebound.example' }, 'GET', '/nothing/here')).toBe(403)
    expect(await statusFor({ host: 'localhost:1' })).toBe(200)
  })
})
