import { describe, expect, it } from 'vitest'
import { openTenant, receiver } from './running-hub.ts'

const GUARDED = { _id: 'node', type: 'metadata', global_defaults: { use_config_circuit_breaker: true } }
const receivers = (count: number) => Array.from({ length: count }, (_, place) => receiver(`r${place}`))

async function configured(...components: object[]) {
  const tenant = await openTenant()
  const upload = (next: object[], force = false) => tenant.replaceConfig(JSON.stringify(next), force)
  await upload(components)
  return { tenant, upload }
}

describe('the circuit breaker of configuration', () => {
  it('refuses what would delete more than ten components and more than a tenth of them, unless forced', async () => {
    const { tenant, upload } = await configured(GUARDED, ...receivers(19))
    const before = tenant.configText()
    // The upload does not decide whether it is looked at.
    await expect(upload(receivers(9))).rejects.toMatchObject({
      code: 'config-breaker-tripped',
      message: expect.stringContaining('11 of 20 components (node, r9, r10'),
      hint: expect.stringContaining('force=true'),
      details: { components: 20, deleted: expect.arrayContaining(['node', 'r18']) },
    })
    expect(tenant.configText()).toBe(before)
    await upload([GUARDED, ...receivers(9)])
    expect(tenant.pipeIds()).toHaveLength(9)
    await upload([GUARDED, ...receivers(19)])
    await upload([], true)
    expect(tenant.pipeIds()).toEqual([])
  })

  it('lets a tenth go, however many that are', async () => {
    const { tenant, upload } = await configured(GUARDED, ...receivers(119))
    await upload([GUARDED, ...receivers(107)])
    expect(tenant.pipeIds()).toHaveLength(107)
    // Replacing all of them is deleting them.
    const others = Array.from({ length: 107 }, (_, place) => receiver(`other${place}`))
    await expect(upload([GUARDED, ...others])).rejects.toMatchObject({ code: 'config-breaker-tripped' })
  })

  it('is off unless the node asks for it', async () => {
    const { tenant, upload } = await configured(...receivers(30))
    await upload([])
    expect(tenant.pipeIds()).toEqual([])
  })
})
