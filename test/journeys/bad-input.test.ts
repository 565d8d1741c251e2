/** Bad input from every side: each mistake is named with its place, loses nothing, and is over when its cause is gone. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { samtale } from '../cli/command-line.ts'
import { type Behaviour, cutAfter, type FakeServer, json, startFakeServer, status, text } from '../fakes/http-server.ts'
import { liveHub } from './live-hub.ts'

const hub = liveHub()
let server: FakeServer

beforeAll(async () => {
  server = await startFakeServer()
})
afterAll(() => server?.close())

const pipe = (id: string, source: object, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source,
  pump: { mode: 'manual' },
  ...more,
})
const system = () => ({ _id: 'crm', type: 'system:url', url_pattern: `${server.url}%s` })
const dtl = (...rules: unknown[]) => ({ transform: { type: 'dtl', rules: { default: rules } } })
const ids = async (dataset: string) => (await hub.live(dataset)).map(({ _id }) => _id)
const soon = { timeout: 20_000, interval: 20 }

interface Rejected {
  readonly 'posted-config': { readonly _id: string }
  readonly 'config-errors': readonly { readonly elements: string; readonly msg: string }[]
}

describe('a configuration with mistakes', () => {
  const embedded = (id: string, more: object = {}) => pipe(id, { type: 'embedded', entities: [{ _id: '1' }] }, more)
  const wrong = () => [
    { _id: 'component', type: 'pip' },
    { _id: 'erp', type: 'system:ulr', url_pattern: 'http://127.0.0.1/' },
    pipe('source', { type: 'jsn', system: 'crm', url: 'x' }),
    embedded('sink', { sink: { type: 'datset' } }),
    embedded('transform', { transform: { type: 'dlt' } }),
    embedded('function', dtl(['copy', '*'], ['add', 'x', ['uper', '_S.x']])),
    pipe('no-system', { type: 'json', system: 'crn', url: 'x' }),
  ]

  it('is refused as a whole, every mistake with its place and the nearest name, and the one before stays', async () => {
    const before = [embedded('sound')]
    expect((await hub.configure(before)).status).toBe(200)
    const { status, body } = await hub.configure([...before, system(), ...wrong()])
    expect(status).toBe(400)
    expect(body).toMatchObject({
      code: 'config-rejected',
      message: 'The configuration has errors; nothing was changed.',
    })
    const found = (body.validation_errors as Rejected[]).flatMap(
      ({ 'posted-config': { _id }, 'config-errors': errors }) =>
        errors.map(({ elements, msg }) => `${_id} ${elements}: ${msg}`),
    )
    expect(found.sort()).toEqual([
      "component $['type']: Unknown type 'pip': a component is a 'pipe', a 'system:…' or 'metadata'.",
      "erp $['type']: Unknown system type 'system:ulr'. Did you mean 'system:url'?",
      "function $['transform']['rules']['default'][1][2]: Unknown function 'uper'. Did you mean 'upper'?",
      "no-system $['source']['system']: There is no system 'crn'. Did you mean 'crm'?",
      "sink $['sink']['type']: Unknown sink type 'datset'. Did you mean 'dataset'?",
      "source $['source']['type']: Unknown source type 'jsn'. Did you mean 'json'?",
      "transform $['transform']['type']: Unknown transform type 'dlt'. Did you mean 'dtl'?",
    ])
    expect((await hub.get('/api/config')).body).toEqual(before)
    expect(await hub.run('sound')).toMatchObject({ 'last-outcome': 'completed' })
  })

  it('taken by force runs what is sound, and the broken pipe by itself once it is mended', async () => {
    const auto = { pump: {} }
    const broken = embedded('mended', { ...auto, ...dtl(['add', 'x', ['uper', 'a']]) })
    expect((await hub.configure([embedded('beside', auto), broken], true)).status).toBe(200)
    await expect.poll(async () => (await hub.pump('beside'))['last-outcome'], soon).toBe('completed')
    const { body } = await hub.get('/api/pipes/mended')
    expect(body.runtime).toMatchObject({
      'is-valid-config': false,
      'config-errors': [{ level: 'error', msg: "Unknown function 'uper'. Did you mean 'upper'?" }],
    })
    expect(await hub.ask('POST', '/api/pipes/mended/pump', { operation: 'start' })).toMatchObject({
      status: 400,
      body: {
        message: "The pump of pipe 'mended' doesn't support the operation 'start'.",
        hint: 'Repair its configuration first.',
      },
    })
    await hub.configure([embedded('beside'), embedded('mended', { ...auto, ...dtl(['add', 'x', ['upper', 'a']]) })])
    await expect.poll(() => hub.live('mended'), soon).toEqual([{ _id: '1', x: 'A' }])
  })
})

describe('a hop to a dataset that no pipe writes', () => {
  const people = pipe('people', { type: 'embedded', entities: [{ _id: 'p1', works_for: 'c1' }] }, { pump: {} })
  const hopping = pipe(
    'hopping',
    { type: 'dataset', dataset: 'people' },
    {
      pump: {},
      ...dtl(
        ['copy', '*'],
        [
          'add',
          'company',
          ['hops', { datasets: ['companies c'], where: ['eq', '_S.works_for', 'c._id'], return: 'c._id' }],
        ],
      ),
    },
  )

  it('is a warning; the pipe waits, says for what, and goes on by itself when it is there', async () => {
    const { status, body } = await hub.configure([people, hopping])
    expect(status).toBe(200)
    expect(body.validation_errors[0]['config-errors']).toEqual([
      {
        level: 'warning',
        elements: "$['transform']",
        msg: "It hops to the dataset 'companies', which no pipe writes. The pipe waits until the dataset is there and populated.",
      },
    ])
    await expect
      .poll(() => hub.pump('hopping'), soon)
      .toMatchObject({
        'last-outcome': 'waiting',
        'last-message': "waits for dataset 'companies', which does not exist yet",
        'config-errors': [{ level: 'warning', msg: expect.stringContaining('waits until the dataset is there') }],
      })
    await expect.poll(() => ids('people'), soon).toEqual(['p1'])
    await hub.configure([
      people,
      hopping,
      pipe('companies', { type: 'embedded', entities: [{ _id: 'c1' }] }, { pump: {} }),
    ])
    await expect.poll(() => hub.live('hopping'), soon).toEqual([{ _id: 'p1', works_for: 'c1', company: ['c1'] }])
  })
})

interface Case {
  readonly what: string
  readonly source: object
  /** Entities 1, 2 and 3; then what is wrong; then 1 and 3. */
  readonly good: Behaviour
  readonly bad: Behaviour
  readonly mended: Behaviour
  readonly code: string
  readonly message: RegExp
}

const entities = (...list: string[]) => json(list.map((_id) => ({ _id })))
const asJson = {
  source: { type: 'json', system: 'crm', url: 'feed' },
  good: entities('1', '2', '3'),
  mended: entities('1', '3'),
}
const asCsv = {
  source: { type: 'csv', system: 'crm', url: 'feed', primary_key: 'id' },
  good: text('id,name\n1,a\n2,b\n3,c\n'),
  mended: text('id,name\n1,a\n3,c\n'),
}
const turtle = (...names: string[]) => names.map((name) => `<urn:x:${name}> <urn:x:p> "a" .\n`).join('')
const asTurtle = {
  source: { type: 'rdf', system: 'crm', url: 'feed', format: 'ttl' },
  good: text(turtle('1', '2', '3')),
  mended: text(turtle('1', '3')),
}

const cases: readonly Case[] = [
  {
    ...asJson,
    what: 'answers 500',
    bad: status(500, 'The database is down'),
    code: 'bad-status',
    message: /^GET http:\/\/127\.0\.0\.1:\d+\/feed was answered with 500: The database is down$/,
  },
  {
    ...asJson,
    what: 'breaks off in the middle',
    bad: cutAfter('[{"_id":"1"},'),
    code: 'answer-broken',
    message: /^The answer of http:\S+feed broke off after 13 bytes/,
  },
  {
    ...asJson,
    what: 'shows a login page',
    bad: text('<html>Log in!</html>'),
    code: 'bad-json',
    message: /^The answer of http:\S+feed is neither a JSON array nor a JSON object; it begins with: <html>Log in!/,
  },
  {
    ...asJson,
    what: 'sends an array that never ends',
    bad: text('[{"_id":"1"},{"_id":'),
    code: 'json-truncated',
    message: /feed/,
  },
  {
    ...asJson,
    what: 'answers with an error that looks like an entity',
    bad: json({ error: 'quota' }),
    code: 'bad-entity',
    message: /^An entity of pipe 'feed' has no string _id: {"error":"quota"}$/,
  },
  {
    ...asJson,
    what: 'sends an entity with an empty _id',
    bad: entities('1', '', '3'),
    code: 'bad-entity',
    message: /^An entity of pipe 'feed' has an empty _id: {"_id":""}$/,
  },
  {
    ...asCsv,
    what: 'has a row with an open quote',
    bad: text('id,name\n1,a\n2,"b\n3,c\n'),
    code: 'bad-row',
    message: /^Row 3 \(line 4\) of http:\S+feed is broken: a quote is opened and never closed\.$/,
  },
  {
    ...asCsv,
    what: 'has a row without its key',
    bad: text('id,name\n1,a\n,b\n3,c\n'),
    code: 'bad-row',
    message: /^Row 3 \(line 3\) of http:\S+feed is broken: its primary key is empty\.$/,
  },
  {
    ...asTurtle,
    what: 'has a mistake in its Turtle',
    bad: text(`${turtle('1')}<urn:x:2> <urn:x:p> "a .\n${turtle('3')}`),
    code: 'bad-rdf',
    message: /^The RDF of http:\S+feed cannot be read: Unexpected: "a on line 2\.$/,
  },
]

describe('a source that', () => {
  it.each(cases)(
    'fails its run with what is wrong and where, and loses nothing: it $what',
    async ({ source, good, bad, mended, code, message }) => {
      server.on('/feed', good, bad, mended)
      const downstream = pipe('downstream', { type: 'dataset', dataset: 'feed' }, { pump: {} })
      // Each begins with empty datasets.
      await hub.configure([])
      for (const dataset of ['feed', 'downstream']) await hub.ask('DELETE', `/api/datasets/${dataset}`)
      await hub.configure([system(), pipe('feed', source), downstream])
      expect(await hub.run('feed')).toMatchObject({ 'last-outcome': 'completed', 'last-message': null })
      const all = await ids('feed')
      expect(all).toHaveLength(3)
      await expect.poll(() => ids('downstream'), soon).toEqual(all)

      const failed = await hub.run('feed')
      expect(failed).toMatchObject({
        'last-outcome': 'failed',
        'last-report': { code, changes: 0, deletionTracked: 0 },
      })
      expect(failed['last-message']).toMatch(message)
      expect(failed['last-report'].hint).toMatch(/^[A-Z].*\.$/)
      expect(await ids('feed')).toEqual(all)

      expect(await hub.run('feed')).toMatchObject({
        'last-outcome': 'completed',
        'last-report': { deletionTracked: 1 },
      })
      const left = [all[0], all[2]]
      expect(await ids('feed')).toEqual(left)
      await expect.poll(() => ids('downstream'), soon).toEqual(left)
    },
  )

  it('is not reached is named with its address', async () => {
    const gone = await startFakeServer()
    await gone.close()
    await hub.configure([
      { _id: 'off', type: 'system:url', url_pattern: `${gone.url}%s` },
      pipe('off-feed', { type: 'json', system: 'off', url: 'x' }),
    ])
    const { 'last-report': report } = await hub.run('off-feed')
    expect(report).toMatchObject({ outcome: 'failed', code: 'system-unreachable' })
    expect(report.message).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/x got no answer: connect ECONNREFUSED/)
    expect(report.hint).toBe('Nothing listens there: is the system running, and the port right?')
  })

  it('fails shows the same in a preview', async () => {
    server.on('/preview', status(500, 'The database is down'))
    await hub.configure([system(), pipe('preview', { type: 'json', system: 'crm', url: 'preview' })])
    expect(await hub.get('/api/pipes/preview/entities?stage=source')).toMatchObject({
      status: 502,
      body: { code: 'bad-status', message: expect.stringMatching(/answered with 500: The database is down$/) },
    })
  })

  it('is a file is refused to configuration that came over the network', async () => {
    await hub.configure([pipe('passwords', { type: 'csv', url: 'file:///etc/passwd', primary_key: 'x' })])
    expect(await hub.run('passwords')).toMatchObject({
      'last-outcome': 'failed',
      'last-message': 'This source or sink may not read files of this machine.',
    })
  })

  it('fails is tried again by itself, as its schedule says', async () => {
    server.on('/scheduled', status(500), status(500), entities('1'))
    await hub.configure([
      system(),
      pipe('scheduled', { type: 'json', system: 'crm', url: 'scheduled' }, { pump: { schedule_interval: 0.2 } }),
    ])
    await expect.poll(() => ids('scheduled'), soon).toEqual(['1'])
    await expect
      .poll(() => hub.pump('scheduled'), soon)
      .toMatchObject({ 'last-outcome': 'completed', 'last-message': null })
    await hub.configure([])
  })

  it('fails on its second page is asked for that page next', async () => {
    const page = (...updated: number[]) => json(updated.map((_updated) => ({ _id: `${_updated}`, _updated })))
    server.on('/pages', page(1, 2), status(500), page(3, 4), json([]))
    const source = {
      type: 'json',
      system: 'crm',
      url: 'pages',
      page_size: 2,
      supports_since: true,
      is_chronological: true,
    }
    await hub.configure([system(), pipe('pages', source)])
    expect(await hub.run('pages')).toMatchObject({ 'last-outcome': 'failed', 'last-report': { read: 2, changes: 2 } })
    expect(await ids('pages')).toEqual(['1', '2'])
    expect(await hub.run('pages')).toMatchObject({ 'last-outcome': 'completed', 'last-report': { read: 2 } })
    expect(await ids('pages')).toEqual(['1', '2', '3', '4'])
    const since = server.requests.filter(({ path }) => path === '/pages').map(({ query }) => query.since)
    expect(since).toEqual([undefined, '2', '2', '4'])
  })
})

describe('a system that refuses what it is sent', () => {
  it('is sent it again by the next run', async () => {
    server.on('/orders', status(500, 'not now'), status(200))
    await hub.configure([
      system(),
      pipe('orders', { type: 'embedded', entities: [{ _id: 'o1' }] }),
      pipe(
        'send',
        { type: 'dataset', dataset: 'orders' },
        {
          sink: { type: 'json', system: 'crm', url: 'orders' },
          pump: { mode: 'manual', batch_retries: 0, fallback_to_single_entities_on_batch_fail: false },
        },
      ),
    ])
    await hub.run('orders')
    const { 'last-report': report } = await hub.run('send')
    expect(report).toMatchObject({ outcome: 'failed', code: 'bad-status' })
    expect(report.message).toMatch(/^POST http:\S+orders\S* was answered with 500: not now$/)
    expect(await hub.run('send')).toMatchObject({ 'last-outcome': 'completed' })
    const sent = server.requests.filter(({ path, body }) => path === '/orders' && body.includes('o1'))
    expect(sent).toHaveLength(2)
  })
})

describe('a body that is not JSON', () => {
  beforeEach(async () => {
    await hub.configure([pipe('in', { type: 'http_endpoint' })])
    await hub.push('in', [{ _id: 'before' }])
  })

  it.each([
    ['[{"_id":"1"},\n{"_id" "2"}]', 'bad-json', /^The body is not JSON: expected ':', .* at line 2, column 8\./],
    ['[{"_id":"1"},', 'bad-json', /at line 1, column 14\. It begins with: \[{"_id":"1"},$/],
    ['a=b', 'bad-json', /^The body is not JSON: .* at line 1, column 1\. It begins with: a=b$/],
    ['', 'bad-json', /It is empty\.$/],
    ['7', 'bad-json', /^The body is not an array of entities: 7$/],
    ['[{"_id":"1"},7]', 'bad-entity', /^Entity 2 of 2 is not an object: 7$/],
    ['[{"_id":"1"},{"id":"2"}]', 'bad-entity', /^Entity 2 of 2 has no string _id/],
    ['[{"_id":"1"},{"_id":""}]', 'bad-entity', /^Entity 2 of 2 has an empty _id: {"_id":""}$/],
  ])('is refused with its place, and nothing of it is kept: %s', async (body, code, message) => {
    const answer = await hub.push('in', body)
    expect(answer).toMatchObject({ status: 400, body: { code, status: 400 } })
    expect(answer.body.message).toMatch(message)
    expect(await ids('in')).toEqual(['before'])
    expect((await hub.push('in', [{ _id: 'before', after: code }])).status).toBe(200)
    expect(await hub.live('in')).toEqual([{ _id: 'before', after: code }])
  })

  it.each([
    ['PUT', '/api/config', 'application/json', 'Not JSON: expected'],
    ['PUT', '/api/env', 'application/json', 'Not JSON: expected'],
    ['POST', '/graphql', 'application/json', 'POST body sent invalid JSON.'],
    ['POST', '/sparql', 'application/sparql-query', 'at line 1, column 2.'],
  ])('is refused by %s %s', async (method, path, type, message) => {
    const { status, body } = await hub.ask(method, path, '[{"_id"', type)
    expect(status).toBe(400)
    expect(JSON.stringify(body)).toContain(message)
    expect((await hub.get('/api/config')).body).toHaveLength(1)
  })
})

describe('a second hub', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'samtale-second-'))
  afterAll(() => rmSync(elsewhere, { recursive: true, force: true }))

  it('is refused a port or a data folder that another hub has, with what to do, and the other goes on', async () => {
    const { port } = new URL(hub.url)
    const [samePort, sameData] = await Promise.all([
      samtale(['serve', '--port', port, '--data', elsewhere]),
      samtale(['serve', '--port', '0', '--data', hub.data]),
    ])
    expect(samePort).toEqual({
      code: 1,
      out: '',
      err: `samtale: Port ${port} of 127.0.0.1 is in use by another program.\n  End that program, or choose another port with --port (0 picks a free one).\n`,
    })
    expect(sameData).toEqual({
      code: 1,
      out: '',
      err: `samtale: The data folder ${hub.data} is in use by another hub: process ${process.pid}.\n  End the other process, or give this one another folder with --data.\n`,
    })
    expect((await hub.get('/api/health')).status).toBe(200)
    expect(await ids('in')).toEqual(['before'])
  })
})
