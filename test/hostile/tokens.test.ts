import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { guardedHub } from '../api/access/guarded-hub.ts'

const hub = guardedHub()
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const signed = (head: unknown, body: unknown, key: string): string => {
  const text = `${encoded(head)}.${encoded(body)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

describe('a token that somebody made up', () => {
  it('opens nothing, whatever is wrong with it, and all are told the same', async () => {
    const good = await hub.token(['group:Admin'])
    expect((await hub.ask(good, 'GET', '/api/config')).status).toBe(200)
    const [head = '', body = '', signature = ''] = good.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const admin = { ...claims, roles: ['group:Admin'], exp: 9_999_999_999 }
    const forged: readonly string[] = [
      `${encoded({ alg: 'none' })}.${body}.`,
      `${encoded({ alg: 'None', typ: 'JWT' })}.${encoded(admin)}.`,
      `${encoded({ alg: 'nOnE' })}.${body}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${head}.${encoded(admin)}.${signature}`,
      `${head}.${body}.${signature.slice(0, -2)}AA`,
      `${head}.${body}.${signature}.${signature}`,
      signed({ alg: 'HS256' }, admin, ''),
      signed({ alg: 'HS256' }, admin, 'secret'),
      signed({ alg: 'HS256', kid: '../../../../dev/null' }, admin, ''),
      signed({ alg: 'HS256', jwk: { kty: 'oct', k: 'c2VjcmV0' } }, admin, 'secret'),
      signed({ alg: 'HS256', jku: 'http://169.254.169.254/keys' }, admin, 'secret'),
      signed({ alg: 'HS512' }, admin, 'secret'),
      `${encoded({ alg: 'RS256' })}.${encoded(admin)}.${signature}`,
      `${encoded({ alg: 'HS256', crit: ['x'], x: 1 })}.${body}.${signature}`,
      'a.b.c',
      '..',
      '.',
      'null',
      `${'x'.repeat(9_000)}.${body}.${signature}`,
      `${encoded('['.repeat(5_000))}.${body}.${signature}`,
    ]
    for (const token of forged) {
      const { status, body: told, headers } = await hub.ask(token, 'GET', '/api/config')
      expect(status, token.slice(0, 100)).toBe(401)
      expect(told.code, token.slice(0, 100)).toBe('invalid-token')
      expect(headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
    for (const header of ['Basic YTpi', 'Bearer', 'Bearer  ', `Bearer ${good} ${good}`, `bearer${good}`, good]) {
      const answer = await fetch(`${hub.url}/api/config`, { headers: { authorization: header } })
      expect(answer.status, header.slice(0, 30)).toBe(401)
    }
    const cookie = await fetch(`${hub.url}/api/config`, { headers: { cookie: `samtale=${forged[0]}` } })
    expect(cookie.status).toBe(401)
  })

  it('is found wrong as quickly at its first letter as at its last', async () => {
    const good = await hub.token(['group:Admin'])
    const [head, body, signature = ''] = good.split('.')
    const wrongAt = (place: number) => {
      const letter = signature[place] === 'A' ? 'B' : 'A'
      return `${head}.${body}.${signature.slice(0, place)}${letter}${signature.slice(place + 1)}`
    }
    const tokens = [wrongAt(0), wrongAt(signature.length - 3)]
    const times: [number[], number[]] = [[], []]
    for (let call = 0; call < 120; call++) {
      const which = (call % 2) as 0 | 1
      const startedAt = performance.now()
      expect((await hub.ask(tokens[which] as string, 'GET', '/api/pipes')).status).toBe(401)
      times[which].push(performance.now() - startedAt)
    }
    const [first, last] = times.map((all) => all.sort((a, b) => a - b)[all.length >> 2] as number) as [number, number]
    // The signature is compared by the engine, in the same time for all: this would find a comparison letter by letter of a slow kind.
    expect(Math.max(first, last) / Math.min(first, last)).toBeLessThan(3)
  })
})
