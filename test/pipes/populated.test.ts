import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, openTenant, push, receiver } from '../hub/running-hub.ts'

const pipe = (id: string, source: object, policy?: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source,
  pump: { mode: 'manual' },
  ...(policy === undefined ? {} : { sink: { type: 'dataset', dataset: id, set_initial_offset: policy } }),
  ...more,
})
const populated = (tenant: HubTenant, id: string) => JSON.parse(tenant.dataset(id) ?? '{}').runtime.populated
const entities = [{ _id: '1' }, { _id: '2' }]
const embedded = { type: 'embedded', entities }
/** Fails at the second entity. */
const failing = {
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '*'],
        ['if', ['eq', '_S._id', '2'], ['remove', '_id']],
      ],
    },
  },
}
const unpopulated = (id: string) => receiver(id, { source: { type: 'http_endpoint', auto_populate_dataset: false } })

describe('set_initial_offset', () => {
  it.each([
    ['never', [false, false, false]],
    ['always', [false, false, true]],
    ['initially', [false, true, true]],
    ['onload', [true, true, true]],
    ['if-source-populated', [false, false, true]],
  ])('%s, at load, after a run that failed and after one that did not', async (policy, expected) => {
    const tenant = await openTenant()
    await deploy(tenant, pipe('a', embedded, policy, failing))
    const found = [populated(tenant, 'a')]
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'failed' })
    found.push(populated(tenant, 'a'))
    await deploy(tenant, pipe('a', embedded, policy))
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed' })
    expect([...found, populated(tenant, 'a')]).toEqual(expected)
  })

  it('if-source-populated asks the dataset that is read', async () => {
    const tenant = await openTenant()
    const out = (policy: string) => pipe(policy, { type: 'dataset', dataset: 'in' }, policy)
    await deploy(tenant, unpopulated('in'), out('if-source-populated'), out('always'))
    for (const id of ['if-source-populated', 'always']) await tenant.runNow(id)
    expect(['if-source-populated', 'always'].map((id) => populated(tenant, id))).toEqual([false, true])
    await push(tenant, 'in', entities)
    // It says so with the next run, whether that finds anything new or not.
    expect(populated(tenant, 'if-source-populated')).toBe(false)
    await tenant.runNow('if-source-populated')
    expect(populated(tenant, 'if-source-populated')).toBe(true)
  })

  it('if-source-populated stays silent when nothing was read of a source that does not exist', async () => {
    const tenant = await openTenant()
    await deploy(tenant, pipe('out', { type: 'dataset', dataset: 'nobody' }))
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed' })
    expect(populated(tenant, 'out')).toBe(false)
  })

  it('flows down through pipes, one run each', async () => {
    const tenant = await openTenant()
    const copy = (id: string, dataset: string) => pipe(id, { type: 'dataset', dataset })
    await deploy(tenant, pipe('a', embedded), copy('b', 'a'), copy('c', 'b'))
    for (const id of ['c', 'b', 'a']) await tenant.runNow(id)
    expect(['a', 'b', 'c'].map((id) => populated(tenant, id))).toEqual([true, false, false])
    for (const id of ['b', 'c']) await tenant.runNow(id)
    expect(['a', 'b', 'c'].map((id) => populated(tenant, id))).toEqual([true, true, true])
  })

  it('is taken back by nothing but a new dataset', async () => {
    const tenant = await openTenant()
    await deploy(tenant, pipe('a', embedded))
    await tenant.runNow('a')
    await deploy(tenant, pipe('a', embedded, 'never', failing))
    await tenant.runNow('a')
    expect(populated(tenant, 'a')).toBe(true)
    await tenant.deleteDataset('a')
    await deploy(tenant, pipe('a', embedded, 'never'))
    expect(populated(tenant, 'a')).toBe(false)
  })
})

it('a pipe that hops to its own dataset runs again after that was deleted', async () => {
  const tenant = await openTenant()
  const before = ['hops', { datasets: ['a x'], where: ['eq', '_S._id', 'x._id'], return: 'x.n' }]
  const rules = {
    default: [
      ['copy', '*'],
      ['add', 'before', before],
    ],
  }
  await deploy(
    tenant,
    pipe('a', { type: 'embedded', entities: [{ _id: '1', n: 1 }] }, 'onload', { transform: { type: 'dtl', rules } }),
  )
  await tenant.runNow('a')
  expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', changes: 1 })
  await tenant.deleteDataset('a')
  expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', changes: 1 })
  expect(populated(tenant, 'a')).toBe(true)
})

describe('a merge is populated', () => {
  const merge = (more: object) =>
    pipe('m', { type: 'merge', version: 2, datasets: ['in i', 'late l'], identity: 'composite', ...more })

  it.each([
    ['when all that it reads is', {}, ['in'], false],
    ['when all that it reads is, at last', {}, ['in', 'late'], true],
    ['when the datasets are that it begins with', { initial_datasets: ['in'] }, ['in'], true],
    ['not before the datasets are that it begins with', { initial_datasets: ['late'] }, ['in'], false],
    ['though one does not exist', { initial_datasets: ['in', 'nobody'] }, ['in'], true],
    [
      'not while one does not exist that is asked for',
      { initial_datasets: ['in', 'nobody'], ignore_non_existent_datasets: false },
      ['in'],
      false,
    ],
  ])('%s', async (_, more, sent, expected) => {
    const tenant = await openTenant()
    await deploy(tenant, unpopulated('in'), unpopulated('late'), merge(more))
    for (const id of sent) await push(tenant, id, entities)
    expect(await tenant.runNow('m')).toMatchObject({ outcome: 'completed' })
    expect(populated(tenant, 'm')).toBe(expected)
  })
})
