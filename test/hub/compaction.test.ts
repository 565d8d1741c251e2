import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openTenant, push, receiver, stored } from './running-hub.ts'

const sequences = async (tenant: HubTenant, dataset: string) =>
  (await stored(tenant, dataset, true)).map(({ _updated }) => _updated)

const round = (value: number, count = 3) => Array.from({ length: count }, (_, i) => ({ _id: `e${i}`, value }))

const embedded = (id: string, value: number, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'embedded', entities: round(value) },
  ...more,
})

const follows = (id: string, dataset: string, source: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset, ...source },
  pump: { mode: 'manual' },
})

/** Replaces all entities of `a` in rounds, each a run of its own. */
async function rounds(tenant: HubTenant, count: number, compaction: object = {}, others: object[] = []) {
  const reports = []
  for (let value = 1; value <= count; value++) {
    await deploy(tenant, embedded('a', value, { compaction }), ...others)
    reports.push(await tenant.runNow('a'))
  }
  return reports
}

describe('compaction after a run', () => {
  it('leaves the newest two versions of each entity, and says how many went', async () => {
    const tenant = await openTenant()
    const reports = await rounds(tenant, 4)
    expect(reports.map(({ compacted }) => compacted)).toEqual([0, 0, 3, 3])
    expect(await sequences(tenant, 'a')).toEqual([6, 7, 8, 9, 10, 11])
    expect(JSON.parse(tenant.pump('a') as string).runtime['last-report']).toMatchObject({ compacted: 3 })
    expect(JSON.parse(tenant.dataset('a') as string).runtime).toMatchObject({
      'count-index-exists': 3,
      'count-log-exists': 6,
    })
  })

  it('keeps as many as the pipe says, or the node', async () => {
    const tenant = await openTenant()
    await rounds(tenant, 4, { keep_versions: 1 })
    expect(await sequences(tenant, 'a')).toEqual([9, 10, 11])
    const other = await openTenant()
    const node = { _id: 'node', type: 'metadata', global_defaults: { compaction_keep_versions: 3 } }
    await rounds(other, 4, {}, [node])
    expect(await sequences(other, 'a')).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('does not happen when the sink does not compact, within the interval, or where all is young', async () => {
    for (const compaction of [{ sink: false }, { compaction_interval: 3600 }, { time_threshold_hours: 1 }]) {
      const tenant = await openTenant()
      await rounds(tenant, 3, compaction)
      expect(await sequences(tenant, 'a'), JSON.stringify(compaction)).toHaveLength(9)
    }
  })

  it('leaves a dataset alone that is not populated', async () => {
    const tenant = await openTenant()
    const sink = { type: 'dataset', set_initial_offset: 'never' }
    for (const value of [1, 2, 3]) {
      await deploy(tenant, embedded('a', value, { sink }))
      await tenant.runNow('a')
    }
    expect(await sequences(tenant, 'a')).toHaveLength(9)
  })

  it('keeps what a pipe that reads all versions has not read yet', async () => {
    const tenant = await openTenant()
    const reader = follows('b', 'a', { include_previous_versions: true })
    await rounds(tenant, 1, {}, [reader])
    await tenant.runNow('b')
    await rounds(tenant, 5, {}, [reader])
    // The first round was equal to what was there.
    expect(await sequences(tenant, 'a')).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
    await tenant.runNow('b')
    await tenant.runNow('a')
    expect(await sequences(tenant, 'a')).toEqual([9, 10, 11, 12, 13, 14])
  })

  it('follows soon after what a receiver took in', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('r'))
    for (const value of [1, 2, 3, 4]) await push(tenant, 'r', round(value))
    await expect.poll(() => sequences(tenant, 'r'), { timeout: 20_000 }).toEqual([6, 7, 8, 9, 10, 11])
  })
})

describe('ttl_deletes_hours and retract', () => {
  const compaction = { ttl_deletes_hours: 0 }
  const some = (entities: object[]) => ({
    _id: 'a',
    type: 'pipe',
    source: { type: 'embedded', entities },
    compaction,
  })

  it('take an entity that was deleted away, once all who read the dataset have seen it', async () => {
    const tenant = await openTenant()
    await deploy(tenant, some(round(1)), follows('b', 'a'))
    await tenant.runNow('a')
    await tenant.runNow('b')
    await deploy(tenant, some(round(1, 2)), follows('b', 'a'))
    expect(await tenant.runNow('a')).toMatchObject({ deletionTracked: 1, compacted: 0 })
    expect((await stored(tenant, 'a')).map(({ _id }) => _id)).toEqual(['e0', 'e1', 'e2'])
    await tenant.runNow('b')
    expect(await tenant.runNow('a')).toMatchObject({ compacted: 2 })
    expect((await stored(tenant, 'a')).map(({ _id }) => _id)).toEqual(['e0', 'e1'])
    expect((await stored(tenant, 'b')).filter(({ _deleted }) => _deleted).map(({ _id }) => _id)).toEqual(['e2'])
    expect(JSON.parse(tenant.dataset('a') as string).runtime).toMatchObject({
      'count-index-exists': 2,
      'count-index-deleted': 0,
      'count-log-exists': 2,
    })
    // The log of the next run tells of it, and that of the one after it no more.
    for (const [n, ttl] of [1, 0].entries()) {
      await deploy(tenant, some([...round(1, 2), { _id: 'more', n }]), follows('b', 'a'))
      await tenant.runNow('a')
      const [told] = (await live(tenant, 'system:pump_execution:a')).filter(({ _id }) => _id === 'pump-completed')
      expect(told).toMatchObject({ metrics: { entities: { ttl_deletes_entities_last_run: ttl } } })
    }
  })

  it('wait for a pipe that cannot run now, because its configuration has errors', async () => {
    const tenant = await openTenant()
    const broken = { ...follows('b', 'a'), transform: { type: 'dtl', rules: 3 } }
    const all = (entities: object[], reader: object) =>
      tenant.replaceConfig(JSON.stringify([some(entities), reader]), true)
    await all(round(1), follows('b', 'a'))
    await tenant.runNow('a')
    await tenant.runNow('b')
    await all(round(1, 2), broken)
    await tenant.runNow('a')
    await tenant.runNow('a')
    expect(await stored(tenant, 'a')).toHaveLength(3)
  })

  it('erase what was before a version that retracts it, when they are told to', async () => {
    const tenant = await openTenant()
    for (const isOn of [false, true]) {
      for (const value of [1, 2]) {
        const entities = [{ _id: 'e', value, ...(value === 2 ? { $retract: true } : {}) }]
        const pipe = { ...some(entities), compaction: { retract: isOn, keep_versions: 5 } }
        await deploy(tenant, pipe)
        await tenant.runNow('a')
      }
      expect(await sequences(tenant, 'a')).toEqual(isOn ? [3] : [0, 1])
    }
  })
})
