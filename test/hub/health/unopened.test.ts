import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openHub } from '../running-hub.ts'

it('a hub with a tenant whose data cannot be opened runs the others, and says so', async () => {
  const { node, data } = await openHub()
  await node.createTenant('broken')
  await node.close()
  const log = join(data, 'tenants', 'broken', 'log')
  rmSync(log, { recursive: true })
  writeFileSync(log, 'no folder')
  const { node: again } = await openHub({ data })
  expect(again.tenants().map(({ name }) => name)).toEqual(['default'])
  const health = await again.health(null)
  expect(health).toMatchObject({ isLive: true, isReady: false, isWell: false })
  expect(health.reasons).toMatchObject([{ code: 'tenant-not-open', tenant: 'broken' }])
  expect(await again.health('default')).toMatchObject({ isReady: true, isWell: true })
  expect(again.logs.lines('hub', { limit: 9, level: 'error' })[0]?.message).toContain("'broken' could not be opened")
  expect(again.disks()).toMatchObject([{ what: 'data', path: data }])
})
