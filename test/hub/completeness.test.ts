import { describe, expect, it } from 'vitest'
import { publicationOf } from '../../src/hub/publication.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openHub, openTenant, push, receiver, stored } from './running-hub.ts'

const runtime = (tenant: HubTenant, id: string) => JSON.parse(tenant.dataset(id) as string).runtime
const completeness = (tenant: HubTenant, id: string) => runtime(tenant, id).completeness
const upstream = (tenant: HubTenant, id: string) => runtime(tenant, id)['upstream-completeness']
const pipe = (id: string, source: object, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source,
  pump: { mode: 'manual' },
  ...more,
})
const copy = (id: string, dataset: string, more: object = {}) => pipe(id, { type: 'dataset', dataset }, more)
const hopsTo = (dataset: string) => ({
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '*'],
        ['add', 'found', ['hops', { datasets: [`${dataset} x`], where: ['eq', '_S._id', 'x._id'], return: 'x.v' }]],
      ],
    },
  },
})
const say = (tenant: HubTenant, id: string, value: number, entities: object[] = []) =>
  push(tenant, id, entities, { completeness: value })

describe('the completeness of a dataset', () => {
  it('that is sent to is what the sender says, or now, with all that was sent', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('a'))
    expect(completeness(tenant, 'a')).toBe(null)
    const before = Date.now() * 1000
    await push(tenant, 'a', [{ _id: '1' }])
    const [one] = await stored(tenant, 'a')
    expect(completeness(tenant, 'a')).toBeGreaterThanOrEqual(before)
    expect(completeness(tenant, 'a')).toBeGreaterThanOrEqual(one?._ts as number)
    await say(tenant, 'a', 17, [{ _id: '2' }])
    expect(completeness(tenant, 'a')).toBe(17)
  })

  it('that is read in from outside is now, also when nothing was new', async () => {
    const tenant = await openTenant()
    await deploy(tenant, pipe('a', { type: 'embedded', entities: [{ _id: '1' }] }))
    for (const changes of [1, 0]) {
      const before = Date.now() * 1000
      expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', changes })
      expect(completeness(tenant, 'a')).toBeGreaterThanOrEqual(before)
    }
  })

  it('is the smallest of all that its pipe reads and hops to, but for those it leaves out', async () => {
    const tenant = await openTenant()
    const both = { ...hopsTo('b') }
    const problems = await deploy(
      tenant,
      receiver('a'),
      receiver('b'),
      copy('all', 'a', both),
      copy('but-b', 'a', { ...both, exclude_completeness: ['b'] }),
      copy('only-b', 'a', { ...both, include_completeness: ['b'] }),
      copy('but-a', 'a', { ...both, include_completeness: ['a', 'b'], exclude_completeness: ['a'] }),
      copy('none', 'a', { ...both, exclude_completeness: ['a', 'b'] }),
    )
    expect(problems.filter(({ component }) => component === 'but-a')).toMatchObject([
      { level: 'warning', pointer: '/include_completeness/0', message: expect.stringContaining("'a'") },
    ])
    await say(tenant, 'a', 100)
    await say(tenant, 'b', 200)
    const ids = ['all', 'but-b', 'only-b', 'but-a']
    const values = async () => {
      for (const id of ids) await tenant.runNow(id)
      return ids.map((id) => completeness(tenant, id))
    }
    expect(await values()).toEqual([100, 100, 200, 200])
    await say(tenant, 'a', 300)
    expect(await values()).toEqual([200, 300, 200, 200])
    const before = Date.now() * 1000
    await tenant.runNow('none')
    expect(completeness(tenant, 'none')).toBeGreaterThanOrEqual(before)
  })

  it('is not known while one of these has none, and stays what it was', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('a'), receiver('b'), copy('c', 'a', hopsTo('b')))
    await say(tenant, 'a', 100)
    expect(await tenant.runNow('c')).toMatchObject({ outcome: 'completed' })
    expect(completeness(tenant, 'c')).toBe(null)
    expect(upstream(tenant, 'c')).toEqual({ a: 100 })
    await say(tenant, 'b', 50)
    await tenant.runNow('c')
    expect(completeness(tenant, 'c')).toBe(50)
    await tenant.deleteDataset('a')
    await deploy(tenant, receiver('a'), receiver('b'), copy('c', 'a', hopsTo('b')))
    await tenant.runNow('c')
    expect(completeness(tenant, 'c')).toBe(50)
  })

  it('comes with those of all datasets upstream, the smaller of two ways, and survives a restart', async () => {
    const { node, tenant, data } = await openHub()
    await deploy(
      tenant,
      receiver('a'),
      copy('b', 'a'),
      copy('c', 'a'),
      copy('d', 'b', hopsTo('c')),
      copy('e', 'd', {
        transform: {
          type: 'dtl',
          rules: {
            default: [
              ['add', 'near', ['completeness', 'd', 'd']],
              ['add', 'far', ['completeness', 'd', 'a']],
              ['add', 'unheard', ['completeness', 'b', 'c']],
              ['add', 'nowhere', ['completeness', 'x', 'a']],
            ],
          },
        },
      }),
    )
    await say(tenant, 'a', 100_000_000, [{ _id: '1' }])
    await tenant.runNow('b')
    await say(tenant, 'a', 200_000_000)
    await tenant.runNow('c')
    for (const id of ['d', 'e']) await tenant.runNow(id)
    expect(upstream(tenant, 'd')).toEqual({ a: 100_000_000, b: 100_000_000, c: 200_000_000 })
    expect(completeness(tenant, 'd')).toBe(100_000_000)
    const time = '~t1970-01-01T00:01:40Z'
    expect(await live(tenant, 'e')).toEqual([{ _id: '1', near: time, far: time, unheard: null, nowhere: null }])
    await node.close()
    const again = await openHub({ data })
    expect(upstream(again.tenant, 'd')).toEqual({ a: 100_000_000, b: 100_000_000, c: 200_000_000 })
    expect(completeness(again.tenant, 'e')).toBe(100_000_000)
  })

  it('stays what it was when a run fails, and is told by publishers with what their programs read', async () => {
    const tenant = await openTenant()
    const failing = { transform: { type: 'dtl', rules: { default: [['fail!', 'no']] } } }
    const published = { ...copy('p', 'a', hopsTo('b')), sink: { type: 'http_endpoint' } }
    const components = (more: object) => [receiver('a'), receiver('b'), copy('c', 'a', more), published]
    await deploy(tenant, ...components({}))
    await say(tenant, 'a', 100, [{ _id: '1' }])
    await say(tenant, 'b', 70)
    await tenant.runNow('c')
    await deploy(tenant, ...components(failing))
    await say(tenant, 'a', 200, [{ _id: '2' }])
    expect(await tenant.runNow('c')).toMatchObject({ outcome: 'failed' })
    expect(completeness(tenant, 'c')).toBe(100)
    const of = tenant.deployed('p')?.pipe
    if (!of) throw new Error('no pipe')
    const { headers } = publicationOf(tenant, of, 'entities', 'json', (async function* () {})())
    expect(headers).toMatchObject({ 'X-Dataset-Completeness': '70', 'X-Dataset-Max-Updated': '1' })
  })

  it('is not raised before what a circuit breaker held back is part of the dataset', async () => {
    const tenant = await openTenant()
    const guarded = (limit: number) =>
      copy('b', 'a', { sink: { type: 'dataset', dataset: 'b', circuit_breaker_threshold_count: limit } })
    await deploy(tenant, receiver('a'), guarded(2))
    await say(tenant, 'a', 100, [{ _id: '1' }])
    await tenant.runNow('b')
    await say(tenant, 'a', 200, [{ _id: '2' }])
    await tenant.runNow('b')
    expect(completeness(tenant, 'b')).toBe(200)
    await say(tenant, 'a', 300, [{ _id: '3' }, { _id: '4' }, { _id: '5' }])
    expect(await tenant.runNow('b')).toMatchObject({ code: 'breaker-tripped' })
    expect(completeness(tenant, 'b')).toBe(200)
    await tenant.decideBreaker('b', 'commit')
    expect(completeness(tenant, 'b')).toBe(200)
    await tenant.runNow('b')
    expect(completeness(tenant, 'b')).toBe(300)
    // A receiver says it with what it is sent: with that it is held back, and goes.
    const sink = { type: 'dataset', dataset: 'r', circuit_breaker_threshold_count: 1, set_initial_offset: 'onload' }
    await deploy(tenant, receiver('r', { sink }))
    await say(tenant, 'r', 10, [{ _id: '1' }])
    const two = [{ _id: '2' }, { _id: '3' }]
    await expect(say(tenant, 'r', 20, two)).rejects.toMatchObject({ code: 'breaker-tripped' })
    expect(completeness(tenant, 'r')).toBe(10)
    await tenant.decideBreaker('r', 'rollback')
    expect(completeness(tenant, 'r')).toBe(10)
    await expect(say(tenant, 'r', 20, two)).rejects.toMatchObject({ code: 'breaker-tripped' })
    await tenant.decideBreaker('r', 'commit')
    expect(completeness(tenant, 'r')).toBe(20)
  })
})
