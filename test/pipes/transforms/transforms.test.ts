import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DtlSettings } from '../../../src/dtl/contract.ts'
import { parseJson, writeJson } from '../../../src/model/json.ts'
import type { Value } from '../../../src/model/value.ts'
import { blamedEntity } from '../../../src/pipes/blame.ts'
import type { CompiledTransform, PipeTransform } from '../../../src/pipes/transforms/contract.ts'
import { httpTransform } from '../../../src/pipes/transforms/http.ts'
import { laterTransformTypes, transformTypes } from '../../../src/pipes/transforms/index.ts'
import { xmlTransform } from '../../../src/pipes/transforms/xml.ts'
import { cutAfter, type FakeServer, startFakeServer, status, text } from '../../fakes/http-server.ts'
import { openUrlSystem } from '../surroundings.ts'

const SETTINGS: DtlSettings = {
  pipe: 'p',
  namespacedIdentifiers: false,
  namespaces: { identity: 'p', property: 'p' },
  prefixes: {},
}
const compile = (type: { compile: (config: Value, settings: DtlSettings) => CompiledTransform }, config: object) =>
  type.compile(parseJson(JSON.stringify(config)), SETTINGS)
const entity = (one: object) => parseJson(JSON.stringify(one)) as never
const plain = (all: readonly unknown[]) => all.map((one) => JSON.parse(writeJson(one as Value)))
const NONE = {} as never

test('each transform type is listed once', () => {
  const names = [...transformTypes.map(({ type }) => type), ...laterTransformTypes]
  expect(new Set(names).size).toBe(names.length)
})

describe('the xml transform', () => {
  const made = (config: object, one: object) =>
    plain(
      compile(xmlTransform, { type: 'xml', 'xml-property': 'doc', ...config }).transform?.apply(entity(one), NONE) ??
        [],
    )

  test('puts the text beside what it was made of', () => {
    expect(made({ wrapper: 'w', 'include-xml-decl': true }, { _id: 'a', x: 1, '<b>': 'c' })).toEqual([
      {
        _id: 'a',
        x: 1,
        '<b>': 'c',
        doc: '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w><b x="1">c</b></w>',
      },
    ])
  })

  test('leaves those alone that it is not for: deleted, filtered, and not triggering', () => {
    for (const one of [
      { _id: 'a', _deleted: true, type: 'order', '<b>': 'c' },
      { _id: 'a', _filtered: true, type: 'order', '<b>': 'c' },
      { _id: 'a', type: 'person' },
    ]) {
      expect(made({ trigger_on: { key: 'type', value: 'ord*' } }, one)).toEqual([one])
    }
    expect(made({ trigger_on: { key: 'type', value: 'ord*' } }, { _id: 'a', type: 'order', '<b>': 1 })).toHaveLength(1)
  })

  test('says what is wrong with its configuration', () => {
    const { transform, problems } = compile(xmlTransform, { type: 'xml', wrapper: '1', trigger_on: 3, more: 1 })
    expect(transform).toBeNull()
    expect(problems.map(({ pointer }) => pointer).sort()).toEqual(['/more', '/trigger_on', '/xml-property'])
  })
})

describe('the http transform', () => {
  let server: FakeServer
  beforeAll(async () => {
    server = await startFakeServer()
  })
  afterAll(() => server.close())
  const never = new AbortController().signal
  const asking = (config: object = {}) => {
    const { transform } = compile(httpTransform, { type: 'http', system: 'crm', url: 'make', ...config })
    return (transform as PipeTransform).asking as NonNullable<PipeTransform['asking']>
  }
  const ask = async (entities: object[], config: object = {}) => {
    const port = openUrlSystem({ url_pattern: `${server.url}%s` })
    try {
      return plain(await asking(config).ask(entities.map(entity), port, never))
    } finally {
      await port.close()
    }
  }

  test('sends batches, and takes as many entities as come back', async () => {
    server.requests.length = 0
    server.on('/make', (response, { body }) => {
      const sent = JSON.parse(body) as { _id: string }[]
      response.end(JSON.stringify(sent.flatMap((one) => [one, { ...one, _id: `${one._id}-more` }])))
    })
    const made = await ask([{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }], { batch_size: 2, headers: { 'x-y': 'z' } })
    expect(made.map(({ _id }) => _id)).toEqual(['a', 'a-more', 'b', 'b-more', 'c', 'c-more'])
    expect(server.requests.map(({ body }) => body)).toEqual(['[{"_id":"a"},{"_id":"b"}]', '[{"_id":"c"}]'])
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-y': 'z' },
    })
  })

  test('keeps every digit, and lets those pass that it is not for', async () => {
    server.on('/make', (response, { body }) => void response.end(body))
    const entities = [
      { _id: 'a', t: 'x' },
      { _id: 'b', t: 'y' },
      { _id: 'c', t: 'x', _filtered: true },
    ]
    expect(await ask(entities, { trigger_on: { key: 't', value: 'x' } })).toHaveLength(3)
    expect(JSON.parse(server.requests.at(-1)?.body ?? '')).toEqual([{ _id: 'a', t: 'x' }])
    server.on('/make', text('[{"_id":"a","n":12345678901234567890,"d":"~t2020-01-01"}]'))
    const port = openUrlSystem({ url_pattern: `${server.url}%s` })
    const [made] = await asking().ask([entity({ _id: 'a' })], port, never)
    expect(writeJson(made as Value)).toBe('{"_id":"a","n":12345678901234567890,"d":"~t2020-01-01"}')
    await port.close()
  })

  test('takes an empty list, and no body at all, for nothing', async () => {
    server.on('/make', text('[]'), status(204))
    expect(await ask([{ _id: 'a' }])).toEqual([])
    expect(await ask([{ _id: 'a' }])).toEqual([])
  })

  test.each([
    ['a refusal', status(422, 'no'), 'bad-status'],
    ['half an answer', cutAfter('[{"_id":"a"'), 'answer-broken'],
    ['what is no list', text('"x"'), 'bad-json'],
  ])('fails with %s, naming the entity', async (_, behaviour, code) => {
    server.on('/make', behaviour)
    const error = await ask([{ _id: 'the-one' }]).catch((thrown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringContaining("'the-one'") })
    expect(blamedEntity(error)).toBeDefined()
    const of = await ask([{ _id: 'first' }, { _id: 'last' }]).catch((thrown) => thrown)
    expect(of.message).toMatch(/2 entities from 'first' to 'last'/)
  })

  test('has side effects unless it says that it has none', () => {
    expect(asking().hasSideEffects).toBe(true)
    expect(asking({ side_effects: false }).hasSideEffects).toBe(false)
  })
})
