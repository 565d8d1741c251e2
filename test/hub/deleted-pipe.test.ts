import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { entity } from '../log/sample.ts'
import { deploy, live, openHub, openTenant, push, receiver } from './running-hub.ts'

const merge = {
  _id: 'all',
  type: 'pipe',
  source: { type: 'merge', version: 2, datasets: ['a a'], equality: [['eq', 'a.mail', 'a.mail']] },
  pump: { mode: 'manual' },
}
const node = (keeps: object) => ({ _id: 'node', type: 'metadata', ...keeps })

function left(tenant: HubTenant) {
  const snapshot = tenant.snapshot()
  const found = {
    state: [...snapshot.states(Buffer.from('all\u0000'))].length > 0,
    offset: snapshot.offset('source:all') !== undefined,
    pump: snapshot.meta('pump:all') !== undefined,
    datasets: snapshot
      .datasets()
      .map(({ id }) => id)
      .filter((id) => !['a', 'system:config', 'system:notifications-summary'].includes(id))
      .sort(),
  }
  snapshot.close()
  return found
}
const orphaned = (tenant: HubTenant, id: string) => JSON.parse(tenant.dataset(id) ?? '{}').runtime.orphaned

async function ran(tenant: HubTenant, ...more: object[]): Promise<void> {
  await deploy(tenant, receiver('a'), merge, ...more)
  await push(tenant, 'a', [{ _id: '1', mail: 'x' }])
  expect(await tenant.runNow('all')).toMatchObject({ outcome: 'completed', changes: 1 })
  for (const id of ['system:pump_execution:all', 'system:dead-letter:all', 'system:pump_execution:not:all']) {
    await tenant.write(id, [entity({ _id: 'e' })])
  }
  expect(left(tenant)).toMatchObject({ state: true, offset: true, pump: true })
  expect(orphaned(tenant, 'all')).toBe(false)
}

describe('a pipe that is deleted', () => {
  it('takes its offset, its state, its pump and its internal datasets along, and leaves its dataset, orphaned', async () => {
    const tenant = await openTenant()
    await ran(tenant)
    await deploy(tenant, receiver('a'))
    expect(left(tenant)).toEqual({
      state: false,
      offset: false,
      pump: false,
      datasets: ['all', 'system:pump_execution:not:all'],
    })
    expect(await live(tenant, 'all')).toHaveLength(1)
    expect([orphaned(tenant, 'all'), orphaned(tenant, 'a'), orphaned(tenant, 'system:pump_execution:not:all')]).toEqual(
      [true, false, false],
    )
  })

  it('leaves all of it when the node says so, and goes on with it when it comes back', async () => {
    const tenant = await openTenant()
    const keeps = node({ pipe_cleanup_after_deletion: false })
    await ran(tenant, keeps)
    const before = left(tenant)
    await deploy(tenant, receiver('a'), keeps)
    expect(left(tenant)).toEqual(before)
    expect(orphaned(tenant, 'all')).toBe(true)
    await deploy(tenant, receiver('a'), merge, keeps)
    expect(await tenant.runNow('all')).toMatchObject({ syncType: 'incremental' })
  })

  it('begins anew when it comes back, and its dataset is nobody’s orphan any more', async () => {
    const tenant = await openTenant()
    await ran(tenant)
    await deploy(tenant, receiver('a'))
    await deploy(tenant, receiver('a'), merge)
    expect(orphaned(tenant, 'all')).toBe(false)
    expect(await tenant.runNow('all')).toMatchObject({ syncType: 'full', changes: 0 })
  })

  it('is cleaned up by the next start when the hub ended before it was', async () => {
    const first = await openHub()
    await ran(first.tenant)
    await first.node.close()
    const path = readdirSync(first.data, { recursive: true, encoding: 'utf8' }).find((one) => one.endsWith('data.mdb'))
    const writer = await LogWriter.open(join(first.data, path as string, '..'))
    const config = JSON.stringify([receiver('a')])
    await writer.commit({
      meta: [
        ['config', config],
        ['deleted-pipes', '["all"]'],
      ],
    })
    await writer.close()
    const { tenant } = await openHub({ data: first.data })
    expect(left(tenant)).toEqual({
      state: false,
      offset: false,
      pump: false,
      datasets: ['all', 'system:pump_execution:not:all'],
    })
  })
})
