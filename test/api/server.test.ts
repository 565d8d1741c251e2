import { describe, expect, it } from 'vitest'
import { openServer } from '../../src/api/server.ts'
import { HubError } from '../../src/hub/errors.ts'
import { FakeNode, fakeDoors } from './fake-hub.ts'
import { serve } from './serve.ts'

describe('the server', () => {
  const served = serve({ limits: { 'body-bytes': 1_000, 'bulk-bytes': 5_000 } })

  it('answers an unknown path with a problem that both kinds of client can read', async () => {
    const response = await served.get('/api/no/such/thing')
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await response.json()).toMatchObject({
      type: 'https://w3id.org/samtale/problem#not-found',
      title: 'Not Found',
      status: 404,
      code: 'not-found',
      detail: 'There is nothing at GET /api/no/such/thing.',
      message: 'There is nothing at GET /api/no/such/thing.',
      details: {},
    })
  })

  it('writes problem details when asked for and at the other doors', async () => {
    const asked = await served.get('/api/no', { accept: 'application/problem+json' })
    expect(asked.headers.get('content-type')).toContain('application/problem+json')
    const other = await served.get('/sparql?query=SELECT', { accept: 'image/png' })
    expect(other.headers.get('content-type')).toContain('application/problem+json')
    expect((await served.get('/t/x/api/config')).headers.get('content-type')).toContain('application/json')
  })

  it('refuses bodies that are too large', async () => {
    expect((await served.post('/graphql', 'x'.repeat(1_001))).status).toBe(413)
    served.tenant.addPipe('in')
    served.tenant.takesLong = () => false
    const large = JSON.stringify([{ _id: 'x'.repeat(3_000) }])
    expect((await served.post('/api/receivers/in/entities', large)).status).toBe(200)
    const response = await served.post('/api/receivers/in/entities', JSON.stringify([{ _id: 'x'.repeat(5_000) }]))
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ code: 'body-too-large', status: 413 })
  })

  it('refuses addresses that are not encoded properly', async () => {
    for (const path of ['/api/pipes/%E0%A4%A', '/id/a/%ED%A0%80', '/api/pipes/%']) {
      const response = await served.get(path)
      expect(response.status, path).toBe(400)
      expect(await response.json(), path).toMatchObject({ code: 'bad-url', status: 400 })
    }
  })

  it('refuses compressed bodies rather than reading them as text', async () => {
    expect((await served.post('/api/receivers/in/entities', 'x', { 'content-encoding': 'br' })).status).toBe(415)
  })

  it('hides what an unexpected error says', async () => {
    served.tenant.sparql = () => Promise.reject(new Error('secret of the inside'))
    const response = await served.get('/sparql?query=ASK%7B%7D')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
  })

  it('shows what the errors of the hub say, with hint and details', async () => {
    served.tenant.sparql = () =>
      Promise.reject(
        new HubError('query-invalid', 'Expected a brace.', { hint: 'Add one.', details: { line: 1, column: 7 } }),
      )
    const response = await served.get('/sparql?query=SELECT')
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      code: 'query-invalid',
      hint: 'Add one.',
      details: { line: 1, column: 7 },
    })
  })

  it('serves a reference that reaches nothing outside', async () => {
    const page = await served.get('/api/reference/')
    expect(page.status).toBe(200)
    expect(await page.text()).not.toMatch(/(?:src|href)="https?:/)
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self';/)
    expect(page.headers.get('content-security-policy')).not.toMatch(/https?:|unsafe|\w\.\w/)
    const description = (await (await served.get('/api/reference/json')).json()) as {
      paths: Record<string, Record<string, unknown>>
    }
    expect(Object.keys(description.paths)).toEqual(
      expect.arrayContaining(['/api/pipes/{id}/pump', '/sparql', '/graphql']),
    )
    expect(Object.keys(description.paths).some((path) => path.startsWith('/t/'))).toBe(false)
    expect(description.paths['/api/pipes/{id}/pump']).not.toHaveProperty('head')
    const { parameters } = description.paths['/api/datasets/{id}/entities']!.get as { parameters: unknown[] }
    expect(parameters).toContainEqual(expect.objectContaining({ name: 'history', required: false }))
    expect(parameters).toContainEqual(expect.objectContaining({ name: 'subset', required: false }))
    // Programs are made from it: each operation has a name of its own, and each part of a path.
    const operations = Object.values(description.paths).flatMap((methods) => Object.values(methods)) as {
      operationId: string
    }[]
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    expect(Object.keys(description.paths).filter((path) => path.includes('*'))).toEqual([])
  })

  it('says what to do when the port is in use', async () => {
    const port = Number(new URL(served.url).port)
    const opening = openServer(new FakeNode(), { host: '127.0.0.1', port, doors: fakeDoors() })
    await expect(opening).rejects.toMatchObject({
      code: 'port-in-use',
      hint: expect.stringContaining('--port'),
      details: { port },
    })
  })

  it('opens on loopback only', async () => {
    const opening = openServer(new FakeNode(), { host: '0.0.0.0', port: 0, doors: fakeDoors() })
    await expect(opening).rejects.toMatchObject({ code: 'host-not-loopback' })
  })

  it('closes', async () => {
    const server = await openServer(new FakeNode(), { host: 'localhost', port: 0, doors: fakeDoors() })
    expect((await fetch(`${server.url}/api/ping`)).status).toBe(200)
    await server.close()
    await expect(fetch(`${server.url}/api/ping`)).rejects.toThrow()
  })
})
