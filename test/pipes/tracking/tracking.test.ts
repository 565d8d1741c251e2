/** What dependency tracking does, and how little: counted in changes, rows of indexes and source entities. */

import { describe, expect, it } from 'vitest'
import { sourceOffset } from '../../../src/pipes/full-run.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { trackingOffset } from '../../../src/pipes/tracking/offsets.ts'
import { openedLog } from '../../log/sample.ts'
import { pipeOf } from '../running-pipe.ts'
import { type Json, World } from './world.ts'

const range = (count: number, make: (n: number) => Json): Json[] => Array.from({ length: count }, (_, n) => make(n))
const hop = (...specs: object[]) => ['add', 'r', ['hops', ...specs]]
const company = { datasets: ['company c'], where: ['eq', '_S.company', 'c._id'], return: 'c.name' }

async function opened(...datasets: string[]): Promise<World> {
  const world = new World(await openedLog())
  await world.make('person', 'company', 'country', 'out', ...datasets)
  return world
}

const pipe = (more: object = {}, ...transforms: unknown[]): Pipe =>
  pipeOf({
    _id: 'out',
    source: { type: 'dataset', dataset: 'person' },
    transform: { type: 'dtl', rules: { default: transforms.length === 0 ? [hop(company)] : transforms } },
    batch_size: 100,
    ...more,
  })

/** Persons in companies of ten, companies in countries of twenty. */
async function peopled(count: number): Promise<World> {
  const world = await opened()
  await world.put(
    'person',
    ...range(count, (n) => ({ _id: `p${n}`, company: `c${n % (count / 10)}`, boss: `p${Math.floor(n / 10)}`, n })),
  )
  await world.put(
    'company',
    ...range(count / 10, (n) => ({
      _id: `c${n}`,
      name: `C${n}`,
      country: `n${n % (count / 200)}`,
      parent: `c${Math.floor(n / 5)}`,
    })),
  )
  await world.put('country', ...range(count / 200, (n) => ({ _id: `n${n}`, name: `N${n}` })))
  return world
}

describe('one changed entity among many', () => {
  const country = {
    datasets: ['company c', 'country n'],
    where: [
      ['eq', '_S.company', 'c._id'],
      ['eq', 'c.country', 'n._id'],
    ],
    return: 'n.name',
  }
  const COUNT = 2_000
  const shapes: readonly (readonly [string, unknown[], string, Json, { found: number; rows: number }])[] = [
    ['a join', [hop(company)], 'company', { _id: 'c7', name: 'new', country: 'n7' }, { found: 10, rows: 10 }],
    ['two aliases', [hop(country)], 'country', { _id: 'n7', name: 'new' }, { found: 200, rows: 220 }],
    [
      'two aliases, from the middle',
      [hop(country)],
      'company',
      { _id: 'c7', name: 'new', country: 'n7' },
      { found: 10, rows: 10 },
    ],
    [
      'joins in another order',
      [hop({ ...country, where: [...country.where].reverse(), datasets: ['country n', 'company c'] })],
      'country',
      { _id: 'n7', name: 'new' },
      { found: 200, rows: 220 },
    ],
    [
      'chained specs',
      [
        hop(
          { datasets: company.datasets, where: company.where },
          { datasets: ['country n'], where: ['eq', '_S.country', 'n._id'] },
        ),
      ],
      'country',
      { _id: 'n7', name: 'new' },
      { found: 200, rows: 220 },
    ],
    [
      'an expression on both sides',
      [hop({ ...company, where: ['eq', ['concat', 'C', ['substring', 1, '_S.company']], ['upper', 'c._id']] })],
      'company',
      { _id: 'c7', name: 'new', country: 'n7' },
      { found: 10, rows: 10 },
    ],
    [
      'a subset',
      [hop({ ...company, subsets: { c: ['eq', '_S.country', 'n7'] } })],
      'company',
      { _id: 'c7', name: 'new', country: 'n7' },
      { found: 10, rows: 10 },
    ],
    [
      'tuples',
      [hop({ ...company, where: ['eq', ['tuples', '_S.company', '_S.n'], ['tuples', 'c._id', 'c.n']] })],
      'company',
      { _id: 'c7', name: 'new', n: 7 },
      { found: 1, rows: 1 },
    ],
    [
      'a recursion',
      [hop({ datasets: ['person b'], where: ['eq', '_S.boss', 'b._id'], recurse: true })],
      'person',
      { _id: 'p1999', company: 'c1', boss: 'p199' },
      { found: 0, rows: 0 },
    ],
  ]
  for (const [shape, transforms, dataset, changed, { found, rows }] of shapes) {
    it(`touches only its dependants: ${shape}`, async () => {
      const world = await peopled(COUNT)
      const one = pipe({}, ...transforms)
      await world.run(one)
      await world.put(dataset, changed)
      const { tracking } = await world.run(one)
      expect(tracking).toMatchObject({ changes: 1, found, again: found })
      expect(tracking.rows).toBe(rows)
      expect(await world.run(one)).toMatchObject({ tracking: { changes: 0, rows: 0, found: 0, again: 0 } })
    })
  }
})

describe('tracking', () => {
  it('runs again who is left and who is joined, when an entity moves', async () => {
    const world = await opened()
    await world.put('person', { _id: 'p1', key: 'a' }, { _id: 'p2', key: 'b' }, { _id: 'p3', key: 'x' })
    await world.put('company', { _id: 'c', key: 'a', name: 'C' })
    const one = pipe({}, hop({ ...company, where: ['eq', '_S.key', 'c.key'] }))
    await world.run(one)
    expect(world.live('out')).toEqual(['{"_id":"p1","r":["C"]}', '{"_id":"p2","r":[]}', '{"_id":"p3","r":[]}'])
    await world.put('company', { _id: 'c', key: 'z', name: 'C' })
    await world.put('company', { _id: 'c', key: 'b', name: 'C' })
    expect(await world.run(one)).toMatchObject({ tracking: { changes: 2, found: 2, again: 2 }, changes: 2 })
    expect(world.live('out')).toEqual(['{"_id":"p1","r":[]}', '{"_id":"p2","r":["C"]}', '{"_id":"p3","r":[]}'])
    await world.put('company', { _id: 'c', _deleted: true })
    await world.run(one)
    expect(world.live('out')).toEqual(['{"_id":"p1","r":[]}', '{"_id":"p2","r":[]}', '{"_id":"p3","r":[]}'])
  })

  it('leaves what is newer than the offset to the normal read', async () => {
    const world = await peopled(200)
    const one = pipe()
    await world.run(one)
    await world.put('person', { _id: 'p0', company: 'c0', n: -1 })
    await world.put('company', { _id: 'c0', name: 'new' })
    expect(await world.run(one)).toMatchObject({ read: 1, tracking: { changes: 1, rows: 10, found: 9, again: 9 } })
  })

  it('is switched off by track-dependencies, for that spec alone', async () => {
    const world = await peopled(200)
    const untracked = hop({ ...company, 'track-dependencies': false })
    expect(pipe({}, untracked).tracking).toBeNull()
    const both = pipe({}, untracked, ['add', 'o', ['hops', { datasets: ['country n'], where: ['eq', '_S.n', 'n.n'] }]])
    expect(both.tracking?.datasets).toEqual(['country'])
    await world.run(both)
    await world.put('company', { _id: 'c0', name: 'new' })
    expect(await world.run(both)).toMatchObject({ tracking: { changes: 0 } })
  })

  it('begins with the first full run, and begins anew with each, at what there was when that began', async () => {
    const world = await peopled(200)
    const one = pipe()
    expect(world.offset(trackingOffset('out', 'company'))).toBeUndefined()
    expect(await world.run(one)).toMatchObject({ syncType: 'full', tracking: { changes: 0 } })
    expect(world.offset(trackingOffset('out', 'company'))).toBe('19')
    await world.put('company', { _id: 'c0', name: 'new' })
    expect(await world.run(one, { kind: 'rescan', commits: 1 })).toMatchObject({ outcome: 'failed' })
    expect(world.offset(trackingOffset('out', 'company'))).toBe('19')
    expect(await world.run(one, { kind: 'rescan' })).toMatchObject({ tracking: { changes: 0 } })
    expect(world.offset(trackingOffset('out', 'company'))).toBe('20')
  })

  it('of a full run that was interrupted counts from where that began, not from where it went on', async () => {
    const world = await peopled(200)
    const full = pipe({ batch_size: 20, sink: { type: 'dataset', dataset: 'out', bitset_commit_interval: 20 } })
    await world.run(full)
    const begun = world.offset(trackingOffset('out', 'company'))
    await world.put('company', { _id: 'c3', name: 'before', country: 'n0' })
    expect(await world.run(full, { kind: 'rescan', commits: 8 })).toMatchObject({ outcome: 'failed' })
    // Until it is complete what had changed before stays to be followed.
    expect(world.offset(trackingOffset('out', 'company'))).toBe(begun)
    // `p3` was made again before this, and is not come to once more.
    await world.put('company', { _id: 'c3', name: 'after', country: 'n0' })
    const resumed = await world.run(full)
    expect(resumed).toMatchObject({ outcome: 'completed', syncType: 'full' })
    expect(resumed.read).toBeLessThan(200)
    expect(world.offset(trackingOffset('out', 'company'))).toBe(String(Number(begun) + 1))
    expect(await world.run(full)).toMatchObject({ syncType: 'incremental', tracking: { changes: 1, again: 10 } })
    expect(world.live('out').filter((text) => text.includes('after'))).toHaveLength(10)
  })

  it('goes on where its offset was saved when it is killed, however many pages there were', async () => {
    for (let commits = 0; commits < 6; commits++) {
      const world = await peopled(400)
      const one = pipe({ batch_size: 3 })
      await world.run(one)
      await world.put('company', ...range(2, (n) => ({ _id: `c${n}`, name: `new ${n}` })))
      await world.run(one, { commits })
      await world.run(one)
      expect(world.live('out').filter((text) => text.includes('new'))).toHaveLength(20)
    }
  })

  it('takes back what was tracked when its program hops to something else', async () => {
    const world = await peopled(200)
    await world.run(pipe())
    await world.run(pipe({}, hop({ datasets: ['country n'], where: ['eq', '_S.n', 'n.n'] })))
    expect(world.offset(trackingOffset('out', 'company'))).toBeUndefined()
    expect(world.offset(trackingOffset('out', 'country'))).toBe('0')
    await world.run(pipe({}, ['copy', '*']))
    expect(world.offset(trackingOffset('out', 'country'))).toBeUndefined()
    expect(world.offset(sourceOffset('out'))).toBe('199')
  })

  it('takes all of a dataset that was made again for changed', async () => {
    const log = await openedLog()
    const world = new World(log)
    await world.make('person', 'company', 'out')
    await world.put('person', { _id: 'p1', company: 'c1' }, { _id: 'p2', company: 'c2' })
    await world.put('company', ...range(9, (n) => ({ _id: `c${n}`, name: 'old' })))
    await world.run(pipe())
    await log.writer.deleteDataset('company')
    await world.make('company')
    await world.put('company', { _id: 'c1', name: 'new' })
    expect(await world.run(pipe())).toMatchObject({ tracking: { changes: 1, found: 1 } })
    expect(world.live('out')).toEqual(['{"_id":"p1","r":["new"]}', '{"_id":"p2","r":["old"]}'])
  })

  it('names a value that very many depend on, and runs them again in pages', async () => {
    const world = await opened()
    for (let n = 0; n < 12; n++) {
      await world.put('person', ...range(1_000, (i) => ({ _id: `p${1_000 * n + i}`, company: 'c1' })))
    }
    await world.put('company', { _id: 'c1', name: 'old' })
    const one = pipe({ batch_size: 5_000 })
    await world.run(one)
    await world.put('company', { _id: 'c1', name: 'new' })
    expect(await world.run(one)).toMatchObject({
      outcome: 'completed',
      changes: 12_000,
      tracking: { found: 12_000, hot: [{ dataset: 'company', entity: 'c1', value: '"c1"', found: 12_000 }] },
    })
  })
})

describe('a threshold', () => {
  const limited = (dependency_tracking: object, more: object = {}) => pipe({ dependency_tracking, ...more })

  it('is none by default, and fails the pump where it is configured, by name', async () => {
    const world = await peopled(200)
    await world.run(limited({ dependency_error_threshold: 9 }))
    await world.put('company', { _id: 'c0', name: 'new' })
    const report = await world.run(limited({ dependency_error_threshold: 9 }))
    expect(report).toMatchObject({ outcome: 'failed', code: 'dependency-threshold' })
    expect(report.message).toContain(
      '10 source entities to run again: more than dependency_tracking.dependency_error_threshold',
    )
    const heavy = await world.run(limited({ dependency_error_threshold_total_bytes: 50 }))
    expect(heavy.message).toContain('dependency_error_threshold_total_bytes')
    expect(await world.run(limited({ dependency_error_threshold: 10 }))).toMatchObject({
      outcome: 'completed',
      changes: 10,
    })
  })

  it('lets a pipe that resets itself read all again', async () => {
    const world = await peopled(200)
    const one = limited({ dependency_error_threshold: 9 }, { reprocessing_policy: 'automatic' })
    await world.run(one)
    await world.put('company', { _id: 'c0', name: 'new' })
    const report = await world.run(one)
    expect(report).toMatchObject({ outcome: 'completed', syncType: 'full', read: 200, changes: 10 })
    expect(report.tracking.reset).toContain('dependency_error_threshold')
    expect(await world.run(one)).toMatchObject({ syncType: 'incremental', tracking: { changes: 0, reset: null } })
  })

  it('of changes that wait lets a pipe that is too far behind read all again, and say so', async () => {
    const world = await peopled(200)
    const one = limited({ dependency_reset_threshold: 2 })
    await world.run(one)
    await world.put('company', ...range(2, (n) => ({ _id: `c${n}`, name: 'new' })))
    expect(await world.run(one)).toMatchObject({ syncType: 'incremental', changes: 20, tracking: { reset: null } })
    await world.put('company', ...range(3, (n) => ({ _id: `c${n}`, name: 'newer' })))
    const report = await world.run(one)
    expect(report).toMatchObject({ syncType: 'full', read: 200, changes: 30 })
    expect(report.tracking.reset).toContain('3 changes')
    expect(await world.run(one)).toMatchObject({ syncType: 'incremental', tracking: { changes: 0 } })
  })
})
