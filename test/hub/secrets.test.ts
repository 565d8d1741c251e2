import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer } from '../../src/api/server.ts'
import { doors } from '../../src/hub/doors.ts'
import { masterKeyOf } from '../../src/hub/secrets/master-key.ts'
import { openSecret, rewrapped, sealSecret } from '../../src/hub/secrets/seal.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import type { Logger } from '../../src/pipes/logger.ts'
import { type FakeServer, startFakeServer, status, text } from '../fakes/http-server.ts'
import { live, openHub, push, receiver, temporaryFolder } from './running-hub.ts'

describe('a sealed secret', () => {
  const [key, other] = [masterKeyOf(Buffer.alloc(32, 1)), masterKeyOf(Buffer.alloc(32, 2))]

  it('is opened with the same key, at the same place, and only as it was', async () => {
    const sealed = await sealSecret(key, 'here', 'føre var')
    expect(await openSecret(key, 'here', sealed)).toBe('føre var')
    await expect(openSecret(key, 'there', sealed)).rejects.toThrow()
    await expect(openSecret(other, 'here', sealed)).rejects.toThrow()
    const data = Buffer.from(sealed.data, 'base64')
    data[0]! ^= 1
    await expect(openSecret(key, 'here', { ...sealed, data: data.toString('base64') })).rejects.toThrow()
    expect(JSON.stringify(sealed)).not.toContain('føre')
  })

  it('has a data key of its own, which another master key can wrap without touching the rest', async () => {
    const [a, b] = await Promise.all([sealSecret(key, 'x', 'same'), sealSecret(key, 'x', 'same')])
    expect([a.key, a.data]).not.toEqual([b.key, b.data])
    const moved = await rewrapped(a, key, other)
    expect(moved).toMatchObject({ data: a.data, nonce: a.nonce, master: other.id })
    expect(await openSecret(other, 'x', moved)).toBe('same')
  })

  it('works with a key that two functions keep', async () => {
    const kms = {
      id: 'kms',
      wrap: async (k: Uint8Array) => Buffer.from(k).reverse(),
      unwrap: async (k: Uint8Array) => Buffer.from(k).reverse(),
    }
    expect(await openSecret(kms, 'x', await sealSecret(kms, 'x', 'v'))).toBe('v')
  })
})

let web: FakeServer
beforeAll(async () => {
  web = await startFakeServer()
})
afterAll(() => web.close())

const crm = (more: object = {}) => ({
  _id: 'crm',
  type: 'system:url',
  url_pattern: `${web.url}%s`,
  authentication: 'basic',
  username: 'hub',
  password: '$SECRET(pw)',
  ...more,
})
const asking = (url: string) => ({
  _id: 'in',
  type: 'pipe',
  source: { type: 'json', system: 'crm', url },
  pump: { mode: 'manual' },
})
const messages = (problems: readonly { readonly level: string; readonly message: string }[]) =>
  problems.map(({ level, message }) => `${level} ${message}`)

describe('secrets', () => {
  it('are missed with a warning and a failed run, and found without a restart', async () => {
    const { tenant } = await openHub()
    web.on('/people', (response, { headers }) => {
      const isRight = headers.authorization === `Basic ${Buffer.from('hub:right').toString('base64')}`
      return isRight ? text('[{"_id":"1"}]')(response, {} as never) : status(401, 'who?')(response, {} as never)
    })
    const problems = await tenant.replaceConfig(JSON.stringify([crm(), asking('people')]), false)
    expect(messages(problems)).toEqual(["warning The secret 'pw' is not defined."])
    expect(await tenant.runNow('in')).toMatchObject({ outcome: 'failed', code: 'missing-secret' })
    await tenant.secrets.set(null, new Map([['pw', 'wrong']]), false)
    expect(tenant.problems()).toEqual([])
    expect(await tenant.runNow('in')).toMatchObject({ outcome: 'failed' })
    // That of the system goes before the global one.
    await tenant.secrets.set('crm', new Map([['pw', 'right']]), false)
    expect(await tenant.runNow('in')).toMatchObject({ outcome: 'completed', read: 1 })
    await tenant.secrets.delete('crm', 'pw')
    expect(await tenant.runNow('in')).toMatchObject({ outcome: 'failed' })
    await tenant.secrets.set(null, new Map(), true)
    expect(messages(tenant.problems())).toEqual(["warning The secret 'pw' is not defined."])
  })

  it('may stand in systems and as keys of programs, and nowhere else', async () => {
    const { tenant } = await openHub()
    const said = async (component: object) =>
      tenant.replaceConfig(JSON.stringify([component]), false).then(messages, (error) => messages(error.problems))
    const where = /^error The secret 'x' cannot stand here\.$/
    const dtl = (...transforms: unknown[]) => ({ type: 'dtl', rules: { default: transforms } })
    const pipe = (more: object) => ({ ...receiver('p'), ...more })
    for (const component of [
      pipe({ source: { type: 'http_endpoint', comment: 'fine: $SECRET(x)', a: '$SECRET(x)' } }),
      pipe({ transform: dtl(['add', 'a', '$SECRET(x)']) }),
      pipe({ transform: dtl(['add', 'a', ['concat', 'b', '$SECRET(x)']]) }),
      pipe({ transform: dtl(['add', 'a', ['encrypt', 'prefix $SECRET(x)', '_S.a']]) }),
      pipe({ transform: dtl(['add', 'a', ['encrypt', 'key', '$SECRET(x)']]) }),
      { _id: 'node', type: 'metadata', namespaces: { default: { a: 'http://$SECRET(x)/' } } },
      {
        _id: 's',
        type: 'system:url',
        $conditional_properties: { condition: '$SECRET(x)', alternatives: { '$SECRET(x)': { url_pattern: 'a' } } },
      },
    ]) {
      expect(
        (await said(component)).filter((one) => where.test(one)),
        JSON.stringify(component),
      ).toHaveLength(1)
    }
    const right = pipe({ transform: dtl(['comment', '$SECRET(x)'], ['add', 'a', ['encrypt', '$SECRET(x)', '_S.a']]) })
    expect(await said(right)).toEqual(["warning The secret 'x' is not defined."])
  })

  it('are keys of encryption, looked up when the program runs', async () => {
    const { tenant } = await openHub()
    const rules = {
      default: [
        ['copy', '_id'],
        ['add', 'back', ['decrypt', '$SECRET(key)', ['encrypt', '$SECRET(key)', '_S.a']]],
        ['add', 'open', ['decrypt', 'one key', ['encrypt', '$SECRET(key)', '_S.a']]],
      ],
    }
    const out = {
      _id: 'out',
      type: 'pipe',
      source: { type: 'dataset', dataset: 'in' },
      transform: { type: 'dtl', rules },
    }
    await tenant.replaceConfig(JSON.stringify([receiver('in'), out]), false)
    await push(tenant, 'in', [{ _id: '1', a: 'b' }])
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'failed', code: 'missing-secret' })
    await tenant.secrets.set(null, new Map([['key', 'one key']]), true)
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([{ _id: '1', back: 'b', open: 'b' }])
    await tenant.secrets.set(null, new Map([['key', 'another']]), true)
    await push(tenant, 'in', [{ _id: '1', a: 'c' }])
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([{ _id: '1', back: 'c', open: null }])
  })

  it('outlive a restart, go with their system, and cannot be read back', async () => {
    const { node, tenant, data } = await openHub()
    await tenant.replaceConfig(JSON.stringify([crm()]), false)
    await tenant.secrets.set('crm', new Map([['pw', 'v']]), true)
    await tenant.secrets.set(null, new Map([['all', 'w']]), true)
    await node.close()
    expect(statSync(join(data, 'master.key')).mode & 0o777).toBe(0o600)
    const again = await openHub({ data })
    const { secrets } = again.tenant
    expect([secrets.names(null), secrets.names('crm')]).toEqual([['all'], ['pw']])
    await again.tenant.replaceConfig('[]', false)
    expect(() => secrets.names('crm')).toThrow("There is no system 'crm'.")
    await again.tenant.replaceConfig(JSON.stringify([crm()]), false)
    expect(secrets.names('crm')).toEqual([])
    await expect(secrets.set('nobody', new Map(), true)).rejects.toMatchObject({ code: 'unknown-system' })
    await expect(secrets.set(null, new Map([['a(b)', 'x']]), true)).rejects.toMatchObject({ code: 'bad-secret' })
    await expect(secrets.delete(null, 'gone')).rejects.toMatchObject({ code: 'unknown-secret' })
  })

  it('that nobody can open are said at the start, and missed by who needs them', async () => {
    const { node, tenant, data } = await openHub()
    await tenant.replaceConfig(JSON.stringify([crm(), asking('people')]), false)
    await tenant.secrets.set(null, new Map([['pw', 'v']]), true)
    await node.close()
    writeFileSync(join(data, 'master.key'), Buffer.alloc(32, 9).toString('base64'))
    const said: string[] = []
    const logger: Logger = { debug() {}, info() {}, warn() {}, error: (message) => void said.push(message) }
    const again = await openHub({ data, logger })
    expect(said).toEqual([
      expect.stringMatching(/^A secret is sealed with the master key [0-9a-f]{16}, which this hub does not have/),
    ])
    expect(await again.tenant.runNow('in')).toMatchObject({ outcome: 'failed', code: 'missing-secret' })
  })
})

it('starts without a secret that was changed where it is stored, and says which', async () => {
  const { node, tenant, data } = await openHub()
  await tenant.secrets.set(
    null,
    new Map([
      ['good', 'v'],
      ['bad', 'w'],
    ]),
    true,
  )
  await node.close()
  const writer = await LogWriter.open(join(data, 'tenants/default/log'))
  const log = openLog(join(data, 'tenants/default/log'))
  const document = JSON.parse(log.snapshot().meta('secrets') as string)
  log.close()
  document.secrets[1].name = 'worse'
  await writer.commit({ meta: [['secrets', JSON.stringify(document)]] })
  await writer.close()
  const said: string[] = []
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (message) => void said.push(message) }
  const again = await openHub({ data, logger })
  expect(said).toEqual([expect.stringContaining("The secret 'worse' cannot be opened")])
  expect(again.tenant.mask('v good w')).toBe('v good w')
  expect(again.tenant.secrets.names(null)).toEqual(['good', 'worse'])
})

/** Letters of every kind that some encoding writes otherwise. */
const CANARY = 'kan"ari/føgl+7&%ø'

it('tells no secret in anything that leaves the hub', async () => {
  const folder = await temporaryFolder()
  const told: string[] = []
  const at = (message: string, details: unknown) => void told.push(`${message} ${JSON.stringify(details)}`)
  const logger: Logger = { debug: at, info: at, warn: at, error: at }
  const { node, tenant, data } = await openHub({ logger, backup: { folder } })
  const server = await openServer(node, { host: '127.0.0.1', port: 0, doors })
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${server.url}/api${path}`, init)
    const body = Buffer.from(await answer.arrayBuffer()).toString('latin1')
    told.push(`${JSON.stringify([...answer.headers])} ${body}`, Buffer.from(body, 'latin1').toString('utf8'))
    return answer.status
  }
  const json = (method: string, body: unknown) => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const forms = [
    CANARY,
    JSON.stringify(CANARY),
    encodeURIComponent(CANARY),
    new URLSearchParams({ a: CANARY }).toString(),
    Buffer.from(CANARY).toString('base64'),
    Buffer.from(`hub:${CANARY}`).toString('base64'),
    Buffer.from(`x${CANARY}`).toString('base64url'),
    Buffer.from(CANARY).toString('hex'),
  ]
  // The other side tells all it was told, in every way.
  web.on('/echo', (response, { headers }) =>
    status(500, `${headers.authorization} ${forms.join(' ')}`)(response, {} as never),
  )
  web.on('/broken', text(`[{"_id": "1", ${JSON.stringify(CANARY)}`))
  const encrypting = {
    _id: 'enc',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'data' },
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['add', 'e', ['decrypt', '$SECRET(pw)', ['encrypt', '$SECRET(pw)', '_S.a']]],
          ['add', 'f', ['decrypt-pki', '$SECRET(pw)', ['bytes', '_S.a']]],
        ],
      },
    },
    pump: { mode: 'manual' },
  }
  const config = [crm(), asking('echo'), { ...asking('broken'), _id: 'in2' }, receiver('data'), encrypting]
  expect(await ask('/config', json('PUT', config))).toBe(200)
  expect(await ask('/secrets', json('PUT', { pw: CANARY }))).toBe(200)
  expect(await ask('/systems/crm/secrets?encrypt=true', json('PUT', { pw: CANARY }))).toBe(200)
  await push(tenant, 'data', [{ _id: '1', a: 'x' }])
  const reports = await Promise.all(['in', 'in2', 'enc'].map((id) => tenant.runNow(id)))
  expect(reports.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed'])
  expect(reports[0]?.message).toContain('***')
  for (const path of [
    '/secrets',
    '/secrets_values',
    '/systems/crm/secrets',
    '/systems/crm/secrets_values',
    '/config',
    '/config-all',
    '/config-generations',
    '/config-history/entity?entity_id=crm',
    '/env',
    '/metadata',
    '/pipes',
    '/systems',
    '/status',
    '/metrics',
    '/flow',
    '/pipes/in/pump',
    '/pipes/in2/pump',
    '/pipes/enc/pump',
    '/pipes/in/log',
    '/pipes/in2/log',
    '/pipes/enc/log',
    '/pipes/in/entities',
    '/pipes/in2/entities',
    '/pipes/enc/entities',
    '/pipes/enc/explain',
    '/datasets/system:config/entities',
    '/datasets/system:pump_execution:in/entities',
    '/secrets/nobody',
  ]) {
    await ask(path)
  }
  await ask('/config', { headers: { accept: 'application/zip' } })
  await ask('/pipes/enc/preview', json('POST', { source: { _id: '1', a: 'x', echo: CANARY, _trace: true } }))
  await ask('/secrets', json('POST', { pw: 7 }))
  await ask('/secrets', { ...json('POST', {}), body: `{"pw": ${JSON.stringify(CANARY)}` })
  await ask(`/datasets/${encodeURIComponent(CANARY)}`)
  tenant.startBackup(true)
  await expect.poll(() => tenant.backups().map((one) => JSON.parse(one).status)).toEqual(['completed'])
  await server.close()
  await node.close()
  for (const form of [CANARY, ...forms.slice(1).map((one) => one.replace(/^"|"$|^a=/g, ''))]) {
    for (const one of told) expect(one.includes(form), `${form} in ${one.slice(0, 300)}`).toBe(false)
    for (const file of filesIn(data).concat(filesIn(folder)))
      expect(readFileSync(file).includes(form), file).toBe(false)
  }
})

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
