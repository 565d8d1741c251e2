import { describe, expect, it } from 'vitest'
import { SchemaKeeper } from '../../../src/api/graphql/keeper.ts'
import { FakeTenant, fakeDoors } from '../fake-hub.ts'

const made = () => {
  const tenant = new FakeTenant('default')
  tenant.write('a', '[{"_id":"1","x":1}]')
  return { tenant, keeper: new SchemaKeeper(tenant, fakeDoors()) }
}

/** Shapes wait until they are let go. */
function hold(tenant: FakeTenant): () => void {
  const { shape } = tenant
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  tenant.shape = async (id) => {
    await gate
    return shape.call(tenant, id)
  }
  return release
}

describe('the keeper of a schema', () => {
  it('makes one schema for all who ask at first', async () => {
    const { keeper } = made()
    const [one, two] = await Promise.all([keeper.current(), keeper.current()])
    expect(one).toBe(two)
    expect(one.plan.datasets.map(({ dataset }) => dataset)).toEqual(['a'])
  })

  it('gives the schema at hand while it looks for a newer one', async () => {
    const { tenant, keeper } = made()
    const first = await keeper.current()
    tenant.write('b', '[{"_id":"1"}]')
    const release = hold(tenant)
    const looking = keeper.refresh()
    expect(await keeper.current()).toBe(first)
    release()
    await looking
    expect((await keeper.current()).plan.datasets.map(({ dataset }) => dataset)).toEqual(['a', 'b'])
  })

  it('knows after a refresh what was there before it, even when a look was under way', async () => {
    const { tenant, keeper } = made()
    await keeper.current()
    tenant.write('b', '[{"_id":"1"}]')
    const release = hold(tenant)
    const early = keeper.refresh()
    tenant.write('c', '[{"_id":"1"}]')
    const late = keeper.refresh()
    release()
    await Promise.all([early, late])
    expect((await keeper.current()).plan.datasets.map(({ dataset }) => dataset)).toEqual(['a', 'b', 'c'])
    expect(keeper.isStale()).toBe(false)
  })

  it('keeps the schema when growth changes no shape, and asks only for what grew', async () => {
    const { tenant, keeper } = made()
    tenant.write('b', '[{"_id":"1"}]')
    const first = await keeper.current()
    const asked: string[] = []
    const { shape } = tenant
    tenant.shape = (id) => {
      asked.push(id)
      return shape.call(tenant, id)
    }
    tenant.write('b', '[{"_id":"2"}]')
    expect(keeper.isStale()).toBe(true)
    await keeper.refresh()
    expect(await keeper.current()).toBe(first)
    expect(asked).toEqual(['b'])
  })

  it('recovers when a look fails', async () => {
    const { tenant, keeper } = made()
    const { shape } = tenant
    tenant.shape = () => Promise.reject(new Error('busy'))
    await expect(keeper.current()).rejects.toThrow('busy')
    tenant.shape = shape
    expect((await keeper.current()).plan.datasets).toHaveLength(1)
  })
})
