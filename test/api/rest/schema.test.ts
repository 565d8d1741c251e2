import { Parser } from 'n3'
import { expect, it } from 'vitest'
import { openRealTenant, type RealHub } from '../real-hub.ts'

const receiver = (id: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'http_endpoint' },
  ...more,
})
const follows = (id: string, dataset: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  pump: { schedule_interval: 0.05 },
  ...more,
})
// biome-ignore lint/suspicious/noExplicitAny: parts of what JSON says are looked at
async function get(hub: RealHub, path: string, accept = 'application/json'): Promise<any> {
  const answer = await hub.fetch(path, { headers: { accept } })
  expect(answer.status, await answer.clone().text()).toBe(200)
  return accept === 'application/json' ? answer.json() : answer.text()
}
const post = (hub: RealHub, path: string, body: unknown) =>
  hub.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

const person = {
  _id: '1',
  'crm:name': 'Ann',
  'crm:age': 3,
  'crm:boss': '~:crm-person:2',
  'crm:tags': ['a', 'b'],
  'crm:address': { city: 'Oslo' },
  'crm:note': null,
}

async function world(): Promise<RealHub> {
  const hub = await openRealTenant()
  await hub.configure(
    receiver('crm-person'),
    follows('global-person', 'crm-person', { metadata: { global: true } }),
    follows('erp-out', 'crm-person', { metadata: { models: ['Mine'] } }),
  )
  await hub.push('crm-person', [person, { _id: '2', 'crm:name': 'Bo', 'crm:age': '~f1.5' }])
  for (const pipe of ['global-person', 'erp-out']) {
    for (let turn = 0; (await get(hub, `/pipes/${pipe}/entity-types/sink`)).properties === undefined; turn++) {
      expect(turn).toBeLessThan(1_000)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  return hub
}

it('gives the types of a pipe in the shape that clients read', async () => {
  const hub = await world()
  const { properties } = await get(hub, '/pipes/global-person/entity-types/sink')
  expect(properties['crm:age'].anyOf).toMatchObject([{ type: 'integer' }, { type: 'string', subtype: 'decimal' }])
  expect(properties['crm:boss']).toMatchObject({
    type: 'string',
    subtype: 'ni',
    metadata: { namespaces: ['crm-person'] },
  })
  expect(properties['crm:note']).toMatchObject({ type: 'null' })
  expect(await get(hub, '/pipes/crm-person/entity-types/source')).toMatchObject({ properties: { 'crm:name': {} } })
  expect((await hub.fetch('/pipes/nobody/entity-types/sink')).status).toBe(404)
  expect((await hub.fetch('/pipes/global-person/entity-types/middle')).status).toBe(404)
  await post(hub, '/pipes/global-person/pump', { operation: 'discard-inferred-schema' })
  expect(await get(hub, '/pipes/global-person/entity-types/sink')).toEqual({})
})

it('has the models that pipes imply, and merges what is uploaded into them', async () => {
  const hub = await world()
  const names = async (query = '') => (await get(hub, `/models?verbose=False${query}`)).map(entryOf)
  expect(await names()).toEqual([
    ['Global', ['global-person']],
    ['Input', ['crm-person']],
    ['Mine', ['erp-out']],
    ['crm', ['crm-person']],
    ['global', ['global-person']],
  ])
  expect(await names('&with_property=nothing')).toEqual([])
  expect(await get(hub, '/models/Global/global-person')).toMatchObject({
    properties: { 'crm:name': { type: 'string' } },
  })
  expect(JSON.stringify(await get(hub, '/models'))).not.toContain('Ann')

  const model = {
    _id: 'Global',
    description: 'What is true',
    'entity-types': {
      'global-person': {
        description: 'A person',
        properties: {
          'crm:name': { type: 'integer', description: 'How they are called' },
          'crm:note': { type: 'string' },
          'crm:born': { type: 'string', subtype: 'date', description: 'When' },
        },
      },
      house: { properties: { 'crm:address': { description: 'Where' } } },
    },
  }
  expect((await post(hub, '/models', [model])).status).toBe(200)
  expect(await get(hub, '/models/Global')).toMatchObject({ ...model, implicit: true, uploaded: true })
  const effective = await get(hub, '/models/Global/global-person?effective=true')
  expect(effective).toMatchObject({
    description: 'A person',
    properties: {
      'crm:name': { type: 'string', description: 'How they are called' },
      'crm:note': { type: 'string' },
      'crm:born': { subtype: 'date' },
      'crm:address': { type: 'object', description: 'Where' },
    },
  })
  // What is said of a property with a namespace holds wherever it stands.
  expect((await get(hub, '/models/crm/crm-person?effective=true')).properties['crm:name'].description).toBe(
    'How they are called',
  )
  expect(await names('&with_property=crm:born&effective=true')).toEqual([['Global', ['global-person']]])
  const gone = () => hub.fetch('/models/Global', { method: 'DELETE' })
  expect((await gone()).status).toBe(200)
  expect((await gone()).status).toBe(409)
  expect((await hub.fetch('/models/none', { method: 'DELETE' })).status).toBe(404)
  expect((await hub.fetch('/models/Global/none')).status).toBe(404)
})

const entryOf = (model: { readonly _id: string; readonly 'entity-types': readonly string[] }) => [
  model._id,
  model['entity-types'],
]

it('refuses what is no model or no schema, all of it at once, and takes mistakes in schemas by force', async () => {
  const hub = await openRealTenant()
  const wrong = [{ _id: 'a', 'entity-types': { x: { type: 'strung' }, y: { properties: 5 } } }]
  const refused = await post(hub, '/models', wrong)
  expect(refused.status).toBe(400)
  // biome-ignore lint/suspicious/noExplicitAny: parts of what JSON says are looked at
  const body = (await refused.json()) as any
  expect(body).toMatchObject({ code: 'model-rejected', validation_errors: [{ 'posted-config': { _id: 'a' } }] })
  const places = body.validation_errors[0]['config-errors'].map(({ elements }: { elements: string }) => elements)
  expect(places).toEqual(expect.arrayContaining(['/entity-types/x/type', '/entity-types/y/properties']))
  expect(await get(hub, '/models')).toEqual([])
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`p${at}`, { type: 'strung' }]))
  const told = await post(hub, '/models', [{ _id: 'a', 'entity-types': { x: { properties: many } } }])
  // biome-ignore lint/suspicious/noExplicitAny: parts of what JSON says are looked at
  const { validation_errors } = (await told.json()) as any
  expect(validation_errors[0]['config-errors']).toHaveLength(100)
  expect(validation_errors[0]['config-errors'][7].elements).toBe('/entity-types/x/properties/p7/type')
  expect((await post(hub, '/models?force=true', wrong)).status).toBe(200)
  for (const no of [[{ _id: 'a/b', 'entity-types': {} }], [{ 'entity-types': {} }], [{ _id: 'b' }], [5], 'text']) {
    expect((await post(hub, '/models?force=true', no)).status, JSON.stringify(no)).toBe(400)
  }
  expect((await get(hub, '/models?verbose=false')).map(entryOf)).toEqual([['a', ['x', 'y']]])
})

it('gives models as SHACL shapes', async () => {
  const hub = await world()
  const turtle = await get(hub, '/models/Global', 'text/turtle')
  const quads = new Parser().parse(turtle)
  const base = hub.tenant.base
  const shape = `${base}/model/Global/global-person`
  const SH = 'http://www.w3.org/ns/shacl#'
  const paths = quads.filter(({ predicate }) => predicate.value === `${SH}path`).map(({ object }) => object.value)
  expect(paths).toContain(`${base}/ns/crm#name`)
  expect(paths).toContain(`${base}/ns#city`)
  expect(
    quads.filter(({ subject, predicate }) => subject.value === shape && predicate.value === `${SH}property`).length,
  ).toBe(6)
  const patterns = quads.filter(({ predicate }) => predicate.value === `${SH}pattern`).map(({ object }) => object.value)
  expect(patterns.map((pattern) => new RegExp(pattern).test(`${base}/id/crm-person/2`))).toEqual([true])
  expect(await get(hub, '/models/Global/global-person', 'text/turtle')).toBe(turtle)
  expect((await hub.fetch('/models/Global', { headers: { accept: 'image/png' } })).status).toBe(406)
})

it('proposes tables for what a pipe writes, and for a dataset', async () => {
  const hub = await world()
  const columns = await get(hub, '/pipes/erp-out/generate-schema-definition')
  const named = Object.fromEntries(columns.map((column: { name: string }) => [column.name, column]))
  expect(columns[0]).toEqual({
    source_property: '_id',
    name: '_id',
    type: 'string',
    min_size: 1,
    max_size: 1,
    allow_null: false,
    primary_key: true,
    index: false,
    default: null,
  })
  expect(named).toMatchObject({
    name: { source_property: 'crm:name', type: 'string', min_size: 2, max_size: 3, allow_null: false },
    age: { type: 'decimal', precision: 2, scale: 1 },
    boss: { type: 'string', max_size: 12, allow_null: true },
    address: { type: 'string', max_size: '{"city":"Oslo"}'.length },
    note: { type: 'string', max_size: 0, allow_null: true },
  })
  const keys = await get(hub, '/datasets/crm-person/generate-schema-definition?keys_only=True&sample_size=1')
  expect(keys).toEqual(['_id', 'crm:age', 'crm:name'])
  expect((await hub.fetch('/datasets/none/generate-schema-definition')).status).toBe(404)
  expect((await hub.fetch('/pipes/none/generate-schema-definition')).status).toBe(404)
  expect((await hub.fetch('/pipes/erp-out/generate-schema-definition?sample_size=0')).status).toBe(400)
})
