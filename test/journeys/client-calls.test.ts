/**
 * What the commands of the public client call, in their order, as bare HTTP (rest-api.md §9): each sequence with what the
 * client reads from the answers. The client itself runs in `npm run test:client`.
 */

import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { fromBuffer } from 'yauzl'
import { ZipFile } from 'yazl'
import { liveHub } from './live-hub.ts'

const hub = liveHub({ developer: true })
const BEARER = { authorization: 'bearer e30.e30.signature' }

const envText = '{"node-env": "test", "ratio": 1.0, "big": 12345678901234567890}'
const PIPES = {
  'input-pipe1': {
    _id: 'input-pipe1',
    type: 'pipe',
    source: {
      type: 'conditional',
      condition: '$ENV(node-env)',
      alternatives: {
        prod: { type: 'json', system: 'crm', url: 'people' },
        test: {
          type: 'embedded',
          entities: [
            { _id: 'test1', name: 'test1' },
            { _id: 'test2', name: 'test2' },
          ],
        },
      },
    },
  },
  receiver: { _id: 'receiver', type: 'pipe', source: { type: 'http_endpoint' } },
  inner: {
    _id: 'inner',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'input-pipe1' },
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['add', 'greeting', ['concat', ['list', 'Hello ', '_S.name']]],
        ],
      },
    },
  },
  'output-json': {
    _id: 'output-json',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'inner' },
    sink: { type: 'http_endpoint' },
  },
  'output-csv': {
    _id: 'output-csv',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'inner' },
    sink: { type: 'csv_endpoint', columns: ['_id', 'greeting'] },
  },
  'output-xml': {
    _id: 'output-xml',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'inner' },
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '_id'],
          ['add', '<person>', '_S.greeting'],
          ['add', 'of', '_B.of'],
        ],
      },
    },
    sink: { type: 'xml_endpoint', wrapper: 'people' },
  },
  'from-receiver': {
    _id: 'from-receiver',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'receiver' },
    sink: { type: 'http_endpoint' },
  },
}
const SYSTEMS = { crm: { _id: 'crm', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' } }
/** With what the client adds to it. */
const METADATA = {
  _id: 'node',
  type: 'metadata',
  namespaced_identifiers: false,
  task_manager: { disable_user_pipes: true },
  global_defaults: { eager_load_microservices: false, enable_cpp_extensions: false },
}

/** As the client sends it. */
const ask = async (method: string, path: string, init: RequestInit = {}) => {
  const answer = await fetch(`${hub.url}/api${path}`, { method, ...init, headers: { ...BEARER, ...init.headers } })
  const text = await answer.text()
  const isJson = /^application\/json/.test(answer.headers.get('content-type') ?? '')
  // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of what JSON says
  return { status: answer.status, text, body: (isJson ? JSON.parse(text) : null) as any }
}
const json = (body: unknown): RequestInit => ({
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})
const form = (fields: Record<string, string>): RequestInit => ({ body: new URLSearchParams(fields) })

/** One file part: field `file`, file name `config`. */
function upload(content: Uint8Array | string, type: string): RequestInit {
  const body = new FormData()
  body.append('file', new Blob([typeof content === 'string' ? content : Uint8Array.from(content)], { type }), 'config')
  return { body }
}

async function zipOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name)
  zip.end()
  return buffer(zip.outputStream)
}

function unzipped(bytes: Buffer): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    const files: Record<string, string> = {}
    fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
      if (error !== null || zip === undefined) return reject(error)
      zip.on('entry', (entry) => {
        zip.openReadStream(entry, async (failure, stream) => {
          if (failure !== null || stream === undefined) return reject(failure)
          files[entry.fileName] = (await buffer(stream)).toString()
          zip.readEntry()
        })
      })
      zip.on('end', () => resolve(files))
      zip.readEntry()
    })
  })
}

const projectFiles = (): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(PIPES).map(([id, pipe]) => [`pipes/${id}.conf.json`, JSON.stringify(pipe, null, 2)]),
  ),
  ...Object.fromEntries(
    Object.entries(SYSTEMS).map(([id, one]) => [`systems/${id}.conf.json`, JSON.stringify(one, null, 2)]),
  ),
  'node-metadata.conf.json': JSON.stringify(METADATA),
})

/** Every online command begins with it. */
async function assertDeveloper(): Promise<void> {
  expect((await ask('GET', '/')).body.status.developer_mode).toBe(true)
}

async function uploadProject(files = projectFiles()) {
  await assertDeveloper()
  expect((await ask('PUT', '/env', json(envText))).status).toBe(200)
  const answer = await ask('PUT', '/config?force=false', upload(await zipOf(files), 'application/zip'))
  expect(answer.status, answer.text).toBe(200)
  const pipes = (await ask('GET', '/pipes')).body as { runtime: { state: string } }[]
  expect(pipes.map(({ runtime }) => runtime.state)).not.toContain('Deploying')
  return answer
}

async function run(query = ''): Promise<{ status: string; additional_info?: string }> {
  expect((await ask('POST', '/pipes/stop-run-all-pipes?terminate_timeout=30')).status).toBe(200)
  const parameters = 'extra_zero_runs=2&max_run_time=900&max_runs=100'
  const answer = await ask('POST', `/pipes/run-all-pipes?${parameters}${query}&request_mode=sync`)
  expect(answer.status, answer.text).toBe(200)
  return answer.body
}

describe('the calls of the client', { timeout: 60_000 }, () => {
  it('upload: variables, a zip, and test data for receivers although user pipes are off', async () => {
    const { body } = await uploadProject()
    expect(
      body.validation_errors.every((one: { 'config-errors': unknown[] }) => Array.isArray(one['config-errors'])),
    ).toBe(true)
    expect((await ask('GET', '/pipes/receiver')).status).toBe(200)
    const pushed = await ask('POST', '/receivers/receiver/entities', json([{ _id: 'pushed', n: 1 }]))
    expect([pushed.status, pushed.body]).toEqual([200, {}])
  })

  it('upload of what has errors: 400 with a list for each component, and nothing changed', async () => {
    await uploadProject()
    const broken = { _id: 'broken', type: 'pipe', source: { type: 'datset', dataset: 'x' } }
    const files = { ...projectFiles(), 'pipes/another-name.conf.json': JSON.stringify(broken) }
    const zip = await zipOf(files)
    const refused = await ask('PUT', '/config?force=false', upload(zip, 'application/zip'))
    expect(refused.status).toBe(400)
    const [error] = refused.body.validation_errors.filter(
      (one: { 'posted-config': { _id: string } }) => one['posted-config']._id === 'broken',
    )
    expect(error['config-errors']).toContainEqual({
      level: 'error',
      msg: expect.stringContaining('datset'),
      elements: "$['source']['type']",
    })
    expect((await ask('GET', '/pipes/broken')).status).toBe(404)
    expect((await ask('PUT', '/config?force=True', upload(zip, 'application/zip'))).status).toBe(200)
    expect((await ask('GET', '/pipes/broken')).body.runtime).toMatchObject({
      'is-valid-config': false,
      'config-errors': [expect.objectContaining({ level: 'error' })],
    })
  })

  it('download and status: what was uploaded, value for value', async () => {
    await uploadProject()
    expect((await ask('GET', '/env')).text.replace(/\s/g, '')).toBe(envText.replace(/\s/g, ''))
    const answer = await fetch(`${hub.url}/api/config`, { headers: { ...BEARER, accept: 'application/zip' } })
    expect(answer.headers.get('content-type')).toBe('application/zip')
    const files = await unzipped(Buffer.from(await answer.arrayBuffer()))
    const values = (all: Record<string, string>) =>
      Object.fromEntries(Object.entries(all).map(([name, text]) => [name, JSON.parse(text)]))
    expect(values(files)).toEqual(values(projectFiles()))
  })

  it('run: reset, passes, a result, and a log to follow', async () => {
    await uploadProject()
    await ask('POST', '/receivers/receiver/entities', json([{ _id: 'pushed' }]))
    expect(await run('&delete_input_datasets=False&output_run_statistics=True')).toEqual({
      status: 'success',
      additional_info: expect.stringContaining('input-pipe1'),
    })
    const lines = (await ask('GET', '/pipes/get-run-all-pipes-log')).body as { timestamp: string }[]
    expect(lines.length).toBeGreaterThan(3)
    expect(lines[0]).toEqual({ timestamp: expect.any(String), loglevel: 'INFO', logdata: expect.any(String) })
    const since = encodeURIComponent(lines[1]?.timestamp as string)
    expect((await ask('GET', `/pipes/get-run-all-pipes-log?since=${since}`)).body).toEqual(lines.slice(2))
    expect((await ask('GET', '/datasets/receiver')).body.runtime['count-index-exists']).toBe(1)
  })

  it('run in the asynchronous way: a token, then the status by it', async () => {
    await uploadProject()
    await ask('POST', '/pipes/stop-run-all-pipes?terminate_timeout=30')
    const { token } = (await ask('POST', '/pipes/run-all-pipes?extra_zero_runs=2&request_mode=async')).body
    expect((await ask('POST', '/pipes/run-all-pipes?request_mode=async')).status).toBe(409)
    await expect
      .poll(async () => (await ask('GET', `/pipes/get-pipe-runner-status?token=${token}`)).body, { timeout: 20_000 })
      .toEqual({ status: 'success' })
    const log = await ask('GET', `/pipes/get-run-all-pipes-log?token=${token}`)
    expect(log.body.at(-1).logdata).toMatch(/^Success/)
  })

  it('verify: the class of each pipe, what it makes, and the bytes that it publishes', async () => {
    await uploadProject()
    await ask('POST', '/receivers/receiver/entities', json([{ _id: 'pushed', n: 1 }]))
    await run('&delete_input_datasets=False')
    // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of what JSON says
    const pipes = (await ask('GET', '/pipes')).body as any[]
    expect(Object.fromEntries(pipes.map((pipe) => [pipe._id, classOf(pipe.config.effective)]))).toEqual({
      'input-pipe1': 'input',
      receiver: 'internal',
      inner: 'internal',
      'output-json': 'endpoint',
      'output-csv': 'endpoint',
      'output-xml': 'endpoint',
      'from-receiver': 'endpoint',
    })
    const made = (await ask('GET', '/pipes/output-json/entities')).body as Record<string, unknown>[]
    expect(made.map(({ _id, greeting }) => [_id, greeting])).toEqual([
      ['test1', 'Hello test1'],
      ['test2', 'Hello test2'],
    ])
    for (const stage of [
      'source',
      'before-transform',
      'before-transforms',
      'after-transform',
      'after-transforms',
      'sink',
    ]) {
      const { status, body } = await ask('GET', `/pipes/inner/entities?stage=${stage}`)
      expect([status, body.length, 'greeting' in body[0]], stage).toEqual([200, 2, !/source|before/.test(stage)])
    }
    expect((await ask('GET', '/pipes/receiver/entities')).body).toEqual([])

    await ask('POST', '/pipes/output-csv/pump', form({ operation: 'disable', comment: 'holidays' }))
    expect((await ask('GET', '/publishers/output-csv/csv')).status).toBe(503)
    expect((await ask('GET', '/pipes/output-csv/pump')).body.runtime['is-disabled']).toBe(true)
    expect(
      (await ask('POST', '/pipes/output-csv/pump', form({ operation: 'enable' }))).body.runtime['is-disabled'],
    ).toBe(false)
    expect((await ask('GET', '/publishers/output-csv/csv')).text).toBe(
      '_id,greeting\r\ntest1,Hello test1\r\ntest2,Hello test2\r\n',
    )
    const xml = await fetch(`${hub.url}/api/publishers/output-xml/xml?of=${encodeURIComponent('A & B')}`, {
      headers: BEARER,
    })
    expect(xml.headers.get('content-type')).toMatch(/^application\/xml/)
    expect(await xml.text()).toBe(
      '<people><person of="A &amp; B">Hello test1</person><person of="A &amp; B">Hello test2</person></people>',
    )
    const excel = await fetch(`${hub.url}/api/publishers/output-csv/excel`, { headers: BEARER })
    expect(excel.headers.get('content-type')).toMatch(/spreadsheetml/)
    for (const { _id } of pipes) {
      const pump = await ask('GET', `/pipes/${_id}/pump`)
      expect(pump.body, _id).toMatchObject({
        _id,
        config: expect.anything(),
        runtime: {
          'is-running': false,
          'is-disabled': false,
          'is-valid-config': true,
          'config-errors': [],
          queues: { source: expect.toSatisfy((count) => count === null || count === 0) },
          'supported-operations': expect.arrayContaining(['enable', 'disable']),
        },
      })
    }
  })

  it('test: upload, run and verify, with one result however often', async () => {
    for (let cycle = 0; cycle < 2; cycle++) {
      await uploadProject()
      expect((await run()).status).toBe('success')
      expect((await ask('GET', '/publishers/output-json/entities')).body).toHaveLength(2)
    }
  })

  it('stop: well, also when nothing runs', async () => {
    await assertDeveloper()
    expect((await ask('POST', '/pipes/stop-run-all-pipes?terminate_timeout=30')).status).toBe(200)
  })

  it('init with entities: the pipe, its dataset, and the latest version of ten of them', async () => {
    await uploadProject()
    await run()
    const pipe = (await ask('GET', '/pipes/input-pipe1')).body
    const { dataset } = pipe.config.effective.sink
    expect((await ask('GET', `/datasets/${dataset}`)).status).toBe(200)
    const query = 'history=False&deleted=False&limit=10&reverse=False'
    expect((await ask('GET', `/datasets/${dataset}/entities?${query}`)).body).toMatchObject([
      { _id: 'test1' },
      { _id: 'test2' },
    ])
  })

  it('upload after everything that pipes wrote was deleted', async () => {
    await uploadProject()
    await run()
    expect((await ask('POST', '/admin', form({ operation: 'delete-all-sink-datasets' }))).body).toEqual({
      message: 'OK',
    })
    const { runtime } = (await ask('GET', '/datasets/inner')).body
    expect(runtime).toMatchObject({ 'count-index-exists': 0, 'count-log-exists': 0 })
    expect((await ask('GET', '/pipes/inner/pump')).body.runtime['last-seen']).toBeNull()
  })

  it('wipe: one node metadata, then nothing, then no variables, and no pipes', async () => {
    await uploadProject()
    await ask('POST', '/pipes/stop-run-all-pipes?terminate_timeout=30')
    const metadata = {
      _id: 'node',
      type: 'metadata',
      task_manager: { disable_user_pipes: true },
      global_defaults: {
        use_signalling_internally: false,
        use_signalling_externally: false,
        enable_cpp_extensions: false,
      },
    }
    const first = await ask('PUT', '/config?force=true', upload(JSON.stringify([metadata]), 'application/json'))
    expect([first.status, first.body.validation_errors]).toEqual([200, []])
    expect((await ask('PUT', '/config?force=true', upload('[]', 'application/json'))).status).toBe(200)
    expect((await ask('PUT', '/env', json('{}'))).body).toEqual({})
    expect((await ask('GET', '/pipes')).body).toEqual([])
    expect((await ask('GET', '/config')).body).toEqual([])
  })

  it('authenticate: secrets of each system, whose values never come back, and more variables', async () => {
    await uploadProject()
    for (const { _id } of (await ask('GET', '/systems')).body as { _id: string }[]) {
      const secrets = json({ api_key: 'very-secret-key', oauth_access_token: 'another-secret' })
      expect((await ask('PUT', `/systems/${_id}/secrets?encrypt=true`, secrets)).status).toBe(200)
      const listed = await ask('GET', `/systems/${_id}/secrets`)
      expect(listed.body).toEqual(['api_key', 'oauth_access_token'])
    }
    const variables = (await ask('GET', '/env')).body
    const sent = { ...variables, token_url: 'https://example.org/token', base_url: 'https://example.org' }
    expect((await ask('PUT', '/env', json(sent))).body).toEqual(sent)
    expect((await ask('GET', '/config')).text).not.toContain('very-secret-key')
  })

  it('update-schemas: inference switched on through the effective metadata, then a pump, then its types', async () => {
    await uploadProject()
    const { effective } = (await ask('GET', '/metadata')).body.config
    expect(effective.global_defaults).toEqual(expect.any(Object))
    effective.global_defaults.infer_pipe_entity_types = true
    expect((await ask('PUT', '/metadata', json(effective))).status).toBe(200)
    expect((await ask('GET', '/pipes')).body.length).toBeGreaterThan(0)
    for (const id of ['input-pipe1', 'inner']) {
      expect((await ask('GET', `/pipes/${id}`)).status).toBe(200)
      await ask('POST', `/pipes/${id}/pump`, form({ operation: 'update-last-seen', 'last-seen': '' }))
      expect([200, 409]).toContain((await ask('POST', `/pipes/${id}/pump`, form({ operation: 'start' }))).status)
      await expect
        .poll(async () => {
          const { runtime } = (await ask('GET', `/pipes/${id}/pump`)).body
          return !runtime['is-running'] && (runtime.queues.source ?? 0) === 0
        })
        .toBe(true)
    }
    const types = (await ask('GET', '/pipes/inner/entity-types/sink')).body
    expect(types.properties).toMatchObject({ name: { type: 'string' }, greeting: { type: 'string' } })
    expect((await ask('GET', '/pipes/receiver/entity-types/sink')).body).toEqual({})
  })

  it('restart and reset: another time of its start, and everything or nothing left', async () => {
    await uploadProject()
    await ask('POST', '/receivers/receiver/entities', json([{ _id: 'pushed' }]))
    for (const operation of ['restart', 'reset']) {
      await ask('POST', '/pipes/stop-run-all-pipes?terminate_timeout=30')
      const before = (await ask('GET', '/status')).body.node_start_time
      const answer = await ask('POST', '/admin', form({ operation }))
      expect([answer.status, answer.body]).toEqual([200, { message: 'OK' }])
      await expect.poll(async () => (await ask('GET', '/status')).body.node_start_time).not.toBe(before)
      expect((await ask('GET', '/pipes')).body).toHaveLength(operation === 'restart' ? Object.keys(PIPES).length : 0)
      expect((await ask('GET', '/datasets/receiver')).status).toBe(operation === 'restart' ? 200 : 404)
      if (operation === 'restart')
        expect((await ask('GET', '/datasets/receiver/entities')).body).toMatchObject([{ _id: 'pushed' }])
    }
  })
})

/** As the client sees it (rest-api.md §9.2). */
function classOf({ source, sink }: { source: Record<string, unknown>; sink: Record<string, unknown> }): string {
  if (source.type === 'embedded') return 'input'
  if (String(sink.type).endsWith('_endpoint')) return 'endpoint'
  if ((source.dataset ?? source.datasets) && sink.dataset) return 'internal'
  return sink.dataset ? 'internal' : 'output'
}
