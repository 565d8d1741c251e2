import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, openHub, openTenant, push, receiver, stored } from './running-hub.ts'

const follows = (id: string, dataset: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  pump: { mode: 'manual' },
  ...more,
})

const ids = async (tenant: HubTenant, dataset: string, history = false) =>
  (await stored(tenant, dataset, history)).map(({ _id }) => _id)

const settled = { compaction: { sink: false } }

describe('an entity that is erased', () => {
  it('is gone at once with all its versions, but for one that says it is deleted', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r', settled), follows('b', 'r', settled))
    for (const value of ['secret one', 'secret two']) await push(tenant, 'r', [{ _id: 'e', value }, { _id: 'f' }])
    await tenant.runNow('b')
    expect(await tenant.eraseEntity('r', 'e')).toBe(2)
    const left = await stored(tenant, 'r', true)
    expect(left.map(({ _id, _deleted }) => [_id, _deleted])).toEqual([
      ['f', false],
      ['e', true],
    ])
    expect(JSON.stringify(left)).not.toContain('secret')
    expect(JSON.parse(tenant.dataset('r') as string).runtime).toMatchObject({ 'count-log-exists': 2 })
  })

  it('is told to those who read the dataset, and then nothing is left of it', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r', settled), follows('b', 'r', settled))
    await push(tenant, 'r', [{ _id: 'e', value: 1 }, { _id: 'f' }])
    await tenant.runNow('b')
    await tenant.eraseEntity('r', 'e')
    expect(await ids(tenant, 'r')).toEqual(['f', 'e'])
    await tenant.runNow('b')
    expect((await stored(tenant, 'b')).find(({ _id }) => _id === 'e')).toMatchObject({ _deleted: true })
    // Asked for again, it only looks what can go.
    expect(await tenant.eraseEntity('r', 'e')).toBe(0)
    expect(await ids(tenant, 'r', true)).toEqual(['f'])
    await expect(tenant.eraseEntity('r', 'e')).rejects.toMatchObject({ code: 'unknown-entity' })
  })

  it('waits nowhere to be retried, and no log tells what it held', async () => {
    const tenant = await openTenant()
    const keeping = { mode: 'manual', max_write_errors_in_retry_dataset: 5 }
    const sink = { type: 'dataset', max_entity_bytes_size: 40 }
    await deploy(tenant, receiver('r', settled), follows('b', 'r', { pump: keeping, sink }))
    await push(tenant, 'r', [{ _id: 'e', value: `secret ${'x'.repeat(40)}` }])
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'failed', pending: 1 })
    expect(JSON.stringify(await stored(tenant, 'system:pump_execution:b', true))).toContain('secret')
    await tenant.eraseEntity('r', 'e')
    expect(JSON.stringify(await stored(tenant, 'system:pump_execution:b', true))).not.toContain('secret')
    expect(JSON.parse(tenant.pump('b') as string).runtime).toMatchObject({ retries: 0 })
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'completed', changes: 0, pending: 0 })
  })

  it('may come again, as something new', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r', settled), follows('b', 'r', settled))
    await push(tenant, 'r', [{ _id: 'e', value: 1 }])
    await tenant.runNow('b')
    await tenant.eraseEntity('r', 'e')
    await push(tenant, 'r', [{ _id: 'e', value: 2 }])
    await tenant.runNow('b')
    expect(await stored(tenant, 'b')).toMatchObject([{ _id: 'e', value: 2, _deleted: false }])
    expect(await stored(tenant, 'r')).toMatchObject([{ _id: 'e', value: 2, _deleted: false }])
  })

  it('is recorded: when, where, how much, and who only for those who hold the key', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r', settled))
    await push(tenant, 'r', [{ _id: 'somebody', value: 1 }])
    await push(tenant, 'r', [{ _id: 'somebody', value: 2 }])
    await tenant.eraseEntity('r', 'somebody')
    const records = await stored(tenant, 'system:erased')
    expect(records).toMatchObject([{ kind: 'entity', dataset: 'r', versions: 2 }])
    expect(records[0]).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), erased_at: expect.any(String) })
    expect(JSON.stringify(records)).not.toContain('somebody')
  })

  it('is not there to be erased when nobody wrote it', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r', settled))
    await expect(tenant.eraseEntity('r', 'e')).rejects.toMatchObject({ code: 'unknown-entity' })
    await expect(tenant.eraseEntity('x', 'e')).rejects.toMatchObject({ code: 'unknown-dataset' })
  })

  it('leaves the graph', async () => {
    const { tenant } = await openHub({ withGraph: true })
    await deploy(tenant, receiver('r', { ...settled, metadata: { global: true } }))
    await push(tenant, 'r', [
      { _id: 'e', value: 'secret' },
      { _id: 'f', value: 'known' },
    ])
    expect(await tenant.graphCaughtUp(20_000)).toBe(true)
    const ask = async (value: string) => {
      const query = `ASK { GRAPH ?g { ?s ?p "${value}" } }`
      return JSON.parse(
        (await tenant.sparql({ query, accept: 'application/sparql-results+json', timeoutMs: 5_000 })).body,
      ).boolean
    }
    expect(await ask('secret')).toBe(true)
    await tenant.eraseEntity('r', 'e')
    expect(await tenant.graphCaughtUp(20_000)).toBe(true)
    expect([await ask('secret'), await ask('known')]).toEqual([false, true])
    // By now the graph has passed what was left of it.
    await tenant.eraseEntity('r', 'e').catch(() => {})
    expect(await ids(tenant, 'r', true)).toEqual(['f'])
  })

  it('is erased to the end after a restart, when the hub was cut off in between', async () => {
    const { tenant, node, data } = await openHub()
    await deploy(tenant, receiver('r', settled), follows('b', 'r', settled))
    await push(tenant, 'r', [{ _id: 'e', value: 1 }])
    await tenant.runNow('b')
    await tenant.eraseEntity('r', 'e')
    await tenant.runNow('b')
    await node.close()
    const again = await openHub({ data })
    expect(await ids(again.tenant, 'r', true)).toEqual(['e'])
    await again.tenant.tidy()
    expect(await ids(again.tenant, 'r', true)).toEqual([])
  })
})

describe('a tenant that is deleted', () => {
  it('is recorded at the node with how much it had, and nothing of it is left on disk', async () => {
    const { node, tenant, data } = await openHub()
    const other = await node.createTenant('other')
    await deploy(other, receiver('r', settled))
    await push(other, 'r', [{ _id: 'e', value: 'a very secret thing' }])
    await node.deleteTenant('other')
    expect(readdirSync(join(data, 'tenants'))).toEqual(['default'])
    const records = await stored(tenant, 'system:erased')
    expect(records).toMatchObject([{ kind: 'tenant', datasets: 1, versions: 1 }])
    expect(JSON.stringify(records)).not.toContain('other')
    expect(readFileSync(join(data, 'tenants/default/log/data.mdb')).includes('very secret')).toBe(false)
  })
})
