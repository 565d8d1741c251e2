import { describe, expect, it } from 'vitest'
import { datasetEntities, datasetEntity } from '../../src/hub/datasets.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { sourceOffset } from '../../src/pipes/full-run.ts'
import { deploy, live, openHub, openTenant, push, receiver } from './running-hub.ts'

const numbered = (from: number, to: number, v = 1) =>
  Array.from({ length: to - from }, (_, i) => ({ _id: `e${String(from + i).padStart(3, '0')}`, v }))
const source = (entities: object[]) => ({
  _id: 'a',
  type: 'pipe',
  source: { type: 'embedded', entities },
  pump: { mode: 'manual' },
})
const guarded = (sink: object, more: object = {}) => ({
  _id: 'b',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'a' },
  pump: { mode: 'manual' },
  sink: { type: 'dataset', ...sink },
  ...more,
})

async function read(tenant: HubTenant, query: object): Promise<string[]> {
  let text = ''
  const all = { history: true, deleted: true, reverse: false, ...query }
  for await (const chunk of datasetEntities(tenant, 'b', all)) text += chunk
  return (JSON.parse(text) as { _id: string; _updated: number }[]).map(({ _id, _updated }) => `${_id}:${_updated}`)
}
const offset = (tenant: HubTenant) => {
  const snapshot = tenant.snapshot()
  try {
    return snapshot.offset(sourceOffset('b'))
  } finally {
    snapshot.close()
  }
}
const runtime = (tenant: HubTenant) => JSON.parse(tenant.dataset('b') as string).runtime

/** `b` holds what `a` held, 100 entities; now `a` holds 30 changed ones more to be read. */
async function changed(tenant: HubTenant, sink: object, more: object = {}) {
  await deploy(tenant, source(numbered(0, 100)), guarded(sink, more))
  await tenant.runNow('a')
  expect(await tenant.runNow('b')).toMatchObject({ outcome: 'completed', changes: 100 })
  await deploy(tenant, source([...numbered(0, 30, 2), ...numbered(30, 100)]), guarded(sink, more))
  await tenant.runNow('a')
}

describe('a circuit breaker', () => {
  it('lets a run through that stays below the larger of its limits', async () => {
    const tenant = await openTenant()
    await changed(tenant, { circuit_breaker_threshold_factor: 0.3, circuit_breaker_threshold_count: 10 })
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'completed', changes: 30 })
    expect((await live(tenant, 'b')).filter(({ v }) => v === 2)).toHaveLength(30)
    expect(runtime(tenant)).toMatchObject({ 'circuit-breaker-tripped': false, 'supported-operations': ['repost'] })
  })

  it('hides all that a run wrote which went above them, and stops the run and the next ones', async () => {
    const tenant = await openTenant()
    await changed(tenant, { circuit_breaker_threshold_factor: 0.29 }, { batch_size: 10 })
    const before = offset(tenant)
    expect(await tenant.runNow('b')).toMatchObject({
      outcome: 'failed',
      code: 'breaker-tripped',
      message: expect.stringContaining("'b'"),
      hint: expect.stringContaining('rollback-circuit-breaker'),
    })
    expect(await read(tenant, {})).toHaveLength(100)
    expect(await read(tenant, { uncommitted: true })).toHaveLength(130)
    expect((await read(tenant, { uncommitted: true, history: false })).slice(-2)).toEqual(['e028:128', 'e029:129'])
    expect(await read(tenant, { uncommitted: true, reverse: true, limit: 1 })).toEqual(['e029:129'])
    expect(datasetEntity(tenant, 'b', 'e000')).toContain('"_updated":0')
    expect(datasetEntity(tenant, 'b', 'e000', { uncommitted: true })).toContain('"_updated":100')
    expect(runtime(tenant)).toMatchObject({
      'circuit-breaker-tripped': true,
      'count-uncommitted': 30,
      'supported-operations': ['commit-circuit-breaker', 'rollback-circuit-breaker'],
    })
    expect(await tenant.runNow('b')).toMatchObject({
      outcome: 'waiting',
      message: expect.stringContaining("circuit breaker of dataset 'b' tripped"),
    })
    await expect(tenant.repost('b', ['e000'])).rejects.toMatchObject({ code: 'breaker-tripped' })
    await tenant.decideBreaker('b', 'rollback')
    expect(offset(tenant)).toBe(before)
    expect(await read(tenant, { uncommitted: true })).toHaveLength(100)
    // Armed again: it trips again. Committed, it goes on from where that run had come.
    expect(await tenant.runNow('b')).toMatchObject({ code: 'breaker-tripped' })
    await tenant.decideBreaker('b', 'commit')
    expect(await read(tenant, {})).toHaveLength(130)
    expect((await live(tenant, 'b')).filter(({ v }) => v === 2)).toHaveLength(30)
    expect(Number(offset(tenant))).toBeGreaterThan(Number(before))
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'completed', changes: 0 })
    await expect(tenant.decideBreaker('b', 'commit')).rejects.toMatchObject({ code: 'breaker-not-tripped' })
    const events = (await live(tenant, 'system:pump_execution:b')).filter(({ _id }) =>
      String(_id).startsWith('circuit'),
    )
    expect(events).toMatchObject([
      {
        _id: 'circuit-breaker-commit',
        event_type: 'circuit-breaker-commit',
        pipe: 'b',
        event_time: expect.any(String),
      },
      { _id: 'circuit-breaker-rollback', pipe: 'b' },
    ])
    await expect(tenant.decideBreaker('x', 'commit')).rejects.toMatchObject({ code: 'unknown-dataset' })
  })

  it('counts the deletes of deletion tracking', async () => {
    const tenant = await openTenant()
    const sink = { type: 'dataset', dataset: 'a', circuit_breaker_threshold_count: 50 }
    for (const entities of [numbered(0, 100), numbered(0, 49)]) {
      await deploy(tenant, { ...source(entities), sink })
      const report = await tenant.runNow('a')
      expect(report.code).toBe(entities.length === 100 ? null : 'breaker-tripped')
    }
    expect(await live(tenant, 'a')).toHaveLength(100)
    await tenant.decideBreaker('a', 'commit')
    expect(await live(tenant, 'a')).toHaveLength(49)
  })

  it('watches no dataset that is not populated yet, and trips at the first version when its limit is 0', async () => {
    const tenant = await openTenant()
    await changed(tenant, { circuit_breaker_threshold_count: 0, set_initial_offset: 'never' })
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'completed', changes: 30 })
    await deploy(
      tenant,
      source(numbered(0, 1, 3)),
      guarded({ circuit_breaker_threshold_count: 0, set_initial_offset: 'onload' }),
    )
    await tenant.runNow('a')
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'failed', code: 'breaker-tripped' })
    expect(runtime(tenant)['count-uncommitted']).toBeGreaterThan(0)
  })

  it('keeps the indexes of its dataset true', async () => {
    const tenant = await openTenant()
    const hop = ['hops', { datasets: ['b x'], where: ['eq', '_S._id', 'x.of'], return: 'x._id' }]
    const copies = {
      transform: {
        type: 'dtl',
        rules: {
          default: [
            ['copy', '*'],
            ['add', 'of', '_S.of'],
          ],
        },
      },
    }
    const joined = {
      _id: 'c',
      type: 'pipe',
      source: { type: 'embedded', entities: [{ _id: 'k' }] },
      pump: { mode: 'manual' },
      transform: { type: 'dtl', rules: { default: [['add', 'found', hop]] } },
    }
    const run = async (of: string) => {
      await deploy(
        tenant,
        source([
          { _id: '1', of },
          { _id: '2', of: 'x' },
        ]),
        guarded({ circuit_breaker_threshold_count: 5 }, copies),
        joined,
      )
      for (const pipe of ['a', 'b', 'c']) expect(await tenant.runNow(pipe)).toMatchObject({ outcome: 'completed' })
      return (await live(tenant, 'c'))[0]?.found
    }
    expect([await run('y'), await run('k'), await run('z')]).toEqual([[], ['1'], []])
  })

  it('of a receiver watches each request', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('b', { sink: { type: 'dataset', circuit_breaker_threshold_count: 3 } }))
    // Into an empty dataset anything goes.
    await push(tenant, 'b', numbered(0, 10))
    await Promise.all([push(tenant, 'b', numbered(0, 3, 2)), push(tenant, 'b', numbered(3, 6, 2))])
    expect(await read(tenant, {})).toHaveLength(16)
    await expect(push(tenant, 'b', numbered(0, 4, 3))).rejects.toMatchObject({ code: 'breaker-tripped' })
    await expect(push(tenant, 'b', numbered(0, 1, 3))).rejects.toMatchObject({ code: 'breaker-tripped' })
    expect(await read(tenant, {})).toHaveLength(16)
    await tenant.decideBreaker('b', 'rollback')
    await push(tenant, 'b', numbered(0, 1, 3))
    // A full sync that would delete most of it.
    const full = { isFull: true, sequenceId: 's', requestId: '1', isFirst: true, isLast: true }
    await expect(push(tenant, 'b', numbered(0, 1, 3), full)).rejects.toMatchObject({ code: 'breaker-tripped' })
    expect(await live(tenant, 'b')).toHaveLength(10)
  })

  it('of a receiver lets a full sync of several requests delete what did not come, within the limit', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('b', { sink: { type: 'dataset', circuit_breaker_threshold_count: 3 } }))
    await push(tenant, 'b', numbered(0, 10))
    const sync = (requestId: string, entities: object[], more: object) =>
      push(tenant, 'b', entities, { isFull: true, sequenceId: 's', requestId, ...more })
    await sync('1', numbered(0, 5), { isFirst: true })
    await sync('2', numbered(5, 7), { previousRequestId: '1' })
    await sync('3', [], { previousRequestId: '2', isLast: true })
    expect(await live(tenant, 'b')).toHaveLength(7)
    expect(runtime(tenant)['circuit-breaker-tripped']).toBe(false)
  })

  it('drops what a request wrote that failed, and takes the next one', async () => {
    const tenant = await openTenant()
    const sink = { type: 'dataset', circuit_breaker_threshold_count: 30, prevent_multiple_versions: true }
    await deploy(tenant, receiver('b', { sink }))
    await push(tenant, 'b', numbered(0, 10))
    // Its new entities are written before deletion tracking is refused its deletes.
    const full = { isFull: true, sequenceId: 's', requestId: '1', isFirst: true, isLast: true }
    await expect(push(tenant, 'b', numbered(10, 12), full)).rejects.toMatchObject({ code: 'second-version' })
    await push(tenant, 'b', numbered(20, 21))
    expect(await live(tenant, 'b')).toHaveLength(11)
    expect(await read(tenant, { uncommitted: true })).toHaveLength(11)
  })

  it('is as it was after the hub was started again', async () => {
    const { node, tenant, data } = await openHub()
    await changed(tenant, { circuit_breaker_threshold_count: 5 })
    expect(await tenant.runNow('b')).toMatchObject({ code: 'breaker-tripped' })
    await node.close()
    const again = (await openHub({ data })).tenant
    expect(await again.runNow('b')).toMatchObject({ outcome: 'waiting' })
    expect(await read(again, { uncommitted: true })).toHaveLength(130)
    await again.decideBreaker('b', 'commit')
    expect(await read(again, {})).toHaveLength(130)
  })
})

describe('trip!', () => {
  const tripping = (id: string) => ({
    batch_size: 1,
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['if', ['eq', '_S._id', id], ['trip!', 'Look at this.']],
        ],
      },
    },
  })
  const failed = { outcome: 'failed', code: 'trip', message: expect.stringContaining('Look at this.') }

  it('hides what the run wrote, and stops the pipe until somebody decides', async () => {
    const tenant = await openTenant()
    const limit = { circuit_breaker_threshold_count: 1000 }
    await changed(tenant, limit)
    await deploy(tenant, source([...numbered(0, 30, 2), ...numbered(30, 100)]), guarded(limit, tripping('e003')))
    const before = offset(tenant)
    expect(await tenant.runNow('b')).toMatchObject(failed)
    expect(await read(tenant, {})).toHaveLength(100)
    expect(await read(tenant, { uncommitted: true })).toHaveLength(103)
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'waiting' })
    await tenant.decideBreaker('b', 'rollback')
    expect(await read(tenant, { uncommitted: true })).toHaveLength(100)
    expect(offset(tenant)).toBe(before)
    expect(await tenant.runNow('b')).toMatchObject(failed)
    await tenant.decideBreaker('b', 'commit')
    expect(await read(tenant, {})).toHaveLength(103)
  })

  it('trips the breaker of a dataset that none was set for', async () => {
    const tenant = await openTenant()
    await deploy(tenant, source(numbered(0, 5)), guarded({}, tripping('e003')))
    await tenant.runNow('a')
    expect(await tenant.runNow('b')).toMatchObject(failed)
    expect(runtime(tenant)).toMatchObject({ 'circuit-breaker-tripped': true })
    expect(await tenant.runNow('b')).toMatchObject({ outcome: 'waiting' })
    await tenant.decideBreaker('b', 'commit')
    expect(runtime(tenant)).toMatchObject({ 'circuit-breaker-tripped': false })
  })

  it('trips the breaker of a dataset that entities are sent to', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('b', tripping('e001')))
    await push(tenant, 'b', numbered(0, 1))
    await expect(push(tenant, 'b', numbered(0, 3))).rejects.toMatchObject({ code: 'trip' })
    await expect(push(tenant, 'b', numbered(0, 1, 2))).rejects.toMatchObject({ code: 'breaker-tripped' })
    await tenant.decideBreaker('b', 'rollback')
    await push(tenant, 'b', numbered(0, 1, 2))
    expect(await live(tenant, 'b')).toEqual([{ _id: 'e000', v: 2 }])
  })

  it('fails the run where no dataset is written', async () => {
    const tenant = await openTenant()
    await deploy(tenant, source(numbered(0, 5)), { ...guarded({}, tripping('e003')), sink: { type: 'null' } })
    await tenant.runNow('a')
    expect(await tenant.runNow('b')).toMatchObject(failed)
    expect(await tenant.runNow('b')).toMatchObject(failed)
  })
})
