/** The numbers of pipes, as a monitor gets them, of a hub that runs. */

import { describe, expect, it } from 'vitest'
import type { PipeFigures } from '../../../src/hub/contract.ts'
import { sampleLog } from '../../../src/hub/figures/log-sample.ts'
import type { HubTenant } from '../../../src/hub/tenant.ts'
import { deploy, openTenant, push, receiver } from '../running-hub.ts'

async function figures(tenant: HubTenant): Promise<Record<string, PipeFigures>> {
  const found: Record<string, PipeFigures> = {}
  for await (const slice of tenant.figures()) for (const pipe of slice) found[pipe.id] = pipe
  return found
}

const manual = { pump: { schedule_interval: 86_400 } }

describe('the figures of pipes', () => {
  it('tell configuration, queues, counts and runs', async () => {
    const tenant = await openTenant()
    const hop = ['hops', { datasets: ['b p'], where: ['eq', '_S.x', 'p.x'], return: 'p._id' }]
    await deploy(
      tenant,
      receiver('a', { metadata: { '$config-group': 'crm' } }),
      receiver('b'),
      {
        _id: 'c',
        type: 'pipe',
        source: { type: 'dataset', dataset: 'a' },
        transform: {
          type: 'dtl',
          rules: {
            default: [
              ['copy', '*'],
              ['add', 'h', hop],
            ],
          },
        },
        pump: { mode: 'manual' },
      },
      { _id: 'out', type: 'pipe', source: { type: 'dataset', dataset: 'c' }, ...manual },
    )
    await push(tenant, 'a', [{ _id: '1' }, { _id: '2' }, { _id: '3', _deleted: true }])
    await push(tenant, 'b', [{ _id: 'x' }])
    await tenant.runNow('c')
    await push(tenant, 'a', [{ _id: '2', _deleted: true }, { _id: '4' }])
    await push(tenant, 'b', [{ _id: 'y' }])
    const { a, c, out } = await figures(tenant)
    expect(a).toMatchObject({
      configGroup: 'crm',
      isLeaf: false,
      isEnabled: true,
      isValid: true,
      pump: null,
      sourceQueue: null,
    })
    expect(a?.sink).toEqual({ exists: 2, deleted: 2, logExists: 3, logDeleted: 2 })
    expect(a?.bytes).toBeGreaterThan(100)
    expect(c).toMatchObject({ configGroup: 'default', isLeaf: false, sourceQueue: 2, trackingQueue: 1, pump: null })
    expect(c?.waitingSeconds).toBeGreaterThanOrEqual(0)
    expect(out).toMatchObject({ isLeaf: true, trackingQueue: null })
    expect(out?.pump?.nextRunAt).toBeGreaterThan(0)
    await tenant.operate('out', 'disable', {})
    expect((await figures(tenant)).out).toMatchObject({ isEnabled: false, pump: null })
  })

  it('estimate what is long, and count what is short', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('long'))
    for (let page = 0; page < 6; page++) {
      const entities = Array.from({ length: 1_000 }, (_, n) => ({ _id: `${page}-${n}`, text: 'x'.repeat(n % 200) }))
      await push(tenant, 'long', entities)
    }
    await push(
      tenant,
      'long',
      Array.from({ length: 1_000 }, (_, n) => ({ _id: `0-${n}`, _deleted: true })),
    )
    const snapshot = tenant.snapshot()
    try {
      const view = snapshot.dataset('long')
      if (view === undefined) throw new Error('no dataset')
      let bytes = 0
      let block = -1
      let deleted = 0
      for (const place of view.places(null)) {
        if (place.block !== block) bytes += place.blockBytes
        block = place.block
        if (place.deleted) deleted++
      }
      const sample = sampleLog(view)
      expect(sample.bytes / bytes).toBeGreaterThan(0.6)
      expect(sample.bytes / bytes).toBeLessThan(1.6)
      expect(sample.deleted / deleted).toBeGreaterThan(0.3)
      expect(sample.deleted / deleted).toBeLessThan(3)
    } finally {
      snapshot.close()
    }
  })
})
