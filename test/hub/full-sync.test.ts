import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openHub, openTenant, push, receiver, stored } from './running-hub.ts'

const full = (tenant: HubTenant, entities: object[], requestId: string, more: object = {}) =>
  push(tenant, 'in', entities, { isFull: true, sequenceId: 's', requestId, ...more })
const ids = async (tenant: HubTenant, dataset = 'in') => (await live(tenant, dataset)).map(({ _id }) => _id)
const populated = (tenant: HubTenant, id = 'in') => JSON.parse(tenant.dataset(id) ?? '{}').runtime.populated
const state = (tenant: HubTenant): number => {
  const snapshot = tenant.snapshot()
  // What its entities look like is kept, whatever becomes of a sync.
  const keys = [...snapshot.states(Buffer.from('in\u0000'))].map(([key]) => Buffer.from(key).toString('latin1'))
  const found = keys.filter((key) => !key.startsWith('in\u0000schema')).length
  snapshot.close()
  return found
}
const abc = [{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }]

describe('a full sync', () => {
  it('goes on after a restart, and deletes exactly what did not come', async () => {
    const first = await openHub()
    await deploy(first.tenant, receiver('in'))
    await push(first.tenant, 'in', abc)
    await full(first.tenant, [{ _id: 'a' }], 'r1', { isFirst: true })
    await first.node.close()
    const { tenant } = await openHub({ data: first.data })
    await expect(full(tenant, [], 'r3', { previousRequestId: 'r2' })).rejects.toMatchObject({ code: 'push-conflict' })
    await full(tenant, [{ _id: 'c' }, { _id: 'd' }], 'r2', { previousRequestId: 'r1', isLast: true })
    expect(await ids(tenant)).toEqual(['a', 'c', 'd'])
    expect(state(tenant)).toBe(0)
  })

  it('goes on over a new deployment, unless its own pipe is another one', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await push(tenant, 'in', abc)
    await full(tenant, [{ _id: 'a' }], 'r1', { isFirst: true })
    await deploy(tenant, receiver('in'), receiver('other'))
    await full(tenant, [{ _id: 'b' }], 'r2', { previousRequestId: 'r1' })
    await deploy(tenant, receiver('in', { transform: { type: 'dtl', rules: { default: [['copy', '*']] } } }))
    await expect(full(tenant, [], 'r3', { previousRequestId: 'r2', isLast: true })).rejects.toMatchObject({
      code: 'push-conflict',
    })
    expect(await ids(tenant)).toEqual(['a', 'b', 'c'])
    await full(tenant, abc.slice(0, 1), 'q1', { sequenceId: 'next', isFirst: true, isLast: true })
    expect(await ids(tenant)).toEqual(['a'])
    expect(state(tenant)).toBe(0)
  })

  it('is over when its dataset is deleted, and deletes nothing in the next one', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await full(tenant, abc, 'r1', { isFirst: true })
    await tenant.deleteDataset('in')
    await push(tenant, 'in', [{ _id: 'x' }])
    await expect(full(tenant, [], 'r2', { previousRequestId: 'r1', isLast: true })).rejects.toMatchObject({
      code: 'push-conflict',
    })
    expect(await ids(tenant)).toEqual(['x'])
  })

  it('drops an unfinished one, which deletes nothing', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await push(tenant, 'in', abc)
    await full(tenant, [], 'r1', { isFirst: true })
    await full(tenant, [{ _id: 'a' }], 'q1', { sequenceId: 't', isFirst: true })
    await expect(full(tenant, [], 'r2', { previousRequestId: 'r1', isLast: true })).rejects.toMatchObject({
      code: 'push-conflict',
    })
    expect(await ids(tenant)).toEqual(['a', 'b', 'c'])
    await full(tenant, [{ _id: 'b' }], 'q2', { sequenceId: 't', previousRequestId: 'q1', isLast: true })
    expect(await ids(tenant)).toEqual(['a', 'b'])
  })

  it('without a sequence is one of its own, first and last at once', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await push(tenant, 'in', abc)
    await full(tenant, [{ _id: 'a' }], 'r1', { isFirst: true })
    await push(tenant, 'in', [{ _id: 'b' }], { isFull: true })
    expect(await ids(tenant)).toEqual(['b'])
    await expect(full(tenant, [], 'r2', { previousRequestId: 'r1' })).rejects.toMatchObject({ code: 'push-conflict' })
  })

  it('is over when a request of it fails, and deletes nothing', async () => {
    const tenant = await openTenant()
    const rules = [
      ['copy', '*'],
      ['if', ['eq', '_S._id', 'bad'], ['remove', '_id']],
    ]
    await deploy(tenant, receiver('in', { transform: { type: 'dtl', rules: { default: rules } } }))
    await push(tenant, 'in', abc)
    await full(tenant, [{ _id: 'a' }], 'r1', { isFirst: true })
    await expect(full(tenant, [{ _id: 'bad' }], 'r2', { previousRequestId: 'r1' })).rejects.toMatchObject({
      code: 'bad-id',
    })
    await expect(full(tenant, [], 'r3', { previousRequestId: 'r2', isLast: true })).rejects.toMatchObject({
      code: 'push-conflict',
    })
    expect(await ids(tenant)).toEqual(['a', 'b', 'c'])
    expect(state(tenant)).toBe(0)
  })

  it('spares what is pushed beside it, seen or not', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await push(tenant, 'in', abc)
    await full(tenant, [{ _id: 'a' }], 'r1', { isFirst: true })
    await push(tenant, 'in', [{ _id: 'a', n: 2 }, { _id: 'new' }])
    await full(tenant, [], 'r2', { previousRequestId: 'r1', isLast: true })
    expect(await ids(tenant)).toEqual(['a', 'new'])
  })

  it('deletes nothing when the sink says so, and marks what it deletes when the sink says that', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in', { sink: { type: 'dataset', deletion_tracking: false } }))
    await push(tenant, 'in', abc)
    await full(tenant, [{ _id: 'a' }], 'r1', { isFirst: true, isLast: true })
    expect(await ids(tenant)).toEqual(['a', 'b', 'c'])
    await deploy(tenant, receiver('in', { sink: { type: 'dataset', mark_deletion_tracked: true } }))
    await full(tenant, [{ _id: 'a' }, { _id: 'b' }], 'r1', { isFirst: true, isLast: true })
    const gone = (await stored(tenant, 'in')).filter(({ _deleted }) => _deleted)
    expect(gone).toMatchObject([{ _id: 'c', $deletion_tracked: true }])
  })
})

describe('a dataset that is received', () => {
  const opted = (more: object = {}) =>
    receiver('in', { source: { type: 'http_endpoint', auto_populate_dataset: false }, ...more })

  it('is populated by the first accepted request where it is not from the start', async () => {
    const tenant = await openTenant()
    await deploy(tenant, opted())
    await expect(push(tenant, 'in', '[')).rejects.toThrow()
    expect(populated(tenant)).toBe(false)
    await push(tenant, 'in', [])
    expect(populated(tenant)).toBe(true)
  })

  it('is populated by the last request of a full sync, not by the first of it', async () => {
    const tenant = await openTenant()
    await deploy(tenant, opted())
    await full(tenant, [{ _id: 'a' }], 'r1', { isFirst: true })
    expect(populated(tenant)).toBe(false)
    await full(tenant, [{ _id: 'b' }], 'r2', { previousRequestId: 'r1', isLast: true })
    expect(populated(tenant)).toBe(true)
  })

  it.each([
    ['never', false, false],
    ['always', false, true],
    ['initially', false, true],
    ['onload', true, true],
    ['if-source-populated', false, true],
  ])('obeys set_initial_offset %s', async (policy, atLoad, afterwards) => {
    const tenant = await openTenant()
    await deploy(tenant, opted({ sink: { type: 'dataset', set_initial_offset: policy } }))
    expect(populated(tenant)).toBe(atLoad)
    await push(tenant, 'in', [{ _id: 'a' }])
    expect(populated(tenant)).toBe(afterwards)
  })

  it('is made again by the first request after it was deleted, populated as at the start', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await tenant.deleteDataset('in')
    await push(tenant, 'in', [{ _id: 'a' }])
    expect(populated(tenant)).toBe(true)
  })
})
