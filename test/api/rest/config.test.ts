import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fromBufferPromise } from 'yauzl'
import { ZipFile } from 'yazl'
import { openRealTenant } from '../real-hub.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** As much of a configuration as must survive: spelling of numbers, order, unknown names, letters. */
const PIPE =
  '{"type": "pipe", "_id":"a:b c", "n":1.0, "e":1e3, "big":12345678901234567890, "å":"æ", "source":{"type":"http_endpoint"}}'
const SYSTEM = '{"_id":"s","type":"system:url","url_pattern":"http://x/%s","unknown":[1.50]}'
const NODE = '{"_id":"node","type":"metadata","comment":{"z":1,"a":2}}'

async function zipOf(members: Readonly<Record<string, string | Buffer>>, mode = 0o100644): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(members)) zip.addBuffer(Buffer.from(content), name, { mode })
  zip.end()
  const chunks: Buffer[] = []
  zip.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(zip.outputStream, 'end')
  return Buffer.concat(chunks)
}

async function membersOf(zip: Uint8Array): Promise<Record<string, string>> {
  const members: Record<string, string> = {}
  const file = await fromBufferPromise(Buffer.from(zip))
  for await (const entry of file.eachEntry()) {
    const chunks: Buffer[] = []
    for await (const chunk of await file.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
    members[entry.fileName] = Buffer.concat(chunks).toString('utf8')
  }
  return members
}

/** A zip file whose headers say what they are told to, whatever is true. */
function rawZip(name: string, data: Buffer, size = data.length, { method = 8, flags = 0x800 } = {}): Buffer {
  const packed = method === 8 ? deflateRawSync(data) : data
  const title = Buffer.from(name)
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(flags, 2)
  common.writeUInt16LE(method, 4)
  common.writeUInt32LE(packed.length, 14)
  common.writeUInt32LE(size, 18)
  common.writeUInt16LE(title.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, title, packed])
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, Buffer.alloc(14), title])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

async function opened() {
  const hub = await openRealTenant()
  const put = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    hub.fetch(path, { method: 'PUT', body, headers })
  const text = async (path: string) => (await hub.fetch(path)).text()
  return { ...hub, put, text }
}

describe('a configuration', () => {
  it('comes back exactly as it was given, as JSON and as a zip file', async () => {
    const { fetch, put, text } = await opened()
    const given = `[${NODE},${PIPE},${SYSTEM}]`
    expect((await put('/config', given)).status).toBe(200)
    expect(await text('/config')).toBe(given)
    const answer = await fetch('/config', { headers: { accept: 'application/zip' } })
    expect(answer.headers.get('content-type')).toBe('application/zip')
    const zip = new Uint8Array(await answer.arrayBuffer())
    expect(await membersOf(zip)).toEqual({
      'node-metadata.conf.json': NODE,
      'pipes/a:b c.conf.json': PIPE,
      'systems/s.conf.json': SYSTEM,
    })
    expect((await put('/config', '[]')).status).toBe(200)
    expect(await text('/config')).toBe('[]')
    expect((await put('/config', zip, { 'content-type': 'application/zip' })).status).toBe(200)
    expect(await text('/config')).toBe(given)
    expect((await fetch('/config', { headers: { accept: 'text/csv' } })).status).toBe(406)
  })

  it('may be a single component, with a byte-order mark, or a file of a form, JSON or zip', async () => {
    const { put, text } = await opened()
    expect((await put('/config', `\ufeff ${PIPE}`)).status).toBe(200)
    expect(await text('/config')).toBe(`[${PIPE}]`)
    const form = (content: BlobPart, type: string) => {
      const data = new FormData()
      data.append('file', new Blob([content], { type }), 'config')
      return data
    }
    expect((await put('/config', form(`[${SYSTEM}]`, 'application/json'))).status).toBe(200)
    expect(await text('/config')).toBe(`[${SYSTEM}]`)
    const zip = await zipOf({ 'whatever/its name.conf.json': PIPE, 'README.md': 'no configuration' })
    // What it is is told by how it begins, whatever the form says.
    expect((await put('/config', form(new Uint8Array(zip), 'application/json'))).status).toBe(200)
    expect(await text('/config')).toBe(`[${PIPE}]`)
  })

  it('is refused with all its problems when it has errors, and nothing is changed', async () => {
    const { put, text } = await opened()
    await put('/config', `[${SYSTEM}]`)
    const broken =
      '[{"_id":"a","type":"pipe","comment":1.0,"source":{"type":"nonsense"}},{"_id":"b","type":"pipe","source":{"type":"http_endpoint"},"batch_size":"x"},{"_id":"c","type":"nothing"}]'
    const response = await put('/config', broken)
    expect(response.status).toBe(400)
    const body = await response.text()
    expect(body).toContain('"comment":1.0')
    expect(JSON.parse(body)).toMatchObject({ code: 'config-rejected', status: 400, message: expect.any(String) })
    const { validation_errors } = JSON.parse(body)
    expect(validation_errors).toMatchObject([
      { 'posted-config': { _id: 'c' }, 'config-errors': [{ level: 'error', elements: "$['type']" }] },
      { 'posted-config': { _id: 'a' }, 'config-errors': [{ level: 'error', elements: "$['source']['type']" }] },
      { 'posted-config': { _id: 'b' }, 'config-errors': [{ level: 'error', elements: "$['batch_size']" }] },
    ])
    for (const one of validation_errors)
      for (const error of one['config-errors']) expect(Object.keys(error)).toEqual(['level', 'msg', 'elements'])
    expect(await text('/config')).toBe(`[${SYSTEM}]`)
  })

  it('is taken with its errors when forced, whatever the spelling of true', async () => {
    const { fetch, put } = await opened()
    const response = await put('/config?force=True', '[{"_id":"a","type":"pipe","source":{"type":"nonsense"}}]')
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ validation_errors: [{ 'posted-config': { _id: 'a' } }] })
    const pipe = (await (await fetch('/pipes/a')).json()) as { runtime: object }
    expect(pipe.runtime).toMatchObject({ state: 'Failed', 'is-valid-config': false })
  })

  it('that is none is refused with its place, also when forced', async () => {
    const { put, text } = await opened()
    await put('/config', `[${SYSTEM}]`)
    const response = await put('/config?force=true', '[\n  {"_id": "a",}\n]')
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'bad-json', details: { line: 2, column: 15 } })
    expect((await put('/config?force=true', '7')).status).toBe(400)
    expect((await put('/config', '[1]')).status).toBe(400)
    expect(await (await put('/config', Buffer.from([0xff, 0xfe, 0x41]))).json()).toMatchObject({ code: 'bad-body' })
    expect(await text('/config')).toBe(`[${SYSTEM}]`)
  })
})

describe('a zip file', () => {
  it('that would do harm is refused: too large, too many, links, ways out, encrypted, damaged, no zip at all', async () => {
    const { put, text } = await opened()
    const many = await zipOf(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}.conf.json`, PIPE])))
    many.writeUInt16LE(65_000, many.length - 12)
    many.writeUInt16LE(65_000, many.length - 14)
    const zeros = Buffer.alloc(80 * 1024 * 1024, 32)
    const big = rawZip('a.conf.json', zeros)
    for (const [name, zip, why] of [
      ['a bomb', big, 'larger than'],
      ['a bomb that lies', rawZip('a.conf.json', zeros, 10), 'too many bytes'],
      ['many members', many, ''],
      ['a link', await zipOf({ 'a.conf.json': '/etc/passwd' }, 0o120777), 'symbolic link'],
      ['a way out', rawZip('../../a.conf.json', Buffer.from(PIPE)), 'relative path'],
      ['a root', rawZip('/etc/a.conf.json', Buffer.from(PIPE)), 'absolute path'],
      ['encrypted', rawZip('a.conf.json', Buffer.from(PIPE), PIPE.length, { flags: 0x801 }), 'encrypted'],
      ['unknown method', rawZip('a.conf.json', Buffer.from(PIPE), PIPE.length, { method: 99 }), ''],
      ['damaged', rawZip('a.conf.json', Buffer.from(PIPE)), 'damaged'],
      ['cut off', big.subarray(0, 1000), ''],
      ['nothing', Buffer.from('PK\x03\x04'), ''],
    ] as const) {
      const response = await put('/config?force=true', new Uint8Array(zip))
      expect(response.status, name).toBe(400)
      const { code, message } = (await response.json()) as { code: string; message: string }
      expect(code, name).toBe('bad-zip')
      expect(message, name).toContain(why)
    }
    expect(await text('/config')).toBe('[]')
  })

  it('says which member is no JSON, beside all other problems', async () => {
    const { put } = await opened()
    const zip = await zipOf({ 'pipes/x.conf.json': '{"_id": 1,}', 'pipes/y.conf.json': '{"_id":"y","type":"pip"}' })
    const response = await put('/config', new Uint8Array(zip))
    expect(response.status).toBe(400)
    const { validation_errors } = (await response.json()) as { validation_errors: object[] }
    expect(validation_errors).toMatchObject([{ 'posted-config': { _id: 'x' } }, { 'posted-config': { _id: 'y' } }])
  })

  it('has a name for each id, however odd', async () => {
    const { fetch, put } = await opened()
    const ids = ['..', 'a\\b', 'é'.repeat(150), 'CON', 'a:b']
    const pipes = ids.map((_id) => ({ _id, type: 'pipe', source: { type: 'http_endpoint' } }))
    expect((await put('/config', JSON.stringify(pipes))).status).toBe(200)
    const answer = await fetch('/config', { headers: { accept: 'application/zip' } })
    const zip = new Uint8Array(await answer.arrayBuffer())
    expect(Object.values(await membersOf(zip)).map((one) => JSON.parse(one)._id)).toEqual(ids)
    expect((await put('/config', zip)).status).toBe(200)
  })
})

describe('groups', () => {
  const pipe = (id: string, more = '') => `{"_id":"${id}","type":"pipe","source":{"type":"http_endpoint"}${more}}`
  const tag = (group: string) => `,"metadata":{"$config-group":"${group}"}`

  it('are replaced one by one, and all together', async () => {
    const { put, text } = await opened()
    await put('/config', `[${pipe('a')}]`)
    expect((await put('/config/crm', `[${pipe('b')}]`)).status).toBe(200)
    expect(await text('/config')).toBe(`[${pipe('a')}]`)
    expect(await text('/config/crm')).toBe(`[${pipe('b', tag('crm'))}]`)
    expect(await text('/config-all')).toBe(`[${pipe('a')},${pipe('b', tag('crm'))}]`)
    expect(await text('/config/nobody')).toBe('[]')
    await put('/config', '[]')
    expect(await text('/config-all')).toBe(`[${pipe('b', tag('crm'))}]`)
    await put('/config-all', `[${pipe('c', tag('x'))},${pipe('d')}]`)
    expect([await text('/config'), await text('/config/x'), await text('/config/crm')]).toEqual([
      `[${pipe('d')}]`,
      `[${pipe('c', tag('x'))}]`,
      '[]',
    ])
  })

  it('keep their ids until they are moved by force', async () => {
    const { put, text } = await opened()
    await put('/config', `[${pipe('a')}]`)
    const refused = await put('/config/crm', `[${pipe('a')}]`)
    expect(refused.status).toBe(400)
    expect(JSON.stringify(await refused.json())).toContain("The id 'a' is used in the group 'default'")
    expect((await put('/config/crm?force=true', `[${pipe('a')}]`)).status).toBe(200)
    expect([await text('/config'), await text('/config/crm')]).toEqual(['[]', `[${pipe('a', tag('crm'))}]`])
    expect((await put('/config/crm', `[{"_id":"node","type":"metadata"}]`)).status).toBe(400)
  })
})

describe('environment variables', () => {
  it('are replaced, merged and removed, and come back as they were given', async () => {
    const { fetch, put, text } = await opened()
    const send = async (method: string, path: string, body?: string) => {
      const answer = await fetch(path, { method, ...(body === undefined ? {} : { body, headers: JSON_TYPE }) })
      return [answer.status, await answer.text()]
    }
    expect(await (await put('/env', '{"b":1.0,"a":[true],"å":1e3}')).text()).toBe('{"b":1.0,"a":[true],"å":1e3}')
    expect(await send('PATCH', '/env', '{"a":2.50}')).toEqual([200, '{"b":1.0,"a":2.50,"å":1e3}'])
    expect(await send('POST', '/env', '[{"c":1},{"c":2,"d":null}]')).toEqual([
      200,
      '{"b":1.0,"a":2.50,"å":1e3,"c":2,"d":null}',
    ])
    expect(await send('DELETE', '/env/%C3%A5')).toEqual([200, '{"b":1.0,"a":2.50,"c":2,"d":null}'])
    expect((await send('DELETE', '/env/gone'))[0]).toBe(404)
    for (const body of ['[]x', '7', '[7]', '{']) expect((await send('POST', '/env', body))[0], body).toBe(400)
    expect((await put('/env', '[]')).status).toBe(400)
    expect(await (await put('/env', '{}')).text()).toBe('{}')
    expect(await text('/env')).toBe('{}')
  })
})

describe('node metadata', () => {
  it('is put, shown with its defaults object, and removed', async () => {
    const { fetch, put } = await opened()
    const effective = async () =>
      ((await (await fetch('/metadata')).json()) as { config: { effective: object } }).config.effective
    expect(await effective()).toEqual({ _id: 'node', type: 'metadata', global_defaults: {} })
    expect((await put('/metadata', '{"global_defaults":{"max_merged":7},"own":1.0}')).status).toBe(200)
    expect(await effective()).toMatchObject({ global_defaults: { max_merged: 7 }, own: 1 })
    expect(await (await fetch('/config')).text()).toBe(
      '[{"global_defaults":{"max_merged":7},"own":1.0,"_id":"node","type":"metadata"}]',
    )
    const refused = await put('/metadata', '{"global_defaults":{"max_merged":"x"}}')
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({
      validation_errors: [{ 'config-errors': [{ elements: "$['global_defaults']['max_merged']" }] }],
    })
    expect((await put('/metadata', '[]')).status).toBe(400)
    expect((await fetch('/metadata', { method: 'DELETE' })).status).toBe(200)
    expect(await effective()).toEqual({ _id: 'node', type: 'metadata', global_defaults: {} })
    expect((await fetch('/metadata', { method: 'DELETE' })).status).toBe(200)
  })
})

describe('the way back', () => {
  it('is open over the API, and says what it did', async () => {
    const { fetch, put, text } = await opened()
    await put('/config', `[${SYSTEM.replace('unknown', 'comment')}]`)
    await put('/config', '[]')
    const generations = (await (await fetch('/config-generations')).json()) as { generation: number }[]
    expect(generations.map(({ generation }) => generation)).toEqual([3, 2, 1])
    const back = await fetch('/config-rollback', { method: 'POST' })
    expect([back.status, await back.json()]).toEqual([200, { validation_errors: [], generation: 4 }])
    expect(await text('/config')).toContain('[1.50]')
    const body = JSON.stringify({ generation: 3 })
    expect((await fetch('/config-rollback', { method: 'POST', body, headers: JSON_TYPE })).status).toBe(200)
    expect(await text('/config')).toBe('[]')
    expect((await fetch('/config-rollback', { method: 'POST', body: 'generation=77' })).status).toBe(404)
    expect((await fetch('/config-rollback', { method: 'POST', body: 'generation=x' })).status).toBe(400)
  })

  it('has a history of each component', async () => {
    const { fetch, put } = await opened()
    for (const n of [1, 2]) await put('/config', `[{"_id":"s","type":"system:url","url_pattern":"http://x/","n":${n}}]`)
    const history = async (query: string) => (await fetch(`/config-history/entity?${query}`)).json()
    expect(await history('entity_id=s')).toMatchObject([
      { _id: 's', n: 1, _updated: 0 },
      { n: 2, _updated: 1, _previous: 0 },
    ])
    expect(await history('entity_id=s&reverse=true&limit=1')).toMatchObject([{ n: 2 }])
    expect(await history('entity_id=s&since=0')).toMatchObject([{ n: 2 }])
    expect((await fetch('/config-history/entity')).status).toBe(400)
  })
})
