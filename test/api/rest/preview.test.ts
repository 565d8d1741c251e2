import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer, type Server } from '../../../src/api/server.ts'
import { doors } from '../../../src/hub/doors.ts'
import { HubNode } from '../../../src/hub/node.ts'
import type { HubTenant } from '../../../src/hub/tenant.ts'
import { silent } from '../../../src/pipes/logger.ts'
import { deploy, push, receiver, stored } from '../../hub/running-hub.ts'
import { serve } from '../serve.ts'

interface Preview {
  readonly result: readonly Record<string, unknown>[]
  readonly errors: readonly Record<string, unknown>[]
  readonly warnings: readonly Record<string, unknown>[]
  readonly trace: readonly {
    readonly pointer: string
    readonly input: Record<string, unknown>
    readonly output: readonly Record<string, unknown>[]
    readonly failed: boolean
    readonly steps: readonly {
      readonly name: string
      readonly input: readonly string[]
      readonly output: string | null
    }[]
  }[]
}

const dtl = (...rules: unknown[]) => ({ type: 'dtl', rules: { default: rules } })
const pipe = (id: string, transform: unknown, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset: 'people' },
  transform,
  pump: { mode: 'manual' },
  ...more,
})
const HOPS = ['hops', { datasets: ['companies c'], where: ['eq', '_S.company', 'c.no'], return: 'c.name' }]

describe('a preview over HTTP', () => {
  let folder: string
  let node: HubNode
  let server: Server
  let tenant: HubTenant

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samtale-preview-'))
    const onFatal = (error: Error) => {
      throw error
    }
    node = await HubNode.open({
      developer: false,
      version: 'test',
      logger: silent,
      withGraph: false,
      threads: 1,
      onFatal,
      data: folder,
    })
    server = await openServer(node, { host: '127.0.0.1', port: 0, doors })
    tenant = node.tenant('default') as HubTenant
    await deploy(
      tenant,
      receiver('people'),
      receiver('companies'),
      pipe('plain', dtl(['copy', '*'], ['add', 'n', ['plus', 1, '_S.n']])),
      pipe('joins', dtl(['add', 'works', HOPS])),
      pipe(
        'chained',
        [
          dtl(['create', ['apply', 'part', '_S.parts']]),
          dtl(['add', 'seen', true], ['filter', ['neq', '_S._id', '2']]),
        ].map((one, place) =>
          place === 0 ? { ...one, rules: { ...one.rules, part: [['add', '_id', '_S.id']] } } : one,
        ),
      ),
      pipe('named', dtl(['copy', '*'], ['add', 'ni', ['ni', '_S.uri']]), {
        namespaced_identifiers: true,
        add_namespaces: true,
        remove_namespaces: true,
      }),
      pipe('out', dtl(['copy', '*'], ['filter', ['eq', '_S.keep', true]]), {
        sink: { type: 'http_endpoint' },
      }),
      pipe('fails', dtl(['add', 'r', ['range', 0, 9, '_S.step']])),
    )
    await push(tenant, 'companies', [
      { _id: 'c1', no: [1, 2], name: 'Acme' },
      { _id: 'c2', no: 2, name: 'Beta' },
      { _id: 'c3', no: 3, name: 'Gone', _deleted: true },
    ])
    await push(tenant, 'people', [{ _id: 'p1', company: 1 }])
  })
  afterAll(async () => {
    await server.close()
    await node.close()
    await rm(folder, { recursive: true, force: true })
  })

  const post = (id: string, body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/pipes/${id}/preview`, { method: 'POST', body, headers })
  const preview = async (id: string, source: unknown, config?: unknown): Promise<Preview> => {
    const fields = new URLSearchParams({ source: typeof source === 'string' ? source : JSON.stringify(source) })
    if (config !== undefined) fields.set('pipe-config', typeof config === 'string' ? config : JSON.stringify(config))
    const response = await post(id, fields)
    expect(response.status).toBe(200)
    return (await response.json()) as Preview
  }

  it('gives what the pipe makes of one entity', async () => {
    expect(await preview('plain', { _id: 'a', n: 1 })).toEqual({
      result: [{ _id: 'a', n: 2 }],
      errors: [],
      warnings: [],
      trace: [],
    })
  })

  it('keeps every digit and every type', async () => {
    const response = await post(
      'plain',
      new URLSearchParams({ source: '{"_id":"a","n":12345678901234567890,"d":"~f1.50","f":1.0}' }),
    )
    expect(await response.text()).toContain('{"_id":"a","n":12345678901234567891,"d":"~f1.50","f":1.0}')
  })

  it('takes the fields as each kind of form, and documents in JSON', async () => {
    const form = new FormData()
    form.append('source', '{"_id":"a","n":1}')
    const json = { 'content-type': 'application/json' }
    for (const [body, headers] of [
      [form, {}],
      ['{"source":{"_id":"a","n":1}}', json],
      ['{"source":"{\\"_id\\":\\"a\\",\\"n\\":1}","pipe-config":null}', json],
    ] as const) {
      expect(await (await post('plain', body, headers)).json()).toMatchObject({ result: [{ _id: 'a', n: 2 }] })
    }
  })

  it('tries an edited configuration, which need not repeat its id and type', async () => {
    const edited = { source: { type: 'empty' }, transform: dtl(['add', 'n', 'new']) }
    expect((await preview('plain', { _id: 'a' }, edited)).result).toEqual([{ _id: 'a', n: 'new' }])
    expect((await preview('not-yet-there', { _id: 'a' }, edited)).result).toEqual([{ _id: 'a', n: 'new' }])
    // The pipe itself is as it was.
    expect((await preview('plain', { _id: 'a', n: 1 })).result).toEqual([{ _id: 'a', n: 2 }])
  })

  it('says what is wrong with an edited configuration, all of it, with pointers and hints', async () => {
    const edited = {
      source: { type: 'empty' },
      transform: dtl(['ad', 'n', 1], ['add', 'n', ['uper', 'x']], ['remove', '_id']),
    }
    const { result, errors } = await preview('plain', { _id: 'a' }, edited)
    expect(result).toEqual([])
    expect(errors).toEqual([
      expect.objectContaining({
        level: 'error',
        component: 'plain',
        pointer: '/transform/rules/default/0',
        hint: "Did you mean 'add'?",
      }),
      expect.objectContaining({
        level: 'error',
        component: 'plain',
        pointer: '/transform/rules/default/1/2',
        hint: "Did you mean 'upper'?",
      }),
    ])
  })

  it('warns as a check does', async () => {
    const edited = pipe('joins', dtl(['add', 'x', ['hops', { datasets: ['nowhere n'], where: ['eq', '_S.a', 'n.a'] }]]))
    const { result, errors, warnings } = await preview('joins', { _id: 'a', a: 1 }, edited)
    expect(result).toEqual([{ _id: 'a', x: [] }])
    expect(errors).toEqual([])
    expect(warnings).toContainEqual(
      expect.objectContaining({ level: 'warning', message: expect.stringContaining("'nowhere'") }),
    )
  })

  it('tells errors of a run where they happened, with the values', async () => {
    const { result, errors } = await preview('fails', { _id: 'a', step: 0 })
    expect(result).toEqual([])
    expect(errors).toEqual([
      {
        level: 'error',
        component: 'fails',
        pointer: '/transform/rules/default/0',
        code: 'bad-argument',
        message: 'STEP of range is 0.',
        hint: 'Use 1 or -1.',
        entity: 'a',
        values: ['0', '9', '0'],
      },
    ])
  })

  it('joins without an index that is not there yet, and makes none', async () => {
    const before = JSON.stringify([tenant.indexes('companies'), tenant.ends(), tenant.pump('joins')])
    expect((await preview('joins', { _id: 'a', company: 2 })).result).toEqual([{ _id: 'a', works: ['Acme', 'Beta'] }])
    expect((await preview('joins', { _id: 'a', company: [1, 3, 2] })).result).toEqual([
      { _id: 'a', works: ['Acme', 'Beta'] },
    ])
    expect(JSON.stringify([tenant.indexes('companies'), tenant.ends(), tenant.pump('joins')])).toBe(before)
    expect(tenant.indexes('companies')).not.toContain('_S.no')
    await tenant.runNow('joins')
    expect(tenant.indexes('companies')).toContain('_S.no')
    // Now through the index.
    expect((await preview('joins', { _id: 'a', company: 2 })).result).toEqual([{ _id: 'a', works: ['Acme', 'Beta'] }])
  })

  it('writes nothing', async () => {
    await preview('plain', { _id: 'preview-only', n: 1 })
    expect(await stored(tenant, 'plain')).toEqual([])
  })

  it('takes an entity through all transforms, created ones too, and marks what is filtered', async () => {
    const { result } = await preview('chained', { _id: '0', parts: [{ id: '1' }, { id: '2' }] })
    expect(result).toEqual([
      { _id: '1', seen: true },
      { _id: '2', seen: true, _filtered: true },
      { _id: '0', seen: true },
    ])
    // A sink that does not understand the mark would never see the entity: whoever looks should.
    expect((await preview('out', { _id: 'a' })).result).toEqual([{ _id: 'a', _filtered: true }])
  })

  it('adds the namespaces of the pipe, and remembers nothing that its program made up', async () => {
    const made = async (uri: string) => (await preview('named', { _id: 'a', uri })).result
    expect(await made('~rhttp://one.example/1')).toEqual([
      { _id: 'named:a', 'named:uri': '~rhttp://one.example/1', 'named:ni': '~:named-1:1' },
    ])
    expect(await made('~rhttp://two.example/1')).toMatchObject([{ 'named:ni': '~:named-1:1' }])
  })

  it('tells each step, its input and its output, when the entity asks for it', async () => {
    const { result, trace } = await preview('plain', { _id: 'a', n: 1, _trace: true })
    expect(result).toEqual([{ _id: 'a', n: 2 }])
    expect(trace).toHaveLength(1)
    expect(trace[0]).toMatchObject({ pointer: '/transform', input: { _id: 'a', n: 1 }, output: result, failed: false })
    expect(trace[0]?.input).not.toHaveProperty('_trace')
    expect(trace[0]?.steps).toEqual([
      expect.objectContaining({ kind: 'transform', name: 'copy', pointer: '/rules/default/0', output: '{"n":1}' }),
      expect.objectContaining({
        kind: 'transform',
        name: 'add',
        pointer: '/rules/default/1',
        depth: 0,
        output: '{"n":2}',
      }),
      expect.objectContaining({
        kind: 'function',
        name: 'plus',
        pointer: '/rules/default/1/2',
        depth: 1,
        input: ['1', '1'],
        output: '2',
      }),
    ])
  })

  it('tells of each entity that goes through a chain, and of the step that failed', async () => {
    const { trace } = await preview('chained', { _id: '0', parts: [{ id: '1' }], _trace: true })
    expect(trace.map(({ pointer, input }) => [pointer, input._id])).toEqual([
      ['/transform/0', '0'],
      ['/transform/1', '1'],
      ['/transform/1', '0'],
    ])
    const failed = await preview('fails', { _id: 'a', step: 0, _trace: true })
    expect(failed.trace[0]).toMatchObject({ failed: true, output: [] })
    expect(failed.trace[0]?.steps).toContainEqual(
      expect.objectContaining({ name: 'range', failed: true, output: null }),
    )
  })

  it('refuses what is no entity, no JSON, or the configuration of something else', async () => {
    const answers = async (fields: Record<string, string>, id = 'plain') => {
      const response = await post(id, new URLSearchParams(fields))
      return [response.status, ((await response.json()) as { code: string }).code]
    }
    expect(await answers({})).toEqual([400, 'bad-request'])
    expect(await answers({ source: '[{"_id":"a"}]' })).toEqual([400, 'bad-entity'])
    expect(await answers({ source: '{"_id":' })).toEqual([400, 'bad-json'])
    expect(await answers({ source: '{"_id":"a"}', 'pipe-config': '{' })).toEqual([400, 'bad-json'])
    expect(await answers({ source: '{"_id":"a"}', 'pipe-config': '{"_id":"other"}' })).toEqual([400, 'bad-request'])
    expect(await answers({ source: '{"_id":"a"}', 'pipe-config': '{"type":"system:url"}' })).toEqual([
      400,
      'bad-request',
    ])
    expect(await answers({ source: '{"_id":"a"}' }, 'nobody')).toEqual([404, 'unknown-pipe'])
  })

  it('explains how a pipe finds what it joins', async () => {
    const explained = await fetch(`${server.url}/api/pipes/joins/explain`)
    expect(await explained.json()).toMatchObject({
      pipe: 'joins',
      reads: ['companies'],
      indexes: [{ dataset: 'companies', expression: '_S.no' }],
      transforms: [
        {
          pointer: '/transform',
          hops: [
            {
              specs: [
                {
                  steps: [{ alias: 'c', lookups: [{ key: '_S.company', index: { expression: '_S.no' } }] }],
                  scans: [],
                },
              ],
            },
          ],
        },
      ],
    })
    expect((await fetch(`${server.url}/api/pipes/nobody/explain`)).status).toBe(404)
  })

  it('explains no pipe that has errors', async () => {
    await tenant.replaceConfig(
      JSON.stringify([...JSON.parse(tenant.configText()), pipe('broken', dtl(['no-such-thing']))]),
      true,
    )
    const explained = await fetch(`${server.url}/api/pipes/broken/explain`)
    expect([explained.status, ((await explained.json()) as { code: string }).code]).toEqual([409, 'invalid-pipe'])
  })
})

describe('the language over HTTP', () => {
  const served = serve()

  it('is what editors complete from', async () => {
    const response = await served.get('/api/dtl')
    expect(response.status).toBe(200)
    const language = (await response.json()) as {
      functions: { name: string; forms: { name: string }[][]; arguments: object }[]
      transforms: { name: string }[]
      variables: { name: string }[]
      hops: { name: string }[]
    }
    expect(language.functions).toHaveLength(155)
    expect(language.transforms).toHaveLength(20)
    expect(language.variables.map(({ name }) => name)).toEqual(['_S', '_T', '_P', '_R', '_B', '_'])
    expect(language.hops.map(({ name }) => name)).toContain('track-dependencies')
    expect(language.functions.find(({ name }) => name === 'replace')).toMatchObject({
      forms: [
        [{ name: 'OLD_STRING' }, { name: 'NEW_STRING' }, { name: 'VALUES' }],
        [{ name: 'REPLACEMENTS' }, { name: 'VALUES' }],
      ],
      arguments: { least: 2, most: 3 },
    })
  })

  it('is described, as are previews and explanations', async () => {
    const { paths } = (await (await served.get('/api/reference/json')).json()) as { paths: Record<string, object> }
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/api/dtl', '/api/pipes/{id}/preview', '/api/pipes/{id}/explain']),
    )
  })
})
