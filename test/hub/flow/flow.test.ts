/** The flow map, and how long a change takes through a chain of pipes. */

import { describe, expect, it } from 'vitest'
import { deploy as deployment } from '../../../src/hub/deployment.ts'
import { type FlowMap, flowOf } from '../../../src/hub/flow/flow.ts'
import { runUntilSettled } from '../../../src/hub/settle.ts'
import { deploy, openTenant, push, receiver } from '../running-hub.ts'

type Json = Readonly<Record<string, unknown>>

const reading = (_id: string, dataset: string, ...rules: unknown[]): Json => ({
  _id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  transform: { type: 'dtl', rules: { default: [['copy', '*'], ...rules] } },
})
const hop = (dataset: string, more: Json = {}) => [
  'add',
  'h',
  ['hops', { datasets: [`${dataset} p`], where: ['eq', '_S.x', 'p._id'], return: 'p.t', ...more }],
]
const mapOf = (...pipes: Json[]): FlowMap =>
  flowOf(
    deployment(
      pipes.map((one) => JSON.stringify(one)),
      '{}',
      null,
    ),
    null,
    null,
    0,
  )
const arrows = ({ edges }: FlowMap) => edges.map(({ from, to, as }) => `${from} -${as}-> ${to}`)

describe('the flow map', () => {
  it('tells what feeds what, and how', () => {
    const map = mapOf(
      receiver('a'),
      receiver('b'),
      reading('c', 'a', hop('b')),
      reading('d', 'a', ['add', 'l', ['lookup-entity', 'b', '_S.x']]),
      {
        _id: 'm',
        type: 'pipe',
        source: { type: 'merge', version: 2, datasets: ['c c', 'd d'], equality: [['eq', 'c.x', 'd.x']] },
      },
      { _id: 'out', type: 'pipe', source: { type: 'dataset', dataset: 'm' }, sink: { type: 'http_endpoint' } },
    )
    expect(arrows(map)).toEqual([
      'pipe:a -sink-> dataset:a',
      'pipe:b -sink-> dataset:b',
      'dataset:a -source-> pipe:c',
      'dataset:b -hop-> pipe:c',
      'pipe:c -sink-> dataset:c',
      'dataset:a -source-> pipe:d',
      'dataset:b -lookup-> pipe:d',
      'pipe:d -sink-> dataset:d',
      'dataset:c -merge-> pipe:m',
      'dataset:d -merge-> pipe:m',
      'pipe:m -sink-> dataset:m',
      'dataset:m -source-> pipe:out',
    ])
    expect(map.pipes.map(({ id, category, level, exact }) => [id, category, level, exact])).toEqual([
      ['a', 'receiver', 0, false],
      ['b', 'receiver', 0, false],
      ['c', 'internal', 1, true],
      ['d', 'internal', 1, false],
      ['m', 'internal', 2, true],
      ['out', 'publisher', 3, true],
    ])
    expect(map.datasets.filter(({ is_end }) => is_end)).toEqual([])
  })

  it('finds the circles, each once', () => {
    const map = mapOf(reading('a', 'c'), reading('b', 'a'), reading('c', 'b'), reading('self', 'self'))
    expect(map.cycles).toEqual([['a', 'b', 'c'], ['self']])
  })

  it('tells systems, and pipes with errors', () => {
    const system = { _id: 'crm', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' }
    const map = mapOf(
      system,
      { _id: 'in', type: 'pipe', source: { type: 'json', system: 'crm', url: 'people' } },
      { _id: 'bad', type: 'pipe', source: { type: 'nothing' } },
    )
    expect(arrows(map)).toEqual(['system:crm -source-> pipe:in', 'pipe:in -sink-> dataset:in'])
    expect(map.pipes.map(({ id, valid, category }) => [id, valid, category])).toEqual([
      ['in', true, 'inbound'],
      ['bad', false, null],
    ])
  })
})

describe('of a running hub', () => {
  it('it tells what waits, and how long a change took through a chain', async () => {
    const tenant = await openTenant()
    const manual = { pump: { mode: 'manual' } }
    const chain = [reading('one', 'in'), reading('two', 'one', hop('side')), reading('end', 'two')]
    await deploy(tenant, receiver('in'), receiver('side'), ...chain.map((pipe) => ({ ...pipe, ...manual })))
    await push(tenant, 'side', [{ _id: 's', t: 'a' }])
    await push(tenant, 'in', [{ _id: '1', x: 's' }])
    await runUntilSettled(tenant)
    tenant.takeLags()

    const began = Date.now()
    await push(tenant, 'in', [{ _id: '1', x: 's', n: 2 }])
    const flow = () => JSON.parse(tenant.flow()) as FlowMap
    const pipe = (id: string) => flow().pipes.find((one) => one.id === id)
    expect(pipe('one')).toMatchObject({ queue: { source: { in: 1 }, hops: {} } })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(pipe('one')?.waiting_seconds).toBeGreaterThan(0.2)
    for (const id of ['one', 'two']) await tenant.runNow(id)
    // What waits in the middle has waited since it came in.
    expect(pipe('end')?.waiting_seconds).toBeGreaterThan(0.2)
    expect(tenant.takeLags()).toEqual([])
    await tenant.runNow('end')
    const [lag, ...more] = tenant.takeLags()
    expect(more).toEqual([])
    expect(lag?.end).toEqual({ kind: 'dataset', id: 'end' })
    expect(lag?.seconds).toBeGreaterThan(0.25)
    expect(lag?.seconds).toBeLessThanOrEqual((Date.now() - began) / 1000 + 0.01)
    expect(flow().datasets.find(({ id }) => id === 'end')).toMatchObject({
      is_end: true,
      entities: 1,
      lag_seconds: lag?.seconds,
    })

    // A change that comes in by way of a hop is measured from there; one without effect is not.
    await push(tenant, 'side', [{ _id: 's', t: 'b' }])
    await push(tenant, 'side', [{ _id: 'other', t: 'b' }])
    await runUntilSettled(tenant)
    expect(tenant.takeLags().map(({ end }) => end.id)).toEqual(['end'])
    await push(tenant, 'side', [{ _id: 'other', t: 'c' }])
    await runUntilSettled(tenant)
    expect(tenant.takeLags()).toEqual([])
  })
})
