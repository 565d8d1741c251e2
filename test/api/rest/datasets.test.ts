import { describe, expect, it } from 'vitest'
import { serve } from '../serve.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

describe('datasets', () => {
  const served = serve()
  const ids = async (path: string) =>
    ((await (await served.get(path)).json()) as { _id: string }[]).map(({ _id }) => _id)
  const fill = () =>
    served.tenant.write('d', '[{"_id":"a","v":1},{"_id":"b"},{"_id":"a","v":2},{"_id":"b","_deleted":true}]')

  it('are listed, internal ones when asked for', async () => {
    fill()
    served.tenant.write('system:config', '[]')
    expect(await ids('/api/datasets')).toEqual(['d'])
    expect(await ids('/api/datasets?include-internal-datasets=True')).toEqual(['d', 'system:config'])
    expect(await (await served.get('/api/datasets/d')).json()).toMatchObject({ _id: 'd', runtime: { populated: true } })
  })

  it('give every version by default, and the latest without history', async () => {
    fill()
    expect(await ids('/api/datasets/d/entities')).toEqual(['a', 'b', 'a', 'b'])
    expect(await ids('/api/datasets/d/entities?history=False')).toEqual(['a', 'b'])
    expect(await ids('/api/datasets/d/entities?history=False&deleted=False&reverse=False&limit=10')).toEqual(['a'])
    expect(await ids('/api/datasets/d/entities?deleted=false')).toEqual(['a', 'b', 'a', 'b'])
    expect(await ids('/api/datasets/d/entities?since=1&limit=1')).toEqual(['a'])
    expect(await ids('/api/datasets/d/entities?since=2&reverse=1')).toEqual(['b', 'a'])
  })

  it('say in headers how far they go, also to HEAD', async () => {
    fill()
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(`${served.url}/api/datasets/d/entities`, { method })
      expect(response.status).toBe(200)
      expect(response.headers.get('x-dataset-max-updated')).toBe('3')
      expect(response.headers.get('x-dataset-populated')).toBe('true')
      expect(response.headers.get('x-dataset-generation')).toBeTruthy()
      expect(response.headers.get('content-length')).toBeNull()
      expect((await response.text()).length > 0).toBe(method === 'GET')
    }
  })

  it('erase an entity that is named', async () => {
    fill()
    const erase = (query: string) => fetch(`${served.url}/api/datasets/d/entity${query}`, { method: 'DELETE' })
    const erased = await erase('?entity_id=a')
    expect([erased.status, await erased.json()]).toEqual([200, { versions: 2 }])
    expect((await erase('?entity_id=nobody')).status).toBe(404)
    expect((await erase('')).status).toBe(400)
  })

  it('are 404 until populated when that is asked for', async () => {
    fill()
    served.tenant.datasets.get('d')!.populated = false
    expect((await served.get('/api/datasets/d/entities')).status).toBe(200)
    const response = await served.get('/api/datasets/d/entities?populated=true')
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'dataset-not-populated' })
  })

  it('refuse what they cannot do and what they cannot read', async () => {
    fill()
    for (const query of ['uncommitted=perhaps', 'history=perhaps', 'since=abc', 'limit=-1']) {
      expect((await served.get(`/api/datasets/d/entities?${query}`)).status, query).toBe(400)
    }
    expect((await served.get('/api/datasets/d/entities?uncommitted=False&whatever=1')).status).toBe(200)
  })

  it('decide about what a circuit breaker holds back', async () => {
    fill()
    for (const decision of ['commit', 'rollback']) {
      const response = await served.post(
        '/api/datasets/d',
        new URLSearchParams({ operation: `${decision}-circuit-breaker` }),
      )
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ _id: 'd' })
    }
    expect(served.tenant.decisions).toEqual([
      ['d', 'commit'],
      ['d', 'rollback'],
    ])
    const refused = await served.post('/api/datasets/x', new URLSearchParams({ operation: 'commit-circuit-breaker' }))
    expect([refused.status, (await refused.json()).code]).toEqual([409, 'breaker-not-tripped'])
  })

  it('repost entities by name, from a form or from JSON', async () => {
    fill()
    const form = new URLSearchParams([
      ['operation', 'repost'],
      ['entity_id', 'a'],
      ['entity_id', 'b'],
    ])
    const expected = { num_entities: 2, entities: [{ _id: 'a' }, { _id: 'b' }] }
    expect(await (await served.post('/api/datasets/d', form)).json()).toMatchObject(expected)
    const json = JSON.stringify({ operation: 'repost', entity_id: ['a', 'b'] })
    expect(await (await served.post('/api/datasets/d', json, JSON_TYPE)).json()).toMatchObject(expected)
    for (const [body, status] of [
      ['{"operation":"repost"}', 400],
      ['{"operation":"repost","entity_id":[1]}', 400],
      ['{"operation":"fly"}', 400],
      ['{}', 400],
    ] as const) {
      expect((await served.post('/api/datasets/d', body, JSON_TYPE)).status, body).toBe(status)
    }
    expect((await served.post('/api/datasets/x', json, JSON_TYPE)).status).toBe(404)
  })

  it('take entities past any pipe in developer mode only', async () => {
    fill()
    const response = await served.post('/api/datasets/d/entities?force=True', '[{"_id":"a"}]')
    expect([response.status, await response.json()]).toEqual([200, { written: 1 }])
    expect(served.tenant.appended).toEqual([['d', '[{"_id":"a"}]', true]])
    served.node.developer = false
    const refused = await served.post('/api/datasets/d/entities', '[{"_id":"a"}]')
    expect([refused.status, (await refused.json()).code]).toEqual([409, 'not-developer'])
  })

  it('break the connection when they fail in the middle', async () => {
    served.tenant.write('breaks', '[{"_id":"a"}]')
    const response = await served.get('/api/datasets/breaks/entities', { 'accept-encoding': 'identity' })
    await expect(response.text()).rejects.toThrow()
  })

  it('give one entity by its id, however odd', async () => {
    served.tenant.write('d', '[{"_id":"ns:a/b c?æ"},{"_id":"x"},{"_id":"x","v":2}]')
    const id = 'ns:a/b c?æ'
    expect(await (await served.get(`/api/datasets/d/entity?entity_id=${encodeURIComponent(id)}`)).json()).toMatchObject(
      { _id: id },
    )
    expect(await (await served.get(`/api/datasets/d/entities/${encodeURIComponent(id)}`)).json()).toMatchObject({
      _id: id,
    })
    expect(await (await served.get('/api/datasets/d/entities/ns:a/b%20c%3F%C3%A6')).json()).toMatchObject({ _id: id })
    expect(await (await served.get('/api/datasets/d/entity?entity_id=x')).json()).toMatchObject({ v: 2, _updated: 2 })
    expect(await (await served.get('/api/datasets/d/entity?entity_id=x&offset=1')).json()).toMatchObject({
      _updated: 1,
    })
    expect((await served.get('/api/datasets/d/entity?entity_id=x&offset=0')).status).toBe(404)
    expect((await served.get('/api/datasets/d/entity?entity_id=nobody')).status).toBe(404)
    expect((await served.get('/api/datasets/d/entity')).status).toBe(400)
  })

  it('list their indexes, and remove those that nobody needs', async () => {
    fill()
    expect(await (await served.get('/api/datasets/d/indexes')).json()).toEqual([{ _id: 'd:1', expression: '_S.x' }])
    const remove = async (path: string) =>
      (await fetch(`${served.url}/api/datasets/${path}`, { method: 'DELETE' })).status
    expect(await remove('d/indexes/1')).toBe(409)
    expect(await remove('d/indexes/2')).toBe(200)
    expect(await remove('d/indexes/3')).toBe(404)
    expect(await remove('d/indexes/first')).toBe(404)
    expect(await remove('nothing/indexes/1')).toBe(404)
  })

  it('begin at a place', async () => {
    fill()
    expect(await ids('/api/datasets/d/entities?start=2')).toEqual(['a', 'b'])
    expect(await ids('/api/datasets/d/entities?start=2&reverse=true')).toEqual(['a', 'b', 'a'])
    expect((await served.get('/api/datasets/d/entities?start=2&since=1')).status).toBe(400)
  })

  it('are 404 when unknown, wherever one asks', async () => {
    for (const tail of ['', '/entities', '/entity?entity_id=a', '/entities/a', '/indexes']) {
      expect((await served.get(`/api/datasets/nothing${tail}`)).status, tail).toBe(404)
    }
  })

  it('can be deleted once', async () => {
    fill()
    const remove = () => fetch(`${served.url}/api/datasets/d`, { method: 'DELETE' })
    expect((await remove()).status).toBe(200)
    expect((await remove()).status).toBe(404)
  })
})
