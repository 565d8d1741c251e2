import { describe, expect, it, vi } from 'vitest'
import { restoreTenant } from '../../src/hub/backups/restore.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { sourceOffset } from '../../src/pipes/full-run.ts'
import { deploy, live, openHub, openTenant, push, receiver, temporaryFolder } from './running-hub.ts'

const AUTOMATIC = { reprocessing_policy: 'automatic' }
const pipe = (more: object = {}) => ({
  _id: 'out',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'in' },
  pump: { mode: 'manual' },
  ...more,
})
const program = (...more: unknown[]) => ({
  transform: { type: 'dtl', rules: { default: [['copy', '*'], ...more] } },
})
const hopsTo = (...datasets: string[]) =>
  program(
    ...datasets.map((id) => [
      'add',
      id,
      ['hops', { datasets: [`${id} x`], where: ['eq', '_S._id', 'x._id'], return: 'x.v' }],
    ]),
  )
type Told = { reason: string; dataset: string | null; message: string; since: string; 'is-healing': boolean }[]
const told = (tenant: HubTenant, id = 'out'): Told => {
  const pump = JSON.parse(tenant.pump(id) as string).runtime['out-of-sync']
  expect(JSON.parse(tenant.pipe(id) as string).runtime['out-of-sync']).toEqual(pump)
  return pump
}
const reasons = (tenant: HubTenant) => told(tenant).map(({ reason, dataset }) => `${reason} ${dataset}`)
const offset = (tenant: HubTenant, id = 'out') => {
  const snapshot = tenant.snapshot()
  try {
    return snapshot.offset(sourceOffset(id))
  } finally {
    snapshot.close()
  }
}
const entities = (...ids: string[]) => ids.map((_id) => ({ _id, v: `${_id}!` }))
const ids = async (tenant: HubTenant) => (await live(tenant, 'out')).map(({ _id }) => _id)

/** `out` has read what `in` holds, and is in sync. */
async function settled(more: object = {}, others: object[] = [receiver('in')]) {
  const tenant = await openTenant()
  const configure = (changed: object = more, components = others) => deploy(tenant, ...components, pipe(changed))
  await configure()
  await push(tenant, 'in', entities('1', '2', '3'))
  for (const { _id } of others.slice(1) as { _id: string }[]) await push(tenant, _id, entities('1'))
  await run(tenant)
  expect(told(tenant)).toEqual([])
  return { tenant, configure }
}

async function run(tenant: HubTenant) {
  const report = await tenant.runNow('out')
  expect(report).toMatchObject({ outcome: 'completed' })
  return report
}

/** Deletes a dataset, and has its receiver make it again. */
async function recreate(tenant: HubTenant, id: string, content: object[]): Promise<void> {
  await tenant.deleteDataset(id)
  await push(tenant, id, content)
}

describe('a pipe of which everything stays as it is', () => {
  it('is in sync, whatever it reads, over a restart too', async () => {
    const { node, tenant, data } = await openHub()
    await deploy(tenant, receiver('in'), receiver('b'), pipe({ ...hopsTo('b'), ...AUTOMATIC }))
    await push(tenant, 'in', entities('1'))
    await push(tenant, 'b', entities('1'))
    await run(tenant)
    await push(tenant, 'in', entities('2'))
    await run(tenant)
    await node.close()
    const again = await openHub({ data })
    expect(told(again.tenant)).toEqual([])
    expect(await run(again.tenant)).toMatchObject({ syncType: 'incremental', read: 0 })
    expect(told(again.tenant)).toEqual([])
  })

  it('is in sync when its configuration is only written in another way', async () => {
    const { tenant, configure } = await settled(program(['add', 'a', ['dict', 'x', 1]]))
    await tenant.replaceConfig(
      `[{"sink":{"dataset":"out","type":"dataset","comment":"new","indexes":["_S.v"]},
         "transform":{"rules":{"default":[["copy","*"],["add","a",["dict","x",1]]]},"comment":["new"],"type":"dtl"},
         "source":{"dataset":"in","supports_signalling":false,"type":"dataset"},
         "pump":{"mode":"manual","schedule_interval":5},"description":"new","type":"pipe","_id":"out"},
        ${JSON.stringify(receiver('in'))}]`,
      false,
    )
    expect(told(tenant)).toEqual([])
    await configure(program(['add', 'a', ['dict', 'x', 2]]))
    expect(reasons(tenant)).toEqual(['config-changed null'])
  })
})

describe('a pipe whose configuration changed', () => {
  it('goes on, and is out of sync until a full run is complete', async () => {
    const { tenant, configure } = await settled()
    await configure(program(['add', 'new', true]))
    expect(told(tenant)).toMatchObject([
      { reason: 'config-changed', dataset: null, message: expect.stringContaining('transforms'), 'is-healing': false },
    ])
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 0 })
    expect(reasons(tenant)).toEqual(['config-changed null'])
    // It was the way it was before, and yet some of its output may be otherwise.
    await configure()
    expect(reasons(tenant)).toEqual(['config-changed null'])
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 3 })
    expect(told(tenant)).toEqual([])
  })

  it('is read again only with rescan_when_config_changes, of its own or of the node', async () => {
    const node = (more: object) => ({ _id: 'node', type: 'metadata', global_defaults: more })
    const { tenant, configure } = await settled(AUTOMATIC)
    const changed = (value: number, more: object) => ({ ...program(['add', 'n', value]), ...more })
    await configure(changed(1, AUTOMATIC))
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 0 })
    expect(reasons(tenant)).toEqual(['config-changed null'])
    await configure(changed(2, { ...AUTOMATIC, rescan_when_config_changes: true }))
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 3, changes: 3 })
    expect(told(tenant)).toEqual([])
    const defaults = { ...AUTOMATIC, rescan_when_config_changes: true }
    await configure(changed(3, {}), [receiver('in'), node(defaults)])
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 3 })
    await configure(changed(4, { reprocessing_policy: 'continue' }), [receiver('in'), node(defaults)])
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 0 })
    expect(await live(tenant, 'out')).toContainEqual({ _id: '1', v: '1!', n: 3 })
  })

  it('in another namespace is out of sync, too', async () => {
    const { tenant, configure } = await settled()
    await configure({ namespaces: { identity: 'other' } })
    expect(reasons(tenant)).toEqual(['config-changed null'])
  })

  it('that reads everything each time anyway is in sync after its next run', async () => {
    const tenant = await openTenant()
    const embedded = (id: string) => pipe({ source: { type: 'embedded', entities: [{ _id: id }] } })
    await deploy(tenant, embedded('1'))
    await run(tenant)
    await deploy(tenant, embedded('2'))
    expect(reasons(tenant)).toEqual(['config-changed null'])
    await run(tenant)
    expect(told(tenant)).toEqual([])
    expect(await ids(tenant)).toEqual(['2'])
  })

  it('is checked: a setting that does nothing is warned of', async () => {
    const tenant = await openTenant()
    expect(await deploy(tenant, receiver('in'), pipe({ rescan_when_config_changes: true }))).toMatchObject([
      { level: 'warning', pointer: '/rescan_when_config_changes', hint: expect.stringContaining('"automatic"') },
    ])
    expect(
      await tenant.replaceConfig(JSON.stringify([receiver('in'), pipe({ reprocessing_policy: 'sometimes' })]), true),
    ).toMatchObject([{ level: 'error', pointer: '/reprocessing_policy' }])
  })
})

describe('a pipe whose source dataset was deleted', () => {
  it('says so while it is gone, and when it was made again', async () => {
    const { tenant } = await settled()
    await tenant.deleteDataset('in')
    expect(reasons(tenant)).toEqual(['dataset-deleted in'])
    await run(tenant)
    expect(reasons(tenant)).toEqual(['dataset-deleted in'])
    await push(tenant, 'in', entities('4'))
    expect(reasons(tenant)).toEqual(['dataset-recreated in'])
    // The offset is that of the former one: what is new there lies before it.
    expect(await run(tenant)).toMatchObject({ read: 0 })
    expect(reasons(tenant)).toEqual(['dataset-recreated in'])
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
    await run(tenant)
    expect(told(tenant)).toEqual([])
    expect(await ids(tenant)).toEqual(['4'])
  })

  it('is reset by itself once it is there again', async () => {
    const { tenant } = await settled(AUTOMATIC)
    await tenant.deleteDataset('in')
    expect(await run(tenant)).toMatchObject({ read: 0, changes: 0 })
    expect(await ids(tenant)).toEqual(['1', '2', '3'])
    await push(tenant, 'in', entities('3', '4'))
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 2, deletionTracked: 2 })
    expect(await ids(tenant)).toEqual(['3', '4'])
    expect(told(tenant)).toEqual([])
    const events = await live(tenant, 'system:pump_execution:out')
    expect(events.filter(({ event_type }) => event_type === 'pump-offset-set')).toMatchObject([
      {
        _id: 'pump-offset-set',
        pipe: 'out',
        pipe_offset: null,
        original_pipe_offset: '2',
        is_reset: true,
        reasons: ["Dataset 'in' was deleted and made again."],
      },
    ])
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 0 })
  })

  it('heals what was noted before it was allowed to', async () => {
    const { tenant, configure } = await settled()
    await recreate(tenant, 'in', entities('4'))
    await run(tenant)
    await configure(AUTOMATIC)
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 1 })
    expect(await ids(tenant)).toEqual(['4'])
  })

  it('stays out of sync, and reads on from where it was, until the full run that heals it is complete', async () => {
    const failing = program(['if', ['eq', '_S._id', '9'], ['fail!', 'no']])
    const { tenant } = await settled({ ...failing, ...AUTOMATIC, batch_size: 1 })
    await recreate(tenant, 'in', entities('4', '9', '5'))
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'failed', syncType: 'full', read: 2 })
    expect(told(tenant)).toMatchObject([{ reason: 'dataset-recreated', 'is-healing': true }])
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'failed', syncType: 'full', read: 1 })
    expect(told(tenant)).toMatchObject([{ reason: 'dataset-recreated', 'is-healing': true }])
    await push(tenant, 'in', [{ _id: '9', _deleted: true }])
    await push(tenant, 'in', entities('6'))
    await deploy(tenant, receiver('in'), pipe({ ...AUTOMATIC, ...program() }))
    await run(tenant)
    expect(reasons(tenant)).toEqual([])
    expect(await ids(tenant)).toEqual(['4', '5', '6'])
  })
})

describe('a pipe that resets itself', () => {
  it('tries what waits to be retried as if for the first time', async () => {
    const waiting = {
      pump: { mode: 'manual', max_write_errors_in_retry_dataset: 5, max_consecutive_write_errors: 5 },
      sink: { type: 'dataset', max_entity_bytes_size: 60 },
      ...AUTOMATIC,
    }
    const { tenant } = await settled(waiting)
    const large = { _id: '4', v: 'x'.repeat(100) }
    await push(tenant, 'in', [large])
    for (const attempts of [0, 1, 2]) {
      expect(await run(tenant)).toMatchObject({ pending: 1 })
      expect(await attemptsOf(tenant)).toBe(attempts)
    }
    await recreate(tenant, 'in', [...entities('1'), large])
    expect(await run(tenant)).toMatchObject({ syncType: 'full', pending: 1 })
    expect(await attemptsOf(tenant)).toBe(0)
  })
})

const attemptsOf = async (tenant: HubTenant) =>
  (await live(tenant, 'system:pump_execution:out')).find(({ event_type: type }) => type === 'write-error')
    ?.retry_attempts

describe('a pipe whose offset lies behind the end of its source', () => {
  it('is out of sync, and reset where it may be', async () => {
    const { tenant, configure } = await settled()
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '1000' })
    expect(reasons(tenant)).toContain('source-truncated in')
    await run(tenant)
    expect(reasons(tenant)).toContain('source-truncated in')
    await configure(AUTOMATIC)
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 3 })
    expect(told(tenant)).toEqual([])
    expect(offset(tenant)).toBe('2')
  })

  it('or was set at all, may have missed what lies before; nothing but a full run heals that', async () => {
    const { tenant, configure } = await settled(AUTOMATIC)
    await push(tenant, 'in', entities('4', '5'))
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '3' })
    expect(reasons(tenant)).toEqual(['offset-set null'])
    await run(tenant)
    expect(await ids(tenant)).toEqual(['1', '2', '3', '5'])
    expect(reasons(tenant)).toEqual(['offset-set null'])
    await configure(AUTOMATIC)
    await tenant.operate('out', 'start-rescan', {})
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual(['1', '2', '3', '4', '5'])
    expect(told(tenant)).toEqual([])
    // Back is no harm.
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '1' })
    expect(told(tenant)).toEqual([])
  })
})

describe('a pipe that reads other datasets than before', () => {
  it('with a new hop is out of sync, and reset where it may be, whether or not a changed configuration is a reason', async () => {
    const others = [receiver('in'), receiver('b'), receiver('c')]
    const { tenant, configure } = await settled(hopsTo('b'), others)
    await configure(hopsTo('b', 'c'))
    await run(tenant)
    expect(reasons(tenant)).toEqual(['config-changed null', 'new-dataset c'])
    await configure({ ...hopsTo('b', 'c'), ...AUTOMATIC })
    expect(await run(tenant)).toMatchObject({ syncType: 'full' })
    expect(await live(tenant, 'out')).toContainEqual({ _id: '1', v: '1!', b: ['1!'], c: ['1!'] })
    expect(told(tenant)).toEqual([])
  })

  it('with another source is out of sync, and reset where it may be', async () => {
    const others = [receiver('in'), receiver('b')]
    const { tenant, configure } = await settled({}, others)
    const other = { source: { type: 'dataset', dataset: 'b' } }
    await configure(other)
    expect(reasons(tenant)).toEqual(['config-changed null', 'new-dataset b'])
    await configure({ ...other, ...AUTOMATIC })
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 1, deletionTracked: 2 })
    expect(await ids(tenant)).toEqual(['1'])
  })

  it('with a dataset less in a merge is put right by the merge itself', async () => {
    const tenant = await openTenant()
    const merged = (...datasets: string[]) =>
      pipe({ source: { type: 'merge', version: 2, datasets, equality: [] }, ...AUTOMATIC })
    const parts = [receiver('a'), receiver('b')]
    await deploy(tenant, ...parts, merged('a a', 'b b'))
    await push(tenant, 'a', entities('1'))
    await push(tenant, 'b', entities('2'))
    await run(tenant)
    expect(await ids(tenant)).toEqual(['0|1', '1|2'])
    await deploy(tenant, ...parts, merged('a a'))
    expect(told(tenant)).toEqual([])
    await run(tenant)
    expect(await ids(tenant)).toEqual(['0|1'])
  })
})

describe('a pipe that hops to a dataset that was deleted', () => {
  it('waits, says so, and is reset once it is there again', async () => {
    const { tenant } = await settled({ ...hopsTo('b'), ...AUTOMATIC }, [receiver('in'), receiver('b')])
    expect(await live(tenant, 'out')).toContainEqual({ _id: '1', v: '1!', b: ['1!'] })
    await tenant.deleteDataset('b')
    expect(reasons(tenant)).toEqual(['dataset-deleted b'])
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'waiting' })
    await push(tenant, 'b', [{ _id: '2', v: 'two' }])
    await deploy(tenant, receiver('in'), receiver('b'), pipe({ ...hopsTo('b'), ...AUTOMATIC }))
    expect(reasons(tenant)).toEqual(['dataset-recreated b'])
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 3 })
    const all = await live(tenant, 'out')
    expect(all).toContainEqual({ _id: '2', v: '2!', b: ['two'] })
    expect(all).toContainEqual({ _id: '1', v: '1!', b: [] })
    expect(told(tenant)).toEqual([])
  })
})

describe('a pipe whose own dataset', () => {
  it('was deleted is out of sync, and reset where it may be', async () => {
    const { tenant, configure } = await settled()
    await tenant.deleteDataset('out')
    await run(tenant)
    expect(reasons(tenant)).toEqual(['sink-recreated out'])
    expect(await ids(tenant)).toEqual([])
    await configure(AUTOMATIC)
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 3 })
    expect(await ids(tenant)).toEqual(['1', '2', '3'])
    expect(told(tenant)).toEqual([])
  })

  it('is another one is out of sync, and reset where it may be', async () => {
    const { tenant, configure } = await settled()
    await configure({ sink: { type: 'dataset', dataset: 'other' }, ...AUTOMATIC })
    expect(reasons(tenant)).toEqual(['config-changed null', 'sink-recreated other'])
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 3, changes: 3 })
    expect(told(tenant)).toEqual([])
  })
})

describe('a reset', () => {
  it('behind a circuit breaker that is rolled back is owed again', async () => {
    const sink = { type: 'dataset', dataset: 'out', circuit_breaker_threshold_count: 1 }
    const { tenant } = await settled({ sink, ...AUTOMATIC })
    await recreate(tenant, 'in', entities('7', '8'))
    const before = offset(tenant)
    expect(await tenant.runNow('out')).toMatchObject({ code: 'breaker-tripped', syncType: 'full' })
    await tenant.decideBreaker('out', 'rollback')
    expect(await ids(tenant)).toEqual(['1', '2', '3'])
    expect(before).toBe('2')
    expect(await tenant.runNow('out')).toMatchObject({ code: 'breaker-tripped', syncType: 'full' })
    await tenant.decideBreaker('out', 'commit')
    // The same once more for what is gone.
    expect(await tenant.runNow('out')).toMatchObject({ code: 'breaker-tripped', syncType: 'full' })
    await tenant.decideBreaker('out', 'commit')
    expect(await run(tenant)).toMatchObject({ syncType: 'full', changes: 0 })
    expect(await ids(tenant)).toEqual(['7', '8'])
    expect(told(tenant)).toEqual([])
  })
})

describe('a hub that was restored from a backup', () => {
  it('goes on where the backup was, with pipes that are in sync and have nothing to read again', async () => {
    const folder = await temporaryFolder()
    const { node, tenant, data } = await openHub({ backup: { folder } })
    await deploy(tenant, receiver('in'), receiver('b'), pipe({ ...hopsTo('b'), ...AUTOMATIC }))
    await push(tenant, 'b', entities('1'))
    await push(tenant, 'in', entities('1', '2'))
    await run(tenant)
    await push(tenant, 'in', entities('3'))
    const { _id } = JSON.parse(tenant.startBackup(true)) as { _id: string }
    const status = () => JSON.parse(tenant.backup(_id) as string).status
    await vi.waitFor(() => expect(status()).toBe('completed'), { timeout: 30_000, interval: 50 })
    await push(tenant, 'in', entities('4'))
    await run(tenant)
    await node.close()
    await restoreTenant({ repository: folder, tenant: 'default', data })
    const again = await openHub({ data })
    expect(told(again.tenant)).toEqual([])
    expect(await run(again.tenant)).toMatchObject({ syncType: 'incremental', read: 1 })
    expect(await ids(again.tenant)).toEqual(['1', '2', '3'])
    // What is known by now is the restored datasets.
    await again.tenant.deleteDataset('in')
    await push(again.tenant, 'in', entities('5'))
    expect(await run(again.tenant)).toMatchObject({ syncType: 'full', read: 1 })
    expect(told(again.tenant)).toEqual([])
  }, 60_000)
})

describe('a rescan in the background', () => {
  it('heals once it is complete, and no run beside it does', async () => {
    const background = { enable_background_rescan: true, batch_size: 1 }
    const slowly = (more: unknown[] = []) => ({ ...background, ...program(['sleep!', 1], ...more) })
    const { tenant, configure } = await settled(slowly())
    await configure(slowly([['add', 'new', true]]))
    await tenant.operate('out', 'start-rescan', {})
    await vi.waitFor(() => expect(told(tenant)).toMatchObject([{ reason: 'config-changed', 'is-healing': true }]), {
      timeout: 20_000,
    })
    await push(tenant, 'in', entities('4'))
    await tenant.runNow('out')
    await vi.waitFor(() => expect(told(tenant)).toEqual([]), { timeout: 20_000 })
    expect((await live(tenant, 'out')).every((entity) => entity.new === true)).toBe(true)
  }, 60_000)
})
