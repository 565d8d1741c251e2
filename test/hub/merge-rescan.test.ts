/** A merge whose rules become others, as a tenant of the hub has it: nothing has to be asked for. */

import { expect, it } from 'vitest'
import { runUntilSettled } from '../../src/hub/settle.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openHub, openTenant, push, receiver } from './running-hub.ts'

const merge = (property: string, pump: object) => ({
  _id: 'm',
  type: 'pipe',
  source: {
    type: 'merge',
    version: 2,
    datasets: ['a a', 'b b'],
    equality: [['eq', `a.${property}`, `b.${property}`]],
  },
  enable_background_rescan: true,
  pump,
})
const outOfSync = (tenant: HubTenant) => JSON.parse(tenant.pump('m') as string).runtime['out-of-sync']
const ids = async (tenant: HubTenant) => (await live(tenant, 'm')).map(({ _id }) => _id).sort()

async function filled(tenant: HubTenant, pump: object): Promise<void> {
  await deploy(tenant, receiver('a'), receiver('b'), merge('x', pump))
  await push(tenant, 'a', [{ _id: 'a1', x: 1, y: 2 }])
  await push(tenant, 'b', [
    { _id: 'b1', x: 1, y: 3 },
    { _id: 'b2', x: 4, y: 2 },
  ])
}

it('goes on with what it was, says so, and is another one after a batch job', async () => {
  const tenant = await openTenant()
  await filled(tenant, { mode: 'manual' })
  await runUntilSettled(tenant)
  expect([await ids(tenant), outOfSync(tenant)]).toEqual([['0|a1|1|b1', '1|b2'], []])
  await deploy(tenant, receiver('a'), receiver('b'), merge('y', { mode: 'manual' }))
  expect(outOfSync(tenant)).toMatchObject([{ reason: 'config-changed' }])
  expect(await runUntilSettled(tenant)).toMatchObject({ isSettled: true })
  expect([await ids(tenant), outOfSync(tenant)]).toEqual([['0|a1|1|b2', '1|b1'], []])
})

it('becomes another one by itself where pumps run', async () => {
  const { node, tenant } = await openHub()
  await filled(tenant, { schedule_interval: 3_600 })
  node.startPumps()
  await expect.poll(() => ids(tenant), { timeout: 30_000 }).toEqual(['0|a1|1|b1', '1|b2'])
  await deploy(tenant, receiver('a'), receiver('b'), merge('y', { schedule_interval: 3_600 }))
  await push(tenant, 'a', [{ _id: 'a2', x: 9, y: 9 }])
  await expect.poll(() => ids(tenant), { timeout: 30_000 }).toEqual(['0|a1|1|b2', '0|a2', '1|b1'])
  await expect.poll(() => outOfSync(tenant), { timeout: 30_000 }).toEqual([])
}, 90_000)
