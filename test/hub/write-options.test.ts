import { describe, expect, it } from 'vitest'
import { deploy, live, openTenant, push, receiver, stored } from './running-hub.ts'

const embedded = (id: string, entities: object[], sink: object = {}, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'embedded', entities },
  pump: { mode: 'manual' },
  sink: { type: 'dataset', ...sink },
  ...more,
})
const versions = async (tenant: Parameters<typeof stored>[0], dataset: string) =>
  (await stored(tenant, dataset, true)).map(({ _id, _updated, _deleted }) => `${_id}${_updated}${_deleted ? '-' : ''}`)

describe('prevent_multiple_versions', () => {
  it('fails a run that would write a second version, and names dataset and entity', async () => {
    const tenant = await openTenant()
    const sink = { prevent_multiple_versions: true }
    await deploy(tenant, embedded('a', [{ _id: '1', x: 1 }], sink))
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', changes: 1 })
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', changes: 0 })
    await deploy(tenant, embedded('a', [{ _id: '0' }, { _id: '1', x: 2 }], sink))
    expect(await tenant.runNow('a')).toMatchObject({
      outcome: 'failed',
      code: 'second-version',
      message: expect.stringMatching(/'1'.*'a'/),
    })
    expect(await versions(tenant, 'a')).toEqual(['10'])
  })

  it('"ignore" leaves second versions out', async () => {
    const tenant = await openTenant()
    for (const x of [1, 2]) {
      await deploy(tenant, embedded('a', [{ _id: '1', x }, { _id: `n${x}` }], { prevent_multiple_versions: 'ignore' }))
      expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed' })
    }
    // What a full read no longer brings would be a second version, too.
    expect(await live(tenant, 'a')).toEqual([{ _id: '1', x: 1 }, { _id: 'n1' }, { _id: 'n2' }])
  })
})

describe('enable_optimistic_locking', () => {
  const locked = receiver('in', { sink: { type: 'dataset', enable_optimistic_locking: true } })

  it('takes an entity that was made from the latest version, and answers with what is stored', async () => {
    const tenant = await openTenant()
    await deploy(tenant, locked)
    const { updated } = await push(tenant, 'in', { _id: 'a', x: 1 })
    expect(JSON.parse(updated as string)).toMatchObject({ _id: 'a', x: 1, _updated: 0, _previous: null })
    const again = await push(tenant, 'in', [{ _id: 'a', x: 2, _updated: 0 }])
    expect(JSON.parse(again.updated as string)).toMatchObject({ x: 2, _updated: 1, _previous: 0 })
    // Unchanged: the version there. Several: none is named.
    const same = await push(tenant, 'in', [{ _id: 'a', x: 2, _updated: 1 }])
    expect(JSON.parse(same.updated as string)).toMatchObject({ _updated: 1 })
    expect(await push(tenant, 'in', [{ _id: 'b' }, { _id: 'c' }])).toEqual({ updated: null })
  })

  it('refuses all of a request with a stale entity, and gives what a three-way merge needs', async () => {
    const tenant = await openTenant()
    await deploy(tenant, locked)
    await push(tenant, 'in', { _id: 'a', x: 1 })
    await push(tenant, 'in', { _id: 'a', x: 2, _updated: 0 })
    const stale = push(tenant, 'in', [{ _id: 'b' }, { _id: 'a', x: 3, _updated: 0 }])
    const { code, details } = await stale.then(
      () => expect.unreachable(),
      (error) => error,
    )
    expect(code).toBe('stale-entity')
    expect(details).toMatchObject({ dataset: 'in', entity: 'a', expected: 0, current: 1 })
    expect(JSON.parse(details.input)).toEqual({ _id: 'a', x: 3, _updated: 0 })
    expect(JSON.parse(details.existing)).toMatchObject({ _id: 'a', x: 2, _updated: 1 })
    expect(JSON.parse(details.ancestor)).toMatchObject({ _id: 'a', x: 1, _updated: 0 })
    await expect(push(tenant, 'in', { _id: 'a', x: 3 })).rejects.toMatchObject({
      code: 'stale-entity',
      details: { expected: null, current: 1, ancestor: null },
    })
    await expect(push(tenant, 'in', { _id: 'b', _updated: 0 })).rejects.toMatchObject({ code: 'stale-entity' })
    expect(await versions(tenant, 'in')).toEqual(['a0', 'a1'])
  })
})

describe('max_entity_bytes_size', () => {
  const sized = (bytes: number) => ({ _id: 'a', t: 'x'.repeat(bytes - '{"_id":"a","t":""}'.length) })

  it('of the sink, or of the node, fails an entity that is one byte greater', async () => {
    const tenant = await openTenant()
    const node = { _id: 'node', type: 'metadata', global_defaults: { max_entity_bytes_size: 60 } }
    for (const [sink, limit] of [
      [{}, 60],
      [{ max_entity_bytes_size: 100 }, 100],
    ] as const) {
      await deploy(tenant, node, embedded('a', [sized(limit + 1)], sink))
      expect(await tenant.runNow('a')).toMatchObject({
        outcome: 'failed',
        code: 'entity-too-large',
        message: expect.stringMatching(new RegExp(`'a'.*${limit + 1}`)),
        hint: expect.stringContaining(String(limit)),
      })
      await deploy(tenant, node, embedded('a', [sized(limit)], sink))
      expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', changes: 1 })
    }
  })
})

describe('suppress_filtered', () => {
  const odd = [
    ['filter', ['eq', '_S.keep', true]],
    ['copy', '*'],
  ]
  const copy = (sink: object = {}, source: object = {}) => ({
    _id: 'b',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'a', ...source },
    pump: { mode: 'manual' },
    transform: { type: 'dtl', rules: { default: odd } },
    sink: { type: 'dataset', ...sink },
  })
  const change = (keep: boolean) =>
    embedded('a', [
      { _id: '1', keep: true },
      { _id: '2', keep },
    ])

  it('leaves filtered entities where they are, which a full run deletes all the same', async () => {
    const tenant = await openTenant()
    const run = async (keep: boolean, sink: object) => {
      await deploy(tenant, change(keep), copy(sink))
      await tenant.runNow('a')
      return tenant.runNow('b')
    }
    await run(true, { suppress_filtered: true })
    expect(await run(false, { suppress_filtered: true })).toMatchObject({ syncType: 'incremental', written: 0 })
    expect(await live(tenant, 'b')).toHaveLength(2)
    await tenant.operate('b', 'update-last-seen', { 'last-seen': '' })
    expect(await tenant.runNow('b')).toMatchObject({ syncType: 'full', written: 1, deletionTracked: 1 })
    expect(await live(tenant, 'b')).toEqual([{ _id: '1', keep: true }])
  })

  it('is what a full run over a dataset does by default, and no other', async () => {
    const tenant = await openTenant()
    await deploy(tenant, change(false), copy())
    await tenant.runNow('a')
    expect(await tenant.runNow('b')).toMatchObject({ syncType: 'full', read: 2, written: 1 })
    for (const [sink, source, written] of [
      [{ suppress_filtered: false }, {}, 2],
      [{}, { include_previous_versions: true }, 2],
    ] as const) {
      await deploy(tenant, change(false), copy(sink, source))
      await tenant.operate('b', 'update-last-seen', { 'last-seen': '' })
      expect(await tenant.runNow('b')).toMatchObject({ syncType: 'full', written })
    }
  })

  it('deletes a filtered entity at once where it is off', async () => {
    const tenant = await openTenant()
    for (const keep of [true, false]) {
      await deploy(tenant, change(keep), copy())
      await tenant.runNow('a')
      await tenant.runNow('b')
    }
    expect(await live(tenant, 'b')).toEqual([{ _id: '1', keep: true }])
  })
})

describe('metadata.durable', () => {
  it("shows in the document of the pipe's dataset", async () => {
    const tenant = await openTenant()
    const isDurable = () => JSON.parse(tenant.dataset('a') as string).runtime.durable
    for (const durable of [false, true, false]) {
      await deploy(tenant, embedded('a', [], {}, { metadata: { durable } }))
      expect(isDurable()).toBe(durable)
    }
  })
})

describe('reposting', () => {
  it('appends the latest versions again, so that whoever reads the dataset reads them anew', async () => {
    const tenant = await openTenant()
    const copy = { _id: 'b', type: 'pipe', source: { type: 'dataset', dataset: 'a' }, pump: { mode: 'manual' } }
    await deploy(tenant, embedded('a', [{ _id: '1', x: 1 }, { _id: '2' }]), copy)
    await tenant.runNow('a')
    await deploy(tenant, embedded('a', [{ _id: '1', x: 1 }]), copy)
    await tenant.runNow('a')
    await tenant.runNow('b')
    expect(await tenant.repost('a', ['2', '1', '2'])).toEqual([
      { _id: '2', _deleted: true, _updated: 3 },
      { _id: '1', _deleted: false, _updated: 4 },
    ])
    expect(await tenant.runNow('b')).toMatchObject({ read: 2, changes: 0 })
    const all = await stored(tenant, 'a', true)
    expect(all.at(-1)?._hash).toBe(all[0]?._hash)
  })

  it('is all or nothing', async () => {
    const tenant = await openTenant()
    await deploy(tenant, embedded('a', [{ _id: '1' }]))
    await tenant.runNow('a')
    await expect(tenant.repost('a', ['1', 'x'])).rejects.toMatchObject({ code: 'unknown-entity' })
    await expect(tenant.repost('nowhere', ['1'])).rejects.toMatchObject({ code: 'unknown-dataset' })
    expect(await versions(tenant, 'a')).toEqual(['10'])
  })
})

it('entities that are appended past any pipe are compared, unless they are forced', async () => {
  const tenant = await openTenant()
  await deploy(tenant, embedded('a', []))
  const append = (force: boolean) => tenant.append('a', Buffer.from('[{"_id":"1","x":1}]'), force)
  expect([await append(false), await append(false), await append(true)]).toEqual([1, 0, 1])
  expect(await versions(tenant, 'a')).toEqual(['10', '11'])
})
