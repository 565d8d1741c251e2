import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { sourceOffset } from '../../src/pipes/full-run.ts'
import { deploy, live, openTenant, push, receiver, stored } from './running-hub.ts'

const reader = (source: object, more: object = {}) => ({
  _id: 'out',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'in', ...source },
  pump: { mode: 'manual' },
  ...more,
})
const say = (tenant: HubTenant, id: string, value: number, entities: object[] = []) =>
  push(tenant, id, entities, { completeness: value })
const ids = async (tenant: HubTenant) => (await live(tenant, 'out')).map(({ _id }) => _id)
const offset = (tenant: HubTenant) => {
  const snapshot = tenant.snapshot()
  try {
    return snapshot.offset(sourceOffset('out'))
  } finally {
    snapshot.close()
  }
}
const timeOf = async (tenant: HubTenant, id: string, dataset = 'in') =>
  (await stored(tenant, dataset)).find(({ _id }) => _id === id)?._ts as number
/** Written at least a millisecond after all before. */
async function later(tenant: HubTenant, entities: object[], value = 1): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 3))
  await say(tenant, 'in', value, entities)
}

describe('completeness of a source', () => {
  it('true lets through what was written up to the value of the dataset, and holds the offset with the rest', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), reader({ completeness: true }))
    expect(await tenant.runNow('out')).toMatchObject({
      outcome: 'waiting',
      code: 'waits-for-completeness',
      message: expect.stringContaining("'in'"),
    })
    for (const id of ['1', '2', '3']) await later(tenant, [{ _id: id }])
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual([])
    await say(tenant, 'in', await timeOf(tenant, '2'))
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual(['1', '2'])
    expect(offset(tenant)).toBe('1')
    // The value goes back: what came stays, and nothing comes twice.
    await say(tenant, 'in', 1)
    await later(tenant, [{ _id: '4' }])
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', read: 0 })
    await say(tenant, 'in', await timeOf(tenant, '4'))
    expect(await tenant.runNow('out')).toMatchObject({ read: 2, changes: 2 })
    expect(await ids(tenant)).toEqual(['1', '2', '3', '4'])
  })

  it('lets an entity that changes all the time through as it was then, and its dataset claims no more than that', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), reader({ completeness: true }))
    await later(tenant, [{ _id: 'hot', v: 1 }])
    await later(tenant, [{ _id: 'hot', v: 2 }, { _id: 'cold' }])
    const then = await timeOf(tenant, 'cold')
    await later(tenant, [{ _id: 'hot', v: 3 }], then)
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([{ _id: 'cold' }, { _id: 'hot', v: 2 }])
    expect(JSON.parse(tenant.dataset('out') as string).runtime).toMatchObject({
      completeness: then,
      'upstream-completeness': { in: then },
    })
    await say(tenant, 'in', await timeOf(tenant, 'hot'))
    expect(await tenant.runNow('out')).toMatchObject({ read: 1 })
    expect(await live(tenant, 'out')).toEqual([{ _id: 'cold' }, { _id: 'hot', v: 3 }])
  })

  it('a list lets through up to the smallest value, as the dataset that is read knows it', async () => {
    const tenant = await openTenant()
    const merged = {
      _id: 'in',
      type: 'pipe',
      source: { type: 'dataset', dataset: 'a' },
      transform: {
        type: 'dtl',
        rules: {
          default: [
            ['copy', '*'],
            ['add', 'b', ['hops', { datasets: ['b x'], where: ['eq', '_S._id', 'x._id'], return: 'x._id' }]],
          ],
        },
      },
      pump: { mode: 'manual' },
    }
    const far = (Date.now() + 1e9) * 1000
    await deploy(tenant, receiver('a'), receiver('b'), merged, reader({ completeness: ['a', 'b'] }))
    await say(tenant, 'a', far, [{ _id: '1' }])
    await say(tenant, 'b', 5)
    await tenant.runNow('in')
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual([])
    await say(tenant, 'b', far)
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual([])
    await tenant.runNow('in')
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual(['1'])
  })

  it('an expression is evaluated before each run; what is no datetime lets nothing through, and deletes nothing', async () => {
    const tenant = await openTenant()
    const by = (expression: unknown) => reader({ completeness: { expression } })
    await deploy(tenant, receiver('in'), by(['now']))
    await push(tenant, 'in', [{ _id: '1' }])
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual(['1'])
    await deploy(tenant, receiver('in'), by('soon'))
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'waiting', message: expect.stringContaining('1970') })
    expect(await ids(tenant)).toEqual(['1'])
    await deploy(tenant, receiver('in'), by(['datetime-plus', 'day', -1, ['completeness', 'in', 'in']]))
    await later(tenant, [{ _id: '2' }], Date.now() * 1000)
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '0' })
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual(['1'])
    await say(tenant, 'in', (Date.now() + 2 * 86_400_000) * 1000)
    await tenant.runNow('out')
    expect(await ids(tenant)).toEqual(['1', '2'])
  })

  it('holds back in subsets and in previews, and all versions where they are asked for', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), reader({ completeness: true, subset: ['eq', '_S.k', 'x'] }), {
      ...reader({ completeness: true, include_previous_versions: true }),
      _id: 'all',
    })
    await later(tenant, [{ _id: '1', k: 'x', v: 1 }])
    await later(tenant, [
      { _id: '1', k: 'x', v: 2 },
      { _id: '2', k: 'x' },
    ])
    await later(tenant, [{ _id: '3', k: 'x' }], await timeOf(tenant, '2'))
    for (const id of ['out', 'all']) await tenant.runNow(id)
    expect(await ids(tenant)).toEqual(['1', '2'])
    expect((await stored(tenant, 'all', true)).map(({ _id, v }) => `${_id} ${v}`)).toEqual([
      '1 1',
      '1 2',
      '2 undefined',
    ])
    const query = { stage: 'sink' } as const
    let seen = ''
    for await (const part of tenant.pipeEntities('out', query, new AbortController().signal)) seen += part.join('')
    expect(seen).not.toContain('"_id":"3"')
  })

  it('waits for first values with initial_completeness, and for nothing more', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), receiver('b'), reader({ initial_completeness: ['in', 'b'] }), {
      ...reader({}),
      _id: 'b2',
      source: { type: 'dataset', dataset: 'b' },
    })
    await push(tenant, 'in', [{ _id: '1' }])
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'waiting', message: expect.stringContaining("'b'") })
    expect(await ids(tenant)).toEqual([])
  })

  it('is checked: its form, its expression, and what a rescan would delete', async () => {
    const tenant = await openTenant()
    const problems = async (source: object, more: object = {}) =>
      (await tenant.replaceConfig(JSON.stringify([receiver('in'), reader(source, more)]), true)).filter(
        ({ component }) => component === 'out',
      )
    expect(await problems({ completeness: true })).toMatchObject([
      {
        level: 'warning',
        pointer: '/source/completeness',
        message: expect.stringContaining('deletes'),
        hint: expect.stringContaining('"deletion_tracking": false'),
      },
    ])
    const sink = { sink: { type: 'dataset', dataset: 'out', deletion_tracking: false } }
    expect(await problems({ completeness: true }, sink)).toEqual([])
    expect(await problems({ completeness: false, initial_completeness: ['in'] })).toEqual([])
    for (const completeness of ['yes', [], [1], {}]) {
      expect(await problems({ completeness })).toMatchObject([
        { level: 'error', pointer: '/source/completeness', hint: expect.stringContaining('"expression"') },
      ])
    }
    expect(await problems({ completeness: { expression: ['nou'] } })).toMatchObject([
      { level: 'error', pointer: '/source/completeness/expression', message: expect.stringContaining("'nou'") },
    ])
    const misspelt = { completeness: ['in', 'inn'], initial_completeness: ['im'] }
    expect(await problems(misspelt, { ...sink, exclude_completeness: ['nothing'] })).toMatchObject([
      { level: 'warning', pointer: '/source/initial_completeness/0', hint: expect.stringContaining("'in'") },
      { level: 'warning', pointer: '/source/completeness/1', message: expect.stringContaining("'inn'") },
      { level: 'warning', pointer: '/exclude_completeness/0' },
    ])
    const hops = ['hops', { datasets: ['in x'], where: ['eq', '_S._id', 'x._id'], return: 'x._id' }]
    expect(await problems({ completeness: { expression: hops } })).toContainEqual(
      expect.objectContaining({ level: 'error', pointer: '/source/completeness/expression' }),
    )
  })

  it('gives each entity once, and nothing early, whatever becomes of the value', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), reader({ completeness: true }, { batch_size: 2 }))
    let all = 0
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 3 }) }),
      // A place among all that was written, before and after it.
      fc.record({ kind: fc.constant('value' as const), at: fc.double({ min: -0.1, max: 1.1, noNaN: true }) }),
      fc.record({ kind: fc.constant('run' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const times = async () => (await stored(tenant, 'in')).map(({ _id, _ts }) => [_id, _ts as number] as const)
        let value = 1
        for (const one of steps) {
          if (one.kind === 'write') {
            const entities = Array.from({ length: one.count }, () => ({ _id: `e${String(++all).padStart(5, '0')}` }))
            await later(tenant, entities, value)
          } else if (one.kind === 'value') {
            const written = (await times()).map(([, ts]) => ts)
            const first = written[0] ?? 0
            value = Math.max(1, Math.round(first + one.at * ((written.at(-1) ?? 0) - first)))
            await say(tenant, 'in', value)
          } else {
            const before = new Set((await stored(tenant, 'out')).map(({ _id }) => _id))
            await tenant.runNow('out')
            const due = (await times()).filter(([id, ts]) => ts <= value || before.has(id)).map(([id]) => id)
            expect(await ids(tenant)).toEqual(due.sort())
          }
        }
        await say(tenant, 'in', (Date.now() + 1e6) * 1000)
        await tenant.runNow('out')
        const versions = await stored(tenant, 'out', true)
        expect(versions.map(({ _id }) => _id).sort()).toEqual((await times()).map(([id]) => id).sort())
        await say(tenant, 'in', 1)
      }),
      { numRuns: 10 },
    )
  })
})
