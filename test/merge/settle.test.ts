import { describe, expect, test } from 'vitest'
import { harvestSome, placeIn } from '../../src/merge/harvest.ts'
import type { Side } from '../../src/merge/rules.ts'
import { ClassState } from '../../src/merge/state.ts'
import { get } from '../../src/model/dict.ts'
import { idOf, isDeleted } from '../../src/model/entity.ts'
import { MemoryStore, naively, World, type WorldOptions } from './world.ts'

const side = (input: number, expression: string): Side => ({ input, expression })
const byEmail = [[side(0, 'email'), side(1, 'email')]] as const

const world = (options: Partial<WorldOptions> = {}): World => new World({ datasets: 2, pairs: byEmail, ...options })

/** What the last run emitted: `id`, with `-` for deleted and `~` for replaced. */
function said(world: World): string[] {
  const all = world.emitted.map(
    (entity) => `${isDeleted(entity) ? '-' : ''}${get(entity, '$replaced') === true ? '~' : ''}${idOf(entity)}`,
  )
  world.emitted = []
  return all
}

function runs(world: World): string[] {
  world.run()
  return said(world)
}

describe('what a merge emits', () => {
  test('is one entity for a class, and the new id with a delete of the old one when it grows', () => {
    const here = world()
    here.put(0, 'a1', { email: ['x'] })
    expect(runs(here)).toEqual(['0|a1'])
    here.put(1, 'b1', { email: ['x'] })
    expect(runs(here)).toEqual(['0|a1|1|b1', '-~0|a1'])
    here.put(1, 'b1', { email: ['x'] })
    expect(runs(here)).toEqual(['0|a1|1|b1'])
  })

  test('is a class once a run, however often it was touched', () => {
    const here = world()
    for (let round = 0; round < 5; round++) {
      here.put(0, 'a1', { email: ['x'] })
      here.put(1, 'b1', { email: [round === 4 ? 'x' : `y${round}`] })
      here.page()
    }
    expect(runs(here)).toEqual(['0|a1|1|b1'])
  })

  test('touches nothing else', () => {
    const here = world()
    for (let i = 0; i < 50; i++) {
      here.put(0, `a${i}`, { email: [`x${i}`] })
      here.put(1, `b${i}`, { email: [`x${i}`] })
    }
    expect(runs(here)).toHaveLength(50)
    here.put(1, 'b7', { email: [] })
    expect(runs(here).sort()).toEqual(['-~0|a7|1|b7', '0|a7', '1|b7'])
  })

  test('is a deleted entity by itself, whether it was merged or never seen', () => {
    const here = world()
    here.put(0, 'a1', { email: ['x'] })
    here.put(1, 'b1', { email: ['x'] })
    here.run()
    said(here)
    here.remove(0, 'a1')
    here.remove(0, 'unknown')
    expect(runs(here).sort()).toEqual(['-0|a1', '-0|unknown', '-~0|a1|1|b1', '1|b1'])
    expect(get(here.beings.get('0:a1')?.entity as never, 'version')).toBe(2)
  })

  test('says that the id of a deleted first member was replaced', () => {
    const here = world({ identity: 'first' })
    here.put(0, 'a1', { email: ['x'] })
    here.put(1, 'b1', { email: ['x'] })
    here.put(1, 'b2', { email: [] })
    expect(runs(here)).toEqual(['a1', 'b2'])
    here.remove(0, 'a1')
    here.remove(1, 'b2')
    expect(runs(here).sort()).toEqual(['-b2', '-~a1', 'b1'])
  })

  test('does not delete an id that another entity uses', () => {
    const here = world({ identity: 'first' })
    here.put(0, 'same', { email: [] })
    here.put(1, 'same', { email: ['y'] })
    here.run()
    said(here)
    here.put(0, 'a', { email: ['y'] })
    expect(runs(here)).toEqual(['a'])
  })

  test('carries a number that grows with each entity', () => {
    const here = world()
    for (const round of [0, 1]) {
      here.put(0, 'a1', { email: [] })
      here.put(0, 'a2', { email: [] })
      here.run()
      here.restart()
      expect(here.emitted.map((entity) => get(entity, '_updated')).slice(round * 2)).toEqual([round * 2, round * 2 + 1])
    }
  })
})

describe('a class above max_merged', () => {
  const crowd = (): World => {
    const here = world({ maxMerged: 3 })
    for (const id of ['a1', 'a2']) here.put(0, id, { email: ['shared', id] })
    for (const id of ['b1', 'b2']) here.put(1, id, { email: ['shared'] })
    return here
  }

  test('is left apart, and reported with the values that bind most', () => {
    const here = crowd()
    expect(runs(here).sort()).toEqual(['0|a1', '0|a2', '1|b1', '1|b2'])
    expect(here.apart).toHaveLength(1)
    expect(here.apart[0]?.members).toBe(4)
    expect(here.apart[0]?.values[0]).toMatchObject({ count: 4 })
    expect(here.apart[0]?.values[0]?.link.endsWith('shared')).toBe(true)
  })

  test('is emitted again only where it was touched', () => {
    const here = crowd()
    here.run()
    said(here)
    here.put(0, 'a2', { email: ['shared', 'a2'] })
    here.put(1, 'b3', { email: ['shared'] })
    expect(runs(here).sort()).toEqual(['0|a2', '1|b3'])
  })

  test('merges by itself when it shrinks, and comes apart when it grows', () => {
    const here = crowd()
    here.run()
    said(here)
    here.put(0, 'a1', { email: ['other'] })
    expect(runs(here).sort()).toEqual(['-~0|a2', '-~1|b1', '-~1|b2', '0|a1', '0|a2|1|b1|1|b2'])
    here.put(0, 'a1', { email: ['shared'] })
    expect(runs(here).sort()).toEqual(['-~0|a2|1|b1|1|b2', '0|a1', '0|a2', '1|b1', '1|b2'])
    expect(here.sink).toEqual(naively(here))
  })
})

describe('identity lists', () => {
  test('bind what they name, are not members, and let go when they end', () => {
    const here = new World({
      datasets: 3,
      visible: 2,
      pairs: [0, 1].map((position) => [side(2, 'list'), side(position, 'ids')] as const),
    })
    here.put(0, 'a1', { ids: ['A1'] })
    here.put(1, 'b1', { ids: ['B1'] })
    here.put(2, 'same', { list: ['A1', 'B1', 'nobody'] })
    expect(runs(here)).toEqual(['0|a1|1|b1'])
    here.remove(2, 'same')
    expect(runs(here).sort()).toEqual(['-~0|a1|1|b1', '0|a1', '1|b1'])
  })
})

describe('sizes beyond a row', () => {
  test('a value shared by thousands is a star that comes and goes member by member', () => {
    const here = world({ maxMerged: 0 })
    for (let i = 0; i < 3000; i++) {
      here.put(i % 2, `e${i}`, { email: ['all'] })
      if (i % 500 === 0) here.page(1)
    }
    here.run(1)
    expect(here.sink.size).toBe(1)
    for (let i = 0; i < 2990; i++) here.remove(i % 2, `e${i}`)
    here.run(1)
    expect(here.sink).toEqual(naively(here))
    expect(here.sink.size).toBe(1)
    here.put(0, 'e2990', { email: [] })
    here.run()
    expect(here.sink).toEqual(naively(here))
    for (let i = 2990; i < 3000; i++) here.remove(i % 2, `e${i}`)
    here.run()
    expect(here.sink.size).toBe(0)
    // Nothing but the counters is left.
    expect([...here.store.rows.keys()].map((key) => key[0])).toEqual(['K', 'K'])
  })

  test('ids and values of any length and content are told apart', () => {
    const here = world()
    const long = 'x'.repeat(5_000)
    for (const [at, id] of [long, `${long}y`, 'a\u0000b', 'a', '\u0001', 'æ💩'].entries()) {
      here.put(0, id, { email: [`${long}${at}`] })
      here.put(1, id, { email: [`${long}${at}`] })
    }
    here.run()
    here.restart()
    here.put(1, 'a', { email: [] })
    here.remove(0, `${long}y`)
    here.run()
    expect(here.sink).toEqual(naively(here))
    expect([...here.sink.keys()].every((id) => Buffer.byteLength(id) < 6_000)).toBe(true)
  })

  test('a composite id above a kilobyte becomes short and stays its own', () => {
    const here = world()
    for (let i = 0; i < 300; i++) here.put(i % 2, `entity-${i}`, { email: [`${i % 3}`] })
    here.run()
    expect(here.sink.size).toBe(3)
    for (const id of here.sink.keys()) expect(id.length).toBeLessThan(200)
  })
})

describe('a state that begins anew', () => {
  test('takes over the ids that were emitted, and deletes those that are not used again', () => {
    const before = world()
    before.put(0, 'a1', { email: ['x'] })
    before.put(1, 'b1', { email: ['x'] })
    before.put(0, 'a2', { email: ['y'] })
    before.put(0, 'a3', { email: ['z'] })
    before.run()
    const after = world({ pairs: [[side(0, 'name'), side(1, 'name')]] })
    const former = { identity: 'composite' as const, isContinued: false, placeOf: placeIn([0, 1]) }
    let last: string | null = null
    while (true) {
      const cleared = harvestSome(before.store, former, after.state, last, 2)
      if (cleared.length === 0) break
      last = cleared.at(-1)?.[0] ?? null
      after.page()
    }
    after.put(0, 'a1', { name: ['n'] })
    after.put(1, 'b1', { name: ['m'] })
    after.put(0, 'a2', { name: ['m'] })
    expect(runs(after).sort()).toEqual(['-0|a3', '-~0|a1|1|b1', '-~0|a2', '0|a1', '0|a2|1|b1'])
  })

  test('knows after a restart what it knew before', () => {
    const here = world()
    here.put(0, 'a1', { email: ['x'] })
    here.put(1, 'b1', { email: ['x'] })
    here.run()
    said(here)
    here.restart()
    expect(new ClassState(new MemoryStore()).nodes.get('!a1')).toBeUndefined()
    here.put(1, 'b2', { email: ['x'] })
    expect(runs(here)).toEqual(['0|a1|1|b1|1|b2', '-~0|a1|1|b1'])
  })
})
