import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openTenant, push, receiver, stored } from './running-hub.ts'

const problemsOf = async (tenant: HubTenant, ...components: object[]) =>
  (await tenant.replaceConfig(JSON.stringify(components), true)).map(
    ({ level, pointer, message }) => `${level} ${pointer}: ${message}`,
  )

const copy = (id: string, source: object, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', ...source },
  pump: { mode: 'manual' },
  ...more,
})

const indexesOf = (tenant: HubTenant, dataset: string) => {
  const snapshot = tenant.snapshot()
  try {
    return snapshot.dataset(dataset)?.document.indexes.map(({ expression, state }) => [expression, state]) ?? []
  } finally {
    snapshot.close()
  }
}

describe('explicit indexes', () => {
  it('are declared when the pipe is deployed, filled in the background and kept up to date', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('people'))
    await push(tenant, 'people', [
      { _id: 'a', vowel: ['x', 'y'] },
      { _id: 'b', vowel: 'y' },
    ])
    const sink = { type: 'dataset', dataset: 'people', indexes: ['_S.vowel', ['lower', '_S.name'], '$ids'] }
    await deploy(tenant, receiver('people', { sink }))
    await expect
      .poll(() => indexesOf(tenant, 'people'), { timeout: 20_000 })
      .toEqual([
        ['"_S.vowel"', 'ready'],
        ['["lower","_S.name"]', 'ready'],
        ['"_S.$ids"', 'ready'],
      ])
    await push(tenant, 'people', [
      { _id: 'b', vowel: 'z' },
      { _id: 'c', vowel: 'y' },
    ])
    await deploy(
      tenant,
      receiver('people', { sink }),
      copy('y', { dataset: 'people', subset: ['eq', '_S.vowel', 'y'] }),
    )
    await tenant.runNow('y')
    expect((await live(tenant, 'y')).map(({ _id }) => _id)).toEqual(['a', 'c'])
    // The subset is read from the index that was there.
    expect(indexesOf(tenant, 'people').length).toBe(3)
  })

  it('of all identities are in every dataset when the node says so', async () => {
    const tenant = await openTenant()
    const metadata = { _id: 'node', type: 'metadata', global_defaults: { always_index_ids: true } }
    await deploy(tenant, metadata, receiver('people'), copy('others', { dataset: 'people' }))
    expect(indexesOf(tenant, 'people')).toEqual([['"_S.$ids"', 'ready']])
    expect(indexesOf(tenant, 'others')).toEqual([['"_S.$ids"', 'ready']])
  })

  it('are made again with a dataset that was deleted, when its pipe runs', async () => {
    const tenant = await openTenant()
    const sink = { type: 'dataset', dataset: 'others', indexes: ['_S.v'] }
    await deploy(tenant, receiver('people'), copy('others', { dataset: 'people' }, { sink }))
    await push(tenant, 'people', [{ _id: 'a', v: 1 }])
    await tenant.deleteDataset('others')
    await tenant.runNow('others')
    expect(indexesOf(tenant, 'others')).toEqual([['"_S.v"', 'ready']])
  })

  it('are checked when they are deployed, with the place of each mistake', async () => {
    const tenant = await openTenant()
    const sink = (indexes: unknown) => receiver('people', { sink: { type: 'dataset', dataset: 'people', indexes } })
    const found = await problemsOf(
      tenant,
      sink(['_S.v', ['uuid'], ['lookup-entity', 'd', '_S.id'], ['eq', '_S.a', '_T.b']]),
    )
    expect(found).toHaveLength(3)
    expect(found[0]).toMatch(
      /^error \/sink\/indexes\/1: 'uuid' cannot be used in an index expression: it depends on chance/,
    )
    expect(found[1]).toMatch(/^error \/sink\/indexes\/2: 'lookup-entity' cannot be used/)
    expect(found[2]).toMatch(/^error \/sink\/indexes\/3: An index expression sees nothing but _S/)
    expect(await problemsOf(tenant, sink('ids'))).toEqual([
      'error /sink/indexes: "indexes" must be "$ids" or a list of expressions.',
    ])
    expect(await problemsOf(tenant, sink('$ids'))).toEqual([])
    expect(await problemsOf(tenant, sink(['v']))).toEqual([
      'warning /sink/indexes/0: The index expression reads nothing of the entity: it gives the same for all.',
    ])
  })
})

describe('a dataset source with a subset', () => {
  const subset = ['eq', '_S.type', 'person']

  it('reads what is in it, and marks deleted what left it', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('all'), copy('people', { dataset: 'all', subset }))
    await push(tenant, 'all', [
      { _id: 'a', type: 'person', v: 1 },
      { _id: 'b', type: ['dog', 'person'] },
      { _id: 'c', type: 'dog' },
      { _id: 'd', type: 'dog', _deleted: true },
    ])
    expect(await tenant.runNow('people')).toMatchObject({ outcome: 'completed', read: 2, syncType: 'full' })
    expect((await live(tenant, 'people')).map(({ _id }) => _id)).toEqual(['a', 'b'])
    await push(tenant, 'all', [
      { _id: 'a', type: 'cat', v: 2 },
      { _id: 'c', type: 'cat' },
      { _id: 'e', type: 'person' },
    ])
    expect(await tenant.runNow('people')).toMatchObject({ outcome: 'completed', read: 2, syncType: 'incremental' })
    const people = await stored(tenant, 'people')
    expect(people.map(({ _id, _deleted }) => [_id, _deleted])).toEqual([
      ['b', false],
      ['a', true],
      ['e', false],
    ])
    // What was never in it is not there, deleted or not.
    expect(people.some(({ _id }) => _id === 'c' || _id === 'd')).toBe(false)
    await push(tenant, 'all', [
      { _id: 'e', type: 'person', _deleted: true },
      { _id: 'a', type: 'person' },
    ])
    await tenant.runNow('people')
    expect((await live(tenant, 'people')).map(({ _id }) => _id)).toEqual(['a', 'b'])
    expect(await tenant.runNow('people')).toMatchObject({ read: 0, changes: 0 })
    expect(JSON.parse(tenant.pipe('people') as string).runtime.queues.source).toBe(0)
  })

  it('gives every version that was in it with include_previous_versions', async () => {
    const tenant = await openTenant()
    const source = { dataset: 'all', subset, include_previous_versions: true }
    const compaction = { sink: false, automatic: false }
    await deploy(tenant, receiver('all', { compaction }), copy('people', source, { compaction }))
    const versions = [
      ['person', 1],
      ['person', 2],
      ['dog', 3],
      ['dog', 4],
      ['person', 5],
    ]
    for (const [type, v] of versions) await push(tenant, 'all', [{ _id: 'a', type, v }])
    await tenant.runNow('people')
    const people = await stored(tenant, 'people', true)
    expect(people.map(({ v, _deleted }) => [v, _deleted])).toEqual([
      [1, false],
      [2, false],
      [3, true],
      [5, false],
    ])
  })

  it('leaves out what is replaced when told so', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('all'), copy('people', { dataset: 'all', subset, include_replaced: false }))
    await push(tenant, 'all', [
      { _id: 'a', type: 'person', $replaced: true },
      { _id: 'b', type: 'person' },
    ])
    await tenant.runNow('people')
    expect((await live(tenant, 'people')).map(({ _id }) => _id)).toEqual(['b'])
  })

  it('takes its namespaces from the pipe', async () => {
    const tenant = await openTenant()
    const people = copy('people', { dataset: 'all', subset }, { namespaced_identifiers: true })
    await deploy(tenant, receiver('all'), people)
    await push(tenant, 'all', [
      { _id: 'x:a', 'x:type': 'person' },
      { _id: 'x:b', 'x:type': 'dog' },
    ])
    await tenant.runNow('people')
    expect((await live(tenant, 'people')).map(({ _id }) => _id)).toEqual(['x:a'])
    const read: string[] = []
    for await (const page of tenant.pipeEntities('people', { stage: 'source' }, new AbortController().signal))
      read.push(...page)
    expect(read.length).toBe(1)
  })

  it('reads nothing of a dataset that is not there, and says where a subset is wrong', async () => {
    const tenant = await openTenant()
    await deploy(tenant, copy('people', { dataset: 'nowhere', subset }))
    expect(await tenant.runNow('people')).toMatchObject({ outcome: 'completed', read: 0 })
    expect(
      await problemsOf(
        tenant,
        receiver('all'),
        copy('p', { dataset: 'all', subset: ['eq', '_S.type', ['ni', 'a', 'b']] }),
      ),
    ).toEqual(['error /source/subset/2: The right side of a subset must be a literal.'])
    expect(await problemsOf(tenant, receiver('all'), copy('p', { dataset: 'all', subset: 'people' }))).toEqual([
      'error /source/subset: A subset must have the form ["eq", expression, literal].',
    ])
  })

  it('reads by batches over many snapshots what a small one of a great dataset holds', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('all'), copy('people', { dataset: 'all', subset }, { batch_size: 10 }))
    const many = Array.from({ length: 3_000 }, (_, i) => ({
      _id: `e${i}`,
      type: i % 50 === 0 ? 'person' : 'dog',
      v: 1,
    }))
    await push(tenant, 'all', many)
    expect(await tenant.runNow('people')).toMatchObject({ read: 60 })
    await push(
      tenant,
      'all',
      many.map((one) => ({ ...one, type: one.type === 'person' ? 'dog' : 'person' })),
    )
    expect(await tenant.runNow('people')).toMatchObject({ read: 3_000 })
    expect((await live(tenant, 'people')).length).toBe(2_940)
    await push(
      tenant,
      'all',
      many.filter((_, i) => i % 100 === 0),
    )
    expect(await tenant.runNow('people')).toMatchObject({ read: 30 })
    expect((await live(tenant, 'people')).length).toBe(2_970)
  })
})
