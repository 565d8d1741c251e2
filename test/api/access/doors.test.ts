/** Permissions of single pipes, systems and datasets, at every door. */

import { beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../real-hub.ts'
import { guardedHub } from './guarded-hub.ts'

const hub = guardedHub({ withGraph: true })
let [admin, developer, user, guest, own] = ['', '', '', '', '']

const embedded = (_id: string, entity: object, more: object = {}) => ({
  _id,
  type: 'pipe',
  source: { type: 'embedded', entities: [entity] },
  ...more,
})
const CONFIG = [
  embedded('person', { _id: 'person:1', 'person:name': 'Kari', 'person:works': '~:firm:7' }),
  embedded('firm', { _id: 'firm:7', 'firm:name': 'Secret Firm AS' }),
  embedded(
    'open',
    { _id: 'open:1', 'open:name': 'Known to all' },
    { permissions: [['allow', ['group:Anonymous'], ['read_data']]] },
  ),
  { _id: 'in', type: 'pipe', source: { type: 'http_endpoint' }, permissions: [['allow', ['senders'], ['write_data']]] },
  { _id: 'out', type: 'pipe', source: { type: 'dataset', dataset: 'firm' }, sink: { type: 'http_endpoint' } },
  { _id: 'web', type: 'system:url', url_pattern: 'http://127.0.0.1:9/%s' },
]

beforeAll(async () => {
  admin = await hub.token(['group:Admin'])
  developer = await hub.token(['group:Developer'])
  user = await hub.token(['group:User'])
  guest = await hub.token(['group:Guest'])
  await hub.node.access.roles.create({ name: 'senders', description: null, children: [] })
  const add = { email: 'u@x.y', name: null, roles: ['group:User'], tenants: null, password: null }
  own = await hub.node.access.session(await hub.node.access.users.add(add))
  const { status, body } = await hub.ask(admin, 'PUT', '/api/config', CONFIG)
  expect(status, JSON.stringify(body)).toBe(200)
  await eventually(async () => (await hub.ask(admin, 'GET', '/api/datasets/open/entities')).body.length, 1)
  await eventually(async () => (await hub.ask(admin, 'GET', '/api/datasets/firm/entities')).body.length, 1)
  await eventually(async () => (await hub.ask(admin, 'GET', '/api/datasets/person/entities')).body.length, 1)
})

const put = (path: string, rules: unknown) => hub.ask(admin, 'PUT', `/api/permissions/${path}`, rules)
const status = async (token: string | null, method: string, path: string, body?: unknown) =>
  (await hub.ask(token, method, path, body)).status

describe('a list of permissions', () => {
  it('is put, shown, checked, and taken away with its pipe', async () => {
    expect((await hub.ask(developer, 'GET', '/api/permissions/pipes/person')).body).toEqual([])
    const rules = [['deny', ['group:User'], ['read_config']]]
    expect(await put('pipes/person', rules)).toMatchObject({ status: 200, body: rules })
    expect((await hub.ask(admin, 'GET', '/api/permissions/pipe:person')).body).toEqual(rules)
    expect((await hub.ask(admin, 'GET', '/api/permissions/datasets/person?effective=true')).body).toEqual(rules)
    expect(await status(user, 'GET', '/api/pipes/person')).toBe(403)
    expect((await hub.ask(user, 'GET', '/api/pipes')).body.map(({ _id }: { _id: string }) => _id)).not.toContain(
      'person',
    )
    expect(await status(user, 'GET', '/api/flow')).toBe(403)
    expect(await status(guest, 'GET', '/api/flow')).toBe(200)
    expect(await put('pipes/person', [['deny', ['x'], ['reed']]])).toMatchObject({
      status: 400,
      body: { code: 'bad-permissions' },
    })
    expect((await put('pipes/none', rules)).status).toBe(404)
    expect((await put('person', rules)).status).toBe(400)
    expect(await status(developer, 'PUT', '/api/permissions/pipes/person', [])).toBe(403)
    await put('pipes/person', [['deny', ['group:Developer'], ['read_config']]])
    // Who may not see all of a configuration gets none of it as a whole.
    expect(await status(developer, 'GET', '/api/config')).toBe(403)
    expect(await status(developer, 'PUT', '/api/config', CONFIG)).toBe(403)
    await put('pipes/person', [])
    expect(await status(developer, 'GET', '/api/config')).toBe(200)
    expect(await status(user, 'GET', '/api/pipes/person')).toBe(200)
  })

  it('in a configuration is applied, and its mistakes are errors there', async () => {
    expect(await status(null, 'GET', '/api/datasets/open/entities')).toBe(200)
    expect(await status(null, 'GET', '/api/datasets/firm/entities')).toBe(401)
    const bad = [...CONFIG, embedded('bad', { _id: '1' }, { permissions: [['allow', ['x'], ['reed_data']]] })]
    const { status: code, body } = await hub.ask(admin, 'PUT', '/api/config', bad)
    expect(code).toBe(400)
    expect(JSON.stringify(body.validation_errors)).toContain("Did you mean 'read_data'?")
  })

  it('lets a receiver be written to by a role of its own, and by nobody else', async () => {
    const sender = await hub.token(['senders'])
    expect(await status(sender, 'POST', '/api/receivers/in/entities', [{ _id: '1' }])).toBe(200)
    expect(await status(sender, 'GET', '/api/datasets/in/entities')).toBe(403)
    expect(await status(user, 'POST', '/api/receivers/in/entities', [{ _id: '1' }])).toBe(403)
    expect(await status(null, 'POST', '/api/receivers/in/entities', [{ _id: '1' }])).toBe(401)
  })
})

describe('a dataset that may not be read', () => {
  beforeAll(async () => {
    await put('datasets/firm', [['deny', ['group:User', 'group:Developer'], ['read_data']]])
  })

  it('is not read as JSON or RDF, nor as what a pipe makes of it, and is not listed', async () => {
    for (const path of ['', '/entities', '/entity?entity_id=firm:7', '/export', '/indexes', '/entities/firm:7']) {
      expect(await status(user, 'GET', `/api/datasets/firm${path}`), path).toBe(403)
      expect(await status(admin, 'GET', `/api/datasets/firm${path}`), path).toBe(200)
    }
    expect(await status(user, 'GET', '/dataset/firm')).toBe(403)
    expect(await status(user, 'GET', '/api/export')).toBe(403)
    expect((await hub.ask(user, 'GET', '/api/datasets')).body.map(({ _id }: { _id: string }) => _id).sort()).toEqual([
      'in',
      'open',
      'person',
    ])
    // Another configuration of a pipe that one may preview reads nothing that one may not.
    const config = {
      source: { type: 'dataset', dataset: 'person' },
      transform: {
        type: 'dtl',
        rules: {
          default: [
            ['add', 'x', ['hops', { datasets: ['firm f'], where: [['eq', 'f._id', '_S._id']], return: 'f.name' }]],
          ],
        },
      },
    }
    const preview = { source: { _id: '1' }, 'pipe-config': config }
    expect(await status(developer, 'POST', '/api/pipes/person/preview', preview)).toBe(403)
    expect(await status(admin, 'POST', '/api/pipes/person/preview', preview)).toBe(200)
    expect(await status(developer, 'POST', '/api/pipes/person/preview', { source: { _id: '1' } })).toBe(200)
  })

  it('is not in linked data', async () => {
    const turtle = { accept: 'text/turtle' }
    expect((await hub.ask(admin, 'GET', '/id/firm/7', undefined, turtle)).body).toContain('Secret Firm AS')
    expect((await hub.ask(user, 'GET', '/id/firm/7', undefined, turtle)).status).toBe(404)
    expect((await hub.ask(user, 'GET', '/graph/firm/firm%3A7', undefined, turtle)).status).toBe(404)
    expect((await hub.ask(user, 'GET', '/id/person/1', undefined, turtle)).body).toContain('Kari')
    expect((await hub.ask(null, 'GET', '/id/open/1', undefined, turtle)).body).toContain('Known to all')
    expect((await hub.ask(null, 'GET', '/id/person/1', undefined, turtle)).status).toBe(404)
  })

  it('is not in GraphQL, not even by name', async () => {
    const query = (token: string | null, text: string) => hub.ask(token, 'POST', '/graphql', { query: text })
    const fields = '{ __schema { queryType { fields { name } } } }'
    const names = async (token: string | null) => JSON.stringify((await query(token, fields)).body)
    await eventually(async () => (await names(admin)).includes('"firm"'), true)
    expect(await names(user)).not.toContain('firm')
    expect(await names(user)).toContain('"person"')
    expect(await names(null)).not.toContain('person')
    expect(await names(null)).toContain('"open"')
    expect((await hub.ask(user, 'GET', '/graphql/schema.graphql')).body).not.toContain('Firm')
    expect((await query(user, '{ firm(id: "firm:7") { _id } }')).body.errors).toHaveLength(1)
    const works = '{ personList { nodes { _id works { _id } } } }'
    expect((await query(admin, works)).body.data.personList.nodes[0].works).toEqual({ _id: 'firm:7' })
    const { body } = await query(user, works)
    expect(JSON.stringify(body)).not.toContain('"firm:7"')
  })

  it('shuts the graph to whoever may not read all of it', async () => {
    const ask = (token: string | null) => status(token, 'GET', `/sparql?query=${encodeURIComponent('ASK {}')}`)
    await eventually(() => ask(admin), 200)
    expect([await ask(user), await ask(developer), await ask(guest), await ask(null)]).toEqual([403, 403, 403, 401])
    await put('datasets/firm', [])
    expect([await ask(user), await ask(developer), await ask(guest)]).toEqual([200, 200, 403])
  })
})

describe('a limited token', () => {
  it('reaches what it names and nothing else', async () => {
    const limited = await hub.token(['group:Admin'], { ids: ['person'], permissions: ['read_data'] })
    expect(await status(limited, 'GET', '/api/datasets/person/entities')).toBe(200)
    expect(await status(limited, 'GET', '/api/datasets/firm/entities')).toBe(403)
    expect(await status(limited, 'DELETE', '/api/datasets/person')).toBe(403)
    expect(await status(limited, 'GET', '/api/pipes/person')).toBe(403)
    expect(await status(limited, 'GET', '/api')).toBe(200)
    for (const path of ['/api/config', '/api/users', '/api/export', '/api/metrics', '/sparql?query=ASK%7B%7D']) {
      expect(await status(limited, 'GET', path), path).toBe(403)
    }
    expect(await status(limited, 'POST', '/api/api_json_web_tokens', { name: 'more', roles: ['group:Admin'] })).toBe(
      403,
    )
    const scraper = await hub.token(['group:Admin'], { permissions: ['read_metrics'] })
    expect(await status(scraper, 'GET', '/api/metrics')).toBe(200)
    expect(await status(scraper, 'GET', '/api/datasets/person/entities')).toBe(403)
  })

  it('stays in its tenants', async () => {
    await hub.node.createTenant('other')
    const limited = await hub.token(['group:Admin'], { tenants: ['other'] })
    expect(await status(limited, 'GET', '/t/other/api/config')).toBe(200)
    expect(await status(limited, 'GET', '/api/config')).toBe(403)
    expect(await status(limited, 'GET', '/api/users')).toBe(403)
    expect(await status(limited, 'DELETE', '/api/tenants/default')).toBe(403)
    const here = await hub.token(['group:Admin'], { tenants: ['default'] })
    expect(await status(here, 'POST', '/api/users', { email: 'x@y.z' })).toBe(403)
    expect((await hub.ask(here, 'GET', '/api/tenants')).body.map(({ name }: { name: string }) => name)).toEqual([
      'default',
    ])
    await hub.node.deleteTenant('other')
  })
})

describe('a shareable link', () => {
  it('opens what one pipe publishes, without a header', async () => {
    const path = '/api/publishers/out/shareable-links'
    expect(await status(user, 'POST', path, {})).toBe(403)
    const { body: link } = await hub.ask(admin, 'POST', path, { description: 'for the board' })
    const jwt = new URL(link.urls[0]).searchParams.get('jwt')
    expect(await status(null, 'GET', `/api/publishers/out/entities?jwt=${jwt}`)).toBe(200)
    expect(await status(null, 'GET', '/api/publishers/out/entities')).toBe(401)
    expect(await status(null, 'GET', `/api/publishers/person/entities?jwt=${jwt}`)).toBe(403)
    expect(await status(null, 'GET', `/api/pipes/out/entities?jwt=${jwt}`)).toBe(401)
    expect(await status(null, 'GET', `/api/publishers/out/entities?jwt=${jwt}x`)).toBe(401)
    expect(await status(null, 'OPTIONS', `/api/publishers/out/entities?jwt=${jwt}`)).not.toBe(200)
    expect(await status(admin, 'DELETE', `${path}/${link.id}`)).toBe(200)
    expect(await status(null, 'GET', `/api/publishers/out/entities?jwt=${jwt}`)).toBe(401)
    const unknown = { id: 'l', tenant: 'default', pipe: 'out', expires: Date.now() + 60_000 }
    const other = await hub.node.access.linkText(unknown)
    expect(await status(null, 'GET', `/api/publishers/out/entities?jwt=${other}`)).toBe(401)
  })
})

describe('a configuration', () => {
  it('is uploaded by nobody who may not change what it changes', async () => {
    expect(await status(user, 'PUT', '/api/config', CONFIG)).toBe(403)
    await put('pipes/firm', [['deny', ['group:Developer'], ['write_config']]])
    expect(await status(developer, 'PUT', '/api/config', CONFIG)).toBe(200)
    const other = CONFIG.map((one) => (one._id === 'firm' ? { ...one, comment: 'mine now' } : one))
    const { status: code, body } = await hub.ask(developer, 'PUT', '/api/config', other)
    expect([code, body.message]).toEqual([403, "You may not change the pipe 'firm'."])
    const without = CONFIG.filter((one) => one._id !== 'firm' && one._id !== 'out')
    expect(await status(developer, 'PUT', '/api/config', without)).toBe(403)
    await put('pipes/firm', [])
    expect(await status(developer, 'PUT', '/api/config', other)).toBe(200)
  })

  it('gives a pipe the roles of who saved it, and no more than those may do', async () => {
    const tenant = hub.node.tenant('default')!
    const { principal } = await hub.node.access.identify(own)
    const as = { user_id: principal.userId, email: 'u@x.y', remote_addr: null, principal }
    const copy = { _id: 'copy', type: 'pipe', source: { type: 'dataset', dataset: 'firm' } }
    const outside = { _id: 'outside', type: 'pipe', source: { type: 'json', system: 'web', url: 'x' } }
    await tenant.replaceConfig(JSON.stringify([...CONFIG.slice(1), copy]), false, null, as).then(
      () => expect.unreachable('it changes what others made'),
      (error) => expect(error).toMatchObject({ code: 'forbidden' }),
    )
    await hub.ask(admin, 'PUT', '/api/config', CONFIG)
    await tenant.replaceConfig(JSON.stringify([...CONFIG, copy, outside]), false, null, as)
    // Their own, to read, to change, and to take away.
    const { body: saved } = await hub.ask(own, 'GET', '/api/pipes/copy')
    expect(saved.config.effective.principals).toEqual(['group:Everyone', 'group:User'])
    expect(saved.config.original).toEqual(copy)
    expect(await status(own, 'POST', '/api/pipes/copy/pump', { operation: 'enable' })).toBe(200)
    expect(await status(user, 'POST', '/api/pipes/copy/pump', { operation: 'start' })).toBe(403)
    expect(await status(own, 'POST', '/api/pipes/person/pump', { operation: 'start' })).toBe(403)
    await eventually(
      async () => (await hub.ask(own, 'GET', '/api/pipes/copy/pump')).body.runtime['last-outcome'],
      'completed',
    )
    // The system is not theirs.
    await tenant.operate('outside', 'start', {})
    const last = async () => (await hub.ask(admin, 'GET', '/api/pipes/outside/pump')).body.runtime['last-message']
    await eventually(async () => (await last())?.includes("may not use the system 'web' as source"), true)
    const log = (await hub.ask(admin, 'GET', '/api/pipes/outside/log')).body
    expect(log.at(-1)).toMatchObject({ event_type: 'pump-failed' })
    await put('systems/web', [['allow', ['group:User'], ['read_data']]])
    await tenant.operate('outside', 'start', {})
    await eventually(async () => /may not use/.test(await last()), false)
    // What its maker may not read any more, it does not read either.
    await put('datasets/firm', [['deny', ['group:User'], ['read_data']]])
    await tenant.operate('copy', 'start', {})
    await eventually(
      async () =>
        (await hub.ask(admin, 'GET', '/api/pipes/copy/pump')).body.runtime['last-message']?.includes(
          "may not use the dataset 'firm' as source",
        ),
      true,
    )
  })
})
