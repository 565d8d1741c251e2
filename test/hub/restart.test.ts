import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openHub, push, receiver } from './running-hub.ts'

const out = { _id: 'out', type: 'pipe', source: { type: 'dataset', dataset: 'in' }, pump: { schedule_interval: 0.05 } }

describe('a hub that is restarted within its process', { timeout: 60_000 }, () => {
  it('has what was acknowledged, its configuration and its variables, and its pumps go on', async () => {
    const { node, tenant } = await openHub()
    node.startPumps()
    const other = await node.createTenant('other')
    await tenant.replaceEnv('{"a":1}')
    await deploy(tenant, receiver('in'), out)
    const pushed = Array.from({ length: 40 }, (_, n) => push(tenant, 'in', [{ _id: String(n) }]).then(() => n))
    await pushed[20]
    const { startedAt } = node
    const restarting = node.restart(['default'])
    expect(() => node.tenant('default')).toThrow(expect.objectContaining({ code: 'tenant-restarting' }))
    expect(node.tenants()).toEqual([other])
    await restarting
    expect(node.startedAt).toBeGreaterThan(startedAt)
    const next = node.tenant('default') as HubTenant
    expect(next).not.toBe(tenant)
    expect(next.env()).toBe('{"a":1}')
    expect(next.configText()).toBe(tenant.configText())
    const kept = (await live(next, 'in')).map(({ _id }) => _id)
    for (const one of await Promise.allSettled(pushed)) {
      if (one.status === 'fulfilled') expect(kept).toContain(String(one.value))
    }
    await push(next, 'in', [{ _id: 'after' }])
    await expect.poll(() => next.liveEntities('out'), { timeout: 20_000 }).toBe(kept.length + 1)
    expect(node.tenant('other')).toBe(other)
  })

  it('may be restarted again at once, and says another time of its start each time', async () => {
    const { node } = await openHub()
    const starts = new Set([node.startedAt])
    await Promise.all([0, 1, 2].map(() => node.restart(['default']).then(() => starts.add(node.startedAt))))
    expect(starts.size).toBe(4)
  })

  it('has nothing left after a reset, and its neighbours all', async () => {
    const { node, tenant } = await openHub()
    const other = await node.createTenant('other')
    for (const one of [tenant, other]) {
      await one.replaceEnv('{"a":1}')
      await deploy(one, receiver('in'))
      await push(one, 'in', [{ _id: '1' }])
    }
    await node.reset(['default'])
    const next = node.tenant('default') as HubTenant
    expect([next.env(), next.configText(), next.size()]).toEqual(['{}', '[]', { datasets: 0, versions: 0 }])
    expect(await live(other, 'in')).toEqual([{ _id: '1' }])
    await expect(node.reset(['nobody'])).rejects.toMatchObject({ code: 'unknown-tenant' })
  })

  it('finishes at its next start a reset that was cut short', async () => {
    const { node, data } = await openHub()
    await node.close()
    const folder = join(data, 'tenants/default')
    renameSync(join(folder, 'log'), join(folder, 'log.erased'))
    mkdirSync(join(folder, 'log.erased/more'))
    writeFileSync(join(folder, 'log.erased/more/file'), '')
    const { tenant } = await openHub({ data })
    expect(existsSync(join(folder, 'log.erased'))).toBe(false)
    expect(tenant.size()).toEqual({ datasets: 0, versions: 0 })
  })
})
