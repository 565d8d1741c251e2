import { describe, expect, it } from 'vitest'
import { serve } from '../serve.ts'

describe('the configuration', () => {
  const served = serve()
  const put = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(served.url + path, { method: 'PUT', body, headers })

  it('comes back exactly as it was given', async () => {
    const text = '[{"_id":"a","n":1.0,"big":12345678901234567890,"e":1e3,"å":"æ"}]'
    expect((await put('/api/config', text)).status).toBe(200)
    expect(await (await served.get('/api/config')).text()).toBe(text)
  })

  it('may be a single component, with a byte-order mark', async () => {
    expect((await put('/api/config', '\ufeff {"_id":"a"}')).status).toBe(200)
    expect(served.tenant.config).toBe('[ {"_id":"a"}]')
  })

  it('may come as the file of a form', async () => {
    const form = new FormData()
    form.append('file', new Blob(['[{"_id":"b"}]'], { type: 'application/json' }), 'config')
    expect((await put('/api/config', form)).status).toBe(200)
    expect(served.tenant.config).toBe('[{"_id":"b"}]')
  })

  it('is refused with all its problems when it has errors', async () => {
    const response = await put('/api/config', '[{"_id":"a","type":"broken","n":1.0}]')
    expect(response.status).toBe(400)
    const text = await response.text()
    expect(text).toContain('"n":1.0')
    expect(JSON.parse(text)).toMatchObject({
      code: 'config-rejected',
      status: 400,
      validation_errors: [
        {
          'posted-config': { _id: 'a' },
          'config-errors': [
            { level: 'error', msg: "Unknown type 'pip'. Did you mean 'pipe'?", elements: "$['source']['type']" },
          ],
        },
      ],
    })
    expect(served.tenant.config).toBe('[]')
  })

  it('is taken with its errors when forced, whatever the spelling of true', async () => {
    const response = await put('/api/config?force=True', '[{"_id":"a","type":"broken"}]')
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ validation_errors: [{ 'posted-config': { _id: 'a' } }] })
    expect(served.tenant.config).toContain('broken')
  })

  it('says line and column when it is not JSON', async () => {
    const response = await put('/api/config', '[\n  {"_id": "a",}\n]')
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'bad-json', details: { line: 2, column: 15 } })
  })

  it('refuses what is no list of objects, what is no text, and zip files', async () => {
    expect((await put('/api/config', '[1]')).status).toBe(400)
    expect(await (await put('/api/config', Buffer.from([0xff, 0xfe, 0x41]))).json()).toMatchObject({ code: 'bad-body' })
    expect(await (await put('/api/config', Buffer.from('PK\u0003\u0004'))).json()).toMatchObject({
      code: 'not-supported',
    })
    expect((await served.get('/api/config', { accept: 'application/zip' })).status).toBe(406)
  })

  it('keeps variables as they were given', async () => {
    const response = await put('/api/env', '{"b":1.0,"a":[true]}')
    expect(await response.text()).toBe('{"b":1.0,"a":[true]}')
    expect(await (await served.get('/api/env')).text()).toBe('{"b":1.0,"a":[true]}')
    expect((await put('/api/env', '[]')).status).toBe(400)
  })
})
