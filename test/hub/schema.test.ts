import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { newDict } from '../../src/model/dict.ts'
import { deploy, openHub, openTenant, push, receiver, stored } from './running-hub.ts'

// biome-ignore lint/suspicious/noExplicitAny: parts of what JSON says are looked at
const typeOf = async (tenant: HubTenant, pipe: string, side: 'source' | 'sink' = 'sink'): Promise<any> =>
  JSON.parse(await tenant.entityType(pipe, side))
const namesOf = async (tenant: HubTenant, pipe: string, side: 'source' | 'sink' = 'sink') =>
  Object.keys((await typeOf(tenant, pipe, side)).properties ?? {})

const adds = (id: string, dataset: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '*'],
        ['add', 'more', 1],
      ],
    },
  },
  pump: { mode: 'manual' },
  ...more,
})
const people = [
  { _id: 'a', name: 'Ann' },
  { _id: 'b', name: 'Bo', age: 3 },
]

describe('the types of a pipe', () => {
  it('are there once it has run, on both sides, under their own address', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r'), adds('p', 'r'))
    expect(await typeOf(tenant, 'p')).toEqual({})
    await push(tenant, 'r', people)
    await tenant.runNow('p')
    expect(await namesOf(tenant, 'p', 'source')).toEqual(['_id', 'age', 'name'])
    expect(await namesOf(tenant, 'p')).toEqual(['_id', 'age', 'more', 'name'])
    expect(await tenant.entityType('p', 'sink')).toContain('Ann')
    expect(await tenant.entityType('p', 'sink', false)).not.toContain('Ann')
    expect((await typeOf(tenant, 'p')).$id).toBe(`/t/${tenant.name}/api/pipes/p/entity-types/sink`)
    await expect(tenant.entityType('q', 'sink')).rejects.toMatchObject({ code: 'unknown-pipe' })
  })

  it('of a receiver that changes nothing are told from its log, of another one from what comes in', async () => {
    const tenant = await openTenant()
    const changing = {
      transform: {
        type: 'dtl',
        rules: {
          default: [
            ['copy', '_id'],
            ['add', 'x', '_S.name'],
          ],
        },
      },
    }
    await deploy(tenant, receiver('r'), receiver('s', changing))
    for (const pipe of ['r', 's']) await push(tenant, pipe, people)
    expect(await namesOf(tenant, 'r', 'source')).toEqual(['_id', 'age', 'name'])
    expect(await typeOf(tenant, 'r')).toMatchObject({
      metadata: { count: 2 },
      properties: { age: { type: 'integer' } },
    })
    expect(await namesOf(tenant, 's', 'source')).toEqual(['_id', 'age', 'name'])
    expect(await namesOf(tenant, 's')).toEqual(['_id', 'x'])
    expect((await typeOf(tenant, 's', 'source')).metadata.count).toBe(2)
    // Requests at the same time are each counted, and those that are refused are not.
    const bad = push(tenant, 's', [{ _id: 'c', bad: true }, { name: 'nameless' }])
    await expect(bad).rejects.toThrow()
    await Promise.all(Array.from({ length: 20 }, (_, at) => push(tenant, 's', [{ _id: `x${at}`, name: 'X' }])))
    expect(await typeOf(tenant, 's', 'source')).toMatchObject({ metadata: { count: 22 } })
    expect(await namesOf(tenant, 's', 'source')).toEqual(['_id', 'age', 'name'])
  })

  it('of a publisher are those of what it answers', async () => {
    const tenant = await openTenant()
    const transform = {
      type: 'dtl',
      rules: {
        default: [
          ['copy', 'name'],
          ['add', 'x', true],
        ],
      },
    }
    await deploy(tenant, receiver('r'), adds('out', 'r', { transform, sink: { type: 'http_endpoint' } }))
    await push(tenant, 'r', people)
    const signal = new AbortController().signal
    const { body } = await tenant.publish('out', 'entities', { bound: newDict() }, signal)
    for await (const _ of body);
    await expect.poll(() => namesOf(tenant, 'out'), { timeout: 20_000 }).toEqual(['_id', 'name', 'x'])
    expect(await namesOf(tenant, 'out', 'source')).toEqual(['_id', 'age', 'name'])
  })

  it('are forgotten when that is asked for, and the log of the pipe says so', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r'), adds('p', 'r'))
    await push(tenant, 'r', people)
    await tenant.runNow('p')
    const runtime = JSON.parse(tenant.pump('p') as string).runtime
    expect(runtime['supported-operations']).toContain('discard-inferred-schema')
    await tenant.operate('p', 'discard-inferred-schema', {})
    expect(await typeOf(tenant, 'p')).toEqual({})
    const log = await stored(tenant, 'system:pump_execution:p')
    expect(log.map(({ event_type }) => event_type)).toContain('pump-discard-inferred-schema')
    await push(tenant, 'r', [{ _id: 'c', only: true }])
    await tenant.runNow('p')
    expect(await namesOf(tenant, 'p', 'source')).toEqual(['_id', 'only'])
    await tenant.operate('r', 'discard-inferred-schema', {})
    expect(await namesOf(tenant, 'r')).toEqual(['_id', 'age', 'name', 'only'])
  })

  it('are forgotten with a reset, but not when the offset is set to something else', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r'), adds('p', 'r'))
    await push(tenant, 'r', people)
    await tenant.runNow('p')
    await tenant.operate('p', 'update-last-seen', { 'last-seen': '0' })
    expect(await namesOf(tenant, 'p')).toContain('age')
    await tenant.operate('p', 'update-last-seen', { 'last-seen': '' })
    expect(await typeOf(tenant, 'p')).toEqual({})
    await tenant.runNow('p')
    expect((await typeOf(tenant, 'p')).metadata.count).toBe(2)
  })

  it('hold nothing of an entity that was erased', async () => {
    const tenant = await openTenant()
    const settled = { compaction: { sink: false } }
    await deploy(tenant, receiver('r', settled), adds('p', 'r', settled))
    await push(tenant, 'r', [{ _id: 'a', name: 'secret' }])
    await tenant.runNow('p')
    expect(JSON.stringify([await typeOf(tenant, 'p'), await typeOf(tenant, 'r')])).toContain('secret')
    await tenant.eraseEntity('r', 'a')
    expect(await namesOf(tenant, 'p')).toContain('name')
    for (const pipe of ['p', 'r']) {
      for (const side of ['source', 'sink'] as const) {
        expect(JSON.stringify(await typeOf(tenant, pipe, side)), `${pipe} ${side}`).not.toContain('secret')
      }
    }
  })

  it('are not counted where the pipe says so, or the node and the pipe does not say', async () => {
    const tenant = await openTenant()
    const node = (infers: boolean) => ({
      _id: 'node',
      type: 'metadata',
      global_defaults: { infer_pipe_entity_types: infers },
    })
    await deploy(tenant, node(true), receiver('r'), adds('p', 'r', { infer_pipe_entity_types: false }), adds('q', 'r'))
    await push(tenant, 'r', people)
    for (const pipe of ['p', 'q']) await tenant.runNow(pipe)
    expect(await typeOf(tenant, 'p')).toEqual({})
    expect(await namesOf(tenant, 'q')).toContain('more')
    await deploy(tenant, node(false), receiver('r'), adds('x', 'r', { infer_pipe_entity_types: true }), adds('y', 'r'))
    for (const pipe of ['x', 'y']) await tenant.runNow(pipe)
    expect(await namesOf(tenant, 'x')).toContain('more')
    expect(await typeOf(tenant, 'y')).toEqual({})
    expect(await typeOf(tenant, 'r')).toEqual({})
  })

  it('are not counted in developer mode, unless the configuration says so; they survive a restart', async () => {
    const { node, tenant, data } = await openHub({ developer: true })
    await deploy(tenant, receiver('r'), adds('p', 'r'), adds('q', 'r', { infer_pipe_entity_types: true }))
    await push(tenant, 'r', people)
    for (const pipe of ['p', 'q']) await tenant.runNow(pipe)
    expect(await typeOf(tenant, 'p')).toEqual({})
    expect(await namesOf(tenant, 'q')).toContain('more')
    await node.close()
    const again = await openHub({ data, developer: true })
    expect(await typeOf(again.tenant, 'q')).toMatchObject({ metadata: { count: 2 } })
  })

  it('go with their pipe', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r'), adds('p', 'r'))
    await push(tenant, 'r', people)
    await tenant.runNow('p')
    await deploy(tenant, receiver('r'))
    await deploy(tenant, receiver('r'), adds('p', 'r'))
    expect(await typeOf(tenant, 'p')).toEqual({})
    await tenant.runNow('p')
    expect((await typeOf(tenant, 'p')).metadata.count).toBe(2)
  })
})
