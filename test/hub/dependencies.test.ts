/** Dependency tracking as a tenant of the hub has it: signals, queues, indexes, operations, and what a deleted pipe leaves. */

import { describe, expect, it } from 'vitest'
import { withSnapshot } from '../../src/hub/datasets.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { trackersOf } from '../../src/pipes/tracking/offsets.ts'
import { deploy, live, openHub, openTenant, push, receiver } from './running-hub.ts'

const named = (id: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset: 'person' },
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['add', 'name', ['hops', { datasets: ['company c'], where: ['eq', '_S.company', 'c._id'], return: 'c.name' }]],
      ],
    },
  },
  pump: { mode: 'manual' },
  ...more,
})

async function opened(tenant: HubTenant, ...pipes: object[]): Promise<HubTenant> {
  await deploy(tenant, receiver('person'), receiver('company'), ...pipes)
  await push(tenant, 'person', [
    { _id: 'p1', company: 'c1' },
    { _id: 'p2', company: 'c2' },
  ])
  await push(tenant, 'company', [
    { _id: 'c1', name: 'One' },
    { _id: 'c2', name: 'Two' },
  ])
  return tenant
}

const queues = (tenant: HubTenant, pipe: string) => JSON.parse(tenant.pump(pipe) as string).runtime.queues
const trackers = (tenant: HubTenant) => withSnapshot(tenant, (snapshot) => trackersOf('company', snapshot))

describe('what a pipe hops to', () => {
  it('waits in a queue of its own, until the pump has followed it back', async () => {
    const tenant = await opened(await openTenant(), named('out'))
    expect(queues(tenant, 'out')).toEqual({ source: 2, dependencies: { company: 0 } })
    await tenant.runNow('out')
    await push(tenant, 'company', [{ _id: 'c1', name: 'Uno' }])
    expect(queues(tenant, 'out')).toEqual({ source: 0, dependencies: { company: 1 } })
    expect(await tenant.runNow('out')).toMatchObject({ read: 0, changes: 1, tracking: { changes: 1, again: 1 } })
    expect(queues(tenant, 'out')).toEqual({ source: 0, dependencies: { company: 0 } })
    expect(await live(tenant, 'out')).toEqual([
      { _id: 'p1', name: ['Uno'] },
      { _id: 'p2', name: ['Two'] },
    ])
  })

  it('starts the pipe when it changes', async () => {
    const { node, tenant } = await openHub()
    await opened(tenant, named('out', { pump: {} }))
    node.startPumps()
    await expect.poll(() => live(tenant, 'out'), { timeout: 20_000 }).toHaveLength(2)
    await push(tenant, 'company', [{ _id: 'c2', name: 'Dos' }])
    await expect.poll(() => live(tenant, 'out'), { timeout: 20_000 }).toContainEqual({ _id: 'p2', name: ['Dos'] })
  })

  it('keeps the indexes of the ways back in use, on both sides', async () => {
    const tenant = await opened(await openTenant(), named('out'))
    await tenant.runNow('out')
    const used = (dataset: string) =>
      JSON.parse(tenant.indexes(dataset) as string).map((index: Record<string, unknown>) => [
        index.expression,
        index.status,
      ])
    expect(used('person')).toEqual([['_S.company', 'up-to-date']])
    expect(used('company')).toEqual([['_S._id', 'up-to-date']])
    await deploy(tenant, receiver('person'), receiver('company'))
    expect(used('person')).toEqual([['_S.company', 'orphaned']])
  })

  it('holds back compaction until its pipe is gone', async () => {
    const tenant = await opened(await openTenant(), named('out'), named('other'))
    await tenant.runNow('out')
    await tenant.runNow('other')
    await push(tenant, 'company', [{ _id: 'c1', name: 'Uno' }])
    await tenant.runNow('other')
    expect(trackers(tenant)).toEqual([2, 1])
    await deploy(tenant, receiver('person'), receiver('company'), named('other'))
    expect(trackers(tenant)).toEqual([2])
  })

  it('is not looked at for what changed before its tracking was reset', async () => {
    const tenant = await opened(await openTenant(), named('out'))
    await tenant.runNow('out')
    await push(tenant, 'company', [{ _id: 'c1', name: 'Uno' }])
    await tenant.operate('out', 'reset-tracking', {})
    expect(await tenant.runNow('out')).toMatchObject({ tracking: { changes: 0 } })
    await push(tenant, 'company', [{ _id: 'c2', name: 'Dos' }])
    expect(await tenant.runNow('out')).toMatchObject({ tracking: { changes: 1, again: 1 } })
    expect(await live(tenant, 'out')).toEqual([
      { _id: 'p1', name: ['One'] },
      { _id: 'p2', name: ['Dos'] },
    ])
  })

  it('counts as changed from its start on, when somebody says so', async () => {
    const tenant = await opened(await openTenant(), named('out'), named('later'))
    await tenant.runNow('out')
    for (const pipe of ['out', 'later']) await tenant.operate(pipe, 'set-tracking-to-start', {})
    expect(queues(tenant, 'out')).toMatchObject({ dependencies: { company: 2 } })
    expect(await tenant.runNow('out')).toMatchObject({ tracking: { changes: 2, again: 2 }, changes: 0 })
    // What never ran follows nothing: it reads everything as it is.
    expect(await tenant.runNow('later')).toMatchObject({ tracking: { changes: 0 }, changes: 2 })
  })

  it('leaves nothing behind of an entity that is erased: all is read again', async () => {
    const tenant = await opened(await openTenant(), named('out'))
    await tenant.runNow('out')
    await tenant.eraseEntity('company', 'c1')
    const report = await tenant.runNow('out')
    expect(report.tracking.reset).toContain("erased from dataset 'company'")
    expect(await live(tenant, 'out')).toEqual([
      { _id: 'p1', name: [] },
      { _id: 'p2', name: ['Two'] },
    ])
    expect(await tenant.runNow('out')).toMatchObject({ syncType: 'incremental', tracking: { reset: null } })
  })
})
