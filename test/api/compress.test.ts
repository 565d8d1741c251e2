import { gunzipSync, gzipSync } from 'node:zlib'
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { openRealTenant } from './real-hub.ts'

const receiver = { _id: 'in', type: 'pipe', source: { type: 'http_endpoint' } }
const entities = (count: number) => Array.from({ length: count }, (_, n) => ({ _id: `e${n}`, text: 'x'.repeat(50) }))

describe('compression', () => {
  it('is for those who ask for it, of what is worth it, streamed or not', async () => {
    const hub = await openRealTenant()
    await hub.configure(receiver)
    await hub.push('in', entities(2_000))
    const prefix = `${hub.url}/t/${hub.tenant.name}/api`
    const get = async (path: string, encoding?: string) => {
      const { headers, body } = await request(`${prefix}${path}`, {
        headers: encoding === undefined ? {} : { 'accept-encoding': encoding },
      })
      return { headers, bytes: Buffer.from(await body.arrayBuffer()) }
    }
    const plain = await get('/datasets/in/entities')
    expect(plain.headers).not.toHaveProperty('content-encoding')
    expect(JSON.parse(plain.bytes.toString())).toHaveLength(2_000)
    for (const encoding of ['gzip', 'br;q=1, gzip;q=0.5', '*']) {
      const small = await get('/datasets/in/entities', encoding)
      expect(small.headers['content-encoding']).toBe('gzip')
      expect(small.headers.vary).toContain('Accept-Encoding')
      expect(small.bytes.length).toBeLessThan(plain.bytes.length / 3)
      expect(gunzipSync(small.bytes).equals(plain.bytes)).toBe(true)
    }
    for (const [path, encoding] of [
      ['/datasets/in/entities', 'gzip;q=0, br'],
      ['/datasets/in/entities?limit=1', 'gzip'],
      ['/datasets/in/entity?entity_id=e1', 'gzip'],
    ] as const) {
      expect((await get(path, encoding)).headers).not.toHaveProperty('content-encoding')
    }
  })

  it('is undone in requests, as far as they become no longer than they may', async () => {
    const hub = await openRealTenant()
    await hub.configure(receiver)
    const post = (path: string, body: Uint8Array, encoding = 'gzip') =>
      hub.fetch(path, {
        method: 'POST',
        body: Buffer.from(body),
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      })
    const sent = await post('/receivers/in/entities', gzipSync(JSON.stringify(entities(3))))
    expect([sent.status, await sent.text()]).toEqual([200, '{}'])
    expect(hub.tenant.liveEntities('in')).toBe(3)
    expect((await post('/receivers/in/entities', Buffer.from('no gzip'))).status).toBe(400)
    expect((await post('/receivers/in/entities', gzipSync('[{"_id":"x"}]').subarray(0, 20))).status).toBe(400)
    expect((await post('/receivers/in/entities', Buffer.from('x'), 'br')).status).toBe(415)
    // Where nobody reads the body nobody hears of the mistake, and the hub goes on.
    for (const method of ['DELETE', 'POST', 'PUT', 'OPTIONS']) {
      for (const path of ['/datasets/none', '/no/such/door', '/pipes/none/pump']) {
        const body = gzipSync('[{"_id":"x"}]').subarray(0, 20)
        const answer = await hub.fetch(path, { method, body, headers: { 'content-encoding': 'gzip' } })
        expect(answer.status, `${method} ${path}`).toBeLessThan(500)
      }
    }
    // A megabyte is the limit there, and a bomb of it is a few kilobytes.
    const bomb = gzipSync(Buffer.alloc(5_000_000, ' '))
    expect((await post('/pipes/in/preview', bomb)).status).toBe(413)
    // Where a body may be long, what few bytes become of it may not.
    const endless = gzipSync(Buffer.alloc(40_000_000, ' '))
    const refused = await post('/receivers/in/entities', endless)
    expect([refused.status, await refused.text()]).toEqual([413, expect.stringContaining('more than 250 times')])
    expect(hub.tenant.liveEntities('in')).toBe(3)
  })
})
