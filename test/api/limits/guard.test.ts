import { afterEach, describe, expect, it } from 'vitest'
import { type RawConnection, rawAnswer, rawConnection, statusOf } from '../raw.ts'
import { serve } from '../serve.ts'

const served = serve({
  limits: {
    connections: 20,
    'header-bytes': 4_096,
    'header-count': 20,
    'url-bytes': 1_000,
    'bulk-bytes': 8_000_000,
    'header-seconds': 1,
    'stall-seconds': 0.4,
    'least-rate': 10_000,
    'query-at-once': 1,
    'query-waiting': 1,
    'wait-seconds': 0.3,
    'query-seconds': 0.5,
  },
})

const open: RawConnection[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})
const connected = async () => {
  const connection = await rawConnection(served.url)
  open.push(connection)
  return connection
}

const HEAD = 'Host: localhost\r\n'
const counted = async (reason: string): Promise<number> => {
  const { refused } = (await (await served.get('/api/limits')).json()) as { refused: Record<string, number> }
  return refused[reason] ?? 0
}

describe('a request', () => {
  it('with too much in its head is refused, and what is wrong is said', async () => {
    const many = Array.from({ length: 25 }, (_, n) => `x-${n}: 1\r\n`).join('')
    const answers = {
      431: [
        `GET /api/ping HTTP/1.1\r\n${HEAD}${many}\r\n`,
        `GET /api/ping HTTP/1.1\r\n${HEAD}x: ${'y'.repeat(5_000)}\r\n\r\n`,
      ],
      414: [`GET /api/ping?${'x'.repeat(1_100)} HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`],
      400: [
        `GET /api/ping HTTP/1.1\r\n${HEAD}bad header\r\n\r\n`,
        'hello\r\n\r\n',
        'GET /api/ping HTTP/1.1\r\n\r\n',
        `GET /api/ping HTTP/1.1\r\n${HEAD}Host: evil.example\r\n\r\n`,
      ],
    }
    for (const [status, requests] of Object.entries(answers)) {
      for (const text of requests) {
        const connection = await connected()
        connection.send(text)
        const answer = await connection.until(/\}$/)
        expect(statusOf(answer), text.slice(0, 80)).toBe(Number(status))
        expect(answer).toMatch(/"code":"[a-z-]+"/)
        connection.close()
      }
    }
    expect(await counted('headers')).toBeGreaterThan(0)
    expect(await counted('url')).toBeGreaterThan(0)
    expect(await counted('malformed')).toBeGreaterThan(0)
  })

  it('whose head does not come in time is refused', async () => {
    const connection = await connected()
    connection.send(`GET /api/ping HTTP/1.1\r\nHost: local`)
    const answer = await connection.all(5_000)
    expect(statusOf(answer)).toBe(408)
  })

  it('whose body comes too slowly is refused, and one that comes steadily is not', async () => {
    served.tenant.addPipe('in')
    const text = JSON.stringify([{ _id: 'x'.repeat(60_000) }])
    const head = `POST /api/receivers/in/entities HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`
    const drip = async (bytes: number, everyMs: number) => {
      const connection = await connected()
      connection.send(head)
      let at = 0
      const timer = setInterval(() => {
        connection.send(text.slice(at, at + bytes))
        at += bytes
        if (at >= text.length) clearInterval(timer)
      }, everyMs)
      const answer = await connection.until(/\}$/, 5_000)
      clearInterval(timer)
      connection.close()
      return statusOf(answer)
    }
    expect(await drip(10, 50)).toBe(408)
    expect(await counted('slow-sender')).toBeGreaterThan(0)
    expect(await drip(4_000, 50)).toBe(200)
  })

  it('for an answer that is not read is cut, and what makes the answer hears of it', async () => {
    let ended = false
    served.tenant.write('big', '[{"_id":"a"}]')
    served.doors.datasetEntities = async function* () {
      try {
        for (;;) yield 'x'.repeat(65_536)
      } finally {
        ended = true
      }
    }
    const connection = await connected()
    connection.send(`GET /api/datasets/big/entities HTTP/1.1\r\n${HEAD}\r\n`)
    connection.socket.pause()
    await expect.poll(() => ended, { timeout: 5_000 }).toBe(true)
    expect(await counted('slow-reader')).toBe(1)
  })

  it('waits for its turn, and is told to come back when there is none', async () => {
    let release = () => {}
    served.tenant.sparql = () =>
      new Promise((resolve) => {
        release = () => resolve({ body: '{}', contentType: 'application/json', offset: 0, lag: 0 } as never)
      })
    const first = served.get('/sparql?query=ASK%7B%7D')
    await expect
      .poll(
        async () =>
          ((await (await served.get('/api/limits')).json()) as { requests: { query: unknown } }).requests.query,
      )
      .toEqual({ in: 1, waiting: 0 })
    const second = served.get('/sparql?query=ASK%7B%7D')
    await expect
      .poll(
        async () =>
          ((await (await served.get('/api/limits')).json()) as { requests: { query: unknown } }).requests.query,
      )
      .toEqual({ in: 1, waiting: 1 })
    const third = await served.get('/sparql?query=ASK%7B%7D')
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '2'])
    expect(await third.json()).toMatchObject({ code: 'busy', details: { work: 'query' } })
    const waited = await second
    expect(waited.status).toBe(503)
    release()
    await first
  })

  it('that takes too long is answered with 503', async () => {
    let signal: AbortSignal | undefined
    served.tenant.sparql = () => new Promise(() => {})
    const answer = await served.get('/sparql?query=ASK%7B%7D')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10'])
    expect(await answer.json()).toMatchObject({ code: 'took-too-long' })
    expect(signal).toBeUndefined()
  })
})

describe('requests in line on one connection', () => {
  it('are done one after the other, in order, and too many of them end it', async () => {
    const order: string[] = []
    let most = 0
    let now = 0
    served.tenant.sparql = async ({ query }) => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 10))
      now--
      order.push(query)
      return { body: query, contentType: 'text/plain' } as never
    }
    const ask = (n: number) => `GET /sparql?query=ASK%20%7B%20%23${n}%0A%7D HTTP/1.1\r\n${HEAD}\r\n`
    const connection = await connected()
    connection.send([1, 2, 3, 4].map(ask).join(''))
    await expect.poll(() => order.length).toBe(4)
    expect(most).toBe(1)
    expect(order.map((query) => /#(\d)/.exec(query)?.[1])).toEqual(['1', '2', '3', '4'])
    connection.close()
    const flood = await connected()
    flood.send(ask(5).repeat(3_000))
    await flood.all(5_000)
    expect(await counted('pipeline')).toBe(1)
  })
})

describe('connections', () => {
  it('beyond the limit are told to come back, and the others go on', async () => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (let n = 0; n < 24; n++) await connected()
    const last = await connected()
    last.send(`GET /api/ping HTTP/1.1\r\n${HEAD}\r\n`)
    const answer = await last.all(5_000)
    expect(statusOf(answer)).toBe(503)
    expect(answer).toContain('too-many-connections')
    expect(answer).toMatch(/retry-after: 5/i)
    open[0]?.send(`GET /api/ping HTTP/1.1\r\n${HEAD}\r\n`)
    expect(statusOf((await open[0]?.until(/\}$/)) ?? '')).toBe(200)
  })
})

describe('metrics', () => {
  it('say who was refused, who is in, and what the limits are', async () => {
    await expect
      .poll(async () => (await served.get('/api/ping').catch(() => null))?.status, { timeout: 5_000 })
      .toBe(200)
    const text = await (await served.get('/api/metrics')).text()
    expect(text).toMatch(/^samtale_http_refused_total\{reason="headers"\} \d+$/m)
    expect(text).toMatch(/^samtale_http_connections \d+$/m)
    expect(text).toMatch(/^samtale_http_requests\{work="query",state="waiting"\} 0$/m)
    expect(text).toMatch(/^samtale_http_limit\{limit="connections"\} 20$/m)
  })
})

describe('smuggling', () => {
  it.each([
    ['both lengths', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`],
    ['two lengths', `Content-Length: 5\r\nContent-Length: 6\r\n`],
    ['a coding twice', `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n`],
    ['a coding in disguise', `Transfer-Encoding: xchunked\r\n`],
    ['a length with a sign', `Content-Length: +5\r\n`],
    ['a folded header', `X: a\r\n b\r\nTransfer-Encoding:\r\n chunked\r\n`],
    ['a space before the colon', `Transfer-Encoding : chunked\r\n`],
    ['a bare newline', `X: a\nTransfer-Encoding: chunked\r\n`],
  ])('by %s is refused, and nothing behind it is answered', async (_, headers) => {
    const smuggled = `GET /api/metrics HTTP/1.1\r\n${HEAD}\r\n`
    const answer = await rawAnswer(
      served.url,
      `POST /graphql HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n${headers}\r\n0\r\n\r\n${smuggled}`,
      5_000,
    )
    expect(statusOf(answer)).toBe(400)
    expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
  })
})
