import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { entity } from '../log/sample.ts'
import { deploy, live, openTenant, push, receiver } from './running-hub.ts'

const node = (defaults: object) => ({ _id: 'node', type: 'metadata', global_defaults: defaults })
const pipe = (id: string, source: object, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source,
  pump: { mode: 'manual' },
  ...more,
})
const embedded = (id: string, entities: object[], more: object = {}) =>
  pipe(id, { type: 'embedded', entities, ...more })
const ids = async (tenant: HubTenant, dataset: string) => (await live(tenant, dataset)).map(({ _id }) => _id)

describe('a source that returns nothing', () => {
  const two = [{ _id: '1' }, { _id: '2' }]

  it.each([
    ['is believed, and all is deleted, when nobody says otherwise', {}, {}, 'completed', []],
    ['fails the run when the source says so', {}, { if_source_empty: 'fail' }, 'failed', ['1', '2']],
    ['fails the run when the node says so', { if_source_empty: 'fail' }, {}, 'failed', ['1', '2']],
    [
      'is believed when the source says so, whatever the node says',
      { if_source_empty: 'fail' },
      { if_source_empty: 'accept' },
      'completed',
      [],
    ],
  ])('%s', async (_, defaults, setting, outcome, left) => {
    const tenant = await openTenant()
    await deploy(tenant, node(defaults), embedded('a', two, setting))
    await tenant.runNow('a')
    await deploy(tenant, node(defaults), embedded('a', [], setting))
    const report = await tenant.runNow('a')
    expect(report).toMatchObject({ outcome, ...(outcome === 'failed' ? { code: 'source-empty' } : {}) })
    expect(await ids(tenant, 'a')).toEqual(left)
  })

  it('fails full runs only: that nothing is new is ordinary', async () => {
    const tenant = await openTenant()
    const out = pipe('out', { type: 'dataset', dataset: 'in', if_source_empty: 'fail' })
    await deploy(tenant, receiver('in'), out)
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'failed', code: 'source-empty' })
    await push(tenant, 'in', two)
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', syncType: 'full' })
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', syncType: 'incremental', read: 0 })
  })
})

describe('an input that is not populated', () => {
  const source = { type: 'dataset', dataset: 'in' }
  const input = receiver('in', { source: { type: 'http_endpoint', auto_populate_dataset: false } })

  it.each([
    ['holds nobody back when nobody says otherwise', {}, {}, 'completed'],
    ['holds the pipe back when the source says so', {}, { require_populated_input: true }, 'waiting'],
    ['holds the pipe back when the node says so', { require_populated_input: true }, {}, 'waiting'],
    [
      'holds nobody back when the source says so, whatever the node says',
      { require_populated_input: true },
      { require_populated_input: false },
      'completed',
    ],
  ])('%s', async (_, defaults, setting, outcome) => {
    const tenant = await openTenant()
    await deploy(tenant, node(defaults), input, pipe('out', { ...source, ...setting }))
    expect(await tenant.runNow('out')).toMatchObject({ outcome })
  })

  it('holds a merge back, and not a source that has no input', async () => {
    const tenant = await openTenant()
    const merge = { type: 'merge', version: 2, datasets: ['in i'] }
    await deploy(tenant, node({ require_populated_input: true }), input, pipe('m', merge), embedded('e', []))
    expect(await tenant.runNow('m')).toMatchObject({
      outcome: 'waiting',
      message: 'waits for its input (in) to be populated',
    })
    expect(await tenant.runNow('e')).toMatchObject({ outcome: 'completed' })
  })
})

describe('a full run that failed', () => {
  const rules = (bad: string) => [
    ['copy', '*'],
    ['if', ['eq', '_S._id', bad], ['remove', '_id']],
  ]
  const out = (bad: string) => {
    const transform = { type: 'dtl', rules: { default: rules(bad) } }
    return pipe('out', { type: 'dataset', dataset: 'in' }, { batch_size: 1, transform })
  }
  const document = (tenant: HubTenant) => JSON.parse(tenant.pump('out') ?? '{}').runtime
  const failed = async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), out('none'))
    await push(tenant, 'in', [{ _id: '1' }, { _id: '2' }, { _id: '3' }])
    await tenant.runNow('out')
    await tenant.write('out', [entity({ _id: 'stray' })])
    await push(tenant, 'in', [{ _id: '4' }])
    await deploy(tenant, receiver('in'), out('4'))
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'failed', syncType: 'full', deletionTracked: 0 })
    return tenant
  }

  it('is shown with how far it came, and goes on there', async () => {
    const tenant = await failed()
    expect(document(tenant)).toMatchObject({ 'last-seen': null, 'full-run': { processed: 3, 'last-seen': '2' } })
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'failed', syncType: 'full', read: 1 })
    // Another program: it starts over.
    await deploy(tenant, receiver('in'), out('none'))
    const report = { outcome: 'completed', syncType: 'full', read: 4, deletionTracked: 1 }
    expect(await tenant.runNow('out')).toMatchObject(report)
    expect(document(tenant)).toMatchObject({ 'last-seen': '3', 'full-run': null })
    expect(await ids(tenant, 'out')).toEqual(['1', '2', '3', '4'])
  })

  it.each([
    ['', { syncType: 'full', read: 4, outcome: 'failed' }],
    ['3', { syncType: 'incremental', read: 0, outcome: 'completed' }],
  ])('is given up when the offset is set to "%s"', async (offset, report) => {
    const tenant = await failed()
    await tenant.operate('out', 'update-last-seen', { 'last-seen': offset })
    expect(document(tenant)['full-run']).toBeNull()
    expect(await tenant.runNow('out')).toMatchObject({ ...report, deletionTracked: 0 })
  })
})

describe('what a full run no longer brings', () => {
  it('is marked when the sink says so, and the mark goes when it comes back', async () => {
    const tenant = await openTenant()
    const sink = { type: 'dataset', dataset: 'a', mark_deletion_tracked: true }
    const both = [
      { _id: '1', n: 1 },
      { _id: '2', n: 2 },
    ]
    const run = async (entities: object[]) => {
      await deploy(tenant, { ...embedded('a', entities), sink })
      return tenant.runNow('a')
    }
    const second = () => {
      const snapshot = tenant.snapshot()
      const version = snapshot.dataset('a')?.latest('2')
      const found = { deleted: version?.deleted, body: Buffer.from(version?.body ?? []).toString() }
      snapshot.close()
      return found
    }
    await run(both)
    expect(await run(both.slice(0, 1))).toMatchObject({ deletionTracked: 1 })
    expect(second()).toEqual({ deleted: true, body: '{"_id":"2","n":2,"$deletion_tracked":true}' })
    // It is gone already: nothing is written again.
    expect(await run(both.slice(0, 1))).toMatchObject({ changes: 0, deletionTracked: 0 })
    await run(both)
    expect(second()).toEqual({ deleted: false, body: '{"_id":"2","n":2}' })
  })

  it('stays when the run fails, whatever it read before', async () => {
    const tenant = await openTenant()
    await deploy(tenant, embedded('a', [{ _id: '1' }, { _id: '2' }]))
    await tenant.runNow('a')
    const transform = {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['if', ['eq', '_S._id', '3'], ['remove', '_id']],
        ],
      },
    }
    await deploy(tenant, { ...embedded('a', [{ _id: '1' }, { _id: '3' }]), transform, batch_size: 1 })
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'failed', deletionTracked: 0 })
    expect(await ids(tenant, 'a')).toEqual(['1', '2'])
  })
})
