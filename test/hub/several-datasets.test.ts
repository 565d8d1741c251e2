import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openTenant, push, receiver } from './running-hub.ts'

const pipe = (id: string, source: object, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source,
  pump: { mode: 'manual' },
  ...more,
})

const problemsOf = async (tenant: HubTenant, ...components: object[]) =>
  (await tenant.replaceConfig(JSON.stringify(components), true)).map(
    ({ level, pointer, message }) => `${level} ${pointer}: ${message}`,
  )

const idsOf = async (tenant: HubTenant, dataset: string) => (await live(tenant, dataset)).map(({ _id }) => _id)

const MERGE = { type: 'merge', version: 2, datasets: ['a a', 'b b'], equality: [['eq', 'a.k', 'b.k']] }

async function twoDatasets(...pipes: object[]): Promise<HubTenant> {
  const tenant = await openTenant()
  await deploy(tenant, receiver('a'), receiver('b'), ...pipes)
  await push(tenant, 'a', [
    { _id: '1', k: 'x' },
    { _id: '2', k: 'y' },
  ])
  await push(tenant, 'b', [{ _id: '1', k: 'x' }])
  return tenant
}

describe('pipes over several datasets', () => {
  it('write their union', async () => {
    const tenant = await twoDatasets(pipe('u', { type: 'union_datasets', datasets: ['a', 'b'] }))
    await tenant.runNow('u')
    expect(await idsOf(tenant, 'u')).toEqual(['a:1', 'a:2', 'b:1'])
    await push(tenant, 'a', [{ _id: '2', _deleted: true }])
    await tenant.runNow('u')
    expect(await idsOf(tenant, 'u')).toEqual(['a:1', 'b:1'])
  })

  it('write what is newest of each id, or all of it', async () => {
    const tenant = await twoDatasets(
      pipe('latest', { type: 'merge_datasets', datasets: ['a', 'b'] }),
      pipe('all', { type: 'merge_datasets', datasets: ['a', 'b'], strategy: 'all' }),
    )
    await push(tenant, 'b', [{ _id: '2', k: 'z' }])
    for (const id of ['latest', 'all']) await tenant.runNow(id)
    expect(await live(tenant, 'latest')).toEqual([
      { _id: '1', k: 'x' },
      { _id: '2', k: 'z' },
    ])
    expect(await live(tenant, 'all')).toMatchObject([{ _id: '1' }, { _id: '2', a: { k: 'y' }, b: { k: 'z' } }])
  })

  it('write what differs, and take it back when it does not any more', async () => {
    const tenant = await twoDatasets(pipe('d', { type: 'diff_datasets', datasets: ['a', 'b'], whitelist: ['k'] }))
    await push(tenant, 'b', [{ _id: '1', k: 'other' }])
    await tenant.runNow('d')
    expect((await live(tenant, 'd')).map(({ _id, $diff }) => [_id, $diff])).toEqual([
      ['1', { k: { a: 'x', b: 'other' } }],
      ['2', { _deleted: { a: false }, k: { a: 'y' } }],
    ])
    await push(tenant, 'b', [{ _id: '1', k: 'x' }])
    await tenant.runNow('d')
    expect(await idsOf(tenant, 'd')).toEqual(['2'])
  })

  it('are populated when their datasets are, or those they name', async () => {
    const isPopulated = (tenant: HubTenant, dataset: string): boolean => {
      const snapshot = tenant.snapshot()
      try {
        return snapshot.dataset(dataset)?.document.populated ?? false
      } finally {
        snapshot.close()
      }
    }
    const late = pipe('late', { type: 'embedded', entities: [] })
    const union = (id: string, more: object) => pipe(id, { type: 'union_datasets', datasets: ['a', 'late'], ...more })
    const waiting = union('waits', { require_populated_input: true })
    const tenant = await twoDatasets(late, union('u', {}), union('i', { initial_datasets: ['a'] }), waiting)
    for (const id of ['u', 'i', 'waits']) await tenant.runNow(id)
    expect(['u', 'i', 'waits'].map((id) => isPopulated(tenant, id))).toEqual([false, true, false])
    expect(await idsOf(tenant, 'waits')).toEqual([])
    for (const id of ['late', 'u', 'waits']) await tenant.runNow(id)
    expect(['u', 'waits'].map((id) => isPopulated(tenant, id))).toEqual([true, true])
    expect(await idsOf(tenant, 'waits')).toEqual(['a:1', 'a:2'])
  })

  it('fail on nothing where that is asked for, and then delete nothing', async () => {
    const source = { type: 'union_datasets', datasets: ['a', 'b'], if_source_empty: 'fail' }
    const tenant = await openTenant()
    await deploy(tenant, receiver('a'), receiver('b'), pipe('u', source))
    const report = await tenant.runNow('u')
    expect(report).toMatchObject({ outcome: 'failed', code: 'source-empty' })
  })

  it('have their mistakes named with their places', async () => {
    const tenant = await openTenant()
    const problems = await problemsOf(
      tenant,
      receiver('a'),
      receiver('b'),
      pipe('u', { type: 'union_datasets', datasets: ['a', 'a'], initial_datasets: ['c'] }),
      pipe('m', { ...MERGE, equality: [['eq', 'a.k', 'c.k']] }),
      pipe('d', { type: 'diff_datasets', datasets: ['a', 'b'] }),
    )
    expect(problems.join('\n')).toContain("error /source/datasets/1: Dataset 'a' is named twice.")
    expect(problems.join('\n')).toContain('warning /source/initial_datasets/0')
    expect(problems.join('\n')).toContain('error /source/equality/0/2')
    expect(problems.join('\n')).toContain('warning /source/type: The source type diff_datasets is deprecated.')
  })
})

describe('a merge', () => {
  it('keeps minted ids when members come and go, and when it is read in full again', async () => {
    const tenant = await twoDatasets(pipe('m', { ...MERGE, identity: 'stable' }))
    await tenant.runNow('m')
    const before = await live(tenant, 'm')
    expect(before).toHaveLength(2)
    await push(tenant, 'b', [
      { _id: '1', _deleted: true },
      { _id: '9', k: 'x' },
    ])
    await tenant.runNow('m')
    expect(await idsOf(tenant, 'm')).toEqual(before.map(({ _id }) => _id))
    await tenant.operate('m', 'update-last-seen', { 'last-seen': '' })
    await tenant.runNow('m')
    expect(await idsOf(tenant, 'm')).toEqual(before.map(({ _id }) => _id))
  })

  it('follows other datasets without starting over', async () => {
    const tenant = await twoDatasets(pipe('m', MERGE))
    await deploy(tenant, receiver('a'), receiver('b'), receiver('c'), pipe('m', MERGE))
    await push(tenant, 'c', [{ _id: '7', k: 'y' }])
    await tenant.runNow('m')
    const more = { ...MERGE, datasets: ['a a', 'b b', 'c c'], equality: [...MERGE.equality, ['eq', 'a.k', 'c.k']] }
    await deploy(tenant, receiver('a'), receiver('b'), receiver('c'), pipe('m', more))
    const report = await tenant.runNow('m')
    // The class of two with its newcomer, and the delete of the one it was.
    expect([await idsOf(tenant, 'm'), report.read]).toEqual([['0|1|1|1', '0|2|2|7'], 2])
    await deploy(tenant, receiver('a'), receiver('b'), receiver('c'), pipe('m', MERGE))
    await tenant.runNow('m')
    expect(await idsOf(tenant, 'm')).toEqual(['0|1|1|1', '0|2'])
  })

  it('leaves apart what the node says is too much, unless it says otherwise itself', async () => {
    const tenant = await openTenant()
    const metadata = { _id: 'node', type: 'metadata', global_defaults: { max_merged: 1 } }
    await deploy(
      tenant,
      metadata,
      receiver('a'),
      receiver('b'),
      pipe('node-says', MERGE),
      pipe('own', { ...MERGE, max_merged: 0 }),
    )
    await push(tenant, 'a', [{ _id: '1', k: 'x' }])
    await push(tenant, 'b', [{ _id: '1', k: 'x' }])
    for (const id of ['node-says', 'own']) await tenant.runNow(id)
    expect(await idsOf(tenant, 'node-says')).toEqual(['0|1', '1|1'])
    expect(await idsOf(tenant, 'own')).toEqual(['0|1|1|1'])
  })

  it('stands in a conditional source as any other does', async () => {
    const chosen = (key: string) =>
      pipe('m', { type: 'conditional', condition: key, alternatives: { merged: MERGE, none: { type: 'empty' } } })
    const tenant = await twoDatasets(chosen('merged'))
    await tenant.runNow('m')
    expect(await idsOf(tenant, 'm')).toEqual(['0|1|1|1', '0|2'])
    const problems = await problemsOf(tenant, receiver('a'), receiver('b'), chosen('other'))
    expect(problems.filter((problem) => problem.startsWith('error'))).toEqual([
      expect.stringMatching(/^error \/source\/condition: The condition is 'other'/),
    ])
  })

  it('runs again what hops found in something that changed, and nothing else', async () => {
    const hop = ['first', ['hops', { datasets: ['c c'], where: ['eq', '_S.k', 'c._id'], return: 'c.name' }]]
    const transform = {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['add', 'name', hop],
        ],
      },
    }
    const tenant = await openTenant()
    const union = { type: 'union_datasets', datasets: ['a', 'b'] }
    await deploy(
      tenant,
      ...['a', 'b', 'c'].map((id) => receiver(id)),
      pipe('m', MERGE, { transform }),
      pipe('u', union, { transform }),
    )
    await push(tenant, 'a', [
      { _id: '1', k: 'x' },
      { _id: '2', k: 'y' },
    ])
    await push(tenant, 'b', [{ _id: '1', k: 'x' }])
    await push(tenant, 'c', [
      { _id: 'x', name: 'X' },
      { _id: 'y', name: 'Y' },
    ])
    for (const id of ['m', 'u']) await tenant.runNow(id)
    await push(tenant, 'c', [{ _id: 'x', name: 'changed' }])
    expect([(await tenant.runNow('m')).changes, (await tenant.runNow('u')).changes]).toEqual([1, 2])
    const names = async (dataset: string) => (await live(tenant, dataset)).map(({ _id, name }) => [_id, name])
    expect(await names('m')).toEqual([
      ['0|1|1|1', 'changed'],
      ['0|2', 'Y'],
    ])
    expect(await names('u')).toEqual([
      ['a:1', 'changed'],
      ['a:2', 'Y'],
      ['b:1', 'changed'],
    ])
  })
})
