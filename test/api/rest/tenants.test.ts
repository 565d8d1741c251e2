import { describe, expect, it } from 'vitest'
import { serve } from '../serve.ts'

describe('tenants', () => {
  const served = serve()
  const create = (body: string) => served.post('/api/tenants', body)
  const remove = (name: string) => fetch(`${served.url}/api/tenants/${name}`, { method: 'DELETE' })

  it('are created, listed and deleted', async () => {
    const created = await create('{"name":"acme"}')
    expect(created.status).toBe(201)
    expect(await created.json()).toEqual({ name: 'acme', base: 'http://hub.example/t/acme' })
    expect(await (await served.get('/api/tenants')).json()).toHaveLength(2)
    expect(await (await served.get('/api/tenants/acme')).json()).toMatchObject({ name: 'acme' })
    expect((await remove('acme')).status).toBe(200)
    expect((await remove('acme')).status).toBe(404)
  })

  it('have doors of their own below /t/, which close with them', async () => {
    await create('{"name":"acme"}')
    served.node.all.get('acme')!.addPipe('only-theirs')
    served.tenant.addPipe('ours')
    expect(await (await served.get('/t/acme/api/pipes')).json()).toMatchObject([{ _id: 'only-theirs' }])
    expect(await (await served.get('/api/pipes')).json()).toMatchObject([{ _id: 'ours' }])
    expect((await served.get('/t/acme/api')).status).toBe(200)
    expect((await served.get('/t/acme/sparql')).status).toBe(200)
    await remove('acme')
    expect(await (await served.get('/t/acme/api/pipes')).json()).toMatchObject({ code: 'unknown-tenant', status: 404 })
  })

  it('cannot be made within one another', async () => {
    await create('{"name":"acme"}')
    expect((await served.get('/t/acme/api/tenants')).status).toBe(404)
  })

  it('are refused with a reason', async () => {
    expect((await create('{"name":"Acme!"}')).status).toBe(400)
    expect((await create('{"name":"default"}')).status).toBe(409)
    expect((await create('{"nom":"x"}')).status).toBe(400)
    expect((await create('{')).status).toBe(400)
    expect((await remove('default')).status).toBe(403)
  })
})
