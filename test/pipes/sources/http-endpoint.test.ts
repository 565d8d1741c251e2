import { describe, expect, test } from 'vitest'
import { get } from '../../../src/model/dict.ts'
import { idOf } from '../../../src/model/entity.ts'
import { Decimal, Float, kindOf, type Value } from '../../../src/model/value.ts'
import { PipeError } from '../../../src/pipes/errors.ts'
import { httpEndpointSource, parsePush } from '../../../src/pipes/sources/http-endpoint.ts'
import { type ComponentType, componentContract } from '../../contracts/component-contract.ts'
import { configured, readAll, surroundings } from '../surroundings.ts'

const config = (more: Record<string, unknown> = {}) =>
  configured(httpEndpointSource.config, { type: 'http_endpoint', ...more })
const push = (body: string | Uint8Array, more: Record<string, unknown> = {}) =>
  parsePush(Buffer.from(body), config(more))
const failure = (body: string | Uint8Array): PipeError => {
  try {
    push(body)
  } catch (error) {
    if (error instanceof PipeError) return error
  }
  throw new Error('no PipeError was thrown')
}

describe('the source http_endpoint', () => {
  componentContract(httpEndpointSource as ComponentType)

  test('has nothing to read: its entities are sent', async () => {
    const source = httpEndpointSource.open(config(), surroundings())
    expect((await readAll(source.read(null, new AbortController().signal))).batches).toEqual([])
  })

  test('counts as populated unless told otherwise', () => {
    const snapshot = undefined as never
    expect(httpEndpointSource.populated?.(config(), snapshot)).toBe(true)
    expect(httpEndpointSource.populated?.(config({ auto_populate_dataset: false }), snapshot)).toBe(false)
  })
})

describe('a posted body', () => {
  test('is an array of entities, or one', () => {
    expect(push('[{"_id":"a"},{"_id":"b"}]').map(idOf)).toEqual(['a', 'b'])
    expect(push('{"_id":"a"}').map(idOf)).toEqual(['a'])
    expect(push('[]')).toEqual([])
    expect(push('\ufeff[{"_id":"a"}]').map(idOf)).toEqual(['a'])
  })

  test('has transit tags decoded', () => {
    expect(kindOf(get(push('{"_id":"a","r":"~:crm:1"}')[0]!, 'r') as Value)).toBe('ni')
  })

  test('has its fractions read as decimals and whole ones as integers, unless told otherwise', () => {
    const body = '{"_id":"a","half":0.5,"long":0.1234567890123456789,"one":1.0}'
    const read = (more: Record<string, unknown>) => {
      const [entity] = push(body, more)
      return ['half', 'long', 'one'].map((name) => get(entity!, name))
    }
    expect(read({})).toEqual([new Decimal(5n, 1, true), new Decimal(1234567890123456789n, 19, true), 1])
    expect(read({ do_float_as_int: false })[2]).not.toBe(1)
    expect(read({ do_float_as_decimal: false })).toEqual([0.5, 0.12345678901234568, 1])
    expect(read({ do_float_as_decimal: false, do_float_as_int: false })[2]).toEqual(new Float(1))
  })

  test.each([
    '',
    '<html>',
    '[{"_id":"a"}',
    '{"_id":"a"} x',
    '"text"',
    '12',
    'null',
    Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]),
  ])('that is not JSON entities (%s) is an error', (body) => {
    expect(failure(body).code).toBe('bad-json')
  })

  test('is shown by its beginning when it is not JSON', () => {
    expect(failure(`<html>${'x'.repeat(5000)}`).message).toMatch(/^The body is not JSON: .*begins with: <html>x+…?$/)
    expect(failure(`<html>${'x'.repeat(5000)}`).message.length).toBeLessThan(500)
  })

  test.each([
    ['[{"_id":"a"},{"name":"b"}]', 1],
    ['[{"_id":1}]', 0],
    ['[{"_id":"a"},[],{}]', 1],
    ['[{"_id":"a"},{"_id":"b"},null]', 2],
  ])('%s is refused, with the place of what is not an entity', (body, position) => {
    const error = failure(body)
    expect([error.code, error.details.position]).toEqual(['bad-entity', position])
    expect(error.message).toContain(`Entity ${position + 1} of `)
  })

  test('of one object without _id is refused', () => {
    expect(failure('{"name":"a"}')).toMatchObject({
      code: 'bad-entity',
      message: 'The entity has no string _id: {"name":"a"}',
    })
  })
})
