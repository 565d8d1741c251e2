/** Each request has a name that its answer, its errors, the log and the work that it caused all say. */

import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Line } from '../../src/hub/logs/line.ts'
import { eventually, openRealHub } from './real-hub.ts'
import { serve } from './serve.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

describe('a request', () => {
  const served = serve()
  const lines = (request: string): readonly Line[] => served.node.logs.lines('api', { limit: 100, request })

  it('keeps the name that it brings when that is sane, and is given one otherwise', async () => {
    const named = async (given?: string) =>
      (await served.get('/api/ping', given === undefined ? {} : { 'x-request-id': given })).headers.get('x-request-id')
    expect(await named('trace-1.2:3')).toBe('trace-1.2:3')
    for (const odd of [undefined, 'two words', 'x'.repeat(129), '"quoted"', '-first']) {
      expect(await named(odd)).toMatch(UUID)
    }
  })

  it('says its name in errors, also in those of addresses that reach no route', async () => {
    for (const [path, status] of [
      ['/api/pipes/none', 404],
      ['/api/nothing', 404],
      ['/api/pipes/%E0%A4%A', 400],
    ] as const) {
      const answer = await served.get(path, { 'x-request-id': 'mine' })
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.headers.get('x-request-id')).toBe('mine')
      expect(await answer.json()).toMatchObject({ request_id: 'mine' })
    }
  })

  it('has one line, which says what it was, what came of it, and nothing of what it asked', async () => {
    served.tenant.addPipe('in')
    const headers = { 'x-request-id': 'r1', authorization: 'Bearer s3cret' }
    await served.post('/api/receivers/in/entities?sequence_id=s3cret', '[{"_id":"s3cret"}]', headers)
    await eventually(() => lines('r1').length, 1)
    const [line] = lines('r1')
    expect(line).toMatchObject({
      level: 'info',
      logger: 'api',
      details: {
        request: 'r1',
        method: 'POST',
        route: '/api/receivers/:id/entities',
        path: '/api/receivers/in/entities',
        status: 200,
        bytes_in: 18,
        remote: '127.0.0.1',
      },
    })
    expect(line?.details.ms).toBeGreaterThan(0)
    expect(line?.details.bytes_out).toBeGreaterThan(100)
    expect(JSON.stringify(line)).not.toContain('s3cret')
    expect(served.tenant.causes).toEqual(['r1'])
  })

  it('warns when the hub could not answer, and says little of what machines ask every few seconds', async () => {
    served.tenant.pipe = () => {
      throw new Error('a secret place in the code')
    }
    served.tenant.addPipe('a')
    const answer = await served.get('/api/pipes/a', { 'x-request-id': 'r2' })
    expect([answer.status, (await answer.text()).includes('secret place')]).toEqual([500, false])
    await eventually(
      () => lines('r2').map(({ level, message }) => [level, message.split(' in ')[0]]),
      [
        ['error', 'A request failed.'],
        ['warn', 'GET /api/pipes/a 500'],
      ],
    )
    expect(lines('r2')[0]?.details).toMatchObject({ error: 'a secret place in the code', path: '/api/pipes/a' })
    await served.get('/api/health', { 'x-request-id': 'r3' })
    await served.get('/api/ping', { 'x-request-id': 'r4' })
    await eventually(() => lines('r4').length, 0)
    expect(lines('r3')).toEqual([])
  })

  it('is told of when the caller went away before its answer was there', async () => {
    served.tenant.addPipe('slow')
    let release = () => {}
    served.tenant.pages = (async function* () {
      yield ['{"_id":"1"}']
      await new Promise<void>((resolve) => {
        release = resolve
      })
    })()
    const { port } = new URL(served.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write('GET /api/pipes/slow/entities HTTP/1.1\r\nhost: localhost\r\nx-request-id: gone\r\n\r\n')
    await once(socket, 'data')
    socket.destroy()
    await eventually(() => lines('gone').map(({ details }) => details.broken_off), [true])
    release()
  })

  it('is named by the run that it caused, and by what the thread of that run says', async () => {
    const hub = await openRealHub()
    await hub.configure(
      {
        _id: 'node',
        type: 'metadata',
        dependency_tracking: { enable_hops_thresholds: true, dependency_warning_threshold: 1 },
      },
      { _id: 'in', type: 'pipe', source: { type: 'http_endpoint' } },
      {
        _id: 'join',
        type: 'pipe',
        source: { type: 'embedded', entities: [{ _id: 'a', x: 1 }] },
        transform: {
          type: 'dtl',
          rules: {
            default: [['add', 'h', ['hops', { datasets: ['in p'], where: ['eq', '_S.x', 'p.x'], return: 'p._id' }]]],
          },
        },
      },
    )
    await hub.push(
      'in',
      [1, 2, 3].map((n) => ({ _id: `${n}`, x: 1 })),
    )
    const headers = { 'x-request-id': 'why', 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await hub.fetch('/pipes/join/pump', { method: 'POST', headers, body: 'operation=start' })
    expect(answer.status).toBe(200)
    const found = async (): Promise<string[]> => {
      const said = (await (await hub.fetch('/logs/pipes?request=why')).json()) as { logdata: string }[]
      return said.map(({ logdata }) => logdata)
    }
    await eventually(async () => (await found()).length, 2)
    expect(await found()).toEqual([
      'A hops collects many entities for one source entity.',
      "Pipe 'join' wrote 1 changes.",
    ])
  })
})

describe('the log', () => {
  const served = serve()

  it('is listed, read and set over the API', async () => {
    served.node.logs.logger('pipes').error('It failed.', { pipe: 'a', tenant: 't' })
    served.node.logs.logger('pipes').info('It ran.', { pipe: 'b' })
    const names = async () =>
      ((await (await served.get('/api/logs')).json()) as { _id: string }[]).map(({ _id }) => _id)
    expect(await names()).toEqual(['all', 'api', 'pipes'])
    const read = async (query: string) => (await served.get(`/api/logs/${query}`)).json()
    expect(await read('pipes?level=warning')).toEqual([
      {
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        loglevel: 'error',
        logger_name: 'pipes',
        logdata: 'It failed.',
        details: { pipe: 'a', tenant: 't' },
      },
    ])
    expect(await read('all?pipe=b&limit=1')).toMatchObject([{ logdata: 'It ran.' }])
    expect(await read('none')).toMatchObject({ status: 404, code: 'unknown-logger' })
    expect(await read('all?level=loud')).toMatchObject({ status: 400 })
    expect(await read('all?since=yesterday')).toMatchObject({ status: 400, code: 'bad-parameter' })
    const set = await served.post('/api/logs', new URLSearchParams({ loglevel: 'DEBUG', logger_name: 'pipes' }))
    expect(await set.json()).toMatchObject([{ level: 'error' }, { level: 'error' }, { _id: 'pipes', level: 'debug' }])
    expect((await served.post('/api/logs', new URLSearchParams({ loglevel: 'loud' }))).status).toBe(400)
    expect((await served.post('/api/logs', new URLSearchParams({}))).status).toBe(400)
  })
})
