import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { HubError } from '../../../src/hub/errors.ts'
import { serve } from '../serve.ts'

describe('pipes', () => {
  const served = serve()

  it('are listed and found, with ids decoded exactly once', async () => {
    for (const id of ['a', 'x:y', 'with space', 'a/b', '100%25']) served.tenant.addPipe(id)
    expect(((await (await served.get('/api/pipes')).json()) as unknown[]).length).toBe(5)
    for (const [path, id] of [
      ['a', 'a'],
      ['x:y', 'x:y'],
      ['x%3Ay', 'x:y'],
      ['with%20space', 'with space'],
      ['a%2Fb', 'a/b'],
      ['100%2525', '100%25'],
    ]) {
      expect(await (await served.get(`/api/pipes/${path}`)).json(), path).toMatchObject({ _id: id })
    }
    expect((await served.get('/api/pipes/100%25')).status).toBe(404)
  })

  it('are found as well by clients that escape ids twice', async () => {
    for (const id of ['x:y', 'å b']) served.tenant.addPipe(id)
    for (const id of ['x:y', 'å b']) {
      const path = `/api/pipes/${encodeURIComponent(encodeURIComponent(id))}`
      expect(await (await served.get(path)).json(), path).toMatchObject({ _id: id })
      expect((await served.get(`${path}/pump`)).status).toBe(200)
    }
    expect((await served.get('/api/pipes/no%2525body')).status).toBe(404)
    served.tenant.write('sys:a', '[{"_id":"1"}]')
    expect(await (await served.get('/api/datasets/sys%253Aa/entities')).json()).toMatchObject([{ _id: '1' }])
  })

  it('are listed without what is stored, and without those that tools made, unless somebody asks', async () => {
    for (const id of ['a', 'internal-b']) served.tenant.addPipe(id)
    const listed = async (query: string) => (await (await served.get(`/api/pipes${query}`)).json()) as { _id: string }[]
    expect((await listed('')).map((pipe) => [pipe._id, Object.keys(pipe)])).toEqual([
      ['a', ['_id', 'config', 'runtime']],
    ])
    expect(Object.keys((await listed('?verbose=True'))[0] as object)).toEqual(['_id', 'config', 'runtime', 'storage'])
    expect((await listed('?include-internal-pipes=1')).map(({ _id }) => _id)).toEqual(['a', 'internal-b'])
    expect(Object.keys((await listed('?fields=graph,nonsense'))[0] as object)).toEqual(['_id', 'graph'])
    expect((await served.get('/api/pipes?verbose=perhaps')).status).toBe(400)
  })

  it('keep their numbers exact, also when only parts are asked for', async () => {
    served.tenant.addPipe('a')
    expect(await (await served.get('/api/pipes/a/config')).text()).toContain('"big":12345678901234567890')
    const parts = await (await served.get('/api/pipes/a?fields=config')).text()
    expect(parts).toContain('"big":12345678901234567890')
    expect(Object.keys(JSON.parse(parts))).toEqual(['_id', 'config'])
    expect(await (await served.get('/api/pipes?fields=runtime')).json()).toEqual([
      { _id: 'a', runtime: expect.anything() },
    ])
  })

  it('are 404 when unknown, wherever one asks', async () => {
    for (const tail of ['', '/config', '/entities', '/pump', '/log']) {
      const response = await served.get(`/api/pipes/nobody${tail}`)
      expect(response.status, tail).toBe(404)
      expect(await response.json()).toMatchObject({ code: 'unknown-pipe' })
    }
  })

  describe('what they make', () => {
    it('comes as one array however it is cut into pages', async () => {
      served.tenant.addPipe('a')
      served.tenant.pages = (async function* () {
        yield []
        yield ['{"_id":"1"}', '{"_id":"2"}']
        yield ['{"_id":"3"}']
      })()
      const response = await served.get('/api/pipes/a/entities?stage=before-transform&since=5&limit=3')
      expect(await response.json()).toEqual([{ _id: '1' }, { _id: '2' }, { _id: '3' }])
      expect(served.tenant.lastQuery).toEqual({
        stage: 'before-transforms',
        since: '5',
        limit: 3,
        withSideEffects: false,
        cause: response.headers.get('x-request-id'),
      })
    })

    it('is an empty array when there is nothing', async () => {
      served.tenant.addPipe('a')
      expect(await (await served.get('/api/pipes/a/entities')).text()).toBe('[]')
      expect(served.tenant.lastQuery).toMatchObject({ stage: 'sink', withSideEffects: false })
    })

    it('has no stage called constructor', async () => {
      served.tenant.addPipe('a')
      for (const stage of ['constructor', 'after'])
        expect((await served.get(`/api/pipes/a/entities?stage=${stage}`)).status).toBe(400)
    })

    it('fails with a status when it fails at the start', async () => {
      served.tenant.addPipe('a')
      // biome-ignore lint/correctness/useYield: it fails before anything is there
      served.tenant.pages = (async function* () {
        throw new HubError('pipe-unavailable', 'Not now.')
      })()
      const response = await served.get('/api/pipes/a/entities', { 'accept-encoding': 'identity' })
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('10')
    })

    it('breaks the connection when it fails in the middle', async () => {
      served.tenant.addPipe('a')
      served.tenant.pages = (async function* () {
        yield [`{"_id":"${'x'.repeat(100_000)}"}`]
        throw new Error('the source went away')
      })()
      const response = await served.get('/api/pipes/a/entities', { 'accept-encoding': 'identity' })
      expect(response.status).toBe(200)
      await expect(response.text()).rejects.toThrow()
    })

    it('stops when the reader goes away', async () => {
      served.tenant.addPipe('a')
      let ended = false
      served.tenant.pages = (async function* () {
        try {
          for (;;) {
            yield [`{"_id":"${'x'.repeat(100_000)}"}`]
            await new Promise((resolve) => setImmediate(resolve))
          }
        } finally {
          ended = true
        }
      })()
      const controller = new AbortController()
      const response = await fetch(`${served.url}/api/pipes/a/entities`, { signal: controller.signal })
      await response.body?.getReader().read()
      const { lastSignal } = served.tenant
      const aborted = lastSignal?.aborted ? Promise.resolve() : once(lastSignal as AbortSignal, 'abort')
      controller.abort()
      await aborted
      while (!ended) await new Promise((resolve) => setTimeout(resolve, 5))
    })

    it('waits for a slow reader instead of gathering it all', async () => {
      served.tenant.addPipe('a')
      let made = 0
      served.tenant.pages = (async function* () {
        for (; made < 1_000; made++) yield [`{"_id":"${'x'.repeat(100_000)}"}`]
      })()
      const controller = new AbortController()
      const response = await fetch(`${served.url}/api/pipes/a/entities`, {
        signal: controller.signal,
        // Compressed it would be next to nothing.
        headers: { 'accept-encoding': 'identity' },
      })
      await response.body?.getReader().read()
      await new Promise((resolve) => setTimeout(resolve, 200))
      // A hundred megabytes lie ahead; buffers of sockets hold a few.
      expect(made).toBeLessThan(300)
      controller.abort()
    })
  })

  describe('their log', () => {
    it('is empty until there is one', async () => {
      served.tenant.addPipe('a')
      expect(await (await served.get('/api/pipes/a/log')).text()).toBe('[]')
      served.tenant.write('system:pump_execution:a', '[{"_id":"1"},{"_id":"2"}]')
      expect(await (await served.get('/api/pipes/a/log?since=0')).json()).toMatchObject([{ _id: '2' }])
    })
  })

  describe('their pumps', () => {
    const operations = () => served.tenant.operations

    it('take operations as each kind of form', async () => {
      served.tenant.addPipe('a')
      const form = new FormData()
      form.append('operation', 'disable')
      form.append('comment', 'Æ & co')
      const answers = [
        await served.post('/api/pipes/a/pump', new URLSearchParams({ operation: 'start' })),
        await served.post('/api/pipes/a/pump', form),
        await served.post('/api/pipes/a/pump', '{"operation":"update-last-seen","last-seen":7}', {
          'content-type': 'application/json',
        }),
      ]
      for (const answer of answers) {
        expect(answer.status).toBe(200)
        expect(await answer.json()).toMatchObject({ _id: 'a', runtime: { 'is-disabled': false } })
      }
      expect(operations()).toEqual([
        ['a', 'start', {}],
        ['a', 'disable', { comment: 'Æ & co' }],
        ['a', 'update-last-seen', { 'last-seen': '7' }],
      ])
    })

    it('refuse files, nothing, and what they do not know', async () => {
      served.tenant.addPipe('a')
      const form = new FormData()
      form.append('operation', new Blob(['start']), 'operation.txt')
      expect((await served.post('/api/pipes/a/pump', form)).status).toBe(400)
      expect((await served.post('/api/pipes/a/pump', '')).status).toBe(400)
      const unknown = await served.post('/api/pipes/a/pump', new URLSearchParams({ operation: 'fly' }))
      expect(unknown.status).toBe(400)
      expect(((await unknown.json()) as { message: string }).message).toContain("doesn't support the operation 'fly'")
      expect(operations()).toEqual([])
    })

    it('say 409 when they run already', async () => {
      served.tenant.addPipe('a')
      expect((await served.post('/api/pipes/a/pump', new URLSearchParams({ operation: 'start-twice' }))).status).toBe(
        409,
      )
    })
  })
})

describe('systems', () => {
  const served = serve()

  it('are listed and found', async () => {
    expect(await (await served.get('/api/systems')).json()).toEqual([{ _id: 'crm' }])
    expect(await (await served.get('/api/systems/crm')).json()).toEqual({ _id: 'crm' })
    expect((await served.get('/api/systems/erp')).status).toBe(404)
  })
})
